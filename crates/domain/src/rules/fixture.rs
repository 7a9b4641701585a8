//! Orders and settings for the tests of the rules.

use crate::model::*;
use crate::rules::acme::AcmeRequest;
use crate::*;

/// 2026-11-22T08:00:00Z.
pub const NOW: Timestamp = Timestamp(1_795_334_400);

pub fn domain(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn names(text: &str) -> NameSet {
    NameSet::parse_list(text).unwrap()
}

pub fn certificate(
    id: i64,
    kind: CertificateKind,
    from: Timestamp,
    till: Timestamp,
) -> Certificate {
    Certificate {
        id: CertificateId(id),
        order: OrderNumber(0),
        kind,
        serial: Serial(format!("{id:02x}")),
        common_name: name("www.example.com"),
        names: names("www.example.com"),
        not_before: from,
        not_after: till,
        status: CertificateStatus::Issued,
    }
}

/// An issued order of `product` for `held` (the first is the common name), via ACME, whose
/// certificate lives 199 days and has `days_left`.
pub fn order(number: i64, product: &str, held: &str, days_left: i64) -> OrderFile {
    let till = NOW.plus(Days(days_left));
    let from = till.minus(Days(199)).plus_seconds(1);
    let common_name = name(held.split(' ').next().unwrap());
    let original = Certificate {
        order: OrderNumber(number),
        common_name: common_name.clone(),
        names: names(held),
        ..certificate(number, CertificateKind::Original, from, till)
    };
    let order = Order {
        number: OrderNumber(number),
        organization: OrganizationId(1),
        product: product.into(),
        common_name,
        names: names(held),
        status: OrderStatus::Issued,
        origin: Origin::Acme,
        coverage: Coverage::Single,
        ordered_at: from,
        issued_at: Some(from),
        renews: None,
        renewed_by: None,
        auto_renew: false,
        validity_days: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        acme_url: None,
        requester: None,
    };
    OrderFile { order, certificates: vec![original] }
}

/// [`order`] for `www.example.com` and Standard SSL.
pub fn standard(number: i64, days_left: i64) -> OrderFile {
    order(number, "ssl_plus", "www.example.com", days_left)
}

/// Makes it a multi-year plan with `days` to its end.
pub fn plan_ending(mut file: OrderFile, days: i64) -> OrderFile {
    file.order.coverage = Coverage::MultiYear { years: 1, ends: NOW.plus(Days(days)) };
    file
}

pub fn with_status(mut file: OrderFile, status: OrderStatus) -> OrderFile {
    file.order.status = status;
    file
}

/// Marks `file` as renewed by the order `successor`.
pub fn renewed(mut file: OrderFile, successor: i64) -> OrderFile {
    file.order.renewed_by = Some(OrderNumber(successor));
    file
}

pub fn acme_url(product: &str) -> AcmeUrl {
    AcmeUrl {
        id: AcmeUrlId(1),
        name: "web".to_owned(),
        product: product.into(),
        organization: OrganizationId(1),
        coverage_years: None,
        validity_days: None,
        key_types: Vec::new(),
        allowed_domains: Vec::new(),
        may_renew: true,
        may_reissue: true,
        may_duplicate: true,
        duplicate_automatically: true,
    }
}

pub fn profile(product: &str) -> Profile {
    Profile {
        id: ProfileId(1),
        name: "Web servers".to_owned(),
        product: product.into(),
        organization: OrganizationId(1),
        coverage_years: None,
        validity_days: None,
        ends_by: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        auto_renew: None,
        is_default: true,
        allow_duplicates: true,
        emails: Vec::new(),
    }
}

/// Settings under which automation offers duplicates.
pub fn open_preferences() -> Preferences {
    Preferences {
        approval_step: ApprovalStep::Skip,
        duplicates_in_automation: true,
        ..Preferences::default()
    }
}

/// An ACME request among `candidates` that names no action.
pub fn acme_request<'a>(
    url: &'a AcmeUrl,
    names: &'a NameSet,
    candidates: &'a [OrderFile],
) -> AcmeRequest<'a> {
    AcmeRequest {
        url,
        names,
        common_name: None,
        explicit: None,
        named: None,
        successors: &[],
        candidates,
        windows: Windows::default(),
        issuer_not_after: Timestamp(i64::MAX),
        now: NOW,
    }
}
