//! The form of a profile.

use domain::ProfileId;
use domain::model::{KeyType, SignatureHash};
use domain::product::{CATALOGUE, USUAL};
use domain::rules::ProfileState;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{DeleteProfile, ProfileForm, ProfileRow, SaveProfile, open_profile_form};
use super::list::{coverage, last_day};
use crate::fault::PortalError;
use crate::kit::{
    Button, Checkbox, Choice, Dialog, Form, FormActions, Hidden, LinkButton, Notice, OpenDialog,
    RadioGroup, Section, SelectField, Sheet, TextField, Tone, Weight, page,
};
use crate::pages::endpoints::{RenewDefaults, renew_fields};
use crate::pages::later::MAIL_OF_PROFILE;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Add new profile".
#[component]
pub fn ProfileNewPage() -> impl IntoView {
    page(async move {
        let form = open_profile_form(None).await?;
        Ok(Sheet::new("Add new profile", fields(&form))
            .under("Automation")
            .crumb("Manage profiles", paths::profiles()))
    })
}

/// A profile.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<ProfileId>().ok());
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("profile"))?;
        let form = open_profile_form(Some(id.0)).await?;
        let row = form.row.clone().ok_or_else(|| PortalError::no_such("profile"))?;
        let body = view! { {trouble(&row)}{fields(&form)} };
        let delete = form.may_automate.then(|| delete(&row));
        Ok(Sheet::new(row.profile.name.clone(), body)
            .under("Automation")
            .crumb("Manage profiles", paths::profiles())
            .lead(super::list::state(&ProfileState::clone(&bare(&row.state))))
            .actions(delete))
    })
}

/// The state without its reasons, which stand in a notice of their own.
fn bare(state: &ProfileState) -> ProfileState {
    match state {
        ProfileState::Active => ProfileState::Active,
        ProfileState::ActionNeeded { .. } => ProfileState::ActionNeeded { reasons: Vec::new() },
    }
}

fn trouble(row: &ProfileRow) -> Option<AnyView> {
    let ProfileState::ActionNeeded { reasons } = row.state.clone() else { return None };
    let reasons = reasons.into_iter().map(|reason| view! { <p>{reason}</p> }).collect_view();
    Some(view! { <Notice tone=Tone::Warning title="Action needed">{reasons}</Notice> }.into_any())
}

fn delete(row: &ProfileRow) -> AnyView {
    let (id, name) = (row.profile.id.to_string(), row.profile.name.clone());
    view! {
        <OpenDialog id="delete-profile">"Delete"</OpenDialog>
        <Dialog id="delete-profile" title="Delete this profile?">
            <Form action=DeleteProfile::PATH>
                <Hidden name="id" value=id/>
                <p>{format!("{name:?} is removed. Events that were scheduled with it keep what it said. A profile that endpoints renew with can't be deleted.")}</p>
                <FormActions><Button weight=Weight::Danger>"Delete profile"</Button></FormActions>
            </Form>
        </Dialog>
    }
    .into_any()
}

fn fields(form: &ProfileForm) -> AnyView {
    let row = form.row.clone();
    let version = row.as_ref().map(|row| row.version.to_string()).unwrap_or_default();
    let id = row.as_ref().map(|row| row.profile.id.to_string()).unwrap_or_default();
    let next = Query::parse(Viewer::current().query()).get("next").unwrap_or_default().to_owned();
    let name = row.as_ref().map(|row| row.profile.name.clone()).unwrap_or_default();
    let emails = row.as_ref().map(|row| row.profile.emails.join(", ")).unwrap_or_default();
    let back = if next.is_empty() { paths::profiles() } else { paths::local(&next) };
    let save = form.may_automate.then(|| {
        view! { <FormActions><Button weight=Weight::Primary>"Save profile"</Button><LinkButton href=back weight=Weight::Ghost>"Cancel"</LinkButton></FormActions> }
    });
    let exists = row.is_some();
    // Fields find their form only where they are made inside of it.
    let (what, how, then) = (form.clone(), form.clone(), form.clone());
    view! {
        <Form action=SaveProfile::PATH>
            <Hidden name="id" value=id/>
            <Hidden name="version" value=version/>
            <Hidden name="next" value=next/>
            <Section title="What is ordered">
                <TextField name="name" label="Name" value=name required=true maxlength=100/>
                {ordered(&what)}
            </Section>
            <Section title="Certificate">{certificate(&how)}</Section>
            <Section title="Contacts">
                <TextField
                    name="emails" label="Contacts and e-mails" value=emails optional=true maxlength=5_000
                    help=MAIL_OF_PROFILE
                />
            </Section>
            <Section title="Automation">{automation(&then)}</Section>
            {exists.then(update_scheduled)}
            {save}
        </Form>
    }
    .into_any()
}

fn update_scheduled() -> impl IntoView {
    view! {
        <Checkbox
            name="update_scheduled" label="Update these preferences in scheduled automation events that use this profile"
            help="Without it, events that are scheduled already stay as they were. Events that an agent has begun stay as they are in any case."
        />
    }
}

fn ordered(form: &ProfileForm) -> AnyView {
    let profile = form.row.as_ref().map(|row| &row.profile);
    let products = CATALOGUE.iter().zip(&form.longest).map(|(product, longest)| {
        Choice::new(product.id, format!("{} (up to {longest} days)", product.name))
    });
    let organizations =
        form.organizations.iter().map(|(id, name)| Choice::new(id.to_string(), name));
    let years = [None, Some(1), Some(2), Some(3)].map(|years: Option<u8>| {
        Choice::new(years.map(|years| years.to_string()).unwrap_or_default(), coverage(years))
    });
    let product = profile.map_or_else(|| USUAL.to_owned(), |profile| profile.product.to_string());
    let organization = profile.map(|profile| profile.organization.to_string()).unwrap_or_default();
    let covered = profile
        .and_then(|profile| profile.coverage_years)
        .map(|years| years.to_string())
        .unwrap_or_default();
    view! {
        <SelectField name="product" label="Product" choices=products.collect() value=product/>
        <SelectField name="organization" label="Organization" choices=organizations.collect() value=organization/>
        <SelectField
            name="coverage_years" label="Order coverage" choices=years.to_vec() value=covered
            help="Multi-year plans are reissued until their end; private products have none."
        />
    }
    .into_any()
}

fn certificate(form: &ProfileForm) -> AnyView {
    let profile = form.row.as_ref().map(|row| &row.profile);
    let days = profile.and_then(|profile| profile.validity_days).map(|days| days.0.to_string());
    let end = profile.and_then(|profile| profile.ends_by).map(last_day);
    let kind = match (&end, &days) {
        (Some(_), _) => "end",
        (None, Some(_)) => "days",
        (None, None) => "longest",
    };
    let kinds = vec![
        Choice::new("longest", "The longest that the product allows"),
        Choice::new("days", "A number of days"),
        Choice::new("years", "A number of years"),
        Choice::new("end", "A custom end"),
    ];
    let keys = KeyType::ALL.iter().map(|key| Choice::new(key.as_str(), key.label())).collect();
    let hashes = SignatureHash::ALL
        .iter()
        .map(|hash| Choice::new(hash.as_str(), hash_label(*hash)))
        .collect();
    let key = profile.map_or(KeyType::EcP256, |profile| profile.key_type).as_str();
    let hash = profile.map_or(SignatureHash::Sha256, |profile| profile.signature_hash).as_str();
    view! {
        <div class="validity">
            <RadioGroup name="validity" legend="Validity" choices=kinds value=kind/>
            <div class="row validity-amount">
                <TextField name="validity_amount" label="Days or years" value=days.unwrap_or_default() kind="number" min="1"/>
            </div>
            <div class="row validity-end"><TextField name="validity_end" label="Last day (UTC)" value=end.unwrap_or_default() kind="date"/></div>
        </div>
        <div class="row">
            <SelectField name="key_type" label="Key" choices=keys value=key/>
            <SelectField name="signature_hash" label="Signature hash" choices=hashes value=hash/>
        </div>
    }
    .into_any()
}

const fn hash_label(hash: SignatureHash) -> &'static str {
    match hash {
        SignatureHash::Sha256 => "SHA-256",
        SignatureHash::Sha384 => "SHA-384",
    }
}

fn automation(form: &ProfileForm) -> AnyView {
    let profile = form.row.as_ref().map(|row| &row.profile);
    let renew = profile.and_then(|profile| profile.auto_renew.as_ref());
    let defaults = RenewDefaults::of(renew, &form.time_zone);
    let is_default = profile.map_or(form.first, |profile| profile.is_default);
    let default_help = if is_default {
        "It is the default until another profile becomes it."
    } else {
        "Suggested first wherever a profile is chosen."
    };
    view! {
        <div class="renewing">
            <Checkbox name="auto_renew" label="Auto-renew and install certificate" checked=renew.is_some() help="The default for endpoints that use this profile."/>
            <div class="renewing-fields">{renew_fields(defaults, true)}</div>
        </div>
        <Checkbox name="is_default" label="Make this the default automation profile" checked=is_default help=default_help/>
        <Checkbox
            name="allow_duplicates" label="Allow duplicates" checked=profile.is_none_or(|profile| profile.allow_duplicates)
            help="Where the account's settings offer duplicates in Automation, requests of this profile may use them."
        />
    }
    .into_any()
}
