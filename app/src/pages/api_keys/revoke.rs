//! Revoking an API key: asked on a page of its own, as a dialog in each row would be most of the list.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ApiKeyRow, RevokeApiKey, api_key};
use super::list::{KEY, role_of, used};
use crate::fault::PortalError;
use crate::kit::{
    Button, Fact, Facts, Form, FormActions, Hidden, LinkButton, Notice, Section, Sheet, Time, Tone,
    Weight, page,
};
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Revoke".
#[component]
pub fn ApiKeyRevokePage() -> impl IntoView {
    let id = Query::parse(Viewer::current().query()).read::<i64>(KEY);
    page(async move {
        let key = api_key(id.ok_or_else(|| PortalError::no_such("API key"))?).await?;
        Ok(Sheet::new(format!("Revoke {}", key.name), body(key))
            .under("Account")
            .crumb("API keys", paths::api_keys()))
    })
}

fn body(key: ApiKeyRow) -> AnyView {
    let (id, revoked_at) = (key.id.to_string(), key.revoked_at);
    let facts = facts(key);
    if let Some(at) = revoked_at {
        return view! {
            <Notice tone=Tone::Info title="This API key is revoked">
                <p>"Since " <Time at=at/> ". Programs that use it are turned away."</p>
            </Notice>
            <Section title="API key">{facts}</Section>
        }
        .into_any();
    }
    view! {
        <Section
            title="API key"
            lead="Programs that use this key are turned away at once. It can't be taken back."
        >
            {facts}
            <Form action=RevokeApiKey::PATH>
                <Hidden name="id" value=id/>
                <FormActions>
                    <Button weight=Weight::Danger>"Revoke API key"</Button>
                    <LinkButton href=paths::api_keys() weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn facts(key: ApiKeyRow) -> AnyView {
    let (role, used) = (role_of(&key), used(&key));
    view! {
        <Facts>
            <Fact term="Person"><span class="email">{key.email}</span></Fact>
            <Fact term="Role">{role}</Fact>
            <Fact term="Created"><Time at=key.created_at/></Fact>
            <Fact term="Last used">{used}</Fact>
        </Facts>
    }
    .into_any()
}
