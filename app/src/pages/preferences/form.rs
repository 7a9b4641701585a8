//! The form. Its fields are named as the settings' keys.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{PreferencesView, SavePreferences};
use crate::kit::{
    Button, Checkbox, Choice, Expander, Form, FormActions, Hidden, RadioGroup, TextArea, TextField,
    Weight, came_back,
};
use crate::pages::later::notices_are_kept;

/// Sections that expand; "Advanced Settings" is collapsed until clicked, unless the form came back.
#[component]
pub(super) fn PreferencesForm(preferences: PreferencesView) -> impl IntoView {
    let came_back = came_back(SavePreferences::PATH);
    let may_change = preferences.may_change;
    let version = preferences.version.to_string();
    let (renewal, labels, advanced) = (preferences.clone(), preferences.clone(), preferences);
    view! {
        <Form action=SavePreferences::PATH class="stack wide">
            <Hidden name="version" value=version/>
            <fieldset class="stack" disabled=!may_change>
                <Expander title="Certificate renewal settings" open=true>{renewal_settings(&renewal)}</Expander>
                <Expander title="Validation and labels" open=came_back>{validation(&labels)}</Expander>
                <Expander title="Advanced Settings" open=came_back>{advanced_settings(&advanced)}</Expander>
            </fieldset>
            {may_change.then(|| view! {
                <FormActions><Button weight=Weight::Primary>"Save Settings"</Button></FormActions>
            })}
        </Form>
    }
}

fn renewal_settings(now: &PreferencesView) -> AnyView {
    let value = |key: &str| now.value(key);
    let label = |key: &str| now.label(key);
    view! {
        {notices_are_kept()}
        <div class="row">
            <TextField
                name="notice_days_before" label=label("notice_days_before") value=value("notice_days_before")
                help="Separated by commas."
            />
            <TextField name="notice_days_after" label=label("notice_days_after") value=value("notice_days_after") help="Separated by commas."/>
        </div>
        <TextArea
            name="notice_emails" label=label("notice_emails") value=value("notice_emails") optional=true rows=2
            help="E-mail addresses, separated by commas."
        />
        <div class="row">
            <TextField
                name="certificate_renewal_window_days" label=label("certificate_renewal_window_days")
                value=value("certificate_renewal_window_days") kind="number" min="1" max="180"
                help="Inside the window an ACME client's order renews; outside it gets a duplicate where allowed."
            />
            <TextField
                name="order_renewal_window_days" label=label("order_renewal_window_days")
                value=value("order_renewal_window_days") kind="number" min="1" max="365"
                help="Inside the window a multi-year order is renewed; outside it is reissued."
            />
        </div>
    }
    .into_any()
}

fn validation(now: &PreferencesView) -> AnyView {
    let value = |key: &str| now.value(key);
    let label = |key: &str| now.label(key);
    view! {
        <div class="row">
            <TextField
                name="organization_validation_days" label=label("organization_validation_days")
                value=value("organization_validation_days") kind="number" min="1" max="825"
            />
            <TextField
                name="domain_validation_days" label=label("domain_validation_days")
                value=value("domain_validation_days") kind="number" min="1" max="398"
            />
        </div>
        <TextField
            name="brand_word" label=label("brand_word") value=value("brand_word") maxlength=40
            help="Shown on endpoints that serve another authority's certificate."
        />
    }
    .into_any()
}

fn advanced_settings(now: &PreferencesView) -> AnyView {
    let steps = now.approval_steps.iter().map(|(code, label)| Choice::new(code, label)).collect();
    view! {
        <section class="stack">
            <h3>"Certificate Requests"</h3>
            <RadioGroup
                name="approval_step" legend=now.label("approval_step") value=now.value("approval_step") choices=steps
                help="Requests of Standard and Limited Users, and every revocation, wait for a reviewer whatever is chosen here."
            />
            <Checkbox
                name="auto_approve_approvers" label=now.label("auto_approve_approvers")
                checked=now.is_on("auto_approve_approvers")
            />
        </section>
        <section class="stack">
            <h3>"Duplicate certificates"</h3>
            <Checkbox
                name="duplicates_in_automation" label=now.label("duplicates_in_automation")
                checked=now.is_on("duplicates_in_automation")
                help="Offered to Managers and Administrators while the approval step is skipped."
            />
        </section>
    }
    .into_any()
}
