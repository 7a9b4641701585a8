//! The lints between plan and signature.
//!
//! They repeat what the rules and the readers already made sure of: a certificate can't be taken
//! back, so a fault anywhere above must stop here (Baseline Requirements 4.3.1.2, linting of
//! to-be-signed content).

use domain::rules::check_product_key;
use domain::{Days, DnsName, IpName, Name, Timestamp, Validation, time::DAY};

use crate::authority::Authority;
use crate::issue::Plan;
use crate::key_check::{self, KeyFacts, KeyFault};
use crate::profile::{is_printable, subject_attributes};

/// More names than any product sells; a certificate with them has about 64 kB.
const MAX_NAMES: usize = 1000;
const MAX_URL: usize = 512;

/// All that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The certificate was not issued: {}", self.words())]
pub struct LintFaults(pub Vec<LintFault>);

impl LintFaults {
    fn words(&self) -> String {
        let faults: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        faults.join(" ")
    }
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LintFault {
    /// Neither a DNS name nor an IP address.
    #[error("It has no names.")]
    NoNames,
    /// More than 1,000.
    #[error("It has {0} names; the most are 1000.")]
    TooManyNames(usize),
    /// The common name is missing in the SANs (Baseline Requirements 7.1.4.3).
    #[error("Its common name {0} is not among its subject alternative names.")]
    CommonNameNotAmongNames(Name),
    /// EV Guidelines section 7.1.2.7: no wildcard names.
    #[error("An EV certificate can't hold the wildcard name {0}.")]
    WildcardInEv(DnsName),
    /// Private or otherwise reserved address in a public product (Baseline Requirements 4.2.2).
    #[error("{0} is a reserved IP address, which only private products may hold.")]
    ReservedIp(IpName),
    /// EV Guidelines: host names only.
    #[error("An EV certificate can't hold the IP address {0}.")]
    IpInEv(IpName),
    /// Unreadable, shorter than 64 bits or longer than 20 bytes (RFC 5280 section 4.1.2.2).
    #[error("Its serial number {0} is not a positive number of 8 to 20 bytes.")]
    Serial(String),
    /// Ends before it begins.
    #[error("It would end ({not_after}) before it begins ({not_before}).")]
    Backwards {
        /// First second.
        not_before: Timestamp,
        /// Last second.
        not_after: Timestamp,
    },
    /// Longer than the product allows.
    #[error("It would live longer than the {} days that its product allows.", .0.0)]
    TooLong(Days),
    /// Outside of the issuer's validity.
    #[error("It would not lie within its issuer's validity ({from} to {until}).")]
    OutsideIssuer {
        /// The issuer's first second.
        from: Timestamp,
        /// The issuer's last second.
        until: Timestamp,
    },
    /// A moment outside of the years 1950 to 9999.
    #[error("Its dates are outside of the years 1950 to 9999.")]
    Time,
    /// The public key is unreadable or weak.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// Baseline Requirements 6.1.5: RSA and ECDSA only.
    #[error("A public certificate needs an RSA or ECDSA key.")]
    KeyOnlyForPrivate,
    /// OV and EV without an organization.
    #[error("Its product needs an organization in the subject.")]
    NoOrganization,
    /// A subject attribute is empty, too long, or has characters that it can't hold.
    #[error(
        "The subject's {field} is empty, too long (at most {max} characters) or has characters that certificates can't hold there."
    )]
    SubjectText {
        /// Which attribute.
        field: &'static str,
        /// Its longest text in characters.
        max: usize,
    },
    /// An address that isn't an absolute http or https URL.
    #[error(
        "{0:?} can't be named in a certificate: it must be an http or https URL of at most 512 characters."
    )]
    Url(String),
}

pub(crate) fn check(plan: &Plan, authority: &Authority) -> Result<KeyFacts, LintFaults> {
    let mut faults = Vec::new();
    check_names(plan, &mut faults);
    check_serial(plan, &mut faults);
    check_validity(plan, authority, &mut faults);
    check_subject(plan, &mut faults);
    let key = check_key(plan).map_err(|fault| faults.push(fault));
    let urls = [&plan.urls.crl, &plan.urls.ocsp, &plan.urls.issuer];
    let bad_urls = urls.into_iter().flatten().filter(|url| !is_url(url));
    faults.extend(bad_urls.map(|url| LintFault::Url(url.chars().take(80).collect())));
    match key {
        Ok(key) if faults.is_empty() => Ok(key),
        _ => Err(LintFaults(faults)),
    }
}

fn check_names(plan: &Plan, faults: &mut Vec<LintFault>) {
    let count = plan.names.len();
    if count == 0 {
        faults.push(LintFault::NoNames);
    }
    if count > MAX_NAMES {
        faults.push(LintFault::TooManyNames(count));
    }
    if let Some(name) = &plan.subject.common_name
        && !plan.names.contains(name)
    {
        faults.push(LintFault::CommonNameNotAmongNames(name.clone()));
    }
    if plan.validation == Validation::Ev {
        let wildcards = plan.names.dns().filter(|name| name.is_wildcard());
        faults.extend(wildcards.cloned().map(LintFault::WildcardInEv));
        faults.extend(plan.names.addresses().cloned().map(LintFault::IpInEv));
    }
    if plan.validation != Validation::Private {
        let reserved = plan.names.addresses().filter(|address| address.is_reserved());
        faults.extend(reserved.cloned().map(LintFault::ReservedIp));
    }
}

fn check_serial(plan: &Plan, faults: &mut Vec<LintFault>) {
    let bytes = plan.serial.to_bytes().unwrap_or_default();
    let fits = match bytes.first() {
        Some(first) => {
            *first != 0 && bytes.len() >= 8 && bytes.len() + usize::from(*first >= 0x80) <= 20
        }
        None => false,
    };
    if !fits {
        faults.push(LintFault::Serial(plan.serial.0.chars().take(60).collect()));
    }
}

fn check_validity(plan: &Plan, authority: &Authority, faults: &mut Vec<LintFault>) {
    let (not_before, not_after) = (plan.not_before, plan.not_after);
    if not_after < not_before {
        faults.push(LintFault::Backwards { not_before, not_after });
    }
    // Both ends count (RFC 5280 section 4.1.2.5).
    let lifetime = not_after.seconds_since(not_before).saturating_add(1);
    if lifetime > plan.max_lifetime.0.saturating_mul(DAY) {
        faults.push(LintFault::TooLong(plan.max_lifetime));
    }
    for issuer in authority.certificates() {
        if not_before < issuer.not_before() || not_after > issuer.not_after() {
            faults.push(LintFault::OutsideIssuer {
                from: issuer.not_before(),
                until: issuer.not_after(),
            });
            break;
        }
    }
}

fn check_subject(plan: &Plan, faults: &mut Vec<LintFault>) {
    let needs = matches!(plan.validation, Validation::Ov | Validation::Ev);
    if needs && plan.subject.organization.is_none() {
        faults.push(LintFault::NoOrganization);
    }
    for attribute in subject_attributes(&plan.subject, plan.validation) {
        let text = &attribute.text;
        let code = matches!(attribute.field, "country" | "jurisdiction country");
        let fits = !text.trim().is_empty()
            && text.chars().count() <= attribute.max
            && !text.chars().any(char::is_control)
            && (!code || (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())))
            && (attribute.field != "registration number" || is_printable(text));
        if !fits {
            faults.push(LintFault::SubjectText { field: attribute.field, max: attribute.max });
        }
    }
}

fn check_key(plan: &Plan) -> Result<KeyFacts, LintFault> {
    let key = key_check::check(&plan.spki_der)?;
    match check_product_key(plan.validation, key.is_edwards()) {
        Ok(()) => Ok(key),
        Err(_) => Err(LintFault::KeyOnlyForPrivate),
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty())
        && text.len() <= MAX_URL
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}
