//! The list of people.

use domain::model::Role;
use leptos::prelude::*;

use super::api::{SORTS, UserRow, users};
use crate::kit::{
    Badge, Choice, Column, EmptyState, FilterBar, FilterSelect, FilterText, Glyph, LinkButton,
    Listing, Pager, Sheet, Table, Time, Tone, Weight, page,
};
use crate::pages::paged::Paged;
use crate::paths;
use crate::viewer::Viewer;

/// "Users".
#[component]
pub fn UsersPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let people = users(query.clone()).await?;
        let listing = Listing::read(paths::USERS, &query, &SORTS);
        Ok(Sheet::new("Users", list(listing, people)).under("Account").lead("Who may sign in, and what they may do.").actions(
            view! {
                <LinkButton href=paths::user_new() weight=Weight::Primary glyph=Glyph::Add>"Add user"</LinkButton>
            },
        ))
    })
}

fn list(listing: Listing, people: Paged<UserRow>) -> AnyView {
    let Paged { rows, previous, next } = people;
    let columns = vec![
        Column::new("Name").sorted("name"),
        Column::new("E-mail").sorted("email"),
        Column::new("Role").sorted("role"),
        Column::new("Status"),
        Column::new("Last sign-in").sorted("seen"),
    ];
    let none = rows.is_empty();
    let (bar, table) = (listing.clone(), listing.clone());
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="text" label="Name or e-mail"/>
            <FilterSelect name="role" label="Role" choices=role_choices()/>
            <FilterSelect
                name="status" label="Status"
                choices=vec![Choice::new("active", "Active"), Choice::new("disabled", "Disabled")]
            />
        </FilterBar>
        {if none {
            view! { <EmptyState title="Nobody matches" text="Clear the filters to see everybody."/> }.into_any()
        } else {
            view! { <Table label="Users" columns=columns listing=table>{rows}</Table> }.into_any()
        }}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn row(person: UserRow) -> impl IntoView {
    let badge = status(&person);
    let seen =
        person.seen_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    view! {
        <tr>
            <th scope="row"><a href=paths::user(person.id)>{person.name}</a></th>
            <td class="wide">{person.email}</td>
            <td>{person.role.label()}</td>
            <td>{badge}</td>
            <td>{seen}</td>
        </tr>
    }
}

pub(super) fn status(person: &UserRow) -> AnyView {
    let (tone, text) = match (person.disabled, person.has_password) {
        (true, _) => (Tone::Neutral, "Disabled"),
        (false, true) => (Tone::Good, "Active"),
        (false, false) => (Tone::Waiting, "Invited"),
    };
    view! { <Badge tone=tone text=text/> }.into_any()
}

pub(super) fn role_choices() -> Vec<Choice> {
    Role::ALL.iter().map(|role| Choice::new(role.as_str(), role.label())).collect()
}

/// What each role may do, for forms.
pub(super) fn role_choices_in_words() -> Vec<Choice> {
    Role::ALL
        .iter()
        .map(|role| {
            let help = match role {
                Role::Administrator => "Everything, settings and people included.",
                Role::Manager => "Requests without approval, approves the requests of others, sets automation up.",
                Role::Standard => "Requests, with approval.",
                Role::Limited => "Requests, with approval, and sees their own orders only.",
            };
            Choice::new(role.as_str(), role.label()).help(help)
        })
        .collect()
}
