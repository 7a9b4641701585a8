//! Adding an organization, and one organization with its validation.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{
    AddOrganization, OrganizationRow, SaveOrganizationDetails, ValidateOrganization, organization,
};
use super::list::{validation_badge, validation_end};
use crate::fault::PortalError;
use crate::kit::{
    Button, Checkbox, Dialog, Fact, Facts, Form, FormActions, Glyph, Hidden, LinkButton, NONE,
    OpenDialog, Section, Sheet, TextField, Weight, page,
};
use crate::pages::permitted::for_administrators;
use crate::paths;
use crate::query::Query;

/// "Add organization".
#[component]
pub fn OrganizationNewPage() -> impl IntoView {
    page(async move {
        for_administrators()?;
        let form = view! {
            <Section title="Organization" lead="As certificates will hold it.">
                <Form action=AddOrganization::PATH>
                    <TextField
                        name="name" label="Legal name" required=true maxlength=64
                        help="Exactly as in the register of companies, at most 64 characters."
                    />
                    <TextField
                        name="country" label="Country" required=true maxlength=2
                        help="The two-letter code (ISO 3166), such as US or DE."
                    />
                    {detail_fields(String::new(), String::new())}
                    <Checkbox
                        name="validated" label="I have checked that the organization is who it says"
                        help="Otherwise it is added as pending; OV and EV certificates wait until it is validated."
                    />
                    <FormActions>
                        <Button weight=Weight::Primary>"Add organization"</Button>
                        <LinkButton href=paths::organizations() weight=Weight::Ghost>"Cancel"</LinkButton>
                    </FormActions>
                </Form>
            </Section>
        };
        Ok(Sheet::new("Add organization", form)
            .under("Certificates")
            .crumb("Organizations", paths::organizations()))
    })
}

/// An organization.
#[component]
pub fn OrganizationPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok());
    page(async move {
        let organization =
            organization(id.ok_or_else(|| PortalError::no_such("organization"))?).await?;
        let badge = validation_badge(organization.validated_until);
        let sheet = Sheet::new(organization.name.clone(), body(&organization));
        Ok(sheet.under("Certificates").crumb("Organizations", paths::organizations()).lead(badge))
    })
}

fn body(organization: &OrganizationRow) -> AnyView {
    let domains =
        Query::default().with("organization", &organization.name).href(paths::DOMAINS.as_str());
    let add =
        Query::default().with("organization", organization.id).href(paths::DOMAIN_NEW.as_str());
    let may_change = organization.may_change;
    let country = organization.country.clone();
    let locality = or_none(&organization.locality);
    let number = or_none(&organization.registration_number);
    let until = validation_end(organization.validated_until);
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Country">{country}</Fact>
                <Fact term="Town">{locality}</Fact>
                <Fact term="Registration number">{number}</Fact>
                <Fact term="Validated until">{until}</Fact>
            </Facts>
            <div class="actions">
                <LinkButton href=domains>"Its domains"</LinkButton>
                {may_change.then(|| view! { <LinkButton href=add glyph=Glyph::Add>"Add domain"</LinkButton> })}
            </div>
        </Section>
        {may_change.then(|| details(organization))}
        {may_change.then(|| validation(organization))}
    }
    .into_any()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { NONE.to_owned() } else { text.to_owned() }
}

/// Town and number in the register, when it is added and afterwards.
fn detail_fields(locality: String, registration_number: String) -> AnyView {
    view! {
        <TextField
            name="locality" label="Town" value=locality optional=true maxlength=128
            help="Where the organization has its seat: OV and EV certificates hold it."
        />
        <TextField
            name="registration_number" label="Registration number" value=registration_number optional=true maxlength=64
            help="The number in the register of companies: EV certificates hold it."
        />
    }
    .into_any()
}

fn details(organization: &OrganizationRow) -> AnyView {
    let id = organization.id.to_string();
    let (locality, number) =
        (organization.locality.clone(), organization.registration_number.clone());
    let (seen_locality, seen_number) = (locality.clone(), number.clone());
    view! {
        <Section title="For OV and EV certificates" lead="Certificates issued from now on hold it; those that exist stay as they are.">
            <Form action=SaveOrganizationDetails::PATH>
                <Hidden name="id" value=id/>
                <Hidden name="seen_locality" value=seen_locality/>
                <Hidden name="seen_registration_number" value=seen_number/>
                {detail_fields(locality, number)}
                <FormActions><Button>"Save details"</Button></FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn validation(organization: &OrganizationRow) -> AnyView {
    let id = organization.id.to_string();
    let own = id.clone();
    let validated = organization.validated_until.is_some();
    let label = if validated { "Validate again" } else { "Validate organization" };
    view! {
        <Section
            title="Validation"
            lead="Your decision that the organization is who it says. It holds as long as Preferences say, and stands in the audit log."
        >
            <div class="actions">
                <Form action=ValidateOrganization::PATH key="valid" class="inline">
                    <Hidden name="id" value=id/>
                    <Hidden name="valid" value="true"/>
                    <Button weight=Weight::Primary>{label}</Button>
                </Form>
                {validated.then(|| {
                    withdrawal(ValidateOrganization::PATH, own, "organization", "No OV and EV certificates are issued to it until it is validated again.")
                })}
            </div>
        </Section>
    }
    .into_any()
}

/// "Withdraw", which asks first: of a domain or an organization with the number `id`. `follows` says
/// what nobody gets any more.
pub(crate) fn withdrawal(
    action: &'static str,
    id: String,
    of: &str,
    follows: &'static str,
) -> AnyView {
    view! {
        <OpenDialog id="withdraw">"Withdraw"</OpenDialog>
        <Dialog id="withdraw" title=format!("Withdraw the validation of this {of}?")>
            <p>{follows}" Certificates that were issued stay as they are."</p>
            <Form action=action key="withdraw">
                <Hidden name="id" value=id/>
                <Hidden name="valid" value="false"/>
                <FormActions><Button weight=Weight::Danger>"Withdraw validation"</Button></FormActions>
            </Form>
        </Dialog>
    }
    .into_any()
}
