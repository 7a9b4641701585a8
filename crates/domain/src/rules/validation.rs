//! Whether domains and organization are validated for what is to be issued.

use crate::model::{Domain, Organization};
use crate::rules::name_match::list;
use crate::{Name, NameSet, Product, Refusal, Timestamp, Validation};

/// Whether control of `name` is shown by a challenge for each order: so it is for all names of DV
/// products, and for IP addresses, which lie in no domain that could have been validated before.
pub fn is_challenged(product: &Product, name: &Name) -> bool {
    product.validation == Validation::Dv || name.as_ip().is_some()
}

/// Refuses unless every name lies in a domain of the organization with current validation and,
/// for all but DV products, the organization's own validation is current.
///
/// All names of an issuance but those that were [challenged](is_challenged) through ACME must pass
/// this at its moment, duplicates above all.
pub fn check_validation(
    product: &Product,
    organization: &Organization,
    domains: &[Domain],
    names: &NameSet,
    now: Timestamp,
) -> Result<(), Refusal> {
    if product.validation != Validation::Dv && !organization.is_validated(now) {
        return Err(Refusal::new(
            "D19",
            "organization_not_validated",
            format!(
                "The validation of {} is missing or has expired, and {} needs it. An \
                 administrator can validate the organization under Certificates > Organizations; \
                 then ask again.",
                organization.name, product.name
            ),
        ));
    }
    let covered = |name: &Name| {
        domains.iter().any(|domain| {
            domain.organization == organization.id
                && domain.validated_until.is_some_and(|until| now <= until)
                && name.is_within(domain.name.base())
        })
    };
    let open: NameSet = names.iter().filter(|name| !covered(name)).cloned().collect();
    if open.is_empty() {
        return Ok(());
    }
    let addresses: NameSet = open.addresses().cloned().map(Name::Ip).collect();
    if !addresses.is_empty() {
        return Err(Refusal::new(
            "D19",
            "address_not_validated",
            format!(
                "No domain's validation covers {}: control of an IP address is shown by a \
                 challenge each time. Request the certificate through an ACME Directory URL.",
                list(&addresses)
            ),
        ));
    }
    Err(Refusal::new(
        "D19",
        "domain_not_validated",
        format!(
            "{} has no current domain validation for {}. Validate the domain under Certificates \
             > Domains; then ask again.",
            organization.name,
            list(&open)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{NOW, name, names};
    use crate::{Days, DomainId, OrganizationId};

    fn organization(until: Option<Timestamp>) -> Organization {
        Organization {
            id: OrganizationId(1),
            name: "Example Ltd".to_owned(),
            country: "GB".to_owned(),
            locality: None,
            registration_number: None,
            validated_until: until,
        }
    }

    fn domain(of: i64, text: &str, until: Option<Timestamp>) -> Domain {
        Domain {
            id: DomainId(1),
            name: text.parse().unwrap(),
            organization: OrganizationId(of),
            validated_until: until,
        }
    }

    #[test]
    fn d19_validations_must_be_current() {
        let (current, past) = (Some(NOW), Some(NOW.plus(Days(-1))));
        let ov = Product::find("ssl_plus").unwrap();
        let dv = Product::find("ssl_dv_geotrust").unwrap();
        let wanted = names("a.example.com *.example.com");
        let check = |product, org, domain| {
            check_validation(product, &organization(org), &[domain], &wanted, NOW)
                .map_err(|no| no.code)
        };
        assert_eq!(check(ov, current, domain(1, "example.com", current)), Ok(()));
        assert_eq!(check(dv, None, domain(1, "example.com", current)), Ok(()));
        assert_eq!(
            check(ov, past, domain(1, "example.com", current)),
            Err("organization_not_validated")
        );
        for bad in [
            domain(1, "example.com", past),
            domain(1, "example.com", None),
            domain(1, "a.example.com", current),
            domain(2, "example.com", current),
        ] {
            assert_eq!(check(ov, current, bad), Err("domain_not_validated"));
        }
    }

    #[test]
    fn addresses_are_challenged_each_time() {
        let (ov, dv) =
            (Product::find("ssl_plus").unwrap(), Product::find("ssl_dv_geotrust").unwrap());
        let (www, address) = (name("www.example.com"), name("8.8.8.8"));
        assert!(is_challenged(ov, &address) && is_challenged(dv, &address));
        assert!(!is_challenged(ov, &www) && is_challenged(dv, &www));
        let wanted = names("www.example.com 8.8.8.8");
        let domains = [domain(1, "example.com", Some(NOW))];
        let refused = check_validation(ov, &organization(Some(NOW)), &domains, &wanted, NOW);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, "address_not_validated");
        assert!(!refused.message.contains("www.example.com"), "{}", refused.message);
    }
}
