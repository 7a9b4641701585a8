//! Tests of the checks on profiles, ACME Directory URLs and names.

use super::*;
use crate::OrganizationId;
use crate::rules::fixture::{NOW, acme_url, domain, names, profile};

fn fields(faults: &[FieldFault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.field.as_str()).collect()
}

fn auto_renew(days: i64) -> AutoRenew {
    AutoRenew { days_before: Days(days), minute_of_day: 120, time_zone: "Europe/Berlin".to_owned() }
}

#[test]
fn finds_the_faults_of_a_profile_by_field() {
    let with = |edit: fn(&mut Profile)| {
        let mut one = profile("ssl_plus");
        one.auto_renew = Some(auto_renew(30));
        edit(&mut one);
        check_profile(&one, NOW)
    };
    assert!(with(|_| ()).is_empty());
    for (edit, field) in [
        ((|one| one.name = "  ".to_owned()) as fn(&mut Profile), "name"),
        (|one| one.name = "x".repeat(101), "name"),
        (|one| one.name = "\u{202e}bew".to_owned(), "name"),
        (|one| one.product = "nothing".into(), "product"),
        (|one| one.coverage_years = Some(0), "coverage_years"),
        (|one| one.coverage_years = Some(4), "coverage_years"),
        (|one| one.validity_days = Some(Days(0)), "validity_days"),
        (|one| one.validity_days = Some(Days(201)), "validity_days"),
        (|one| one.ends_by = Some(NOW.plus_seconds(80_000)), "validity_end"),
        (|one| one.ends_by = Some(NOW.plus(Days(30))), "days_before"),
        (|one| one.auto_renew = Some(auto_renew(0)), "days_before"),
        (|one| one.auto_renew = Some(auto_renew(200)), "days_before"),
        (
            |one| (one.validity_days, one.auto_renew) = (Some(Days(30)), Some(auto_renew(30))),
            "days_before",
        ),
        (|one| one.auto_renew.as_mut().unwrap().time_zone = "Nowhere".to_owned(), "time_zone"),
        (|one| one.emails = vec!["ops".to_owned()], "emails"),
        (|one| one.emails = vec!["a@b.test\nBcc: c@d.test".to_owned()], "emails"),
    ] {
        assert_eq!(fields(&with(edit)), [field]);
    }
    assert!(with(|one| one.coverage_years = Some(3)).is_empty());
    assert!(with(|one| one.auto_renew = Some(auto_renew(199))).is_empty());
    assert!(with(|one| one.ends_by = Some(NOW.plus(Days(31)))).is_empty());
    let mut private = profile("private_ssl_plus");
    private.coverage_years = Some(1);
    assert_eq!(fields(&check_profile(&private, NOW)), ["coverage_years"]);
}

#[test]
fn finds_the_faults_of_an_acme_url() {
    let mut url = acme_url("ssl_plus");
    assert!(check_acme_url(&url, NOW).is_empty());
    url.allowed_domains = vec![domain("example.com"); 251];
    assert_eq!(fields(&check_acme_url(&url, NOW)), ["allowed_domains"]);
    url.allowed_domains = vec![domain("*.example.com")];
    url.may_duplicate = false;
    assert_eq!(fields(&check_acme_url(&url, NOW)), ["allowed_domains", "duplicate_automatically"]);
}

#[test]
fn a_profile_needs_action_once_its_ground_is_gone() {
    let organization = |validated_until| Organization {
        id: OrganizationId(1),
        name: "Example Ltd".to_owned(),
        country: "GB".to_owned(),
        locality: None,
        registration_number: None,
        validated_until,
    };
    let mut one = profile("ssl_plus");
    one.validity_days = Some(Days(199));
    assert_eq!(profile_state(&one, Some(&organization(Some(NOW))), NOW), ProfileState::Active);
    for (found, now) in [
        (None, NOW),
        (Some(organization(None)), NOW),
        (Some(organization(Some(NOW))), NOW.plus_seconds(1)),
        // The public maximum fell to 100 days.
        (Some(organization(Some(NOW.plus(Days(999))))), NOW.plus(Days(200))),
    ] {
        let state = profile_state(&one, found.as_ref(), now);
        assert!(
            matches!(&state, ProfileState::ActionNeeded { reasons } if reasons.len() == 1),
            "{state:?}"
        );
    }
}

#[test]
fn names_must_fit_product_and_allowed_domains() {
    let mut url = acme_url("ssl_plus");
    let code =
        |url: &AcmeUrl, text: &str| check_acme_names(url, &names(text)).map_err(|no| no.code);
    assert_eq!(code(&url, "www.example.com"), Ok(()));
    assert_eq!(code(&url, "*.example.com"), Err("wildcard_names"));
    assert_eq!(code(&url, ""), Err("no_names"));
    assert_eq!(code(&url, "a.b.c.d.e.f.g.h.example.com"), Ok(()));
    assert_eq!(code(&url, "a.b.c.d.e.f.g.h.i.example.com"), Err("too_many_labels"));
    url.allowed_domains = vec![domain("example.com"), domain("example.org")];
    assert_eq!(code(&url, "a.example.com example.org"), Ok(()));
    assert_eq!(code(&url, "a.example.com notexample.org"), Err("domain_not_allowed"));
    let many: NameSet =
        (0..=MAX_NAMES).map(|i| Name::parse(&format!("a{i}.example.com")).unwrap()).collect();
    assert_eq!(check_acme_names(&url, &many).unwrap_err().code, "too_many_names");
    let single =
        Product { additional_names_allowed: false, ..Product::find("ssl_basic").unwrap().clone() };
    assert_eq!(
        check_product_names(&single, &names("a.test b.test")).unwrap_err().code,
        "additional_names"
    );
}

#[test]
fn addresses_are_for_products_that_hold_them() {
    let code = |product: &str, text: &str| {
        check_product_names(Product::find(product).unwrap(), &names(text)).map_err(|no| no.code)
    };
    for (product, public, reserved) in [
        ("ssl_dv_geotrust", Ok(()), Err("reserved_address")),
        ("ssl_plus", Ok(()), Err("reserved_address")),
        ("private_ssl_plus", Ok(()), Ok(())),
        ("ssl_ev_basic", Err("ip_addresses"), Err("ip_addresses")),
        ("ssl_wildcard", Err("ip_addresses"), Err("ip_addresses")),
        ("private_ssl_wildcard", Err("ip_addresses"), Err("ip_addresses")),
    ] {
        assert_eq!(code(product, "www.example.com 8.8.8.8"), public, "{product}");
        assert_eq!(code(product, "2606:4700::1111"), public, "{product}");
        assert_eq!(code(product, "10.0.0.1 8.8.8.8"), reserved, "{product}");
    }
    for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
        assert_eq!(code("private_ssl_plus", address), Err("address_of_no_host"), "{address}");
    }
    let mut url = acme_url("ssl_plus");
    url.allowed_domains = vec![domain("example.com")];
    let refused = check_acme_names(&url, &names("www.example.com 8.8.8.8")).unwrap_err();
    assert_eq!(refused.code, "domain_not_allowed");
}
