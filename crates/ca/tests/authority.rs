//! Authorities: made here, stored, loaded, brought in by the operator; and what a plan must not be.
#![expect(clippy::unwrap_used, reason = "a test stops where something fails")]

mod fixture;

use certdeck_ca::{
    Authority, AuthorityOptions, CaError, LintFault, MasterKey, Plan, StoredAuthority, csr,
};
use domain::model::{KeyType, Serial};
use domain::{Days, DnsName, IpName, Name, NameSet, Timestamp, Validation};
use fixture::*;

fn generated() -> StoredAuthority {
    Authority::generate(&AuthorityOptions::new("Example Trust", "US", now()), &master()).unwrap()
}

#[test]
fn what_is_stored_loads_again_under_its_own_master_key_only() {
    let stored = generated();
    let json = serde_json::to_string(&stored).unwrap();
    let again: StoredAuthority = serde_json::from_str(&json).unwrap();
    let authority = Authority::load(&again, &master()).unwrap();
    assert_eq!(authority.issuer_id(), stored.issuer_id);
    assert_eq!(authority.root().not_after(), now().plus(Days(7300)).plus_seconds(-1));
    assert_eq!(authority.issuing().not_after(), now().plus(Days(3650)).plus_seconds(-1));

    let other = MasterKey::from_bytes(&[1; 32]).unwrap();
    assert!(matches!(Authority::load(&stored, &other), Err(CaError::MasterKey(_))));
    let mut foreign = stored;
    foreign.issuer_id = generated().issuer_id;
    assert!(matches!(Authority::load(&foreign, &master()), Err(CaError::Chain(_))));
}

#[test]
fn no_key_shows_in_debug_output() {
    let stored = generated();
    let authority = Authority::load(&stored, &master()).unwrap();
    assert!(format!("{authority:?}").contains("SigningKey(secret)"));
}

#[test]
fn options_that_make_no_name_are_refused() {
    for (name, country) in
        [("", "US"), ("Example", "usa"), ("Example", "us"), (&*"x".repeat(41), "US")]
    {
        let options = AuthorityOptions::new(name, country, now());
        assert!(matches!(Authority::generate(&options, &master()), Err(CaError::Name(_))));
    }
}

/// A root and an intermediate as operators make them with OpenSSL.
fn operators_authority(folder: &std::path::Path, ca: &str, usage: &str) -> (String, String) {
    let root = "req -x509 -new -nodes -newkey rsa:2048 -keyout root.key -out root.crt -days 3650 -subj /O=Firma/CN=Root -addext keyUsage=critical,keyCertSign,cRLSign";
    openssl_ok(folder, root);
    let request = "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-384 -keyout sub.key -out sub.csr -subj /O=Firma/CN=Sub";
    openssl_ok(folder, request);
    let config = format!(
        "basicConstraints=critical,CA:{ca}\nkeyUsage=critical,{usage}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    );
    std::fs::write(folder.join("sub.cnf"), config).unwrap();
    openssl_ok(
        folder,
        "x509 -req -in sub.csr -CA root.crt -CAkey root.key -CAcreateserial -days 1000 -extfile sub.cnf -out sub.crt",
    );
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    (read("sub.key"), read("root.crt") + &read("sub.crt"))
}

/// The moment at which OpenSSL made its certificates, as it dates them by the system's clock.
fn openssl_now(folder: &std::path::Path, file: &str) -> Timestamp {
    let text = openssl_ok(folder, &format!("x509 -in {file} -noout -startdate -dateopt iso_8601"));
    moment(&text.trim().trim_start_matches("notBefore=").replace(' ', "T"))
}

#[test]
fn an_operators_key_and_chain_issue_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (key, chain) = operators_authority(path, "TRUE", "keyCertSign,cRLSign,digitalSignature");
    let at = openssl_now(path, "sub.crt");
    let stored = Authority::bring_in(&key, &chain, at, &master()).unwrap();
    assert!(stored.root_key.is_none());
    let authority = Authority::load(&stored, &master()).unwrap();
    assert!(authority.issuing().name().contains("CN=Sub"));
    assert!(authority.root().name().contains("CN=Root"));

    let csr = csr::read(&request(path, KEY_KINDS[3], "/CN=www.example.com", "")).unwrap();
    let plan = Plan { not_before: at, not_after: at.plus(Days(90)), ..plan(&csr, Validation::Ov) };
    let issued = issue(plan, &authority);
    std::fs::write(path.join("leaf.pem"), &issued.pem).unwrap();
    write_authority(path, &authority);
    let line = format!(
        "verify -x509_strict -attime {} -CAfile root.pem -untrusted issuing.pem leaf.pem",
        at.0
    );
    openssl_ok(path, &line);
}

#[test]
fn keys_and_chains_that_do_not_fit_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let usage = "keyCertSign,cRLSign";
    let (key, chain) = operators_authority(path, "TRUE", usage);
    let at = openssl_now(path, "sub.crt");
    let words = |key: &str, chain: &str, at| {
        Authority::bring_in(key, chain, at, &master()).unwrap_err().to_string()
    };
    let sub_only = std::fs::read_to_string(path.join("sub.crt")).unwrap();
    let root_only = std::fs::read_to_string(path.join("root.crt")).unwrap();
    assert!(words(&key, &sub_only, at).contains("above O=Firma, CN=Sub is missing"));
    assert!(words(&key, &root_only, at).contains("none of them belongs to the private key"));
    assert!(words(&key, "", at).contains("none of them belongs"));
    assert!(words("", &chain, at).contains("PRIVATE KEY"));
    assert!(words(&key, &chain, at.plus(Days(2000))).contains("not valid now"));
    let stray = Authority::load(&generated(), &master()).unwrap().root_pem();
    assert!(words(&key, &(chain.clone() + &stray), at).contains("does not belong"));

    let (other_key, other_chain) = operators_authority(path, "TRUE", usage);
    let same_name = std::fs::read_to_string(path.join("sub.crt")).unwrap() + &root_only;
    assert!(words(&other_key, &same_name, at).contains("is not signed by"));
    assert!(words(&key, &other_chain, at).contains("none of them belongs"));
    let (key, chain) = operators_authority(path, "FALSE", "digitalSignature");
    assert!(words(&key, &chain, at).contains("CA:TRUE"));
    let (key, chain) = operators_authority(path, "TRUE", "digitalSignature");
    assert!(words(&key, &chain, at).contains("keyCertSign"));
}

fn faults(change: impl FnOnce(&mut Plan)) -> Vec<LintFault> {
    let folder = tempfile::tempdir().unwrap();
    let csr = csr::read(&request(folder.path(), KEY_KINDS[3], "/CN=www.example.com", "")).unwrap();
    let mut plan = plan(&csr, Validation::Ov);
    change(&mut plan);
    plan.lint(&authority(KeyType::EcP256)).map_or_else(|faults| faults.0, |_| Vec::new())
}

#[test]
fn plans_with_faults_are_not_signed() {
    let name = |text: &str| Name::parse(text).unwrap();
    assert_eq!(faults(|_| {}), []);
    assert_eq!(
        faults(|plan| plan.subject.common_name = Some(name("other.example.com"))),
        [LintFault::CommonNameNotAmongNames(name("other.example.com"))]
    );
    assert_eq!(
        faults(|plan| {
            plan.names = NameSet::default();
            plan.subject.common_name = None;
        }),
        [LintFault::NoNames]
    );
    assert_eq!(
        faults(|plan| plan.not_after = plan.not_after.plus_seconds(1)),
        [LintFault::TooLong(Days(200))]
    );
    assert_eq!(faults(|plan| plan.subject.organization = None), [LintFault::NoOrganization]);
    assert_eq!(
        faults(|plan| plan.urls.crl = Some("ldap://x".to_owned())),
        [LintFault::Url("ldap://x".to_owned())]
    );
    for serial in ["", "00ff", "zz", "01020304050607", &"7f".repeat(21), &"ff".repeat(20)] {
        let found = faults(|plan| plan.serial = Serial(serial.to_owned()));
        assert_eq!(found, [LintFault::Serial(serial.chars().take(60).collect())]);
    }
    assert!(matches!(faults(|plan| plan.spki_der.truncate(9))[..], [LintFault::Key(_)]));
    assert!(matches!(
        faults(|plan| plan.not_after = plan.not_before.plus_seconds(-1))[..],
        [LintFault::Backwards { .. }]
    ));
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let beyond = |plan: &mut Plan| {
        plan.max_lifetime = Days(10_000);
        plan.not_after = plan.not_before.plus(Days(3650));
    };
    assert!(matches!(faults(beyond)[..], [LintFault::OutsideIssuer { .. }]));
    let before = |plan: &mut Plan| plan.not_before = plan.not_before.minus(Days(2));
    assert!(faults(before).iter().any(|fault| matches!(fault, LintFault::OutsideIssuer { .. })));
}

#[test]
fn public_products_hold_no_reserved_addresses_and_ev_host_names_only() {
    for ip in [
        "10.0.0.1",
        "127.0.0.1",
        "100.64.0.1",
        "198.51.100.7",
        "::1",
        "fc00::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
    ] {
        let ip = IpName::parse(ip).unwrap();
        let add = |plan: &mut Plan| {
            plan.names.insert(Name::Ip(ip.clone()));
        };
        assert_eq!(faults(add), [LintFault::ReservedIp(ip.clone())]);
        let private = |plan: &mut Plan| {
            plan.validation = Validation::Private;
            add(plan);
        };
        assert_eq!(faults(private), []);
    }
    for ip in ["93.184.215.14", "2606:4700::1"] {
        let ip = IpName::parse(ip).unwrap();
        let add = |plan: &mut Plan| {
            plan.names.insert(Name::Ip(ip.clone()));
        };
        assert_eq!(faults(add), []);
        let ev = |plan: &mut Plan| {
            plan.validation = Validation::Ev;
            add(plan);
        };
        assert_eq!(faults(ev), [LintFault::IpInEv(ip.clone())]);
    }
    let wildcard = DnsName::parse("*.example.com").unwrap();
    let ev = |plan: &mut Plan| {
        plan.validation = Validation::Ev;
        plan.names.insert(Name::Dns(wildcard.clone()));
    };
    assert_eq!(faults(ev), [LintFault::WildcardInEv(wildcard.clone())]);
}

#[test]
fn subject_texts_fit_into_certificates() {
    for (field, text) in
        [("organization", ""), ("organization", "a\nb"), ("country", "de"), ("country", "DEU")]
    {
        let found = faults(|plan| {
            let holder = plan.subject.organization.as_mut().unwrap();
            match field {
                "country" => holder.country = text.to_owned(),
                _ => holder.name = text.to_owned(),
            }
        });
        assert!(
            matches!(&found[..], [LintFault::SubjectText { field: named, .. }] if *named == field)
        );
    }
}

#[test]
fn a_linted_plan_is_for_one_issuer_and_survives_json() {
    let folder = tempfile::tempdir().unwrap();
    let csr = csr::read(&request(folder.path(), KEY_KINDS[3], "/CN=www.example.com", "")).unwrap();
    let plan = plan(&csr, Validation::Ev);
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
    let (ours, theirs) = (authority(KeyType::EcP256), authority(KeyType::EcP256));
    let linted = plan.lint(&ours).unwrap();
    assert!(matches!(linted.sign(&theirs), Err(CaError::IssuerChanged)));
}

#[test]
fn a_common_name_of_more_than_64_characters_stands_among_the_names_only() {
    let folder = tempfile::tempdir().unwrap();
    let csr = csr::read(&request(folder.path(), KEY_KINDS[3], "/CN=www.example.com", "")).unwrap();
    let mut plan = plan(&csr, Validation::Dv);
    let long = Name::parse(&format!("{0}.{0}.example.com", "a".repeat(40))).unwrap();
    plan.names = [long.clone()].into_iter().collect();
    plan.subject.common_name = Some(long.clone());
    std::fs::write(folder.path().join("leaf.pem"), issue(plan, &authority(KeyType::EcP256)).pem)
        .unwrap();
    let text = openssl_ok(folder.path(), "x509 -in leaf.pem -noout -text");
    assert!(text.contains(&format!("DNS:{long}")) && text.contains("Subject: \n"), "{text}");
}
