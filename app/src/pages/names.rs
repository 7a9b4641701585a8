//! (ssr) Refusals of names, at the fields in which these were typed.

use domain::Name;

use crate::fault::PortalError;

/// A refusal of names at the first of `fields`, each with what was typed, that holds one which the
/// refusal tells; where there are only too many, at the last one that is filled in. All else stays as
/// it is.
pub(crate) fn at_names(error: PortalError, fields: &[(&str, &str)]) -> PortalError {
    let PortalError::Refused { rule, code, message } = &error else { return error };
    let of_names = match rule.as_str() {
        "product" => !matches!(code.as_str(), "unknown_product"),
        "D19" => matches!(code.as_str(), "domain_not_validated" | "address_not_validated"),
        _ => false,
    };
    if !of_names {
        return error;
    }
    let told: Vec<&str> = words(message).collect();
    let holds = |typed: &str| words(typed).any(|word| told.contains(&&*written(word)));
    let filled = fields.iter().rev().find(|(_, typed)| !typed.trim().is_empty());
    let field = fields.iter().find(|(_, typed)| holds(typed)).or(filled).or(fields.first());
    match field {
        Some((field, _)) => PortalError::field(field, message.clone()),
        None => error,
    }
}

/// Names and whatever else stands between spaces, commas and the like.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    words.map(|word| word.trim_end_matches(['.', ':'])).filter(|word| !word.is_empty())
}

/// A name as refusals write it.
fn written(typed: &str) -> String {
    Name::parse(typed).map_or_else(|_| typed.to_owned(), |name| name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_is_told_at_the_field_that_holds_it() {
        let at = |rule, code, message: &str, common_name, names| {
            let refused = domain::Refusal::new(rule, code, message);
            let fields = [("common_name", common_name), ("names", names), ("csr", "")];
            let error = at_names(refused.into(), &fields);
            let field = fields.iter().find(|(field, _)| error.of_field(field).is_some());
            field.map(|(field, _)| *field)
        };
        let wildcard = |common_name, names| {
            let message = "Basic OV does not hold wildcard names such as *.example.com. Choose.";
            at("product", "wildcard_names", message, common_name, names)
        };
        assert_eq!(wildcard("*.Example.com", "a.example.com"), Some("common_name"));
        assert_eq!(wildcard("a.example.com", "b.example.com,*.example.com"), Some("names"));
        assert_eq!(wildcard("", ""), Some("common_name"), "the CSR's: the first field will do");
        let many = |names| {
            let message = "Basic OV holds one name only.";
            at("product", "additional_names", message, "a.example.com", names)
        };
        assert_eq!(many("b.example.com"), Some("names"));
        let open =
            "Example Corp has no current domain validation for bücher.test, b.test and 3 more";
        let open = open.replace("bücher.test", "xn--bcher-kva.test");
        let validation = |names| at("D19", "domain_not_validated", &open, "a.test", names);
        assert_eq!(validation("bücher.test"), Some("names"));
        assert_eq!(at("D19", "organization_not_validated", "It has expired.", "a.test", ""), None);
        assert_eq!(at("D17", "names_differ", "They differ.", "a.test", ""), None);
    }
}
