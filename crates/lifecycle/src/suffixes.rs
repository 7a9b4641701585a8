//! The public suffix list, for the rule on wildcards.

use domain::{Name, Refusal, Validation, rules};

/// Refuses wildcards directly below a suffix of the list's ICANN section, except for private products.
pub(crate) fn check_wildcards<'a>(
    validation: Validation,
    names: impl IntoIterator<Item = &'a Name>,
) -> Result<(), Refusal> {
    rules::check_wildcards(validation, names, is_suffix)
}

fn is_suffix(name: &str) -> bool {
    psl::suffix(name.as_bytes())
        .is_some_and(|suffix| suffix == name && suffix.typ() == Some(psl::Type::Icann))
}

#[cfg(test)]
mod tests {
    use domain::model::Role;

    use super::*;
    use crate::testing::issuing::{ask, refused, shops};
    use crate::{Actor, What};

    #[test]
    fn wildcards_stand_for_the_domains_of_one_owner() {
        let check = |validation, text: &str| {
            let name = Name::parse(text).unwrap();
            check_wildcards(validation, [&name]).map_err(|refusal| refusal.code)
        };
        for (text, right) in [
            ("*.co.uk", Err("wildcard_of_suffix")),
            ("*.xn--55qx5d.cn", Err("wildcard_of_suffix")),
            ("*.example.co.uk", Ok(())),
            ("*.example.com", Ok(())),
            ("co.uk", Ok(())),
            // The owner of a suffix of the list's private section may have its wildcard; names that
            // nobody registers are none of its suffixes.
            ("*.github.io", Ok(())),
            ("*.co.test", Ok(())),
            ("192.0.2.1", Ok(())),
        ] {
            assert_eq!(check(Validation::Dv, text), right, "{text}");
            assert_eq!(check(Validation::Private, text), Ok(()), "{text}");
        }
    }

    /// Neither issued nor held for a reviewer, whatever has been validated.
    #[tokio::test]
    async fn they_are_refused_at_every_desk() {
        for shop in shops().await {
            let standard = shop.somebody(Role::Standard).await;
            for actor in [&Actor::Operator, &standard] {
                let new = shop.new_order("ssl_wildcard", "*.co.uk", None);
                let asked = shop.ask(actor, ask(What::New(Box::new(new)), "*.co.uk")).await;
                assert_eq!(refused(asked), "wildcard_of_suffix");
            }
        }
    }
}
