//! The action and order that a client's ACME directory URL names, as a query or as a path.

use crate::rules::explanation::Action;
use crate::{OrderNumber, Refusal};

/// What a directory URL asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryAction {
    /// A new order, whatever exists.
    Enroll,
    /// Renew this order.
    Renew(OrderNumber),
    /// Issue this order's next certificate.
    Reissue(OrderNumber),
    /// Duplicate this order's certificate.
    Duplicate(OrderNumber),
}

impl DirectoryAction {
    /// The action with its order, where it has what it needs.
    pub const fn new(action: Action, order: Option<OrderNumber>) -> Option<Self> {
        match (action, order) {
            (Action::Enroll, _) => Some(Self::Enroll),
            (Action::Renew, Some(order)) => Some(Self::Renew(order)),
            (Action::Reissue, Some(order)) => Some(Self::Reissue(order)),
            (Action::Duplicate, Some(order)) => Some(Self::Duplicate(order)),
            (_, None) => None,
        }
    }

    /// The action without its order.
    pub const fn action(self) -> Action {
        match self {
            Self::Enroll => Action::Enroll,
            Self::Renew(_) => Action::Renew,
            Self::Reissue(_) => Action::Reissue,
            Self::Duplicate(_) => Action::Duplicate,
        }
    }

    /// The order that the URL names; none for `enroll`.
    pub const fn order(self) -> Option<OrderNumber> {
        match self {
            Self::Enroll => None,
            Self::Renew(order) | Self::Reissue(order) | Self::Duplicate(order) => Some(order),
        }
    }

    /// The path segments of this action, as in `renew/555123456`. They stand behind `directory/`
    /// in the aliases, and in the `newOrder` URL that the directory answers with.
    pub fn path(self) -> String {
        match self.order() {
            Some(order) => format!("{}/{order}", self.action()),
            None => self.action().to_string(),
        }
    }
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal::new("A2", code, message)
}

/// Text from a client, cut and escaped for a message.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn parse_action(text: &str) -> Result<Action, Refusal> {
    text.parse().map_err(|_| {
        refuse(
            "unknown_action",
            format!(
                "The directory URL names an unknown action, {}. Use enroll, renew, reissue or \
                 duplicate, in lower case, or leave it out to let the server find the order.",
                quoted(text)
            ),
        )
    })
}

fn parse_order(text: &str) -> Result<OrderNumber, Refusal> {
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse::<OrderNumber>().ok().filter(|number| digits && number.0 > 0).ok_or_else(|| {
        refuse(
            "order_not_a_number",
            format!(
                "The directory URL's orderId, {}, is not an order number. Copy the number from \
                 the order's page: digits only, as in orderId=555123456.",
                quoted(text)
            ),
        )
    })
}

fn needs_order(action: Action) -> Refusal {
    refuse(
        "order_missing",
        format!(
            "The directory URL asks for {action} but names no order. If it was given with \
             &orderId=…, the shell cut it off at the &: put the whole URL in quotes. Otherwise \
             add the order number, as in \"…/directory?action={action}&orderId=555123456\"."
        ),
    )
}

fn combine(
    action: Option<Action>,
    order: Option<OrderNumber>,
) -> Result<Option<DirectoryAction>, Refusal> {
    match (action, order) {
        (None, None) => Ok(None),
        (None, Some(order)) => Err(refuse(
            "action_missing",
            format!(
                "The directory URL names order {order} but no action. Add action=renew, \
                 action=reissue or action=duplicate, or leave orderId out to let the server \
                 find the order."
            ),
        )),
        (Some(action), order) => {
            DirectoryAction::new(action, order).map(Some).ok_or_else(|| needs_order(action))
        }
    }
}

/// Reads the directory's query, already split and percent-decoded: `action` and `orderId`, each
/// at most once, spelled exactly so; other parameters are ignored. None where it names nothing.
pub fn parse_directory_query<K: AsRef<str>, V: AsRef<str>>(
    pairs: &[(K, V)],
) -> Result<Option<DirectoryAction>, Refusal> {
    let single = |name: &str| {
        let mut values =
            pairs.iter().filter(|(key, _)| key.as_ref() == name).map(|(_, v)| v.as_ref());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(refuse(
                "repeated_parameter",
                format!("The directory URL gives {name} more than once. Give it once."),
            )),
            (value, None) => Ok(value),
        }
    };
    let (action, order) = (single("action")?, single("orderId")?);
    let action = action.map(parse_action).transpose()?;
    let order = order.map(parse_order).transpose()?;
    combine(action, order)
}

/// Reads the path behind `directory/`, as `renew/555123456` or `enroll`; empty for none.
pub fn parse_directory_path(path: &str) -> Result<Option<DirectoryAction>, Refusal> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return Ok(None);
    }
    let (action, order) = match path.split_once('/') {
        Some((action, order)) => (action, Some(order)),
        None => (path, None),
    };
    combine(Some(parse_action(action)?), order.map(parse_order).transpose()?)
}

/// Reads path and query of a directory URL; both may name the action if they agree.
pub fn parse_directory<K: AsRef<str>, V: AsRef<str>>(
    path: &str,
    pairs: &[(K, V)],
) -> Result<Option<DirectoryAction>, Refusal> {
    match (parse_directory_path(path)?, parse_directory_query(pairs)?) {
        (Some(path), Some(query)) if path != query => Err(refuse(
            "path_and_query_differ",
            format!(
                "The directory URL's path says {} but its query says {}. Keep only one of them.",
                path.path(),
                query.path()
            ),
        )),
        (path, query) => Ok(path.or(query)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Option<DirectoryAction>, &'static str> {
        let pairs: Vec<(&str, &str)> = text
            .split('&')
            .filter(|p| !p.is_empty())
            .map(|p| p.split_once('=').unwrap_or((p, "")))
            .collect();
        parse_directory_query(&pairs).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a2_reads_action_and_order() {
        let order = OrderNumber(555_123_456);
        for (text, action) in [
            ("", None),
            ("utm=1&Action=renew&orderid=5", None),
            ("action=enroll", Some(DirectoryAction::Enroll)),
            ("action=enroll&orderId=5", Some(DirectoryAction::Enroll)),
            ("action=renew&orderId=555123456", Some(DirectoryAction::Renew(order))),
            ("orderId=555123456&x=y&x=z&action=reissue", Some(DirectoryAction::Reissue(order))),
            ("action=duplicate&orderId=555123456", Some(DirectoryAction::Duplicate(order))),
        ] {
            assert_eq!(query(text), Ok(action), "{text}");
        }
    }

    #[test]
    fn a2_refuses_bad_queries() {
        for (text, code) in [
            ("action=revoke", "unknown_action"),
            ("action=Renew&orderId=5", "unknown_action"),
            ("action=&orderId=5", "unknown_action"),
            ("action=renew&action=renew&orderId=5", "repeated_parameter"),
            ("action=renew&orderId=5&orderId=6", "repeated_parameter"),
            ("action=renew&orderId=abc", "order_not_a_number"),
            ("action=renew&orderId=", "order_not_a_number"),
            ("action=renew&orderId=-5", "order_not_a_number"),
            ("action=renew&orderId=%2B5", "order_not_a_number"),
            ("action=renew&orderId=0", "order_not_a_number"),
            ("action=renew&orderId=99999999999999999999", "order_not_a_number"),
            ("action=enroll&orderId=x", "order_not_a_number"),
            ("action=renew", "order_missing"),
            ("action=reissue", "order_missing"),
            ("action=duplicate", "order_missing"),
            ("orderId=5", "action_missing"),
        ] {
            assert_eq!(query(text), Err(code), "{text}");
        }
        let told = parse_directory_query(&[("action", "renew")]).unwrap_err().message;
        assert!(
            told.contains("the shell cut it off at the &: put the whole URL in quotes"),
            "{told}"
        );
    }

    #[test]
    fn a2_paths_say_the_same_as_queries() {
        for action in [DirectoryAction::Enroll, DirectoryAction::Renew(OrderNumber(5))] {
            assert_eq!(parse_directory_path(&action.path()), Ok(Some(action)));
        }
        assert_eq!(parse_directory_path(""), Ok(None));
        for (path, code) in [
            ("renew", "order_missing"),
            ("renew/x", "order_not_a_number"),
            ("renew/5/6", "order_not_a_number"),
            ("x/5", "unknown_action"),
        ] {
            assert_eq!(parse_directory_path(path).unwrap_err().code, code, "{path}");
        }
        let pairs = [("action", "renew"), ("orderId", "5")];
        assert!(parse_directory("renew/5", &pairs).is_ok());
        assert_eq!(parse_directory("enroll", &pairs).unwrap_err().code, "path_and_query_differ");
    }
}
