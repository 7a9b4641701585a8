//! The list of profiles.

use domain::rules::ProfileState;
use leptos::prelude::*;

use super::api::{ProfileList, ProfileRow, profiles};
use crate::kit::{
    Badge, Column, EmptyState, Glyph, LinkButton, Sheet, Table, Time, Tone, Weight, page,
};
use crate::paths;

/// "Manage profiles".
#[component]
pub fn ProfilesPage() -> impl IntoView {
    page(async move {
        let ProfileList { rows, may_automate } = profiles().await?;
        let add = may_automate.then(|| {
            view! { <LinkButton href=paths::profile_new() weight=Weight::Primary glyph=Glyph::Add>"Add new profile"</LinkButton> }
        });
        let body = if rows.is_empty() { empty(may_automate) } else { table(rows) };
        Ok(Sheet::new("Manage profiles", body)
            .under("Automation")
            .lead("A profile holds product, organization, coverage, validity and key: all that a request needs but the names.")
            .actions(add))
    })
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

fn table(rows: Vec<ProfileRow>) -> AnyView {
    let columns = vec![
        Column::new("Name"),
        Column::new("State"),
        Column::new("Product"),
        Column::new("Organization"),
        Column::new("Order coverage"),
        Column::new("Validity"),
        Column::new("Key"),
        Column::new("Duplicates"),
        Column::new("Auto-renew"),
        Column::new("Saved"),
    ];
    let rows = rows.into_iter().map(row).collect_view();
    view! { <Table label="Automation profiles" columns=columns>{rows}</Table> }.into_any()
}

fn row(row: ProfileRow) -> AnyView {
    let profile = row.profile;
    let renew = profile
        .auto_renew
        .as_ref()
        .map_or_else(|| "Off".to_owned(), |renew| format!("{} days before", renew.days_before.0));
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
            <td>{profile.validity_days.map_or_else(|| "Longest".to_owned(), |days| format!("{} days", days.0))}</td>
            <td class="nowrap">{profile.key_type.label()}</td>
            <td>{if profile.allow_duplicates { "Allowed" } else { "Not allowed" }}</td>
            <td>{renew}</td>
            <td class="nowrap"><Time at=row.updated_at day_only=true/></td>
        </tr>
    }
    .into_any()
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
