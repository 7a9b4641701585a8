//! An ACME Directory URL: its terms, credentials, accounts and orders.

use domain::AcmeUrlId;
use domain::model::{AcmeUrl, KeyType};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;

use super::api::{CredentialRow, RevokeAcmeUrl, RotateAcmeUrl, UrlView, open_acme_url};
use super::list::{count, status};
use super::{credential, orders};
use crate::fault::PortalError;
use crate::kit::{
    Badge, Button, Column, Copyable, Dialog, Expiry, Fact, Facts, Form, FormActions, Hidden,
    LinkButton, NONE, OpenDialog, Section, Sheet, Table, TextField, Time, Tone, Weight, page,
};
use crate::paths;
use crate::viewer::Viewer;

/// An ACME Directory URL with its accounts and orders.
#[component]
pub fn AcmeUrlPage() -> impl IntoView {
    let id = id_in_path();
    let query = Viewer::current().query().to_owned();
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("ACME Directory URL"))?;
        let view = open_acme_url(id.0, query).await?;
        let shown = view.shown.as_ref().map(|one| credential::shown(&view, one));
        let body = view! { {shown}{facts(&view)}{credentials(&view)}{orders::accounts(&view)}{orders::orders(&view)} };
        Ok(Sheet::new(view.row.url.name.clone(), body)
            .under("Automation")
            .crumb("ACME Directory URLs", paths::acme_urls())
            .lead(status(view.row.revoked_at))
            .actions(actions(&view)))
    })
}

/// The URL that the path names.
pub(super) fn id_in_path() -> Option<AcmeUrlId> {
    use_params_map().get_untracked().get("id").and_then(|id| id.parse().ok())
}

fn actions(view: &UrlView) -> AnyView {
    let id = view.row.url.id;
    let forms = view.row.revoked_at.is_none().then(|| rotate_and_revoke(id, None));
    view! {
        <LinkButton href=paths::acme_url_try(id) weight=Weight::Primary>"Try a request"</LinkButton>
        {forms}
    }
    .into_any()
}

/// "Rotate" and "Revoke", each with its dialog; in a list it says of which URL.
pub(super) fn rotate_and_revoke(id: AcmeUrlId, name: Option<&str>) -> AnyView {
    let (rotated, revoked) = (id.to_string(), id.to_string());
    let (rotate, revoke) = (format!("rotate-url-{id}"), format!("revoke-url-{id}"));
    let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
    let which = name.map_or_else(|| "this ACME Directory URL".to_owned(), ToOwned::to_owned);
    view! {
        <OpenDialog id=rotate.clone()>"Rotate"</OpenDialog>
        <OpenDialog id=revoke.clone()>"Revoke"</OpenDialog>
        <Dialog id=rotate title=format!("Rotate the credential{of}?")>
            <Form action=RotateAcmeUrl::PATH key=rotated.clone()>
                <Hidden name="id" value=rotated/>
                <p>"A new KID and HMAC key are made and shown once. Accounts that are bound already go on working; only new ones need the credential."</p>
                <TextField
                    name="overlap_days" label="The old credential works for (days)" kind="number" value="7" min="0" max="90" required=true
                    help="0 ends it at once."
                />
                <FormActions><Button weight=Weight::Primary>"Rotate credential"</Button></FormActions>
            </Form>
        </Dialog>
        <Dialog id=revoke title=format!("Revoke {which}?")>
            <Form action=RevokeAcmeUrl::PATH key=revoked.clone()>
                <Hidden name="id" value=revoked/>
                <p>"Its credentials and accounts end at once and for good: clients that use them get no more certificates. Certificates that were issued stay as they are."</p>
                <FormActions><Button weight=Weight::Danger>"Revoke ACME Directory URL"</Button></FormActions>
            </Form>
        </Dialog>
    }
    .into_any()
}

fn facts(view: &UrlView) -> AnyView {
    let row = view.row.clone();
    let used = row
        .last_used_at
        .map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    let directory = view.directory.clone();
    let coverage = match row.url.coverage_years {
        None => "No multi-year plan".to_owned(),
        Some(1) => "1 year".to_owned(),
        Some(years) => format!("{years} years"),
    };
    let validity = row.url.validity_days.map_or_else(
        || "The longest that the product allows".to_owned(),
        |days| format!("{} days", days.0),
    );
    let (domains, keys, may) = (domains(&row.url), keys(&row.url.key_types), permissions(&row.url));
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="ACME Directory URL"><Copyable text=directory what="the ACME Directory URL"/></Fact>
                <Fact term="Product">{row.product}</Fact>
                <Fact term="Organization"><a href=paths::organization(row.url.organization)>{row.organization}</a></Fact>
                <Fact term="Multi-year coverage length">{coverage}</Fact>
                <Fact term="Validity period">{validity}</Fact>
                <Fact term="Allowed domains">{domains}</Fact>
                <Fact term="Key types">{keys}</Fact>
                <Fact term="What may be done">{may}</Fact>
                <Fact term="Last used">{used}</Fact>
                <Fact term="Accounts">{count(row.accounts)}</Fact>
                <Fact term="Orders">{count(row.orders)}</Fact>
                <Fact term="Created"><Time at=row.created_at/></Fact>
            </Facts>
        </Section>
    }
    .into_any()
}

fn domains(url: &AcmeUrl) -> String {
    if url.allowed_domains.is_empty() {
        return "All of the organization's".to_owned();
    }
    url.allowed_domains.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn keys(types: &[KeyType]) -> String {
    if types.is_empty() {
        return "All".to_owned();
    }
    types.iter().map(|key| key.label()).collect::<Vec<_>>().join(", ")
}

fn permissions(url: &AcmeUrl) -> String {
    let all = [
        ("enroll", true),
        ("renew", url.may_renew),
        ("reissue", url.may_reissue),
        ("duplicate", url.may_duplicate),
        ("duplicate automatically when an order matches", url.duplicate_automatically),
    ];
    all.iter().filter(|(_, may)| *may).map(|(what, _)| *what).collect::<Vec<_>>().join(", ")
}

fn credentials(view: &UrlView) -> AnyView {
    let columns = vec![
        Column::new("KID"),
        Column::new("Status"),
        Column::new("Created"),
        Column::new("Works until"),
        Column::new("Last used"),
    ];
    let rows = view.credentials.iter().cloned().map(credential_row).collect_view();
    view! {
        <Section title="Credentials" lead="For external account binding. Keys are never shown again.">
            <Table label="Credentials" columns=columns>{rows}</Table>
        </Section>
    }
    .into_any()
}

fn credential_row(one: CredentialRow) -> impl IntoView {
    let ended = one.expires_at.is_some_and(|until| Viewer::current().now >= until);
    let (tone, text) = match (one.revoked_at, ended, one.expires_at) {
        (Some(_), _, _) => (Tone::Neutral, "Revoked"),
        (None, true, _) => (Tone::Neutral, "Replaced"),
        (None, false, Some(_)) => (Tone::Warning, "Being replaced"),
        (None, false, None) => (Tone::Good, "Active"),
    };
    let until =
        one.expires_at.map_or_else(|| NONE.into_any(), |at| view! { <Expiry at=at/> }.into_any());
    let used = one
        .last_used_at
        .map_or_else(|| "Never".into_any(), |at| view! { <Time at=at/> }.into_any());
    view! {
        <tr>
            <th scope="row"><Copyable text=one.kid what="the KID"/></th>
            <td><Badge tone=tone text=text/></td>
            <td><Time at=one.created_at/></td>
            <td>{until}</td>
            <td>{used}</td>
        </tr>
    }
}
