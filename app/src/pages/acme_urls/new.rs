//! "Add ACME Directory URL".

use domain::model::KeyType;
use domain::product::{CATALOGUE, USUAL};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{AddAcmeUrl, UrlFormChoices, url_choices};
use crate::kit::{
    Button, CheckGroup, Checkbox, Choice, Form, FormActions, LinkButton, RadioGroup, Section,
    SelectField, Sheet, TextArea, TextField, Weight, page,
};
use crate::paths;

/// "Add ACME Directory URL".
#[component]
pub fn AcmeUrlNewPage() -> impl IntoView {
    page(async move {
        let choices = url_choices().await?;
        let body = view! {
            <Form action=AddAcmeUrl::PATH>
                <Section title="What is ordered">{ordered(choices)}</Section>
                <Section title="Certificate">{certificate()}</Section>
                <Section title="Permissions">{permissions()}</Section>
                <FormActions>
                    <Button weight=Weight::Primary>"Add ACME Directory URL"</Button>
                    <LinkButton href=paths::acme_urls() weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        };
        Ok(Sheet::new("Add ACME Directory URL", body)
            .under("Automation")
            .crumb("ACME Directory URLs", paths::acme_urls())
            .lead("The next page shows its credential, once."))
    })
}

fn ordered(form: UrlFormChoices) -> AnyView {
    let products = CATALOGUE.iter().zip(form.longest).map(|(product, longest)| {
        Choice::new(product.id, format!("{} (up to {longest} days)", product.name))
    });
    let organizations =
        form.organizations.into_iter().map(|(id, name)| Choice::new(id.to_string(), name));
    let coverage = vec![
        Choice::new("", "No multi-year plan"),
        Choice::new("1", "1 year"),
        Choice::new("2", "2 years"),
        Choice::new("3", "3 years"),
    ];
    view! {
        <TextField name="name" label="Name" required=true maxlength=100 help="Unique: the use, the team, the place."/>
        <SelectField name="product" label="Product" choices=products.collect() value=USUAL/>
        <SelectField name="organization" label="Organization" choices=organizations.collect()/>
        <SelectField
            name="coverage_years" label="Multi-year coverage length" choices=coverage
            help="The orders of a plan are reissued until its end; private products have none."
        />
    }
    .into_any()
}

fn certificate() -> AnyView {
    let periods = vec![
        Choice::new("longest", "The longest that the product allows"),
        Choice::new("90", "90 days"),
        Choice::new("47", "47 days"),
        Choice::new("days", "Custom days"),
    ];
    let keys = KeyType::ALL.iter().map(|key| Choice::new(key.as_str(), key.label())).collect();
    view! {
        <div class="validity">
            <RadioGroup name="validity" legend="Validity period" choices=periods value="longest"/>
            <div class="validity-amount">
                <TextField name="validity_days" label="Custom days" kind="number" min="1"/>
            </div>
        </div>
        <TextArea
            name="allowed_domains" label="Allowed domains" rows=3 code=true optional=true maxlength=8_000
            help="With all names below them, separated by commas or lines. Empty: all domains of the organization."
        />
        <CheckGroup
            name="key_types" legend="Key types" choices=keys
            help="Which keys requests may come with. None ticked: all of them."
        />
    }
    .into_any()
}

fn permissions() -> AnyView {
    let acts = vec![
        Choice::new("renew", "Renew").help("A new order in the place of one that is due."),
        Choice::new("reissue", "Reissue")
            .help("The next certificate of the same order, as multi-year plans need."),
        Choice::new("duplicate", "Duplicate")
            .help("Another certificate under the same order ID. DV products allow none."),
    ];
    let ticked = ["renew", "reissue", "duplicate"].map(str::to_owned).to_vec();
    view! {
        <CheckGroup name="may" legend="What may be done" choices=acts values=ticked help="New orders may always be placed."/>
        <Checkbox
            name="duplicate_automatically" label="Duplicate automatically when an order matches" checked=true
            help="Otherwise a request that matches an order outside of its renewal window makes a new order, unless the URL itself says action=duplicate."
        />
    }
    .into_any()
}
