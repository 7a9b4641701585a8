//! The body of a request for a certificate, in all the ways in which clients write it.

use domain::time::DAY;
use domain::{OrderNumber, OrganizationId, Timestamp};
use serde::Deserialize;

use super::dates::read_date;
use super::error::{ApiError, ApiResult};
use super::loose::{given, number};

/// `certificate` of a request. Fields that are not known here are ignored, as clients send many.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Certificate {
    #[serde(default, deserialize_with = "given")]
    pub(super) common_name: String,
    #[serde(default, deserialize_with = "given")]
    pub(super) dns_names: Vec<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) csr: String,
    #[serde(default, deserialize_with = "given")]
    pub(super) cert_validity: Lifetime,
}

#[derive(Debug, Deserialize)]
pub(super) struct OrganizationReference {
    #[serde(default, deserialize_with = "number")]
    pub(super) id: Option<OrganizationId>,
}

/// How long an order or a certificate is to live.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Lifetime {
    #[serde(default, deserialize_with = "number")]
    pub(super) years: Option<u8>,
    #[serde(default, deserialize_with = "number")]
    pub(super) days: Option<u16>,
    #[serde(default, deserialize_with = "given")]
    pub(super) custom_expiration_date: String,
}

/// The body of a request for a certificate.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default, deserialize_with = "given")]
    pub(super) certificate: Certificate,
    pub(super) organization: Option<OrganizationReference>,
    #[serde(default, deserialize_with = "number")]
    pub(super) validity_years: Option<u8>,
    #[serde(default, deserialize_with = "number")]
    pub(super) validity_days: Option<u16>,
    #[serde(default, deserialize_with = "given")]
    pub(super) custom_expiration_date: String,
    #[serde(default, deserialize_with = "given")]
    pub(super) order_validity: Lifetime,
    #[serde(default, deserialize_with = "number")]
    pub(super) renewal_of_order_id: Option<OrderNumber>,
    #[serde(default, deserialize_with = "given")]
    pub(super) comments: String,
    /// A reissue with changed or removed names revokes the order's earlier certificates in 72
    /// hours: this says that the caller knows.
    #[serde(default, deserialize_with = "given")]
    pub(super) confirm_revocation: bool,
}

impl Wanted {
    /// The last day that was asked for, where one was.
    fn last_day(&self) -> Option<&str> {
        let all = [
            &self.certificate.cert_validity.custom_expiration_date,
            &self.custom_expiration_date,
            &self.order_validity.custom_expiration_date,
        ];
        all.into_iter().map(|text| text.trim()).find(|text| !text.is_empty())
    }

    /// The last second of the last day that was asked for, where one was.
    pub(super) fn ends_by(&self) -> ApiResult<Option<Timestamp>> {
        let Some(text) = self.last_day() else { return Ok(None) };
        let day = read_date(text).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let message =
                format!("custom_expiration_date is {shown:?}: send a day, as 2027-01-31.");
            ApiError::bad("invalid_custom_expiration_date", message)
        })?;
        Ok(Some(day.plus_seconds(DAY - 1)))
    }

    /// Days of validity; a last day stands in their place.
    pub(super) fn days(&self) -> Option<u16> {
        if self.last_day().is_some() {
            return None;
        }
        let lifetimes = [self.certificate.cert_validity.days, self.validity_days];
        lifetimes.into_iter().flatten().next().or(self.order_validity.days)
    }

    /// Years of a multi-year plan. One year is what CertCentral's clients send for an order of one
    /// certificate: they must send something.
    pub(super) fn plan_years(&self) -> Option<u8> {
        self.order_validity.years.or(self.validity_years).filter(|years| *years > 1)
    }

    /// Refuses a last day where the rules alone say how long the certificate lives.
    pub(super) fn no_last_day(&self, ends: &str) -> ApiResult<()> {
        match self.last_day() {
            None => Ok(()),
            Some(_) => Err(ApiError::bad(
                "invalid_custom_expiration_date",
                format!("{ends} Leave custom_expiration_date out."),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wanted(body: Value) -> Wanted {
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn what_clients_send_is_read_in_every_form_that_they_send_it_in() {
        let sent = wanted(json!({
            "organization": {"id": "12345", "name": "Example"}, "renewal_of_order_id": 0, "comments": null,
            "certificate": {"dns_names": null, "csr": "x"}, "validity_years": "2", "order_validity": null,
        }));
        assert_eq!(sent.organization.unwrap().id, Some(OrganizationId(12_345)));
        assert_eq!((sent.renewal_of_order_id, sent.validity_years), (None, Some(2)));
        let sent = wanted(json!({"organization": {"id": 7}, "renewal_of_order_id": "555123456"}));
        assert_eq!(sent.organization.unwrap().id, Some(OrganizationId(7)));
        assert_eq!(sent.renewal_of_order_id, Some(OrderNumber(555_123_456)));
        let wrong = serde_json::from_value::<Wanted>(json!({"organization": {"id": "Example"}}));
        assert!(wrong.unwrap_err().to_string().contains("\"Example\""));
    }

    #[test]
    fn a_last_day_ends_with_its_last_second() {
        let until = |body| {
            let wanted = wanted(body);
            (wanted.ends_by().ok().flatten().map(Timestamp::rfc3339), wanted.days())
        };
        let last = (Some("2026-12-31T23:59:59Z".to_owned()), None);
        for same in [
            json!({"custom_expiration_date": "2026-12-31", "validity_days": 5}),
            json!({"order_validity": {"custom_expiration_date": "31 DEC 2026"}}),
            json!({"certificate": {"cert_validity": {"custom_expiration_date": "31 Dec 2026"}}}),
        ] {
            assert_eq!(until(same), last);
        }
        assert_eq!(
            until(json!({"certificate": {"cert_validity": {"days": "9"}}})),
            (None, Some(9))
        );
        for wrong in ["soon", "2026-02-30", "99 DEC 2026"] {
            assert!(wanted(json!({"custom_expiration_date": wrong})).ends_by().is_err(), "{wrong}");
        }
    }
}
