//! Whether domains and organization are validated for what is to be issued.

use crate::model::{Domain, DomainProof, Organization};
use crate::rules::name_match::list;
use crate::{Days, Name, NameSet, Product, Refusal, Timestamp, Validation};

/// Whether control of `name` is shown by a challenge for each order: so it is for all names of DV
/// products, and for IP addresses, which lie in no domain that could have been validated before.
pub fn is_challenged(product: &Product, name: &Name) -> bool {
    product.validation == Validation::Dv || name.as_ip().is_some()
}

/// Whether the validation of `domain` is current and covers `name`: the domain itself and, where
/// its [proof](DomainProof::covers_below) is good for them, wildcards and the names below it.
pub fn is_covered(name: &Name, domain: &Domain, now: Timestamp) -> bool {
    domain.is_validated(now)
        && (name.as_dns() == Some(&domain.name)
            || domain.proof.is_some_and(DomainProof::covers_below)
                && name.is_within(domain.name.base()))
}

/// How long a domain's token shows control of it (Baseline Requirements 3.2.2.4.7 and 3.2.2.4.18).
pub(super) const TOKEN_LIFETIME: Days = Days(30);

/// Until when a token that was made at `made_at` shows control.
pub fn token_ends(made_at: Timestamp) -> Timestamp {
    made_at.plus(TOKEN_LIFETIME)
}

/// Refuses a token that was made too long ago to show control now.
pub fn check_token(made_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now <= token_ends(made_at) {
        return Ok(());
    }
    Err(Refusal::new(
        "D19",
        "token_expired",
        format!(
            "The domain's token is older than {} days, and shows control no more. Make a new token \
             and put that one in its place.",
            TOKEN_LIFETIME.0
        ),
    ))
}

/// Refuses to rest a request that was held on challenges which its client answered too long ago.
pub fn check_challenged(
    challenged: &NameSet,
    asked_at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if challenged.is_empty() || now <= token_ends(asked_at) {
        return Ok(());
    }
    Err(Refusal::new(
        "D19",
        "challenge_too_old",
        format!(
            "Control of {} was shown by challenges on {asked_at}, more than {} days ago. Reject the \
             request; the ACME client can order again and show it anew.",
            list(challenged),
            TOKEN_LIFETIME.0
        ),
    ))
}

/// Refuses a proof that would take away names which the domain's current validation covers.
pub fn check_proof(domain: &Domain, proof: DomainProof, now: Timestamp) -> Result<(), Refusal> {
    let covers_below = domain.proof.is_some_and(DomainProof::covers_below);
    if proof.covers_below() || !covers_below || !domain.is_validated(now) {
        return Ok(());
    }
    Err(Refusal::new(
        "D19",
        "validation_covers_more",
        format!(
            "The validation of {} is current and covers every name below it, which {} can't. \
             Withdraw it first if it is to cover this name only.",
            domain.name,
            proof.label()
        ),
    ))
}

/// Refuses unless every name is [covered](is_covered) by a domain of the organization and, for
/// all but DV products, the organization's own validation is current.
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
    let own = || domains.iter().filter(|domain| domain.organization == organization.id);
    let covered = |name: &Name| own().any(|domain| is_covered(name, domain, now));
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
    let above = |domain: &&Domain| open.iter().any(|name| name.is_within(domain.name.base()));
    let advice = match own().filter(|domain| domain.is_validated(now)).find(above) {
        Some(alone) => format!(
            "The validation of {} by an HTTP file covers this name only. Validate the domain in \
             the DNS",
            alone.name
        ),
        None => "Validate the domain".to_owned(),
    };
    Err(Refusal::new(
        "D19",
        "domain_not_validated",
        format!(
            "{} has no current domain validation for {}. {advice} under Certificates > Domains; \
             then ask again.",
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
            proof: Some(DomainProof::DnsTxt),
        }
    }

    #[test]
    fn a_file_covers_its_own_name_only() {
        use DomainProof::{Administrator, DnsTxt, HttpFile};

        for (proof, validated, asked, covered) in [
            (Some(HttpFile), "example.com", "example.com", true),
            (Some(HttpFile), "example.com", "*.example.com", false),
            (Some(HttpFile), "example.com", "www.example.com", false),
            (Some(HttpFile), "example.com", "*.www.example.com", false),
            (Some(HttpFile), "www.example.com", "www.example.com", true),
            (Some(HttpFile), "www.example.com", "example.com", false),
            (Some(HttpFile), "www.example.com", "*.example.com", false),
            (Some(HttpFile), "example.com", "evil-example.com", false),
            (Some(DnsTxt), "example.com", "example.com", true),
            (Some(DnsTxt), "example.com", "*.example.com", true),
            (Some(DnsTxt), "example.com", "a.b.example.com", true),
            (Some(DnsTxt), "example.com", "evil-example.com", false),
            (Some(DnsTxt), "www.example.com", "example.com", false),
            (Some(DnsTxt), "example.com", "8.8.8.8", false),
            (Some(Administrator), "example.com", "*.www.example.com", true),
            (None, "example.com", "example.com", true),
            (None, "example.com", "www.example.com", false),
        ] {
            let of = |until| Domain { proof, ..domain(1, validated, until) };
            let told = format!("{proof:?} of {validated} for {asked}");
            assert_eq!(is_covered(&name(asked), &of(Some(NOW)), NOW), covered, "{told}");
            let past = Some(NOW.plus(Days(-1)));
            assert!(!is_covered(&name(asked), &of(past), NOW), "{told}, expired");
            assert!(!is_covered(&name(asked), &of(None), NOW), "{told}, withdrawn");
        }
    }

    #[test]
    fn a_token_shows_control_for_thirty_days() {
        assert_eq!(check_token(NOW, NOW.plus(Days(30))), Ok(()));
        let late = check_token(NOW, NOW.plus(Days(30)).plus_seconds(1)).unwrap_err();
        assert_eq!(late.code, "token_expired");
    }

    #[test]
    fn challenges_show_control_for_thirty_days() {
        let (some, none) = (names("www.example.com"), NameSet::default());
        let later = NOW.plus(Days(30)).plus_seconds(1);
        assert_eq!(check_challenged(&some, NOW, NOW.plus(Days(30))), Ok(()));
        assert_eq!(check_challenged(&none, NOW, later), Ok(()));
        assert_eq!(check_challenged(&some, NOW, later).unwrap_err().code, "challenge_too_old");
    }

    #[test]
    fn what_a_file_leaves_open_is_said() {
        let proof = Some(DomainProof::HttpFile);
        let domains = [Domain { proof, ..domain(1, "example.com", Some(NOW)) }];
        let owner = organization(Some(NOW));
        let check = |code, wanted| {
            check_validation(Product::find(code).unwrap(), &owner, &domains, &names(wanted), NOW)
        };
        for code in ["ssl_plus", "ssl_dv_geotrust", "ssl_wildcard"] {
            assert_eq!(check(code, "example.com"), Ok(()), "{code}");
            let refused = check(code, "example.com *.example.com www.example.com").unwrap_err();
            assert_eq!(refused.code, "domain_not_validated");
            let words = "for *.example.com, www.example.com. The validation of example.com by an \
                         HTTP file covers this name only. Validate the domain in the DNS";
            assert!(refused.message.contains(words), "{}", refused.message);
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
    fn a_current_validation_is_not_narrowed() {
        use DomainProof::{Administrator, DnsTxt, HttpFile};

        let (current, past) = (Some(NOW), Some(NOW.plus(Days(-1))));
        for (held, until, proof, goes) in [
            (None, None, HttpFile, true),
            (Some(HttpFile), current, HttpFile, true),
            (Some(HttpFile), current, DnsTxt, true),
            (Some(DnsTxt), past, HttpFile, true),
            (Some(DnsTxt), current, HttpFile, false),
            (Some(Administrator), current, HttpFile, false),
            (Some(Administrator), current, DnsTxt, true),
            (Some(DnsTxt), current, Administrator, true),
        ] {
            let domain = Domain { proof: held, ..domain(1, "example.com", until) };
            let told = format!("{proof:?} after {held:?} until {until:?}");
            assert_eq!(check_proof(&domain, proof, NOW).is_ok(), goes, "{told}");
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
