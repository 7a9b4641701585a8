//! What a one-time link leads to: the first administrator, or a person's password.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{ChoosePassword, LinkView, SetUpAdministrator, open_link};
use crate::kit::{Button, Form, Glyph, Hidden, Icon, Sheet, TextField, Weight, bare_page};

/// "Welcome".
#[component]
pub fn SetUpPage() -> impl IntoView {
    let token = use_params_map().get_untracked().get("token").unwrap_or_default();
    bare_page(async move {
        Ok(match open_link(token.clone()).await? {
            LinkView::FirstAdministrator => Sheet::new("Set up Certdeck", administrator(token)),
            LinkView::Person(email) => Sheet::new("Choose a password", password(token, email)),
        })
    })
}

fn administrator(token: String) -> AnyView {
    view! {
        <Brand/>
        <p class="muted">"You make the first administrator. The link stops working with it."</p>
        <Form action=SetUpAdministrator::PATH>
            <Hidden name="token" value=token/>
            <TextField name="email" label="E-mail" kind="email" required=true autocomplete="username" maxlength=254 autofocus=true/>
            <TextField name="name" label="Name" optional=true autocomplete="name" maxlength=120/>
            <NewPassword/>
            <Button weight=Weight::Primary>"Create administrator"</Button>
        </Form>
    }
    .into_any()
}

fn password(token: String, email: String) -> AnyView {
    view! {
        <Brand/>
        <p class="muted">{format!("For {email}.")}</p>
        <Form action=ChoosePassword::PATH>
            <Hidden name="token" value=token/>
            <NewPassword/>
            <Button weight=Weight::Primary>"Save and sign in"</Button>
        </Form>
    }
    .into_any()
}

#[component]
fn Brand() -> impl IntoView {
    view! { <p class="bare-brand"><span class="brand-mark"><Icon glyph=Glyph::Check/></span>"Certdeck"</p> }
}

#[component]
fn NewPassword() -> impl IntoView {
    view! {
        <TextField
            name="password" label="Password" kind="password" required=true autocomplete="new-password" maxlength=1024
            help="At least 12 characters. A few unrelated words are good."
        />
    }
}
