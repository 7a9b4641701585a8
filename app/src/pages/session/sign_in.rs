//! "Sign in".

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::SignIn;
use crate::fault::Submitted;
use crate::kit::{
    Button, CARRIED_FIELD, Form, Glyph, Hidden, Icon, Notice, Sheet, TextField, Tone, Weight,
    bare_page, came_back,
};
use crate::query::Query;
use crate::viewer::Viewer;

/// E-mail address and password.
#[component]
pub fn SignInPage() -> impl IntoView {
    let query = Query::parse(Viewer::current().query());
    let next = query.get("next").unwrap_or("/").to_owned();
    let left = query.has("out");
    let carried = carried();
    // A refused sign-in says so itself, in the form.
    let just_ended = carried.is_some() && !came_back(SignIn::PATH);
    bare_page(async move {
        Ok(Sheet::new(
            "Sign in",
            view! {
                <p class="bare-brand"><span class="brand-mark"><Icon glyph=Glyph::Check/></span>"Certdeck"</p>
                {left.then(|| view! { <Notice tone=Tone::Good><p>"You are signed out."</p></Notice> })}
                {carried.is_some().then(|| view! {
                    <Notice tone=Tone::Warning title="Your session has ended" autofocus=just_ended>
                        <p>"Nothing was done with what you sent. Sign in: the form comes back as you filled it in, for you to send again."</p>
                    </Notice>
                })}
                <Form action=SignIn::PATH>
                    {carried.map(|form| view! { <Hidden name=CARRIED_FIELD value=form/> })}
                    <Hidden name="next" value=next/>
                    <TextField name="email" label="E-mail" kind="email" required=true autocomplete="username" autofocus=!just_ended/>
                    <TextField
                        name="password" label="Password" kind="password" required=true
                        autocomplete="current-password" maxlength=1024
                    />
                    <Button weight=Weight::Primary>"Sign in"</Button>
                </Form>
            },
        ))
    })
}

/// The form that was sent without a session: just now, or before a sign-in that was refused.
fn carried() -> Option<String> {
    let sent = use_context::<Submitted>()?;
    if sent.action == SignIn::PATH {
        return sent.fields.get(CARRIED_FIELD).map(str::to_owned);
    }
    Some(sent.carry())
}
