//! Wildcards that would stand for everybody's domains (CA/Browser Forum Baseline Requirements, section
//! 3.2.2.6): directly below a public suffix, as `*.co.uk`.

use crate::{Name, Refusal, Validation};

/// Refuses such wildcards, except for private products. Which names are public suffixes is a list that
/// changes: `is_suffix` knows.
pub fn check_wildcards<'a>(
    validation: Validation,
    names: impl IntoIterator<Item = &'a Name>,
    is_suffix: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    if validation == Validation::Private {
        return Ok(());
    }
    let bases = names.into_iter().filter_map(|name| name.as_str().strip_prefix("*."));
    match bases.into_iter().find(|base| is_suffix(base)) {
        None => Ok(()),
        Some(suffix) => Err(Refusal::new(
            "product",
            "wildcard_of_suffix",
            format!(
                "*.{suffix} can't be issued: anybody may register a domain below {suffix} (Baseline \
                 Requirements 3.2.2.6). Enter a wildcard of a domain of your own."
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_directly_below_a_suffix_are_refused_except_for_private_products() {
        let is_suffix = |name: &str| name == "co.uk";
        for (text, right) in [("*.co.uk", false), ("*.example.co.uk", true), ("co.uk", true)] {
            let name = Name::parse(text).unwrap();
            let check = |validation| check_wildcards(validation, [&name], is_suffix);
            assert_eq!(check(Validation::Dv).is_ok(), right, "{text}");
            assert_eq!(check(Validation::Ev).is_ok(), right, "{text}");
            assert!(check(Validation::Private).is_ok(), "{text}");
        }
    }
}
