//! How long certificates and plans live.

use serde::{Deserialize, Serialize};

use crate::model::Coverage;
use crate::product::MaxLifetime;
use crate::{Days, Product, Refusal, Timestamp};

/// CA/Browser Forum ballot SC-081: from when (midnight UTC) public certificates live at most how
/// many days. Newest first.
pub const PUBLIC_MAXIMUM: &[(Timestamp, Days)] = &[
    (Timestamp(1_868_227_200), Days(47)),  // 2029-03-15
    (Timestamp(1_805_068_800), Days(100)), // 2027-03-15
    (Timestamp(1_773_532_800), Days(200)), // 2026-03-15
];

/// What public certificates had before ballot SC-081.
const PUBLIC_MAXIMUM_BEFORE: Days = Days(398);

/// The longest lifetime of a certificate of `product` that begins at `not_before`.
pub fn longest_lifetime(product: &Product, not_before: Timestamp) -> Days {
    match product.max_lifetime {
        MaxLifetime::Private(days) => days,
        MaxLifetime::Public => PUBLIC_MAXIMUM
            .iter()
            .find(|(from, _)| not_before >= *from)
            .map_or(PUBLIC_MAXIMUM_BEFORE, |(_, days)| *days),
    }
}

/// The last second of a certificate that begins at `not_before` and lives `days`: both ends are
/// inclusive (RFC 5280 section 4.1.2.5).
pub(crate) fn last_second(not_before: Timestamp, days: Days) -> Timestamp {
    not_before.plus(days).plus_seconds(-1)
}

/// Whether a certificate that begins at `not_before` can live a day until `end`.
pub(crate) fn leaves_a_day(end: Timestamp, not_before: Timestamp) -> bool {
    end >= last_second(not_before, Days(1))
}

/// What a certificate may not outlive, besides the product's maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Last second of the issuer's certificate.
    pub issuer_not_after: Timestamp,
    /// Last second of the order's coverage, where it has an end of its own: a plan's end, or for
    /// the reissue of a single certificate the end of the one before.
    pub coverage_ends: Option<Timestamp>,
}

/// A certificate's validity; both ends are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

/// The validity of a new certificate: what was asked for (none for the longest) and
/// `days_left`, the days left on the order that it renews, but never past the product's maximum
/// at its not-before, its order's coverage or its issuer.
pub fn plan_validity(
    product: &Product,
    not_before: Timestamp,
    asked: Option<Days>,
    days_left: Days,
    limits: Limits,
) -> Result<Validity, Refusal> {
    let longest = longest_lifetime(product, not_before);
    let asked = asked.unwrap_or(longest);
    if asked.0 < 1 {
        return Err(Refusal::new(
            "validity",
            "validity_too_short",
            "A certificate must be valid for at least 1 day. Enter a validity of 1 day or more.",
        ));
    }
    let lifetime = Days(asked.0.saturating_add(days_left.0.max(0))).min(longest);
    let not_after = last_second(not_before, lifetime)
        .min(limits.issuer_not_after)
        .min(limits.coverage_ends.unwrap_or(Timestamp(i64::MAX)));
    if limits.issuer_not_after <= not_before {
        return Err(Refusal::new(
            "validity",
            "issuer_expired",
            format!(
                "The issuing CA's certificate ended on {}, so nothing can be issued under it. An \
                 administrator has to install a new issuing CA.",
                limits.issuer_not_after
            ),
        ));
    }
    if not_after <= not_before {
        return Err(Refusal::new(
            "validity",
            "coverage_over",
            format!("The order's coverage ended on {not_after}. Renew the order instead."),
        ));
    }
    Ok(Validity { not_before, not_after })
}

/// The validity of an order's first certificate, which ends by the last second that was asked for,
/// where one was. A multi-year plan adds the days left on the order that it renews to the plan, which
/// is longer than any certificate.
pub fn first_validity(
    product: &Product,
    coverage: Coverage,
    asked: Option<Days>,
    ends_by: Option<Timestamp>,
    days_left: Days,
    issuer_not_after: Timestamp,
    now: Timestamp,
) -> Result<Validity, Refusal> {
    if let Some(end) = ends_by.filter(|end| !leaves_a_day(*end, now)) {
        return Err(Refusal::new(
            "validity",
            "last_day_over",
            format!(
                "The certificate was to end by {end}, and it must be valid for at least 1 day. Ask \
                 for one that ends later."
            ),
        ));
    }
    let days_left = if coverage.is_multi_year() { Days(0) } else { days_left };
    let coverage_ends = coverage.ends().into_iter().chain(ends_by).min();
    let limits = Limits { issuer_not_after, coverage_ends };
    plan_validity(product, now, asked, days_left, limits)
}

/// Longest coverage that may be bought, in years.
pub const MAX_COVERAGE_YEARS: u8 = 3;

/// The coverage of an order placed at `start`; a renewal adds the days left on the old order.
/// A plan of n years ends a second before the same date and time n years later, in UTC.
pub fn new_coverage(
    product: &Product,
    years: Option<u8>,
    start: Timestamp,
    days_left: Days,
) -> Result<Coverage, Refusal> {
    let Some(years) = years else { return Ok(Coverage::Single) };
    if !product.multi_year {
        return Err(Refusal::new(
            "validity",
            "no_multi_year",
            format!("{} has no multi-year plan. Leave the order coverage empty.", product.name),
        ));
    }
    if !(1..=MAX_COVERAGE_YEARS).contains(&years) {
        return Err(Refusal::new(
            "validity",
            "coverage_years",
            format!("A multi-year plan covers 1, 2 or 3 years, not {years}. Choose one of these."),
        ));
    }
    let ends = years_later(start, years).plus(Days(days_left.0.max(0))).plus_seconds(-1);
    Ok(Coverage::MultiYear { years, ends })
}

fn years_later(start: Timestamp, years: u8) -> Timestamp {
    jiff::Timestamp::from_second(start.0)
        .ok()
        .map(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC))
        .and_then(|moment| moment.checked_add(jiff::Span::new().years(i64::from(years))).ok())
        // Only a start outside jiff's range (year 9999) gets here.
        .map_or_else(
            || start.plus(Days(365 * i64::from(years))),
            |moment| Timestamp(moment.timestamp().as_second()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::NOW;

    const FOREVER: Limits = Limits { issuer_not_after: Timestamp(i64::MAX), coverage_ends: None };

    fn product(id: &str) -> &'static Product {
        Product::find(id).unwrap()
    }

    #[test]
    fn public_maximum_changes_at_midnight() {
        for (moment, days) in [
            ("2026-03-14T23:59:59Z", 398),
            ("2026-03-15T00:00:00Z", 200),
            ("2027-03-14T23:59:59Z", 200),
            ("2027-03-15T00:00:00Z", 100),
            ("2029-03-14T23:59:59Z", 100),
            ("2029-03-15T00:00:00Z", 47),
        ] {
            let moment = Timestamp::parse_rfc3339(moment).unwrap();
            assert_eq!(longest_lifetime(product("ssl_plus"), moment), Days(days), "{moment}");
            assert_eq!(longest_lifetime(product("private_ssl_plus"), moment), Days(825));
        }
    }

    #[test]
    fn validity_ends_at_the_nearest_limit() {
        let plan = |asked: Option<i64>, left, limits| {
            let validity =
                plan_validity(product("ssl_plus"), NOW, asked.map(Days), Days(left), limits);
            validity
                .map(|v| v.not_after.plus_seconds(1).seconds_since(NOW) / 86_400)
                .map_err(|no| no.code)
        };
        assert_eq!(plan(None, 0, FOREVER), Ok(200));
        assert_eq!(plan(Some(90), 0, FOREVER), Ok(90));
        assert_eq!(plan(Some(90), 30, FOREVER), Ok(120), "a renewal adds what was left");
        assert_eq!(plan(Some(190), 30, FOREVER), Ok(200), "up to the maximum");
        assert_eq!(plan(Some(90), -3, FOREVER), Ok(90), "nothing was left");
        let day = |days: i64| NOW.plus(Days(days)).plus_seconds(-1);
        assert_eq!(plan(None, 0, Limits { issuer_not_after: day(50), ..FOREVER }), Ok(50));
        assert_eq!(plan(None, 0, Limits { coverage_ends: Some(day(60)), ..FOREVER }), Ok(60));
        assert_eq!(plan(Some(0), 0, FOREVER), Err("validity_too_short"));
        assert_eq!(
            plan(None, 0, Limits { issuer_not_after: day(0), ..FOREVER }),
            Err("issuer_expired")
        );
        assert_eq!(
            plan(None, 0, Limits { coverage_ends: Some(day(0)), ..FOREVER }),
            Err("coverage_over")
        );
    }

    #[test]
    fn a_plan_adds_the_days_left_to_the_plan_alone() {
        let product = product("ssl_plus");
        let days = |years| {
            let coverage = new_coverage(product, years, NOW, Days(30)).unwrap();
            let forever = Timestamp(i64::MAX);
            let asked = Some(Days(90));
            let first = first_validity(product, coverage, asked, None, Days(30), forever, NOW);
            first.unwrap().not_after.plus_seconds(1).seconds_since(NOW) / 86_400
        };
        assert_eq!((days(None), days(Some(1))), (120, 90));
    }

    #[test]
    fn a_last_second_is_met_and_never_passed() {
        let product = product("ssl_plus");
        let end = NOW.plus(Days(20)).plus_seconds(3_600);
        let plan = |years, now| {
            let coverage = new_coverage(product, years, NOW, Days(0)).unwrap();
            let forever = Timestamp(i64::MAX);
            first_validity(product, coverage, None, Some(end), Days(0), forever, now)
                .map(|validity| validity.not_after)
                .map_err(|no| no.code)
        };
        for years in [None, Some(2)] {
            assert_eq!(plan(years, NOW), Ok(end));
            assert_eq!(plan(years, NOW.plus(Days(19))), Ok(end), "approved days later");
            assert_eq!(plan(years, NOW.plus(Days(20))), Err("last_day_over"));
        }
        let longest = NOW.minus(Days(500));
        assert!(plan(None, longest).unwrap() < end, "no longer than its product allows");
    }

    #[test]
    fn plans_end_on_the_same_date_plus_the_days_left() {
        let coverage = |id, years, left| new_coverage(product(id), years, NOW, Days(left));
        let end = |years, left| {
            coverage("ssl_plus", Some(years), left).unwrap().ends().unwrap().rfc3339()
        };
        assert_eq!(end(1, 0), "2027-11-22T07:59:59Z");
        assert_eq!(end(2, 10), "2028-12-02T07:59:59Z");
        assert_eq!(coverage("ssl_plus", None, 5), Ok(Coverage::Single));
        assert_eq!(coverage("ssl_plus", Some(4), 0).unwrap_err().code, "coverage_years");
        assert_eq!(coverage("private_ssl_plus", Some(1), 0).unwrap_err().code, "no_multi_year");
    }
}
