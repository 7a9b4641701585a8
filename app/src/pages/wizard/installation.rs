//! Step 3: "Installation": when, and how it goes on afterwards.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ChooseInstallation, Frame, step_frame};
use super::frame::{Carried, asked, elsewhere, profile_first, sheet, to};
use crate::kit::{
    Button, Checkbox, Choice, Form, FormActions, LinkButton, RadioGroup, Section, TextArea,
    TextField, Weight, page,
};
use crate::pages::endpoints::{RenewDefaults, ZoneField, renew_fields};
use crate::pages::later::MAIL_OF_REQUEST;
use crate::paths;
use crate::query::Query;

/// Step 3.
#[component]
pub fn InstallationStep() -> impl IntoView {
    let (id, query) = asked();
    page(async move {
        let frame = step_frame(id?.0, query).await?;
        let body = if frame.profile.is_none() { profile_first(&frame) } else { step(&frame) };
        Ok(sheet(&frame, 3, body))
    })
}

fn step(frame: &Frame) -> AnyView {
    let (id, state) = (frame.endpoint.id, frame.state.clone());
    let defaults = defaults(frame);
    let (back, elsewhere) = (to(frame, paths::wizard_certificate(id)), elsewhere(frame));
    view! {
        <Section title="Installation">
            <Form action=ChooseInstallation::PATH elsewhere=elsewhere>
                <Carried id=id state=state/>
                {installation_fields(defaults)}
                <FormActions>
                    <Button weight=Weight::Primary>"Continue"</Button>
                    <LinkButton href=back>"Back"</LinkButton>
                    <LinkButton href=paths::endpoint(id) weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

/// What the fields show at first: what was filled in before, else the profile's and the person's.
fn defaults(frame: &Frame) -> InstallDefaults {
    let state = Query::parse(&frame.state);
    let text = |name: &str| state.get(name).map(str::to_owned);
    let profile = frame.profile.as_ref().and_then(|profile| profile.auto_renew.as_ref());
    let in_use = frame.endpoint.auto_renew.as_ref().or(profile);
    let renew = RenewDefaults::of(in_use, &frame.time_zone);
    let seen = state.has("install");
    InstallDefaults {
        scheduled: state.get("install") == Some("at"),
        date: text("date").unwrap_or_else(|| frame.tomorrow.clone()),
        time: text("time").unwrap_or_else(|| "02:00".to_owned()),
        auto_renew: if seen { state.get("auto_renew") == Some("on") } else { in_use.is_some() },
        renew: RenewDefaults {
            days: text("days_before").unwrap_or(renew.days),
            time: text("renew_time").unwrap_or(renew.time),
            zone: text("time_zone").unwrap_or(renew.zone),
        },
        auto_replace: if seen {
            state.get("auto_replace") == Some("on")
        } else {
            frame.endpoint.auto_replace
        },
        emails: text("emails").unwrap_or_default(),
        note: text("note").unwrap_or_default(),
    }
}

/// What installation fields show at first.
#[derive(Debug, Clone)]
pub(crate) struct InstallDefaults {
    /// "Schedule" instead of at once.
    pub scheduled: bool,
    /// `2026-11-23`.
    pub date: String,
    /// `02:00`.
    pub time: String,
    /// "Auto-renew and install certificate".
    pub auto_renew: bool,
    /// Its settings.
    pub renew: RenewDefaults,
    /// "Auto-replace revoked or missing certificates".
    pub auto_replace: bool,
    /// Additional e-mail addresses.
    pub emails: String,
    /// Words for the reviewer and the history.
    pub note: String,
}

/// The fields of the installation, for one endpoint or many.
pub(crate) fn installation_fields(defaults: InstallDefaults) -> AnyView {
    let InstallDefaults { scheduled, date, time, auto_renew, renew, auto_replace, emails, note } =
        defaults;
    let choices = vec![
        Choice::new("now", "Install as soon as it is issued"),
        Choice::new("at", "Schedule")
            .help("The certificate is requested and installed at this time."),
    ];
    let zone = renew.zone.clone();
    view! {
        <div class="when">
            <RadioGroup name="install" legend="When" choices=choices value=if scheduled { "at" } else { "now" }/>
            <div class="row when-at">
                <TextField name="date" label="Date" value=date kind="date"/>
                <TextField name="time" label="Time" value=time kind="time"/>
            </div>
        </div>
        <ZoneField zone=zone/>
        <div class="renewing">
            <Checkbox
                name="auto_renew" label="Auto-renew and install certificate" checked=auto_renew
                help="In your name: if you lose the right to request certificates, it asks somebody to act."
            />
            <div class="renewing-fields">{renew_fields(renew, false)}</div>
        </div>
        <Checkbox name="auto_replace" label="Auto-replace revoked or missing certificates" checked=auto_replace/>
        <TextField name="emails" label="Additional e-mails" value=emails optional=true maxlength=5_000 help=MAIL_OF_REQUEST/>
        <TextArea name="note" label="Note" value=note optional=true rows=3 help="For the reviewer and the history."/>
    }
    .into_any()
}
