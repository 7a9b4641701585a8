//! The list of profiles.

use domain::Timestamp;
use domain::model::Profile;
use domain::rules::ProfileState;
use leptos::prelude::*;

use super::api::{ProfileList, ProfileRow, SORTS, profiles};
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// "Manage profiles".
#[component]
pub fn ProfilesPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let ProfileList { page, may_automate } = profiles(query.clone()).await?;
        let listing = Listing::read(paths::PROFILES, &query, &SORTS);
        let add = may_automate.then(|| {
            view! { <LinkButton href=paths::profile_new() weight=Weight::Primary glyph=Glyph::Add>"Add new profile"</LinkButton> }
        });
        Ok(Sheet::new("Manage profiles", list(listing, page, may_automate))
            .under("Automation")
            .lead("A profile holds product, organization, coverage, validity and key: all that a request needs but the names.")
            .actions(add))
    })
}

fn list(listing: Listing, page: Paged<ProfileRow>, may_automate: bool) -> AnyView {
    let Paged { rows, previous, next } = page;
    let (bar, filtered) = (listing.clone(), listing.is_filtered());
    let body = match (rows.is_empty(), filtered) {
        (true, true) => {
            view! { <EmptyState title="No profile matches" text="Clear the filters to see all."/> }
                .into_any()
        }
        (true, false) => empty(may_automate),
        (false, _) => table(listing.clone(), rows),
    };
    let states = [ProfileState::Active, ProfileState::ActionNeeded { reasons: Vec::new() }];
    let states = states.map(|state| Choice::new(state.label(), state.label())).to_vec();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name, product or organization"/>
            <FilterSelect name="state" label="State" choices=states/>
        </FilterBar>
        {body}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn empty(may_automate: bool) -> AnyView {
    let text = if may_automate {
        "Add the first one: automation requests choose it, and it becomes the default."
    } else {
        "An Administrator or a Manager adds profiles."
    };
    view! {
        <EmptyState title="No automation profile yet" text=text>
            {may_automate.then(|| view! { <LinkButton href=paths::profile_new() weight=Weight::Primary>"Add new profile"</LinkButton> })}
        </EmptyState>
    }
    .into_any()
}

fn table(listing: Listing, rows: Vec<ProfileRow>) -> AnyView {
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("State"),
        Column::new("Product").sorted("product"),
        Column::new("Organization").sorted("organization"),
        Column::new("Order coverage"),
        Column::new("Validity"),
        Column::new("Key"),
        Column::new("Duplicates"),
        Column::new("Auto-renew"),
        Column::new("Saved").sorted("saved"),
    ];
    let rows = rows.into_iter().map(row).collect_view();
    view! { <Table label="Automation profiles" columns=columns listing=listing>{rows}</Table> }
        .into_any()
}

fn row(row: ProfileRow) -> AnyView {
    let profile = row.profile;
    let (validity, renew) = (validity(&profile), renewal(&profile));
    view! {
        <tr>
            <th scope="row">
                <a href=paths::profile(profile.id)>{profile.name}</a>
                {profile.is_default.then(|| view! { <span class="small muted">"Default"</span> })}
            </th>
            <td>{state(&row.state)}</td>
            <td>{row.product}</td>
            <td>{row.organization}</td>
            <td>{coverage(profile.coverage_years)}</td>
            <td>{validity}</td>
            <td class="nowrap">{profile.key_type.label()}</td>
            <td>{if profile.allow_duplicates { "Allowed" } else { "Not allowed" }}</td>
            <td>{renew}</td>
            <td class="nowrap"><Time at=row.updated_at day_only=true/></td>
        </tr>
    }
    .into_any()
}

pub(super) fn validity(profile: &Profile) -> String {
    match (profile.ends_by, profile.validity_days) {
        (Some(end), _) => format!("Until {}", last_day(end)),
        (None, Some(days)) => format!("{} days", days.0),
        (None, None) => "Longest".to_owned(),
    }
}

/// The day of a custom end, as it is typed.
pub(super) fn last_day(end: Timestamp) -> String {
    end.rfc3339().chars().take(10).collect()
}

pub(super) fn renewal(profile: &Profile) -> String {
    let days = profile.auto_renew.as_ref().map(|renew| renew.days_before.0);
    days.map_or_else(|| "Off".to_owned(), |days| format!("{days} days before"))
}

pub(super) fn coverage(years: Option<u8>) -> String {
    match years {
        None => "One certificate".to_owned(),
        Some(1) => "1 year".to_owned(),
        Some(years) => format!("{years} years"),
    }
}

/// "Active", or "Action needed" with the reasons.
pub(super) fn state(state: &ProfileState) -> AnyView {
    match state {
        ProfileState::Active => view! { <Badge tone=Tone::Good text=state.label()/> }.into_any(),
        ProfileState::ActionNeeded { reasons } => {
            let reasons = reasons.clone();
            view! {
                <Badge tone=Tone::Warning text=state.label()/>
                {reasons.into_iter().map(|reason| view! { <span class="small muted">{reason}</span> }).collect_view()}
            }
            .into_any()
        }
    }
}
