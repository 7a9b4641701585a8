//! "Sign in".

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::SignIn;
use crate::kit::{
    Button, Form, Glyph, Hidden, Icon, Notice, Sheet, TextField, Tone, Weight, bare_page,
};
use crate::query::Query;
use crate::viewer::Viewer;

/// E-mail address and password.
#[component]
pub fn SignInPage() -> impl IntoView {
    let query = Query::parse(Viewer::current().query());
    let next = query.get("next").unwrap_or("/").to_owned();
    let left = query.has("out");
    let ended = query.has("ended");
    bare_page(async move {
        Ok(Sheet::new(
            "Sign in",
            view! {
                <p class="bare-brand"><span class="brand-mark"><Icon glyph=Glyph::Check/></span>"Certdeck"</p>
                {left.then(|| view! { <Notice tone=Tone::Good><p>"You are signed out."</p></Notice> })}
                {ended.then(|| view! {
                    <Notice tone=Tone::Warning title="Your session has ended">
                        <p>"Nothing was done with what you sent. Sign in: you come back to the page, and can send it again."</p>
                    </Notice>
                })}
                <Form action=SignIn::PATH>
                    <Hidden name="next" value=next/>
                    <TextField name="email" label="E-mail" kind="email" required=true autocomplete="username" autofocus=true/>
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
