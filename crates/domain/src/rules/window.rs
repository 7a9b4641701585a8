//! Renewal windows: from when on a certificate or a plan is due.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::model::{Certificate, OrderFile, Windows};
use crate::rules::profile::FieldFault;
use crate::{Days, Timestamp};

/// Certificates that live less than this have a window of a third of their lifetime.
const SHORT_LIVED: Days = Days(96);

coded! {
    /// What a window is counted back from.
    WindowKind {
        /// The primary certificate's expiry.
        Certificate = "certificate",
        /// The end of a multi-year plan.
        Order = "order",
    }
}

/// A renewal window. It has no end: what is overdue is still due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What it is counted back from.
    pub kind: WindowKind,
    /// Its first second.
    #[serde(with = "crate::time::as_rfc3339")]
    pub opens_at: Timestamp,
}

impl Window {
    /// Whether `now` lies in the window; its first second does.
    pub fn is_open(self, now: Timestamp) -> bool {
        now >= self.opens_at
    }
}

/// Rule A9: both windows are settings, and a certificate that lives less than 96 days has a
/// third of its lifetime instead, or it would always be due.
///
/// Counted back from the last second of validity, to the second.
pub fn certificate_window(certificate: &Certificate, windows: Windows) -> Window {
    // Both ends are inclusive (RFC 5280 section 4.1.2.5), hence the one second more.
    let lifetime = certificate.not_after.seconds_since(certificate.not_before).saturating_add(1);
    let length =
        if lifetime < SHORT_LIVED.seconds() { lifetime / 3 } else { windows.certificate.seconds() };
    Window { kind: WindowKind::Certificate, opens_at: certificate.not_after.plus_seconds(-length) }
}

/// The longest window that may be set.
pub const LONGEST_WINDOW: Days = Days(365);

/// What is wrong with both windows as someone wants to save them; empty where nothing is.
pub fn check_windows(windows: Windows) -> Vec<FieldFault> {
    [("certificate_window", windows.certificate), ("order_window", windows.order)]
        .into_iter()
        .filter(|(_, days)| !(1..=LONGEST_WINDOW.0).contains(&days.0))
        .map(|(field, _)| {
            let range = format!("Enter 1 to {} days before expiry.", LONGEST_WINDOW.0);
            FieldFault::new(field, range)
        })
        .collect()
}

/// The window of a multi-year plan that ends at `ends`.
pub fn order_window(ends: Timestamp, windows: Windows) -> Window {
    Window { kind: WindowKind::Order, opens_at: ends.minus(windows.order) }
}

/// The window in which the order is renewed: the plan's where it is a multi-year plan, else the
/// primary certificate's. None where no certificate was issued yet.
pub fn renewal_window(file: &OrderFile, windows: Windows) -> Option<Window> {
    match file.order.coverage.ends() {
        Some(ends) => Some(order_window(ends, windows)),
        None => file.primary().map(|certificate| certificate_window(certificate, windows)),
    }
}

/// Whether the order can still give to others: neither the order nor its primary certificate is
/// due. Without a certificate it can't.
pub(crate) fn is_fresh(file: &OrderFile, windows: Windows, now: Timestamp) -> bool {
    let certificate_open =
        file.primary().is_none_or(|primary| certificate_window(primary, windows).is_open(now));
    let order_open = renewal_window(file, windows).is_none_or(|window| window.is_open(now));
    !certificate_open && !order_open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CertificateKind;
    use crate::rules::fixture::{NOW, certificate, plan_ending, standard};

    fn living(days: i64) -> Certificate {
        let till = NOW.plus(Days(days)).plus_seconds(-1);
        certificate(1, CertificateKind::Original, NOW, till)
    }

    #[test]
    fn a9_window_is_the_setting_or_a_third_of_a_short_life() {
        for (lifetime, setting, opens_before) in [
            (398, 32, 32),
            (200, 32, 32),
            (96, 32, 32),
            (47, 32, 0),
            (90, 32, 30),
            (90, 60, 30),
            (200, 60, 60),
        ] {
            let one = living(lifetime);
            let windows = Windows { certificate: Days(setting), ..Windows::default() };
            let length = if lifetime == 47 { 47 * 86_400 / 3 } else { opens_before * 86_400 };
            let opens_at = certificate_window(&one, windows).opens_at;
            assert_eq!(one.not_after.seconds_since(opens_at), length, "{lifetime} {setting}");
        }
    }

    #[test]
    fn a9_boundary_belongs_to_the_window() {
        let one = standard(1, 100);
        let window = renewal_window(&one, Windows::default()).unwrap();
        assert_eq!(window.kind, WindowKind::Certificate);
        assert_eq!(window.opens_at, NOW.plus(Days(68)));
        assert!(!window.is_open(NOW.plus(Days(68)).plus_seconds(-1)));
        assert!(window.is_open(NOW.plus(Days(68))));
        assert!(window.is_open(NOW.plus(Days(500))), "overdue is still due");
    }

    #[test]
    fn a9_plan_has_the_order_window() {
        let plan = plan_ending(standard(1, 10), 200);
        let window = renewal_window(&plan, Windows::default()).unwrap();
        assert_eq!((window.kind, window.opens_at), (WindowKind::Order, NOW.plus(Days(110))));
        assert!(!is_fresh(&plan, Windows::default(), NOW), "its certificate is due");
    }

    #[test]
    fn windows_have_bounds() {
        let faults = |certificate, order| {
            check_windows(Windows { certificate: Days(certificate), order: Days(order) }).len()
        };
        assert_eq!((faults(1, 365), faults(0, 90), faults(-1, 366)), (0, 1, 2));
    }

    #[test]
    fn window_is_written_as_the_interface_says() {
        let window = Window { kind: WindowKind::Order, opens_at: NOW };
        let json = serde_json::to_string(&window).unwrap();
        assert_eq!(json, r#"{"kind":"order","opens_at":"2026-11-22T08:00:00Z"}"#);
        assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window);
    }
}
