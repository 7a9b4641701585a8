//! The list of endpoints.

use domain::model::{CertificateStatus, EndpointStatus, ServedIssuer};
use domain::rules::AutoRenewOutlook;
use leptos::prelude::*;

use super::NEEDS_ACTION;
use super::actions::Actions;
use super::api::{EndpointList, EndpointRow, SORTS, endpoints};
use super::bulk_api::NO_DUPLICATES;
use crate::kit::{
    Badge, Button, Choice, Column, EmptyState, Expiry, FilterBar, FilterSelect, FilterText, Glyph,
    Icon, LinkButton, Listing, NONE, Names, Pager, Sheet, Table, Time, Weight, page,
};
use crate::pages::activity::api::endpoint_tone;
use crate::pages::orders::certificate_badge;
use crate::paths;
use crate::viewer::Viewer;

/// The form that the rows' boxes belong to.
const BULK_FORM: &str = "bulk";

/// "Automated IPs".
#[component]
pub fn EndpointsPage() -> impl IntoView {
    let query = Viewer::current().query().to_owned();
    page(async move {
        let found = endpoints(query.clone()).await?;
        let listing = Listing::read(paths::ENDPOINTS, &query, &SORTS);
        let add = found.may_automate.then(|| {
            view! { <LinkButton href=paths::agent_new() glyph=Glyph::Add>"Add agent"</LinkButton> }
        });
        Ok(Sheet::new("Automated IPs", list(listing, found))
            .under("Automation")
            .lead("Where your agents found TLS servers, which certificate each one serves, and what to do next.")
            .actions(add))
    })
}

fn list(listing: Listing, found: EndpointList) -> AnyView {
    let EndpointList { page, brand, agent, may_automate } = found;
    let (previous, next) = (page.previous.clone(), page.next.clone());
    let body = if page.rows.is_empty() {
        empty(listing.is_filtered(), may_automate)
    } else {
        let rows = page.rows.into_iter().map(|one| row(one, &brand, may_automate)).collect_view();
        let table = listing.clone();
        view! {
            {may_automate.then(|| bulk_bar(&brand))}
            <div class="dense"><Table label="Automated IPs" columns=columns(may_automate) listing=table>{rows}</Table></div>
        }
        .into_any()
    };
    view! {
        {filters(listing.clone(), agent)}
        {body}
        <Pager listing=listing previous=previous next=next/>
    }
    .into_any()
}

fn filters(listing: Listing, agent: Option<String>) -> AnyView {
    let statuses = EndpointStatus::ALL
        .iter()
        .map(|status| Choice::new(status.as_str(), status.label()))
        .chain(std::iter::once(Choice::new(NEEDS_ACTION, "Needs action")))
        .collect();
    let issuers = vec![
        Choice::new(ServedIssuer::Ours.as_str(), "Ours"),
        Choice::new(ServedIssuer::Other.as_str(), "Other"),
        Choice::new(ServedIssuer::None.as_str(), "None"),
    ];
    let within =
        [7, 30, 60, 90].map(|days| Choice::new(days.to_string(), format!("{days} days"))).to_vec();
    view! {
        <FilterBar listing=listing export=true>
            <FilterText name="text" label="IP, name or order"/>
            <FilterSelect name="status" label="Automation status" choices=statuses/>
            <FilterText name="agent" label="Agent" placeholder="Name or host" shown=agent/>
            <FilterSelect name="issuer" label="Issuer" choices=issuers/>
            <FilterSelect name="expires" label="Expires within" choices=within/>
        </FilterBar>
    }
    .into_any()
}

fn empty(filtered: bool, may_automate: bool) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No endpoint matches" text="Change or clear the filters. An agent is found by its name or its host's, whole or as far as no other has it."/> }.into_any();
    }
    let text = if may_automate {
        "Install an agent on a host with a TLS server: it finds the endpoints by itself and lists them here."
    } else {
        "An Administrator or a Manager adds agents; the endpoints that they find are listed here."
    };
    view! {
        <EmptyState title="No endpoints yet" text=text>
            {may_automate.then(|| view! { <LinkButton href=paths::agent_new() weight=Weight::Primary>"Add agent"</LinkButton> })}
        </EmptyState>
    }
    .into_any()
}

/// What can be done with the ticked rows. The boxes stand in the table and name this form.
fn bulk_bar(brand: &str) -> AnyView {
    let switch = format!("Switch to {brand}");
    view! {
        <form id=BULK_FORM class="bulk-bar" method="get" action=paths::endpoints_bulk() aria-label="Selected endpoints">
            <p><strong>"With the selected endpoints"</strong></p>
            <div class="actions">
                <Button name="do" value="request">"Request a certificate"</Button>
                <Button name="do" value="renew">"Renew"</Button>
                <Button name="do" value="switch">{switch}</Button>
                <Button name="do" value="auto_renew_on">"Enable auto-renew"</Button>
                <Button name="do" value="auto_renew_off">"Disable auto-renew"</Button>
            </div>
            <p class="muted small"><Icon glyph=Glyph::Info/>{NO_DUPLICATES}</p>
        </form>
    }
    .into_any()
}

fn columns(select: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::new("IP / Port").sorted("address"),
        Column::new("Common name").sorted("name"),
        Column::new("Host"),
        Column::new("Server software"),
        Column::new("Issuer"),
        Column::new("Order ID"),
        Column::new("Expires").sorted("expires"),
        Column::new("Automation status"),
        Column::new("Auto-renew"),
        Column::new("Action"),
    ];
    if select {
        columns.insert(0, Column::new("Select").hidden());
    }
    columns
}

fn row(row: EndpointRow, brand: &str, may_automate: bool) -> AnyView {
    let select = may_automate.then(|| {
        let label = format!("Select {}", row.address);
        view! {
            <td class="select">
                <input type="checkbox" name="ids" value=row.id.to_string() form=BULK_FORM aria-label=label/>
            </td>
        }
    });
    let under = row.server_name.clone().or_else(|| row.alias.clone());
    let actions =
        view! { <Actions row=row.clone() brand=brand.to_owned() may_automate=may_automate/> };
    view! {
        <tr>
            {select}
            <th scope="row" class="nowrap">
                <a href=paths::endpoint(row.id)>{address(&row.address)}</a>
                {under.map(|name| view! { <span class="small muted">{name}</span> })}
            </th>
            <td>{common_name(&row)}</td>
            <td class="roomy">{row.host.clone()}</td>
            <td class="roomy">{row.software.clone().unwrap_or_else(|| NONE.to_owned())}</td>
            <td class="roomy">{issuer(&row)}</td>
            <td>{row.order.map_or_else(|| NONE.into_any(), |order| view! { <a href=paths::order(order)>{order.to_string()}</a> }.into_any())}</td>
            <td>
                {row.expires.map_or_else(|| NONE.into_any(), |at| view! { <Expiry at=at/> }.into_any())}
                {revocation(&row)}
            </td>
            <td>
                <Badge tone=endpoint_tone(row.status) text=row.status.label()/>
                {row.cause.clone().map(|cause| view! { <span class="small muted clamp">{cause}</span> })}
            </td>
            <td>{renewal(&row)}</td>
            <td class="end">{actions}</td>
        </tr>
    }
    .into_any()
}

/// An address that takes two lines is broken before its port.
fn address(text: &str) -> impl IntoView + use<> {
    let (host, port) = text.split_at(text.rfind(':').unwrap_or(text.len()));
    view! { {host.to_owned()}<wbr/>{port.to_owned()} }
}

pub(super) fn common_name(row: &EndpointRow) -> AnyView {
    let Some(name) = row.common_name.clone() else {
        return view! { <span class="muted">"No certificate"</span> }.into_any();
    };
    let more = match row.sans {
        0 => None,
        1 => Some("+ 1 SAN".to_owned()),
        sans => Some(format!("+ {sans} SANs")),
    };
    view! { <Names names=vec![name] narrow=true/>{more.map(|more| view! { <span class="small muted">{more}</span> })} }.into_any()
}

/// That the certificate in place was revoked, or will be: the days that are left don't tell.
pub(super) fn revocation(row: &EndpointRow) -> Option<AnyView> {
    let (status, till) = (row.certificate?, row.expires?);
    (status != CertificateStatus::Issued).then(|| certificate_badge(status, till))
}

pub(super) fn issuer(row: &EndpointRow) -> AnyView {
    let kind = match row.issuer {
        ServedIssuer::Ours => "Ours",
        ServedIssuer::Other => "Other",
        ServedIssuer::None => "None",
    };
    let name = row.issuer_name.clone().filter(|_| row.issuer == ServedIssuer::Other);
    view! { {kind}{name.map(|name| view! { <span class="small muted">{name}</span> })} }.into_any()
}

fn renewal(row: &EndpointRow) -> AnyView {
    let more = match row.outlook(Viewer::current().now) {
        AutoRenewOutlook::Off => return view! { <span class="muted">"Off"</span> }.into_any(),
        AutoRenewOutlook::At(at) => view! { <Time at=at day_only=true/> }.into_any(),
        AutoRenewOutlook::UnderWay => "under way".into_any(),
        AutoRenewOutlook::NotYet => "no certificate yet".into_any(),
        AutoRenewOutlook::Stopped => "waits for you".into_any(),
    };
    view! { "On"<span class="small muted">{more}</span> }.into_any()
}
