//! Checks on automation profiles and ACME Directory URLs, and on names against product and URL.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::model::{AcmeUrl, AutoRenew, Order, Organization, Profile};
use crate::rules::name_match::list;
use crate::rules::schedule::auto_renew_at;
use crate::rules::validity::{MAX_COVERAGE_YEARS, leaves_a_day, longest_lifetime};
use crate::{Days, IpName, Name, NameSet, Product, ProductId, Refusal, Timestamp, Validation};

/// The most names that one certificate holds.
pub const MAX_NAMES: usize = 250;

/// The most labels of a name that ACME clients order.
const MAX_LABELS: usize = 10;

/// The longest name of a profile or ACME Directory URL, in characters.
pub const MAX_TITLE: usize = 100;

/// The most allowed domains of an ACME Directory URL.
const MAX_ALLOWED_DOMAINS: usize = 250;

/// The most e-mail addresses of a profile.
const MAX_EMAILS: usize = 20;

/// A field that can't stay as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// The field's name in the form and the API.
    pub field: String,
    /// What is wrong and what to enter instead.
    pub message: String,
}

impl FieldFault {
    /// A fault in words.
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

/// What is wrong with a profile as someone wants to save it; empty where nothing is.
pub fn check_profile(profile: &Profile, now: Timestamp) -> Vec<FieldFault> {
    let mut faults = check_title(&profile.name);
    faults.extend(check_terms(
        &profile.product,
        profile.coverage_years,
        profile.validity_days,
        now,
    ));
    if !profile.ends_by.is_none_or(|end| leaves_a_day(end, now)) {
        faults.push(FieldFault::new("validity_end", "Choose a day after today."));
    }
    if let (Some(settings), Some(product)) =
        (&profile.auto_renew, Product::find(profile.product.as_str()))
    {
        faults.extend(check_auto_renew(settings, profile_lifetime(product, profile, now)));
        faults.extend(
            auto_renew_at(now, settings).err().map(|no| FieldFault::new("time_zone", no.message)),
        );
    }
    if profile.emails.len() > MAX_EMAILS {
        let message = format!("Enter at most {MAX_EMAILS} e-mail addresses.");
        faults.push(FieldFault::new("emails", message));
    }
    faults.extend(profile.emails.iter().filter(|email| !crate::is_email(email)).map(|email| {
        let shown: String = email.chars().take(60).collect();
        FieldFault::new(
            "emails",
            format!("{shown:?} is not an e-mail address. Enter one such as ops@example.com."),
        )
    }));
    faults
}

/// What is wrong with an ACME Directory URL as someone wants to save it; empty where nothing is.
pub fn check_acme_url(url: &AcmeUrl, now: Timestamp) -> Vec<FieldFault> {
    let mut faults = check_title(&url.name);
    faults.extend(check_terms(&url.product, url.coverage_years, url.validity_days, now));
    if url.allowed_domains.len() > MAX_ALLOWED_DOMAINS {
        let message = format!("Enter at most {MAX_ALLOWED_DOMAINS} allowed domains.");
        faults.push(FieldFault::new("allowed_domains", message));
    }
    if url.allowed_domains.iter().any(crate::DnsName::is_wildcard) {
        faults.push(FieldFault::new(
            "allowed_domains",
            "An allowed domain includes all names below it: enter example.com, not *.example.com.",
        ));
    }
    if url.duplicate_automatically && !url.may_duplicate {
        faults.push(FieldFault::new(
            "duplicate_automatically",
            "\"Duplicate automatically when an order matches\" needs the permission to duplicate. Turn that on, or this off.",
        ));
    }
    faults
}

fn check_title(name: &str) -> Vec<FieldFault> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 {
        return vec![FieldFault::new("name", "Enter a name.")];
    }
    if length > MAX_TITLE {
        let message = format!("The name has {length} characters. Enter at most {MAX_TITLE}.");
        return vec![FieldFault::new("name", message)];
    }
    if name.chars().any(crate::is_unseen) {
        let message = "The name has line breaks or characters that nobody sees. Type it again.";
        return vec![FieldFault::new("name", message)];
    }
    Vec::new()
}

/// Product, coverage and validity, which profiles and ACME Directory URLs share.
fn check_terms(
    product: &ProductId,
    years: Option<u8>,
    validity: Option<Days>,
    now: Timestamp,
) -> Vec<FieldFault> {
    let Some(product) = Product::find(product.as_str()) else {
        return vec![FieldFault::new(
            "product",
            "There is no such product. Choose one from the list.",
        )];
    };
    let mut faults = Vec::new();
    match years {
        Some(_) if !product.multi_year => faults.push(FieldFault::new(
            "coverage_years",
            format!("{} has no multi-year plan. Leave the order coverage empty.", product.name),
        )),
        Some(years) if !(1..=MAX_COVERAGE_YEARS).contains(&years) => faults.push(FieldFault::new(
            "coverage_years",
            format!("A multi-year plan covers 1, 2 or 3 years, not {years}."),
        )),
        _ => {}
    }
    let longest = longest_lifetime(product, now);
    if let Some(days) = validity.filter(|days| days.0 < 1 || *days > longest) {
        faults.push(FieldFault::new(
            "validity_days",
            format!(
                "{} certificates are valid for 1 to {} days, not {}. Enter a number in this range, \
                 or leave it empty for the longest.",
                product.name, longest.0, days.0
            ),
        ));
    }
    faults
}

/// How long a certificate lives that is made by this profile now.
fn profile_lifetime(product: &Product, profile: &Profile, now: Timestamp) -> Days {
    let until_end = profile.ends_by.filter(|end| leaves_a_day(*end, now));
    let until_end = until_end.map(|end| Days(end.days_left(now)));
    // A faulty validity is told once, at its own field.
    let asked = profile.validity_days.filter(|days| days.0 >= 1);
    let longest = longest_lifetime(product, now);
    asked.into_iter().chain(until_end).fold(longest, Days::min)
}

/// How long what auto-renew will get on an endpoint lives: a renewal has its order's terms, all else the
/// profile's. None where the product is no longer sold.
pub fn renewal_lifetime(renewed: Option<&Order>, profile: &Profile, at: Timestamp) -> Option<Days> {
    let Some(order) = renewed else {
        let product = Product::find(profile.product.as_str())?;
        return Some(profile_lifetime(product, profile, at));
    };
    let longest = longest_lifetime(Product::find(order.product.as_str())?, at);
    Some(order.validity_days.unwrap_or(longest).min(longest))
}

/// What is wrong with auto-renew settings for certificates that live `lifetime`.
pub fn check_auto_renew(settings: &AutoRenew, lifetime: Days) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let days = settings.days_before.0;
    if days < 1 {
        faults
            .push(FieldFault::new("days_before", "Auto-renew needs at least 1 day before expiry."));
    } else if days >= lifetime.0 {
        faults.push(FieldFault::new(
            "days_before",
            format!(
                "{days} days before expiry is not less than the certificate's lifetime of {} days: \
                 it would renew without end. Enter fewer days.",
                lifetime.0
            ),
        ));
    }
    if settings.minute_of_day >= 24 * 60 {
        faults.push(FieldFault::new("minute_of_day", "Enter a time of day from 00:00 to 23:59."));
    }
    faults
}

/// Whether a profile can be used as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProfileState {
    /// "Active".
    Active,
    /// "Action needed".
    ActionNeeded {
        /// What to mend, each in words.
        reasons: Vec<String>,
    },
}

impl ProfileState {
    /// The label on screens.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::ActionNeeded { .. } => "Action needed",
        }
    }
}

/// The state of a saved profile: what was right then may be wrong now, by a shorter maximum or an
/// expired validation for two.
pub fn profile_state(
    profile: &Profile,
    organization: Option<&Organization>,
    now: Timestamp,
) -> ProfileState {
    let mut reasons: Vec<String> =
        check_profile(profile, now).into_iter().map(|fault| fault.message).collect();
    let needs_organization = Product::find(profile.product.as_str())
        .is_some_and(|product| product.validation != Validation::Dv);
    match organization {
        None => reasons.push("The organization is gone. Choose another one.".to_owned()),
        Some(found) if needs_organization && !found.is_validated(now) => reasons.push(format!(
            "The validation of {} is missing or has expired. Validate it under Certificates > Organizations.",
            found.name
        )),
        Some(_) => {}
    }
    if reasons.is_empty() { ProfileState::Active } else { ProfileState::ActionNeeded { reasons } }
}

/// Whether the product can hold these names on a new order.
pub fn check_product_names(product: &Product, names: &NameSet) -> Result<(), Refusal> {
    let refuse = |code, message| Err(Refusal::new("product", code, message));
    if names.is_empty() {
        return refuse(
            "no_names",
            "No names were given. Enter at least a common name, such as www.example.com."
                .to_owned(),
        );
    }
    check_count(names)?;
    if names.len() > 1 && !product.additional_names_allowed {
        return refuse(
            "additional_names",
            format!(
                "{} holds one name only. Take the others out, or choose a multi-domain product.",
                product.name
            ),
        );
    }
    let wildcards: NameSet = names.iter().filter(|name| name.is_wildcard()).cloned().collect();
    if !product.wildcard && !wildcards.is_empty() {
        return refuse(
            "wildcard_names",
            format!(
                "{} does not hold wildcard names such as {}. Choose a wildcard product, or enter \
                 the full names.",
                product.name,
                list(&wildcards)
            ),
        );
    }
    check_addresses(product, names)
}

/// How many names a certificate holds.
pub(crate) fn check_count(names: &NameSet) -> Result<(), Refusal> {
    if names.len() <= MAX_NAMES {
        return Ok(());
    }
    Err(Refusal::new(
        "product",
        "too_many_names",
        format!(
            "A certificate holds at most {MAX_NAMES} names, not {}. Split them over several \
             certificates.",
            names.len()
        ),
    ))
}

/// Rules without a number: which products hold IP addresses, and that public ones hold no
/// reserved address.
fn check_addresses(product: &Product, names: &NameSet) -> Result<(), Refusal> {
    let refuse = |code, message| Err(Refusal::new("product", code, message));
    let all: NameSet = names.addresses().cloned().map(Name::Ip).collect();
    if !product.ip_addresses && !all.is_empty() {
        return refuse(
            "ip_addresses",
            format!(
                "{} does not hold IP addresses such as {}. Choose a product that does, or enter \
                 the server's domain name.",
                product.name,
                list(&all)
            ),
        );
    }
    let those = |is: fn(&IpName) -> bool| -> NameSet {
        names.addresses().filter(|address| is(address)).cloned().map(Name::Ip).collect()
    };
    let nobodys = those(IpName::is_of_no_host);
    if !nobodys.is_empty() {
        return refuse(
            "address_of_no_host",
            format!(
                "{} is no server's address. Enter the address that clients connect to.",
                list(&nobodys)
            ),
        );
    }
    if product.validation == Validation::Private {
        return Ok(());
    }
    let reserved = those(IpName::is_reserved);
    if reserved.is_empty() {
        return Ok(());
    }
    refuse(
        "reserved_address",
        format!(
            "{} is publicly trusted and can't hold {}: such addresses belong to nobody on the \
             internet. Choose a private product, or enter the server's domain name.",
            product.name,
            list(&reserved)
        ),
    )
}

/// Each label of a name is another domain that may hold what the name rests on: orders that cover it,
/// validated domains, CAA records. Strangers' requests must not make that many.
fn check_labels(names: &NameSet) -> Result<(), Refusal> {
    let long: NameSet = names
        .dns()
        .filter(|name| name.as_str().split('.').count() > MAX_LABELS)
        .cloned()
        .map(Name::Dns)
        .collect();
    if long.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        "product",
        "too_many_labels",
        format!(
            "{} has more than {MAX_LABELS} labels, the parts between the dots. Use a shorter name.",
            list(&long)
        ),
    ))
}

/// Whether an ACME Directory URL may order these names: its product can hold them, and they lie
/// within its allowed domains, if it has any.
pub fn check_acme_names(url: &AcmeUrl, names: &NameSet) -> Result<(), Refusal> {
    let Some(product) = Product::find(url.product.as_str()) else {
        return Err(Refusal::new(
            "product",
            "unknown_product",
            format!(
                "The ACME Directory URL {:?} is for a product that is no longer sold. An \
                 administrator has to make a new one.",
                url.name
            ),
        ));
    };
    check_product_names(product, names)?;
    check_labels(names)?;
    let outside: NameSet = names
        .iter()
        .filter(|name| !url.allowed_domains.iter().any(|domain| name.is_within(domain.base())))
        .cloned()
        .collect();
    if url.allowed_domains.is_empty() || outside.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        "acme_url",
        "domain_not_allowed",
        format!(
            "The ACME Directory URL {:?} may not order {}. Leave them out, or have an administrator \
             add their domain to its allowed domains.",
            url.name,
            list(&outside)
        ),
    ))
}
