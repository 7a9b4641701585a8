//! The check before a bulk action: what it is done to, what is left out, and how.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::EndpointRow;
use super::auto_renew::{RenewDefaults, renew_fields};
use super::bulk_api::{
    BulkAct, BulkView, NO_DUPLICATES, SubmitBulk, SubmitBulkAutoRenew, bulk, name_field,
};
use super::list::common_name;
use crate::kit::{
    Button, Checkbox, Column, EmptyState, Expiry, FaultLine, Form, FormActions, FormState, Hidden,
    LinkButton, Notice, Section, SelectField, Sheet, Table, Tone, Unavailable, Weight,
    described_by, page,
};
use crate::pages::wizard::api::{Frame, ProfilesView};
use crate::pages::wizard::{InstallDefaults, installation_fields, profile_choices};
use crate::paths;
use crate::viewer::Viewer;

/// One box stands for many endpoints.
const GOES_ON: &str =
    "Where auto-renew is on already it stays as it is, unless you choose it here for all of them.";

/// A bulk request.
#[component]
pub fn BulkPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let view = bulk(query).await?;
        let title = match view.fits.len() {
            0 => view.label.clone(),
            1 => format!("{} on 1 endpoint", view.label),
            count => format!("{} on {count} endpoints", view.label),
        };
        Ok(Sheet::new(title, body(view))
            .under("Automation")
            .crumb("Automated IPs", paths::endpoints()))
    })
}

fn body(view: BulkView) -> AnyView {
    let left_out = left_out(view.left_out.clone());
    let form = match (&view.choice, view.fits.is_empty()) {
        (Some(choice), false) => form(&view, choice),
        (None, _) => nothing(
            "Nothing is selected",
            "Tick the endpoints in the list, then choose what to do with them.",
        ),
        (Some(_), true) => nothing(
            "It fits none of the selected endpoints",
            "Above stands why. Select others in the list.",
        ),
    };
    view! { {left_out}{form} }.into_any()
}

fn nothing(title: &'static str, text: &'static str) -> AnyView {
    view! {
        <EmptyState title=title text=text>
            <LinkButton href=paths::endpoints() weight=Weight::Primary>"Automated IPs"</LinkButton>
        </EmptyState>
    }
    .into_any()
}

fn form(view: &BulkView, choice: &ProfilesView) -> AnyView {
    // Fields find their form only where they are made inside of it.
    let (fits, asks_names) = (view.fits.clone(), view.act == BulkAct::Request);
    let table = move || table(&fits, asks_names);
    let act = code(view.act);
    let (key, label) = (view.key.clone(), view.label.clone());
    let back =
        view! { <LinkButton href=paths::endpoints() weight=Weight::Ghost>"Cancel"</LinkButton> };
    if view.act.action().is_none() {
        let choice = (view.act == BulkAct::AutoRenewOn).then(|| choice.clone());
        return view! {
            <Form action=SubmitBulkAutoRenew::PATH class="stack wide">
                <Hidden name="act" value=act/>
                <Section title="Selected endpoints">{table()}</Section>
                {choice.map(|choice| renewal(&choice))}
                <FormActions><Button weight=Weight::Primary>{label}</Button>{back}</FormActions>
            </Form>
        }
        .into_any();
    }
    let (profiles, suggested) = profile_choices(choice);
    let install = defaults(&choice.frame);
    let names_line = names_line(view.act);
    let submit = if view.fits.len() == 1 { "Submit request" } else { "Submit requests" };
    view! {
        <Form action=SubmitBulk::PATH class="stack wide">
            <Hidden name="act" value=act/>
            <Hidden name="key" value=key/>
            <Section title="Selected endpoints">{table()}</Section>
            <Section title="Certificate">
                <div class="stack narrow">
                    <SelectField name="profile" label="Automation profile" choices=profiles value=suggested/>
                </div>
                <p><strong>"Issue a new certificate"</strong>" for each endpoint. "{names_line}</p>
                <Unavailable label="Duplicate certificates are not available here" why=NO_DUPLICATES/>
            </Section>
            <Section title="Installation" lead=GOES_ON><div class="stack narrow">{installation_fields(install)}</div></Section>
            <FormActions><Button weight=Weight::Primary>{submit}</Button>{back}</FormActions>
        </Form>
    }
    .into_any()
}

const fn code(act: BulkAct) -> &'static str {
    match act {
        BulkAct::Request => "request",
        BulkAct::Renew => "renew",
        BulkAct::Switch => "switch",
        BulkAct::AutoRenewOn => "auto_renew_on",
        BulkAct::AutoRenewOff => "auto_renew_off",
    }
}

const fn names_line(act: BulkAct) -> &'static str {
    match act {
        BulkAct::Request => "Each has the common name entered above.",
        _ => "The names come from the certificates in place.",
    }
}

fn table(rows: &[EndpointRow], asks_names: bool) -> AnyView {
    let mut columns = vec![
        Column::new("IP / Port"),
        Column::new("Common name"),
        Column::new("Host"),
        Column::new("Expires"),
    ];
    if asks_names {
        columns.push(Column::new("Common name to request"));
    }
    let typed = FormState::current().all_typed("names");
    let rows = rows.iter().enumerate().map(|(place, row)| {
        let suggested = || row.server_name.clone().or_else(|| row.common_name.clone());
        let name = typed.get(place).cloned().or_else(suggested).unwrap_or_default();
        selected(row, asks_names.then(|| name_cell(&row.address, place, name)))
    });
    let rows = rows.collect_view();
    view! { <Table label="Selected endpoints" columns=columns>{rows}</Table> }.into_any()
}

/// The common name to request for the row at `place`.
fn name_cell(address: &str, place: usize, name: String) -> AnyView {
    let form = FormState::current();
    let field = name_field(place);
    let (id, fault) = (form.id(&field), form.fault(&field));
    let (described, invalid) =
        (described_by(&id, false, fault.is_some()), fault.is_some().then_some("true"));
    let label = format!("Common name for {address}");
    let faulty = fault.is_some().then_some("");
    view! {
        <td>
            <div class="field" data-faulty=faulty>
                <input
                    id=id.clone() class="input" type="text" name="names[]" value=name maxlength="253" required
                    aria-label=label aria-describedby=described aria-invalid=invalid
                />
                {fault.map(|fault| view! { <FaultLine id=id fault=fault/> })}
            </div>
        </td>
    }
    .into_any()
}

fn selected(row: &EndpointRow, ask: Option<AnyView>) -> AnyView {
    let (id, address) = (row.id.to_string(), row.address.clone());
    view! {
        <tr>
            <th scope="row"><input type="hidden" name="ids[]" value=id/><a href=paths::endpoint(row.id)>{address}</a></th>
            <td>{common_name(row)}</td>
            <td>{row.host.clone()}</td>
            <td>{row.expires.map(|at| view! { <Expiry at=at/> })}</td>
            {ask}
        </tr>
    }
    .into_any()
}

fn renewal(choice: &ProfilesView) -> AnyView {
    let (choices, suggested) = profile_choices(choice);
    let defaults = RenewDefaults::of(None, &choice.frame.time_zone);
    view! {
        <Section title="Auto-renew">
            <div class="stack narrow">
                <SelectField name="profile" label="Automation profile" choices=choices value=suggested/>
                {renew_fields(defaults, true)}
                <Checkbox name="auto_replace" label="Auto-replace revoked or missing certificates"/>
            </div>
        </Section>
    }
    .into_any()
}

fn defaults(frame: &Frame) -> InstallDefaults {
    InstallDefaults {
        scheduled: false,
        date: frame.tomorrow.clone(),
        time: "02:00".to_owned(),
        auto_renew: false,
        renew: RenewDefaults::of(None, &frame.time_zone),
        auto_replace: false,
        emails: String::new(),
        note: String::new(),
    }
}

fn left_out(rows: Vec<(EndpointRow, String)>) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let items = rows.into_iter().map(|(row, why)| {
        view! { <li><a href=paths::endpoint(row.id)>{row.address}</a>": "{why}</li> }
    });
    let items = items.collect_view();
    Some(view! { <Notice tone=Tone::Info title="Left out"><ul>{items}</ul></Notice> }.into_any())
}
