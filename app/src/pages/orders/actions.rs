//! The forms of "Certificate actions", each a page of its own.

use domain::OrderNumber;
use domain::model::RevocationReason;
use domain::rules::reissue_warning;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{OrderDetail, order};
use super::badges::{kind_label, no_further_names, product_name};
use super::detail::number_in_path;
use super::forms::{RequestDuplicate, RequestReissue, RequestRenew, RequestRevoke};
use crate::fault::PortalError;
use crate::islands::{CsrFacts, FileToText};
use crate::kit::{
    Button, Checkbox, Choice, Expiry, Fact, Facts, Form, FormActions, Hidden, LinkButton, Names,
    Notice, RadioGroup, Section, SelectField, Sheet, TextArea, TextField, Tone, Unavailable,
    Weight, page,
};
use crate::paths;

/// Longest CSR in PEM.
const LONGEST_CSR: u32 = 131_072;

/// The page of an action: the order's facts, then the form, or why there is none.
fn action(
    title: &'static str,
    refused: fn(&OrderDetail) -> Option<String>,
    form: fn(&OrderDetail) -> AnyView,
) -> AnyView {
    let number = number_in_path();
    page(async move {
        let detail = order(number.ok_or_else(|| PortalError::no_such("order"))?).await?;
        let number = detail.row.number;
        let body = match refused(&detail) {
            Some(why) => view! { {facts(&detail)} <Unavailable label=title why=why/> }.into_any(),
            None => {
                view! { {facts(&detail)} <Section title=title>{form(&detail)}</Section> }.into_any()
            }
        };
        Ok(Sheet::new(title, body)
            .under("Certificates")
            .crumb("Orders", paths::orders())
            .crumb(format!("Order {number}"), paths::order(number)))
    })
}

fn facts(detail: &OrderDetail) -> AnyView {
    let row = detail.row.clone();
    let names: Vec<String> = detail.names.iter().map(ToString::to_string).collect();
    view! {
        <Section title=format!("Order {}", row.number)>
            <Facts>
                <Fact term="Common name"><Names names=vec![row.common_name]/></Fact>
                <Fact term="Names"><Names names=names/></Fact>
                <Fact term="Product">{product_name(&row.product)}</Fact>
                <Fact term="Organization">{row.organization_name}</Fact>
                {row.valid_till.map(|at| view! { <Fact term="Valid till"><Expiry at=at/></Fact> })}
            </Facts>
        </Section>
    }
    .into_any()
}

/// The CSR, pasted or, where scripts run, read from a file. `form` is the form's own key.
pub(crate) fn csr_field(form: &str) -> AnyView {
    view! {
        <TextArea
            name="csr" label="CSR" rows=10 required=true code=true maxlength=LONGEST_CSR
            help="The certificate signing request that the server made, from BEGIN to END CERTIFICATE REQUEST. Its private key stays on the server."
        />
        <CsrFacts target=format!("{form}-csr") source=paths::READ_CSR.as_str().to_owned()/>
        <FileToText target=format!("{form}-csr") label="Choose a CSR file".to_owned()/>
    }
    .into_any()
}

fn tail(number: OrderNumber, token: String, submit: &'static str, weight: Weight) -> AnyView {
    view! {
        <TextArea name="note" label="Note to the reviewer" rows=2 optional=true/>
        <Hidden name="number" value=number.to_string()/>
        <Hidden name="submit_token" value=token/>
        <FormActions>
            <Button weight=weight>{submit}</Button>
            <LinkButton href=paths::order(number) weight=Weight::Ghost>"Cancel"</LinkButton>
        </FormActions>
    }
    .into_any()
}

/// "Request duplicate".
#[component]
pub fn DuplicatePage() -> impl IntoView {
    action(
        "Request duplicate",
        |detail| detail.actions.duplicate.clone(),
        |detail| {
            let (takes_names, product) =
                (detail.duplicate_takes_names, product_name(&detail.row.product));
            let (number, token) = (detail.row.number, detail.form_token.clone());
            view! {
            <Form action=RequestDuplicate::PATH>
                <p>"A duplicate has the same details and the same end of validity as its original. Nothing else is revoked."</p>
                {csr_field("duplicate")}
                {extra_names(takes_names, &product)}
                {tail(number, token, "Request duplicate", Weight::Primary)}
            </Form>
        }
        .into_any()
        },
    )
}

/// Rule D6: only the duplicates of some products take further names.
fn extra_names(taken: bool, product: &str) -> AnyView {
    if taken {
        return view! {
            <TextArea
                name="extra_names" label="Additional names" rows=2 optional=true code=true
                help="Only names below the order's wildcard domains. Separated by commas or line breaks."
            />
        }
        .into_any();
    }
    view! { <p class="muted">{no_further_names(product)}</p> }.into_any()
}

/// "Reissue certificate".
#[component]
pub fn ReissuePage() -> impl IntoView {
    action(
        "Reissue certificate",
        |detail| detail.actions.reissue.clone(),
        |detail| {
            let (number, token) = (detail.row.number, detail.form_token.clone());
            let names: Vec<String> = detail.names.iter().map(ToString::to_string).collect();
            let common_name = detail.row.common_name.clone();
            view! {
            <Form action=RequestReissue::PATH>
                {csr_field("reissue")}
                <TextField name="common_name" label="Common name" value=common_name maxlength=253/>
                <TextArea
                    name="names" label="Names" rows=4 code=true value=names.join("\n") maxlength=65_536
                    help="One per line. Added names revoke nothing; changed or removed names do."
                />
                <Notice tone=Tone::Warning title="If you change or remove a name"><p>{reissue_warning(number)}</p></Notice>
                <Checkbox
                    name="confirmed" label="I understand that earlier certificates of this order are revoked within 72 hours"
                    help="Needed only where a name is changed or removed."
                />
                {tail(number, token, "Reissue certificate", Weight::Primary)}
            </Form>
        }
        .into_any()
        },
    )
}

/// "Renew certificate".
#[component]
pub fn RenewPage() -> impl IntoView {
    action(
        "Renew certificate",
        |detail| detail.actions.renew.clone(),
        |detail| {
            let (number, token) = (detail.row.number, detail.form_token.clone());
            view! {
            <Form action=RequestRenew::PATH>
                <p>"The renewal is a new order with a number of its own, with the same product, organization and names. Days left on this order are added, up to what the product allows."</p>
                {csr_field("renew")}
                {tail(number, token, "Renew certificate", Weight::Primary)}
            </Form>
        }
        .into_any()
        },
    )
}

/// "Revoke certificate".
#[component]
pub fn RevokePage() -> impl IntoView {
    action("Revoke certificate", refused_revocation, |detail| {
        let (number, token) = (detail.row.number, detail.form_token.clone());
        let reasons = RevocationReason::ALL
            .iter()
            .map(|reason| Choice::new(reason.as_str(), reason_label(*reason)))
            .collect::<Vec<_>>();
        let targets = targets(detail);
        view! {
            <Form action=RequestRevoke::PATH>
                <RadioGroup name="target" legend="What to revoke" choices=targets/>
                <SelectField name="reason" label="Reason" choices=reasons help="RFC 5280, section 5.3.1. The certificate revocation list names it."/>
                <Notice tone=Tone::Warning><p>"A revocation can't be taken back. It is carried out once someone approves it."</p></Notice>
                {tail(number, token, "Request revocation", Weight::Danger)}
            </Form>
        }
        .into_any()
    })
}

/// A single certificate can be revoked also where the order can't.
fn refused_revocation(detail: &OrderDetail) -> Option<String> {
    let all_revoked = detail.certificates.iter().all(is_revoked);
    detail.actions.revoke.clone().filter(|_| all_revoked)
}

const fn is_revoked(one: &super::api::CertificateRow) -> bool {
    matches!(one.status, domain::model::CertificateStatus::Revoked { .. })
}

fn targets(detail: &OrderDetail) -> Vec<Choice> {
    let refused = detail.actions.revoke.clone();
    let help = refused.clone().unwrap_or_else(|| {
        "With all its certificates, duplicates and reissues included.".to_owned()
    });
    let whole = Choice::new("order", format!("Order {}", detail.row.number))
        .help(help)
        .disabled(refused.is_some());
    let each = detail.certificates.iter().rev().filter(|one| !is_revoked(one)).map(|one| {
        let label = format!("{} {}", kind_label(one.kind), one.common_name);
        Choice::new(one.id.to_string(), label).help(format!("Serial number {}", one.serial))
    });
    std::iter::once(whole).chain(each).collect()
}

const fn reason_label(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Unspecified => "Unspecified",
        RevocationReason::KeyCompromise => "Key compromise",
        RevocationReason::AffiliationChanged => "Affiliation changed",
        RevocationReason::Superseded => "Superseded",
        RevocationReason::CessationOfOperation => "Cessation of operation",
        RevocationReason::PrivilegeWithdrawn => "Privilege withdrawn",
    }
}
