//! Adding an API key.

use domain::model::Role;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{AddApiKey, own_role};
use crate::kit::{
    Button, Choice, Form, FormActions, LinkButton, Section, SelectField, Sheet, TextField, Weight,
    page,
};
use crate::paths;

/// "Add API key".
#[component]
pub fn ApiKeyNewPage() -> impl IntoView {
    page(async move {
        let own = own_role().await?;
        // Roles are ordered from the widest to the narrowest.
        let roles = Role::ALL.iter().filter(|role| **role >= own);
        let choices =
            roles.map(|role| Choice::new(role.as_str(), role.label())).collect::<Vec<_>>();
        let form = view! {
            <Section title="API key" lead="It acts in your name. It is shown once.">
                <Form action=AddApiKey::PATH>
                    <TextField name="name" label="Name" required=true maxlength=80 help="What it is for: the program, the server."/>
                    <SelectField
                        name="role" label="Role" choices=choices value=own.as_str()
                        help="At most your own. It stays what you choose if you get more; if you lose your role, the key does too."
                    />
                    <FormActions>
                        <Button weight=Weight::Primary>"Add API key"</Button>
                        <LinkButton href=paths::api_keys() weight=Weight::Ghost>"Cancel"</LinkButton>
                    </FormActions>
                </Form>
            </Section>
        };
        Ok(Sheet::new("Add API key", form).under("Account").crumb("API keys", paths::api_keys()))
    })
}
