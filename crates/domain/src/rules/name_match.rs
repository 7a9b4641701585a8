//! Whether the names of a request fit an order: exactly, or below the order's wildcards.

use crate::model::Order;
use crate::{Name, NameSet, Product};

/// Why names don't fit an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameMismatch {
    /// A wildcard order does not reach these names.
    #[error("{} not covered by the order's wildcard names", list(.0))]
    NotCovered(NameSet),
    /// The two sets differ.
    #[error("the names differ{}{}", clause("; only requested: ", .only_requested), clause("; only in the order: ", .only_order))]
    Differ {
        /// Names that the order doesn't have.
        only_requested: NameSet,
        /// Names that the request doesn't have.
        only_order: NameSet,
    },
    /// The names are the same, but another one is the common name.
    #[error("the common name is {order} in the order and {requested} in the request")]
    CommonName {
        /// The order's.
        order: Name,
        /// The request's.
        requested: Name,
    },
}

/// At most five names in words, and how many more there are.
pub(crate) fn list(names: &NameSet) -> String {
    let shown: Vec<&str> = names.iter().take(5).map(Name::as_str).collect();
    let rest = names.len().saturating_sub(shown.len());
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("{}{more}", shown.join(", "))
}

fn clause(lead: &str, names: &NameSet) -> String {
    if names.is_empty() { String::new() } else { format!("{lead}{}", list(names)) }
}

/// Whether `held` reaches `name`: it is one of them, or it is the domain of one of their
/// wildcards or lies below it.
pub(crate) fn covers(held: &NameSet, name: &Name) -> bool {
    held.contains(name) || held.wildcard_bases().any(|base| name.is_within(base))
}

/// The names that `held` does not reach.
pub(crate) fn uncovered(held: &NameSet, names: &NameSet) -> NameSet {
    names.iter().filter(|name| !covers(held, name)).cloned().collect()
}

/// Whether a request for `names` fits `order`. Orders of wildcard products fit when they cover
/// every name, and the common name may be any of them; others fit when the sets are equal and,
/// where the common name is known already, it is the order's.
pub fn match_names(
    order: &Order,
    names: &NameSet,
    common_name: Option<&Name>,
) -> Result<(), NameMismatch> {
    if Product::find(order.product.as_str()).is_some_and(|product| product.wildcard) {
        let missing = uncovered(&order.names, names);
        return if missing.is_empty() { Ok(()) } else { Err(NameMismatch::NotCovered(missing)) };
    }
    if names != &order.names {
        return Err(NameMismatch::Differ {
            only_requested: names.missing_from(&order.names).cloned().collect(),
            only_order: order.names.missing_from(names).cloned().collect(),
        });
    }
    match common_name {
        Some(requested) if requested != &order.common_name => Err(NameMismatch::CommonName {
            order: order.common_name.clone(),
            requested: requested.clone(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{name, names, order};

    #[test]
    fn wildcard_reaches_its_domain_and_all_below() {
        let held = names("*.example.com other.test");
        for (text, covered) in [
            ("example.com", true),
            ("*.example.com", true),
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("*.a.example.com", true),
            ("other.test", true),
            ("a.other.test", false),
            ("evil-example.com", false),
            ("example.com.evil.test", false),
        ] {
            assert_eq!(covers(&held, &name(text)), covered, "{text}");
        }
    }

    #[test]
    fn other_products_need_the_same_set_and_common_name() {
        let file = order(1, "ssl_plus", "www.example.com example.com", 100);
        let same = names("example.com www.example.com");
        assert_eq!(match_names(&file.order, &same, None), Ok(()));
        assert_eq!(match_names(&file.order, &same, Some(&name("www.example.com"))), Ok(()));
        let other = match_names(&file.order, &same, Some(&name("example.com")));
        assert!(matches!(other, Err(NameMismatch::CommonName { .. })));
        let fewer = match_names(&file.order, &names("example.com"), None).unwrap_err();
        assert_eq!(fewer.to_string(), "the names differ; only in the order: www.example.com");
    }
}
