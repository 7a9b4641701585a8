//! "Add agent".

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{AddAgent, agents};
use crate::fault::PortalError;
use crate::kit::{Button, Form, FormActions, LinkButton, Section, Sheet, TextField, Weight, page};
use crate::paths;

/// An agent's name; what follows shows its activation token once.
#[component]
pub fn AgentNewPage() -> impl IntoView {
    page(async move {
        if !agents(String::new()).await?.may_automate {
            return Err(PortalError::Forbidden(
                "Only Managers and Administrators add agents. Ask one of them.".to_owned(),
            ));
        }
        let body = view! {
            <Section title="Name the agent" lead="The next page shows its one-time activation token and the command to start it.">
                <Form action=AddAgent::PATH>
                    <TextField
                        name="name" label="Name" required=true maxlength=100 autofocus=true
                        help="As you will look for it in lists: usually the host's name, such as web-1.example.com."
                    />
                    <FormActions>
                        <Button weight=Weight::Primary>"Add agent"</Button>
                        <LinkButton href=paths::agents() weight=Weight::Ghost>"Cancel"</LinkButton>
                    </FormActions>
                </Form>
            </Section>
        };
        Ok(Sheet::new("Add agent", body).under("Automation").crumb("Agents", paths::agents()))
    })
}
