use super::*;
use crate::testing::{desks, newest};

fn form(version: i64, values: &[(&str, &str)]) -> PreferencesForm {
    let values =
        values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    PreferencesForm { version, values }
}

#[tokio::test]
async fn d5_a9_the_standard_values() {
    for desk in desks().await {
        assert_eq!(desk.preferences().await.unwrap(), Preferences::default());
        assert_eq!(desk.settings_get("approval_step").await.unwrap(), "one_step");
        assert_eq!(desk.settings_get("certificate_renewal_window_days").await.unwrap(), "32");
        assert_eq!(desk.settings_get("order_renewal_window_days").await.unwrap(), "90");
        let snapshot = desk.settings().await.unwrap();
        assert_eq!(snapshot.day_list("notice_days_before"), [90, 60, 30, 7, 3].map(Days));
    }
}

#[test]
fn every_default_passes_its_own_check() {
    for setting in SETTINGS {
        assert_eq!(
            setting.check(setting.default),
            Ok(setting.default.to_owned()),
            "{}",
            setting.key
        );
    }
}

#[tokio::test]
async fn d5_saving_changes_what_rules_see_and_is_in_the_audit_log() {
    for desk in desks().await {
        let values = [
            ("approval_step", "skip"),
            ("duplicates_in_automation", "on"),
            ("certificate_renewal_window_days", " 30 "),
        ];
        let saved = desk.save_preferences(&Actor::Operator, form(0, &values)).await.unwrap();
        assert_eq!(saved.preferences().approval_step, ApprovalStep::Skip);
        let preferences = desk.preferences().await.unwrap();
        assert!(preferences.duplicates_in_automation);
        assert_eq!(preferences.windows.certificate, Days(30));
        let rows = newest(&desk).await;
        assert_eq!(rows.len(), 1);
        assert!(
            rows[0].old.as_deref().unwrap().contains(r#""approval_step":"one_step""#),
            "{:?}",
            rows[0]
        );
        assert!(rows[0].new.as_deref().unwrap().contains(r#""approval_step":"skip""#));
        // Saving the same again changes nothing and says nothing.
        desk.save_preferences(&Actor::Operator, form(saved.version, &values)).await.unwrap();
        assert_eq!(newest(&desk).await.len(), 1);
    }
}

#[tokio::test]
async fn a_stale_form_is_refused_with_the_difference() {
    for desk in desks().await {
        let shown = desk.settings().await.unwrap().version;
        desk.save_preferences(&Actor::Operator, form(shown, &[("approval_step", "skip")]))
            .await
            .unwrap();
        let stale = form(shown, &[("approval_step", "one_step"), ("brand_word", "Certdeck")]);
        let refused = desk.save_preferences(&Actor::Operator, stale).await.unwrap_err();
        let LifecycleError::Conflict { message } = refused else { panic!("{refused:?}") };
        assert!(message.contains("Approval Steps: skip (yours: one_step)"), "{message}");
        assert_eq!(desk.settings_get("brand_word").await.unwrap(), "DigiCert");
    }
}

#[tokio::test]
async fn of_two_forms_saved_at_once_one_wins() {
    for desk in desks().await {
        let save = |word: &'static str| {
            desk.save_preferences(&Actor::Operator, form(0, &[("brand_word", word)]))
        };
        let (a, b) = tokio::join!(save("One"), save("Two"));
        assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1);
    }
}

#[tokio::test]
async fn every_faulty_field_is_named_and_nothing_saved() {
    let desk = desks().await.remove(0);
    let long = "x".repeat(1_000_000);
    let values = [
        ("approval_step", "sometimes"),
        ("auto_approve_approvers", "true"),
        ("certificate_renewal_window_days", "0"),
        ("order_renewal_window_days", "1e3"),
        ("notice_days_before", "30,30"),
        ("notice_emails", "jane@example.com, jane"),
        ("brand_word", long.as_str()),
    ];
    let refused = desk.save_preferences(&Actor::Operator, form(0, &values)).await.unwrap_err();
    let LifecycleError::Invalid(faults) = refused else { panic!("{refused:?}") };
    let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_ref()).collect();
    fields.sort_unstable();
    let mut wanted = values.map(|(key, _)| key);
    wanted.sort_unstable();
    assert_eq!(fields, wanted);
    assert_eq!(desk.settings().await.unwrap().version, 0);
    assert!(desk.settings_set(&Actor::Operator, "colour", "red").await.is_err());
}
