//! Adding a person, and one person.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{AddUser, MakeLink, SetDisabled, SetRole, UserRow, taken_link, user};
use super::list::{role_choices_in_words, status};
use crate::fault::PortalError;
use crate::kit::{
    Button, CodeBlock, Dialog, Fact, Facts, Form, FormActions, Hidden, LinkButton, Notice,
    OpenDialog, RadioGroup, Section, Sheet, TextField, Time, Tone, Weight, page,
};
use crate::pages::permitted::for_administrators;
use crate::paths;

/// "Add user".
#[component]
pub fn UserNewPage() -> impl IntoView {
    page(async move {
        for_administrators()?;
        let form = view! {
            <Section title="Person" lead="They choose their password by a link that is good once.">
                <Form action=AddUser::PATH>
                    <TextField name="email" label="E-mail" kind="email" required=true maxlength=254/>
                    <TextField name="name" label="Name" optional=true maxlength=120/>
                    <RadioGroup name="role" legend="Role" value="standard" choices=role_choices_in_words()/>
                    <FormActions>
                        <Button weight=Weight::Primary>"Add user"</Button>
                        <LinkButton href=paths::users() weight=Weight::Ghost>"Cancel"</LinkButton>
                    </FormActions>
                </Form>
            </Section>
        };
        Ok(Sheet::new("Add user", form).under("Account").crumb("Users", paths::users()))
    })
}

/// A person.
#[component]
pub fn UserPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    page(async move {
        let person = user(id.ok_or_else(|| PortalError::no_such("person"))?).await?;
        let link = taken_link().await?;
        let (name, badge) = (person.name.clone(), status(&person));
        let body = view! {
            {link.map(|link| view! { <NewLink link=link/> })}
            {facts(&person)}
            {role_form(&person)}
            {access(&person)}
        };
        Ok(Sheet::new(name, body).under("Account").crumb("Users", paths::users()).lead(badge))
    })
}

/// The link that was just made.
#[component]
fn NewLink(link: String) -> impl IntoView {
    view! {
        <Notice tone=Tone::Info title="A link to choose a password">
            <p>"Send it to the person on a safe way. It is shown this once, good once, and for three days."</p>
        </Notice>
        <CodeBlock label="One-time link" text=link/>
    }
}

fn facts(person: &UserRow) -> AnyView {
    let person = person.clone();
    let seen =
        person.seen_at.map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    view! {
        <Section title="Account">
            <Facts>
                <Fact term="E-mail"><span class="email">{person.email}</span></Fact>
                <Fact term="Role">{person.role.label()}</Fact>
                <Fact term="Time zone">{person.time_zone}</Fact>
                <Fact term="Added"><Time at=person.created_at/></Fact>
                <Fact term="Last sign-in">{seen}</Fact>
            </Facts>
        </Section>
    }
    .into_any()
}

fn role_form(person: &UserRow) -> AnyView {
    let (id, role) = (person.id, person.role.as_str());
    view! {
        <Section title="Role" lead="A change holds at once, in open sessions and for API keys too.">
            <Form action=SetRole::PATH>
                <Hidden name="id" value=id.to_string()/>
                <RadioGroup name="role" legend="What this person may do" value=role choices=role_choices_in_words()/>
                <FormActions><Button>"Change role"</Button></FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn access(person: &UserRow) -> AnyView {
    let id = person.id.to_string();
    let disabled = person.disabled;
    let words =
        if person.has_password { "Make a link for a new password" } else { "Make a new link" };
    let link = (!disabled).then(|| {
        let id = id.clone();
        view! {
            <Form action=MakeLink::PATH class="inline">
                <Hidden name="id" value=id/>
                <Button>{words}</Button>
            </Form>
        }
    });
    let form = move |weight, label| {
        view! {
            <Form action=SetDisabled::PATH class="inline">
                <Hidden name="id" value=id/>
                <Hidden name="disabled" value=(!disabled).to_string()/>
                <Button weight=weight>{label}</Button>
            </Form>
        }
    };
    let turn = if disabled {
        form(Weight::Plain, "Enable account").into_any()
    } else {
        view! {
            <OpenDialog id="disable">"Disable"</OpenDialog>
            <Dialog id="disable" title="Disable this account?">
                <p>"This person is signed out at once, their API keys stop working and their auto-renewals stop. You can enable the account again."</p>
                {form(Weight::Danger, "Disable account")}
            </Dialog>
        }
        .into_any()
    };
    view! {
        <Section title="Access" lead="A disabled person can't sign in; their API keys and auto-renewals stop.">
            <div class="actions">
                {link}
                {turn}
            </div>
        </Section>
    }
    .into_any()
}
