//! The form.

use domain::product::{CATALOGUE, USUAL};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{OrderChoices, RequestCertificate, request_options};
use crate::kit::{
    Button, Choice, Form, FormActions, Hidden, LinkButton, Notice, Section, SelectField, Sheet,
    TextArea, TextField, Tone, Weight, page,
};
use crate::pages::orders::csr_field;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// "Request a certificate".
#[component]
pub fn RequestCertificatePage() -> impl IntoView {
    let query = Query::parse(Viewer::current().query());
    page(async move {
        let options = request_options().await?;
        let body = view! {
            {options.held_because.clone().map(|why| view! { <Notice tone=Tone::Info><p>{why}</p></Notice> })}
            {form(options, &query)}
        };
        Ok(Sheet::new("Request a certificate", body)
            .under("Certificates")
            .crumb("Orders", paths::orders())
            .lead(
                "A new order for a key that you made. Automation and ACME clients make their own.",
            ))
    })
}

fn form(options: OrderChoices, query: &Query) -> AnyView {
    let preset = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let organization = preset("organization");
    let product = query.get("product").unwrap_or(USUAL).to_owned();
    let (common_name, names) = (preset("common_name"), preset("names"));
    let products = CATALOGUE.iter().map(|one| Choice::new(one.id, one.name)).collect::<Vec<_>>();
    let organizations = options
        .organizations
        .into_iter()
        .map(|(id, name, validated)| {
            let label = if validated { name } else { format!("{name} (not validated)") };
            Choice::new(id.to_string(), label)
        })
        .collect::<Vec<_>>();
    let years = vec![
        Choice::new("", "One certificate's lifetime"),
        Choice::new("1", "1 year"),
        Choice::new("2", "2 years"),
        Choice::new("3", "3 years"),
    ];
    view! {
        <Section title="Certificate">
            <Form action=RequestCertificate::PATH>
                <SelectField name="product" label="Product" choices=products value=product required=true/>
                <SelectField name="organization" label="Organization" choices=organizations value=organization required=true/>
                {csr_field("certificate")}
                <TextField
                    name="common_name" label="Common name" value=common_name maxlength=253 optional=true
                    help="The CSR's where you leave it empty."
                />
                <TextArea
                    name="names" label="Names (SANs)" value=names rows=3 code=true optional=true maxlength=65_536
                    help="One per line. The CSR's where you leave it empty."
                />
                <SelectField name="coverage_years" label="Order coverage" choices=years help="Multi-year plans are for public products."/>
                <TextField
                    name="validity_days" label="Validity in days" kind="number" min="1" max="825" optional=true
                    help="The product's longest where you leave it empty."
                />
                <TextArea name="note" label="Note to the reviewer" rows=2 optional=true/>
                <Hidden name="submit_token" value=options.form_token/>
                <FormActions>
                    <Button weight=Weight::Primary>"Submit request"</Button>
                    <LinkButton href=paths::orders() weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}
