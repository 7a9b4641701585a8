use domain::time::DAY;
use domain::{Name, NameSet, Product};
use store::organizations::ValidationState::{Current, Wanted};

use super::*;
use crate::issue::check_validated;
use crate::testing::issuing::shops;
use crate::testing::{desks, newest};

fn names(texts: &[&str]) -> NameSet {
    texts.iter().map(|text| Name::parse(text).unwrap()).collect()
}

#[tokio::test]
async fn an_organization_is_validated_for_as_long_as_the_settings_say() {
    for desk in desks().await {
        let id =
            desk.add_organization(&Actor::Operator, "Example  Corp", "us", false).await.unwrap();
        let added = desk.organization(&Actor::Operator, id).await.unwrap();
        assert_eq!((added.name.as_str(), added.country.as_str()), ("Example Corp", "US"));
        let now = desk.clock().now();
        assert!(!added.is_validated(now));
        desk.settings_set(&Actor::Operator, "organization_validation_days", "100").await.unwrap();
        desk.validate_organization(&Actor::Operator, id, true).await.unwrap();
        let until =
            desk.organization_by_name("Example Corp").await.unwrap().validated_until.unwrap();
        assert!((100 * DAY..=100 * DAY + 60).contains(&until.seconds_since(now)));
        desk.validate_organization(&Actor::Operator, id, false).await.unwrap();
        assert_eq!(desk.organization(&Actor::Operator, id).await.unwrap().validated_until, None);
        assert!(desk.add_organization(&Actor::Operator, "Example Corp", "US", true).await.is_err());
        for (name, country) in [
            ("", "US"),
            ("Example", "USA"),
            ("Example", "U1"),
            ("Example", "ZZ"),
            ("Example", "UK"),
            (&"x".repeat(65), "US"),
            ("Example\u{202e}proC", "US"),
            ("Exam\u{200b}ple", "US"),
        ] {
            assert!(
                desk.add_organization(&Actor::Operator, name, country, true).await.is_err(),
                "{name} {country}"
            );
        }
    }
}

#[tokio::test]
async fn town_and_number_are_kept_with_the_organization_or_nothing_is() {
    for desk in desks().await {
        let new = |name: &str, locality: &str, number: &str| NewOrganization {
            name: name.to_owned(),
            country: "DE".to_owned(),
            locality: locality.to_owned(),
            registration_number: number.to_owned(),
            validated: true,
        };
        let by = &Actor::Operator;
        let id = desk.add_new_organization(by, &new("Ours", " Köln ", "HRB 1234")).await.unwrap();
        let told = async || {
            let one = desk.organization(&Actor::Operator, id).await.unwrap();
            (one.locality.unwrap_or_default(), one.registration_number.unwrap_or_default())
        };
        assert_eq!(told().await, ("Köln".to_owned(), "HRB 1234".to_owned()));
        let page = PageOf::first((), 10);
        let log = desk.audit_page(by, audit::AuditFilter::default(), &page).await.unwrap().rows;
        let actions: Vec<&str> = log.iter().map(|row| row.action.as_str()).collect();
        assert!(actions.contains(&"organization.added"), "{actions:?}");
        assert!(actions.contains(&"organization.changed"), "{actions:?}");
        desk.set_organization_details(by, id, "Bonn", "").await.unwrap();
        assert_eq!(told().await, ("Bonn".to_owned(), String::new()));
        let saved = async |seen| desk.save_organization_details(by, id, seen, "Jena", "7").await;
        let Err(LifecycleError::Conflict { message }) = saved(("Köln", "HRB 1234")).await else {
            panic!("a stale form was saved")
        };
        assert!(message.contains("town Bonn, registration number none"), "{message}");
        saved(("Bonn", "")).await.unwrap();
        assert_eq!(told().await, ("Jena".to_owned(), "7".to_owned()));

        let stretched = "x".repeat(129);
        for (locality, number, fields) in [
            (stretched.as_str(), "", &["locality"][..]),
            ("Kö\u{202e}ln", "", &["locality"]),
            ("", &stretched[..65], &["registration_number"]),
            (&stretched, &stretched, &["locality", "registration_number"]),
        ] {
            let refused = desk.add_new_organization(by, &new("Theirs", locality, number)).await;
            let Err(LifecycleError::Invalid(faults)) = refused else { panic!("{refused:?}") };
            assert_eq!(faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>(), fields);
            let refused = desk.set_organization_details(by, id, locality, number).await;
            assert!(matches!(refused, Err(LifecycleError::Invalid(_))));
        }
        let missing = desk.organization_by_name("Theirs").await;
        assert!(matches!(missing, Err(LifecycleError::NotFound { .. })), "nothing is half added");
    }
}

#[tokio::test]
async fn bad_domains_are_refused_in_words() {
    let desk = desks().await.remove(0);
    let id = desk.add_organization(&Actor::Operator, "Ours", "US", true).await.unwrap();
    desk.add_domain(&Actor::Operator, "example.com", id, false).await.unwrap();
    for name in ["", "*.example.com", "com", "10.0.0.1", "a_b.example.com", "Example.com."] {
        let refused = desk.add_domain(&Actor::Operator, name, id, true).await.unwrap_err();
        assert!(matches!(refused, LifecycleError::Invalid(_)), "{name}: {refused:?}");
    }
    let missing = desk
        .add_domain(&Actor::Operator, "other.test", OrganizationId(999), true)
        .await
        .unwrap_err();
    assert!(matches!(missing, LifecycleError::NotFound { .. }));
}

#[tokio::test]
async fn lists_are_filtered_by_validation() {
    for desk in desks().await {
        let a = desk.add_organization(&Actor::Operator, "A", "US", true).await.unwrap();
        desk.add_organization(&Actor::Operator, "B", "US", false).await.unwrap();
        desk.add_domain(&Actor::Operator, "a.test", a, true).await.unwrap();
        desk.add_domain(&Actor::Operator, "b.test", a, false).await.unwrap();
        let (now, page) = (desk.clock().now(), PageOf::first(PlaceSort::ValidatedUntil, 10));
        for (state, organization, domain) in
            [(Current(now), "A", "a.test"), (Wanted(now), "B", "b.test")]
        {
            let filter = PlaceFilter { validation: Some(state), ..PlaceFilter::default() };
            let organizations =
                desk.organizations(&Actor::Operator, filter.clone(), &page).await.unwrap().rows;
            assert_eq!(
                organizations.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(),
                [organization]
            );
            let domains = desk.domains(&Actor::Operator, filter, &page).await.unwrap().rows;
            assert_eq!(
                domains.iter().map(|d| d.domain.name.as_str()).collect::<Vec<_>>(),
                [domain]
            );
        }
    }
}

/// An outside with one TXT record and one file.
#[derive(Debug, Default)]
struct Outside {
    record: (String, String),
    file: (String, Vec<u8>),
}

impl TokenLookup for Outside {
    fn txt<'a>(&'a self, name: &'a str) -> Found<'a, Vec<String>> {
        let values = if name == self.record.0 {
            vec!["v=spf1".to_owned(), self.record.1.clone()]
        } else {
            Vec::new()
        };
        Box::pin(async move { Ok(values) })
    }

    fn file<'a>(&'a self, host: &'a DnsName, path: &'a str) -> Found<'a, Vec<u8>> {
        Box::pin(async move {
            let served = self.file.0 == format!("{host}{path}");
            served.then(|| self.file.1.clone()).ok_or_else(|| format!("{host} does not answer."))
        })
    }
}

#[tokio::test]
async fn a_domain_is_validated_by_its_token_in_the_dns() {
    for desk in desks().await {
        let ours = desk.add_organization(&Actor::Operator, "Ours", "US", true).await.unwrap();
        let id = desk.add_domain(&Actor::Operator, "example.com", ours, false).await.unwrap();
        let token = desk.domain(&Actor::Operator, id).await.unwrap().token.unwrap();
        let with = |name: &str, value: &str| {
            let outside = Outside { record: (name.into(), value.into()), ..Outside::default() };
            desk.with_token_lookup(std::sync::Arc::new(outside))
        };
        for (name, value, words) in [
            ("_certdeck-validation.other.test", token.as_str(), "There is no TXT record"),
            ("_certdeck-validation.example.com", "", "None of the 2 TXT records"),
            ("_certdeck-validation.example.com", "another token", "None of the 2 TXT records"),
        ] {
            let refused =
                with(name, value).check_domain_dns(&Actor::Operator, id).await.unwrap_err();
            assert!(refused.to_string().starts_with(words), "{refused}");
        }
        with("_certdeck-validation.example.com", &token)
            .check_domain_dns(&Actor::Operator, id)
            .await
            .unwrap();
        let domain = desk.domain(&Actor::Operator, id).await.unwrap().domain;
        assert_eq!(domain.proof, Some(DomainProof::DnsTxt));
        assert!(domain.validated_until.is_some());
    }
}

/// Who once had the DNS or the web server must not be found there for ever.
#[tokio::test]
async fn a_token_is_good_for_thirty_days() {
    let by = &Actor::Operator;
    for desk in desks().await {
        let ours = desk.add_organization(by, "Ours", "US", true).await.unwrap();
        let id = desk.add_domain(by, "example.com", ours, false).await.unwrap();
        let old = desk.domain(&Actor::Operator, id).await.unwrap().token.unwrap();
        let outside = |token: &str| {
            let place = "example.com/.well-known/pki-validation/fileauth.txt".to_owned();
            let record = ("_certdeck-validation.example.com".to_owned(), token.to_owned());
            let file = (place, token.as_bytes().to_vec());
            desk.with_token_lookup(std::sync::Arc::new(Outside { record, file }))
        };
        desk.clock().advance(Days(31));
        for refused in [
            outside(&old).check_domain_dns(by, id).await,
            outside(&old).check_domain_file(by, id).await,
        ] {
            let Err(LifecycleError::Refused(refusal)) = refused else { panic!("{refused:?}") };
            assert_eq!(refusal.code, "token_expired");
        }
        desk.replace_domain_token(by, id).await.unwrap();
        assert_eq!(newest(&desk).await.remove(0).action, "domain.token_replaced");
        let new = desk.domain(&Actor::Operator, id).await.unwrap().token.unwrap();
        assert_ne!(new, old);
        assert!(outside(&old).check_domain_dns(by, id).await.is_err());
        outside(&new).check_domain_dns(by, id).await.unwrap();
        let manager = Actor::Person(desk.person("m@example.com", Role::Manager).await);
        let refused = desk.replace_domain_token(&manager, id).await;
        assert!(matches!(refused, Err(LifecycleError::Forbidden { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_domain_is_validated_by_its_token_in_a_file_for_its_own_name_only() {
    const PLACE: &str = "example.com/.well-known/pki-validation/fileauth.txt";
    let by = &Actor::Operator;
    for desk in desks().await {
        let ours = desk.add_organization(by, "Ours", "US", true).await.unwrap();
        let id = desk.add_domain(by, "example.com", ours, false).await.unwrap();
        let token = desk.domain(&Actor::Operator, id).await.unwrap().token.unwrap();
        let with = |place: &str, body: String| {
            let file = (place.to_owned(), body.into_bytes());
            desk.with_token_lookup(std::sync::Arc::new(Outside { file, ..Outside::default() }))
        };
        for (place, body, words) in [
            ("example.com/fileauth.txt", token.clone(), "example.com does not answer. Serve"),
            (PLACE, String::new(), "The file is there, but"),
            (PLACE, "SECRET".to_owned(), "The file is there, but"),
            (PLACE, format!("{token}SECRET"), "The file is there, but"),
            (PLACE, format!("SECRET\n{token}"), "The file is there, but"),
        ] {
            let refused = with(place, body).check_domain_file(by, id).await.unwrap_err();
            let told = refused.to_string();
            assert!(matches!(refused, LifecycleError::Conflict { .. }), "{refused:?}");
            assert!(told.starts_with(words), "{told}");
            assert!(told.contains(&format!("http://{PLACE}")), "{told}");
            assert!(!told.contains("SECRET") && !told.contains(&token), "{told}");
        }
        let found = with(PLACE, format!("{token}\r\n"));
        let manager = Actor::Person(desk.person("m@example.com", Role::Manager).await);
        let refused = found.check_domain_file(&manager, id).await;
        assert!(matches!(refused, Err(LifecycleError::Forbidden { .. })), "{refused:?}");
        found.check_domain_file(by, id).await.unwrap();

        let domain = desk.domain(&Actor::Operator, id).await.unwrap().domain;
        assert_eq!(domain.proof, Some(DomainProof::HttpFile));
        let now = desk.clock().now();
        assert!(domain.is_validated(now));
        let entry = newest(&desk).await.remove(0);
        assert_eq!(
            entry.description,
            "Control of example.com confirmed by a file on the web server"
        );
        let mut tx = desk.store().reader().await.unwrap();
        let product = Product::find("ssl_plus").unwrap();
        for (asked, covered) in
            [("example.com", true), ("www.example.com", false), ("*.example.com", false)]
        {
            let asked = names(&[asked]);
            let checked = check_validated(&mut tx, product, ours, &asked, now).await;
            assert_eq!(checked.is_ok(), covered, "{asked:?}");
        }
        drop(tx);

        // In the DNS it covers more, and the file does not take that away.
        desk.validate_domain(by, id, DomainProof::DnsTxt).await.unwrap();
        for refused in [
            found.check_domain_file(by, id).await,
            desk.validate_domain(by, id, DomainProof::HttpFile).await,
        ] {
            assert!(matches!(refused, Err(LifecycleError::Refused(_))), "{refused:?}");
        }
        desk.invalidate_domain(by, id).await.unwrap();
        assert_eq!(desk.domain(&Actor::Operator, id).await.unwrap().domain.proof, None);
        found.check_domain_file(by, id).await.unwrap();
    }
}

/// As on the screens: whoever sees their own orders alone does not see whose all the others are.
#[tokio::test]
async fn limited_users_see_organizations_to_order_for_and_no_more() {
    for shop in shops().await {
        let actor =
            async |role| Actor::Person(shop.person(&format!("{role}@example.com"), role).await);
        let (page, all) = (PageOf::first(PlaceSort::Name, 10), PlaceFilter::default());
        let limited = actor(Role::Limited).await;
        let refused = |error: LifecycleError| matches!(error, LifecycleError::Forbidden { .. });
        let one = shop.organizations_to_choose(10).await.unwrap().remove(0);
        assert!(refused(shop.organizations(&limited, all.clone(), &page).await.unwrap_err()));
        assert!(refused(shop.organization(&limited, one.id).await.unwrap_err()));
        assert!(refused(shop.domains(&limited, all.clone(), &page).await.unwrap_err()));
        assert!(refused(shop.domain(&limited, DomainId(1)).await.unwrap_err()));
        let standard = actor(Role::Standard).await;
        assert!(shop.organizations(&standard, all, &page).await.is_ok());
    }
}

#[tokio::test]
async fn a_place_of_a_list_is_read_with_its_total() {
    for desk in desks().await {
        let by = &Actor::Operator;
        let mut first = None;
        for name in ["Charlie", "Alpha", "Bravo"] {
            let id = desk.add_organization(by, name, "DE", true).await.unwrap();
            let first = *first.get_or_insert(id);
            desk.add_domain(by, &format!("{}.test", name.to_lowercase()), first, true)
                .await
                .unwrap();
        }
        let filter = |text: Option<&str>| PlaceFilter {
            text: text.map(ToOwned::to_owned),
            ..PlaceFilter::default()
        };
        for (text, limit, skip, wanted, total) in [
            (None, 2, 0, "alpha bravo", 3),
            (None, 2, 2, "charlie", 3),
            (None, 2, u64::MAX >> 1, "", 3),
            (Some("L"), 1, 1, "charlie", 2),
        ] {
            let found = desk.organizations_from(by, &filter(text), limit, skip).await.unwrap();
            let names: Vec<String> = found.rows.iter().map(|row| row.name.to_lowercase()).collect();
            assert_eq!((names.join(" ").as_str(), found.total), (wanted, total), "{text:?} {skip}");
            let found = desk.domains_from(by, &filter(text), limit, skip).await.unwrap();
            let names: Vec<&str> = found.rows.iter().map(|row| row.domain.name.as_str()).collect();
            let names = names.join(" ").replace(".test", "");
            assert_eq!((names.as_str(), found.total), (wanted, total), "{text:?} {skip}");
        }
        let filter = PlaceFilter { organization: first, ..filter(Some("b")) };
        assert_eq!(desk.domains_from(by, &filter, 9, 0).await.unwrap().total, 1);
    }
}
