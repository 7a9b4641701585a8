//! CAA: whether the domain's owner lets this authority issue (RFC 8659), to this account and by
//! this method (RFC 8657).

use hickory_resolver::proto::rr::rdata::CAA;
use lifecycle::acme::ValidationTask;

use super::{Failure, Validator};

/// Property tags that are understood; a critical one besides forbids issuance.
const KNOWN: [&str; 7] =
    ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];

/// Who wants to issue what.
struct Issuance<'a> {
    identity: Option<&'a str>,
    account: &'a str,
    method: &'a str,
    wildcard: bool,
}

impl Validator<'_> {
    /// Climbs from the name to the top (RFC 8659 section 3); the first non-empty set decides.
    pub(super) async fn check_caa(&self, task: &ValidationTask) -> Result<(), Failure> {
        let issuance = Issuance {
            identity: self.config.caa_identity.as_deref(),
            account: &self.account_url,
            method: task.challenge.kind.as_str(),
            wildcard: task.wildcard,
        };
        let mut name = task.identifier.value.as_str();
        loop {
            let records = self.dns.caa(name).await?;
            if !records.is_empty() {
                return judge(&records, &issuance).map_err(|words| {
                    Failure::last(
                        "caa",
                        format!("The CAA records of {name} forbid this certificate: {words}."),
                    )
                });
            }
            match name.split_once('.') {
                Some((_, parent)) if !parent.is_empty() => name = parent,
                _ => return Ok(()),
            }
        }
    }
}

fn judge(records: &[CAA], issuance: &Issuance<'_>) -> Result<(), String> {
    for record in records {
        if record.issuer_critical && !KNOWN.contains(&record.tag.to_ascii_lowercase().as_str()) {
            return Err("a critical property is not understood".to_owned());
        }
    }
    let tagged = |tag: &str| {
        records.iter().filter(|record| record.tag.eq_ignore_ascii_case(tag)).collect::<Vec<_>>()
    };
    let mut relevant = if issuance.wildcard { tagged("issuewild") } else { Vec::new() };
    if relevant.is_empty() {
        relevant = tagged("issue");
    }
    if relevant.is_empty() || relevant.iter().any(|record| permits(&record.value, issuance)) {
        return Ok(());
    }
    let name = issuance.identity.unwrap_or("this authority");
    Err(format!("none permits {name} for this account and {}", issuance.method))
}

/// Whether one `issue` or `issuewild` value permits the issuance.
fn permits(value: &[u8], issuance: &Issuance<'_>) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let mut parts = text.split(';');
    let domain = parts.next().unwrap_or_default().trim();
    if domain.is_empty()
        || !issuance.identity.is_some_and(|identity| identity.eq_ignore_ascii_case(domain))
    {
        return false;
    }
    let mut accounts = Vec::new();
    let mut methods = Vec::new();
    for parameter in parts.map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let Some((tag, value)) = parameter.split_once('=') else { return false };
        match tag.trim().to_ascii_lowercase().as_str() {
            "accounturi" => accounts.push(value.trim()),
            "validationmethods" => methods.push(value.trim()),
            _ => {}
        }
    }
    // RFC 8657 section 3: a property with several of either is unsatisfiable.
    let account_fits = match accounts.as_slice() {
        [] => true,
        [account] => *account == issuance.account,
        _ => false,
    };
    let method_fits = match methods.as_slice() {
        [] => true,
        [list] => list.split(',').any(|method| method.trim().eq_ignore_ascii_case(issuance.method)),
        _ => false,
    };
    account_fits && method_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(critical: bool, tag: &str, value: &str) -> CAA {
        let mut caa = CAA::new_issue(critical, None, Vec::new());
        caa.tag = tag.to_owned();
        caa.value = value.as_bytes().to_vec();
        caa
    }

    fn judged(records: &[(bool, &str, &str)], wildcard: bool) -> bool {
        let records: Vec<CAA> =
            records.iter().map(|(critical, tag, value)| record(*critical, tag, value)).collect();
        let issuance = Issuance {
            identity: Some("ca.test"),
            account: "https://ca.test/account/1",
            method: "dns-01",
            wildcard,
        };
        judge(&records, &issuance).is_ok()
    }

    #[test]
    fn rfc_8659() {
        assert!(judged(&[(false, "issue", "ca.test")], false));
        assert!(judged(
            &[(false, "issue", "other.test"), (false, "ISSUE", " CA.test ; x=y")],
            false
        ));
        assert!(!judged(&[(false, "issue", "other.test")], false));
        assert!(!judged(&[(false, "issue", ";")], false));
        assert!(!judged(&[(false, "issue", "")], false));
        assert!(
            judged(&[(false, "iodef", "mailto:a@b.test")], false),
            "no issue property: no restriction"
        );
        assert!(!judged(&[(true, "future", "x"), (false, "issue", "ca.test")], false));
        assert!(judged(&[(false, "future", "x"), (false, "issue", "ca.test")], false));
        assert!(!judged(&[(false, "issue", "ca.test"), (false, "issuewild", ";")], true));
        assert!(judged(&[(false, "issue", "ca.test"), (false, "issuewild", ";")], false));
        assert!(judged(&[(false, "issue", "ca.test")], true), "issue is for wildcards too");
    }

    #[test]
    fn rfc_8657() {
        let issue = |value: &str| judged(&[(false, "issue", value)], false);
        assert!(issue("ca.test; accounturi=https://ca.test/account/1"));
        assert!(!issue("ca.test; accounturi=https://ca.test/account/12"));
        assert!(!issue(
            "ca.test; accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/1"
        ));
        assert!(issue("ca.test; validationmethods=http-01,dns-01"));
        assert!(!issue("ca.test; validationmethods=http-01"));
        assert!(!issue("ca.test; broken"));
    }
}
