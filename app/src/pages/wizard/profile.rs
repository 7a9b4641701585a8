//! Step 1: "Automation profile".

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ChooseProfile, ProfileOption, ProfilesView, profile_step};
use super::frame::{Carried, asked, elsewhere, sheet};
use crate::kit::{
    Button, Choice, EmptyState, Form, FormActions, LinkButton, RadioGroup, Section, SelectField,
    Weight, page,
};
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// So many profiles are shown with all that they hold; more of them as a list to open.
const SHOWN_IN_FULL: usize = 25;

/// Step 1.
#[component]
pub fn ProfileStep() -> impl IntoView {
    let (id, query) = asked();
    page(async move {
        let view = profile_step(id?.0, query).await?;
        let body = if view.profiles.is_empty() { none(view.may_automate) } else { choose(&view) };
        Ok(sheet(&view.frame, 1, body))
    })
}

/// Where a new profile is made, and back.
fn new_profile() -> String {
    Query::default().with("next", Viewer::current().url).href(&paths::profile_new())
}

fn none(may_automate: bool) -> AnyView {
    let text = if may_automate {
        "A profile holds product, organization, validity and key: all but the names. Add the first one, then go on here."
    } else {
        "An Administrator or a Manager has to add a profile under Manage profiles before anything can be requested here."
    };
    view! {
        <EmptyState title="There is no automation profile yet" text=text>
            {may_automate.then(|| view! { <LinkButton href=new_profile() weight=Weight::Primary>"Add new profile"</LinkButton> })}
        </EmptyState>
    }
    .into_any()
}

fn choose(view: &ProfilesView) -> AnyView {
    let (many, suggested) = profile_choices(view);
    let few: Vec<Choice> = view.profiles.iter().take(SHOWN_IN_FULL).map(choice).collect();
    let fields = move || {
        if many.len() > SHOWN_IN_FULL {
            view! { <SelectField name="profile" label="Choose a profile" choices=many value=suggested/> }.into_any()
        } else {
            view! { <RadioGroup name="profile" legend="Choose a profile" choices=few value=suggested/> }.into_any()
        }
    };
    let frame = &view.frame;
    let (id, state, elsewhere) = (frame.endpoint.id, frame.state.clone(), elsewhere(frame));
    let add = view.may_automate.then(|| {
        view! { <LinkButton href=new_profile()>"Add new profile"</LinkButton> }.into_any()
    });
    view! {
        <Section title="Automation profile" lead="For whom what is ordered. The names come in the next step.">
            <Form action=ChooseProfile::PATH elsewhere=elsewhere>
                <Carried id=id state=state/>
                {fields()}
                <FormActions>
                    <Button weight=Weight::Primary>"Continue"</Button>
                    {add}
                    <LinkButton href=paths::endpoint(id) weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

/// All profiles, each in a line, and the one to suggest.
pub(crate) fn profile_choices(view: &ProfilesView) -> (Vec<Choice>, String) {
    let choices = view.profiles.iter().map(|profile| {
        let label = format!("{} – {} for {}", profile.name, profile.product, profile.organization);
        Choice::new(profile.id.to_string(), label).disabled(!profile.reasons.is_empty())
    });
    (choices.collect(), view.suggested.map(|id| id.to_string()).unwrap_or_default())
}

fn choice(profile: &ProfileOption) -> Choice {
    let default = if profile.is_default { "Default. " } else { "" };
    let mut help =
        format!("{default}{} for {} · {}", profile.product, profile.organization, profile.terms);
    if !profile.reasons.is_empty() {
        help = format!("{help}. Action needed: {}", profile.reasons.join(" "));
    }
    Choice::new(profile.id.to_string(), &profile.name)
        .help(help)
        .disabled(!profile.reasons.is_empty())
}
