//! "Settings > Preferences" (rule D5 with its switches, rule A9 with its windows).

pub mod api;
mod form;

use leptos::prelude::*;

use crate::kit::{Notice, Sheet, Time, Tone, page};

/// The account's preferences.
#[component]
pub fn PreferencesPage() -> impl IntoView {
    page(async {
        let preferences = api::preferences().await?;
        let changed = preferences.changed.clone();
        let locked = !preferences.may_change;
        let sheet = Sheet::new(
            "Preferences",
            view! {
                {locked.then(|| view! {
                    <Notice tone=Tone::Info>
                        <p>"You see the account's preferences. Only Administrators change them."</p>
                    </Notice>
                })}
                <form::PreferencesForm preferences=preferences/>
            },
        );
        Ok(match changed {
            Some((at, by)) => sheet.under("Settings").lead(view! {
                <span>"Last changed " <Time at=at/> {by.map(|name| format!(" by {name}"))}</span>
            }),
            None => sheet.under("Settings"),
        })
    })
}
