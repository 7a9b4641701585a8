//! The signed-in person's own name, time zone and password.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ChangePassword, SaveProfile, UserRow, me};
use crate::kit::{
    Button, Fact, Facts, Form, FormActions, Section, Sheet, TextField, Time, Weight, page,
};

/// "My account".
#[component]
pub fn MyAccountPage() -> impl IntoView {
    page(async move {
        let person = me().await?;
        let body = view! { {profile(&person)} {password()} };
        Ok(Sheet::new("My account", body).under("Account"))
    })
}

fn profile(person: &UserRow) -> AnyView {
    let person = person.clone();
    view! {
        <Section title="Profile">
            <Facts>
                <Fact term="E-mail"><span class="email">{person.email}</span></Fact>
                <Fact term="Role">{person.role.label()}</Fact>
                <Fact term="Added"><Time at=person.created_at/></Fact>
            </Facts>
            <Form action=SaveProfile::PATH>
                <TextField name="name" label="Name" value=person.name required=true maxlength=120 autocomplete="name"/>
                <TextField
                    name="time_zone" label="Time zone" value=person.time_zone required=true maxlength=64
                    help="All times are shown in it: Europe/Berlin, America/New_York, UTC."
                />
                <FormActions><Button weight=Weight::Primary>"Save"</Button></FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn password() -> AnyView {
    view! {
        <Section title="Password" lead="You sign in with your e-mail address and this password: Certdeck has no second factor and no single sign-on. Your other sessions end when you change it.">
            <Form action=ChangePassword::PATH>
                <TextField
                    name="current_password" label="Current password" kind="password" required=true
                    autocomplete="current-password" maxlength=1024
                />
                <TextField
                    name="password" label="New password" kind="password" required=true
                    autocomplete="new-password" maxlength=1024
                    help="At least 12 characters. A few unrelated words are good."
                />
                <FormActions><Button>"Change password"</Button></FormActions>
            </Form>
        </Section>
    }
    .into_any()
}
