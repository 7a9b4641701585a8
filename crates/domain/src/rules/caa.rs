//! CAA: whether a domain's owner lets this authority issue (RFC 8659), to this account and by this
//! method (RFC 8657).

/// Property tags that are understood; a critical one besides forbids issuance.
const KNOWN: [&str; 7] =
    ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];

/// One CAA record (RFC 8659 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaaRecord {
    /// Who does not understand the tag must not issue.
    pub critical: bool,
    /// The property's tag, in any case.
    pub tag: String,
    /// The property's value.
    pub value: Vec<u8>,
}

/// Who wants to issue what.
#[derive(Debug, Clone, Copy)]
pub struct CaaIssuance<'a> {
    /// The authority's own name. Without one, any `issue` record forbids.
    pub identity: Option<&'a str>,
    /// The URL of the ACME account; none for certificates that no ACME account asked for.
    pub account: Option<&'a str>,
    /// How control of the domain was shown, as `validationmethods` spells it.
    pub method: &'a str,
    /// Whether a `*.` name is wanted.
    pub wildcard: bool,
}

/// Whether the records of a name, or of the nearest domain above it that has any, permit an
/// issuance; if not, why in words.
pub fn judge_caa(records: &[CaaRecord], issuance: &CaaIssuance<'_>) -> Result<(), String> {
    for record in records {
        if record.critical && !KNOWN.contains(&record.tag.to_ascii_lowercase().as_str()) {
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
    let whom = if issuance.account.is_some() { "this account" } else { "the portal" };
    Err(format!("none permits {name} for {whom} and {}", issuance.method))
}

/// Whether one `issue` or `issuewild` value permits the issuance.
fn permits(value: &[u8], issuance: &CaaIssuance<'_>) -> bool {
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
        [account] => issuance.account == Some(*account),
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

    fn record(critical: bool, tag: &str, value: &str) -> CaaRecord {
        CaaRecord { critical, tag: tag.to_owned(), value: value.as_bytes().to_vec() }
    }

    fn judged(records: &[(bool, &str, &str)], account: Option<&str>, wildcard: bool) -> bool {
        let records: Vec<CaaRecord> =
            records.iter().map(|(critical, tag, value)| record(*critical, tag, value)).collect();
        let issuance =
            CaaIssuance { identity: Some("ca.test"), account, method: "dns-01", wildcard };
        judge_caa(&records, &issuance).is_ok()
    }

    #[test]
    fn rfc_8659() {
        let judged = |records: &[_], wildcard| judged(records, None, wildcard);
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
        let account = "https://ca.test/account/1";
        let issue = |value: &str| judged(&[(false, "issue", value)], Some(account), false);
        assert!(issue("ca.test; accounturi=https://ca.test/account/1"));
        assert!(!issue("ca.test; accounturi=https://ca.test/account/12"));
        assert!(!issue(
            "ca.test; accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/1"
        ));
        assert!(issue("ca.test; validationmethods=http-01,dns-01"));
        assert!(!issue("ca.test; validationmethods=http-01"));
        assert!(!issue("ca.test; broken"));
        let only = [(false, "issue", "ca.test; accounturi=https://ca.test/account/1")];
        assert!(!judged(&only, None, false), "the portal is no ACME account");
    }
}
