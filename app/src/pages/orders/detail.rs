//! An order: details, certificate actions, history, lineage, requests, and why.

use domain::OrderNumber;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::api::{ActionsView, ExplainedLine, OrderDetail, RequestLine, order};
use super::badges::{order_badge, order_state, origin_label, plan_label, product_name};
use super::history::history;
use crate::fault::PortalError;
use crate::kit::{
    Badge, Column, Expiry, Fact, Facts, Glyph, Lifespan, Lineage, Link, LinkButton, NONE, Names,
    Section, Sheet, Table, Time, Tone, Unavailable, page,
};
use crate::pages::activity::Explained;
use crate::pages::requests::{kind_label, state_badge};
use crate::paths;
use crate::viewer::Viewer;

/// The order that the path names.
pub(super) fn number_in_path() -> Option<i64> {
    use_params_map().get_untracked().get("number").and_then(|number| number.parse().ok())
}

/// An order.
#[component]
pub fn OrderPage() -> impl IntoView {
    let number = number_in_path();
    page(async move {
        let detail = order(number.ok_or_else(|| PortalError::no_such("order"))?).await?;
        let number = detail.row.number;
        let badge = order_badge(detail.row.status, detail.row.valid_till);
        let body = view! {
            {actions(number, &detail.actions, detail.certificates.iter().any(|one| one.has_file))}
            {facts(&detail)}
            {history(&detail)}
            {lineage(&detail)}
            {requests(detail.requests.clone())}
            {explanations(detail.explanations.clone())}
        };
        Ok(Sheet::new(format!("Order {number}"), body)
            .under("Certificates")
            .crumb("Orders", paths::orders())
            .lead(badge))
    })
}

fn actions(number: OrderNumber, actions: &ActionsView, can_download: bool) -> AnyView {
    let all = [
        ("Request duplicate", paths::order_duplicate(number), actions.duplicate.clone()),
        ("Reissue certificate", paths::order_reissue(number), actions.reissue.clone()),
        ("Renew certificate", paths::order_renew(number), actions.renew.clone()),
        ("Revoke certificate", paths::order_revoke(number), actions.revoke.clone()),
    ];
    let (refused, offered): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, _, refused)| refused.is_some());
    let offered = offered
        .into_iter()
        .map(|(label, href, _)| view! { <LinkButton href=href>{label}</LinkButton> })
        .collect_view();
    let refused = refused
        .into_iter()
        .map(|(label, _, why)| view! { <Unavailable label=label why=why.unwrap_or_default()/> })
        .collect_view();
    view! {
        <Section title="Certificate actions">
            <div class="actions">
                {offered}
                {can_download.then(|| view! {
                    <LinkButton href=paths::order_download(number) glyph=Glyph::Download>"Download"</LinkButton>
                })}
            </div>
            <div class="refused-actions">{refused}</div>
        </Section>
    }
    .into_any()
}

fn facts(detail: &OrderDetail) -> AnyView {
    let row = detail.row.clone();
    let names: Vec<String> = detail.names.iter().map(ToString::to_string).collect();
    let valid_till = row.valid_till.map_or_else(
        || "not issued yet".into_any(),
        |at| view! { <Expiry at=at/><Lifespan from=row.ordered_at to=at/> }.into_any(),
    );
    let coverage = match detail.coverage_years {
        Some(years) => plan_label(years),
        None => "One certificate's lifetime".to_owned(),
    };
    let organization = row.organization_name.clone();
    let note = detail.note.clone();
    view! {
        <Section title="Details">
            <Facts>
                <Fact term="Common name"><Names names=vec![row.common_name]/></Fact>
                <Fact term="Names"><Names names=names/></Fact>
                <Fact term="Product">{product_name(&row.product)}</Fact>
                <Fact term="Organization"><a href=paths::organization(row.organization)>{organization}</a></Fact>
                <Fact term="Coverage">{coverage}</Fact>
                <Fact term="Valid till">{valid_till}</Fact>
                <Fact term="Origin">{origin_label(row.origin)}</Fact>
                <Fact term="Requester">{row.requester.unwrap_or_else(|| NONE.to_owned())}</Fact>
                <Fact term="Ordered"><Time at=row.ordered_at/></Fact>
                {note.map(|note| view! { <Fact term="Note">{note}</Fact> })}
            </Facts>
        </Section>
    }
    .into_any()
}

fn lineage(detail: &OrderDetail) -> Option<AnyView> {
    if detail.lineage.len() < 2 {
        return None;
    }
    let own = detail.row.number;
    let now = Viewer::current().now;
    let links = detail.lineage.iter().map(|kin| {
        let part = if kin.number == own {
            "This order"
        } else if Some(kin.number) == detail.renews {
            "Renewed by this order"
        } else if Some(kin.number) == detail.row.renewed_by {
            "Renews this order"
        } else {
            ""
        };
        let (status, till) = kin.state.unzip();
        Link {
            label: kin.number.to_string(),
            href: paths::order(kin.number),
            note: part.to_owned(),
            status: status.map(|status| order_state(status, till.flatten(), now)),
            till: till.flatten(),
            current: kin.number == own,
        }
    });
    let links = links.collect::<Vec<_>>();
    Some(view! { <Section title="Renewals"><Lineage links=links/></Section> }.into_any())
}

fn requests(requests: Vec<RequestLine>) -> Option<AnyView> {
    if requests.is_empty() {
        return None;
    }
    let columns = vec![
        Column::new("Request"),
        Column::new("Type"),
        Column::new("Status"),
        Column::new("Requester"),
        Column::new("Asked"),
    ];
    let rows = requests.into_iter().map(|one| {
        view! {
            <tr>
                <th scope="row"><a href=paths::request(one.id)>{one.id.to_string()}</a></th>
                <td>{kind_label(&one.kind)}</td>
                <td>{state_badge(&one.state)}</td>
                <td>{one.requester.unwrap_or_else(|| NONE.to_owned())}</td>
                <td><Time at=one.at/></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    Some(view! { <Section title="Requests"><Table label="Requests" columns=columns>{rows}</Table></Section> }.into_any())
}

fn explanations(explanations: Vec<ExplainedLine>) -> Option<AnyView> {
    if explanations.is_empty() {
        return None;
    }
    let items = explanations.into_iter().map(|one| {
        let door = if one.door == "acme" { "ACME" } else { "Automation" };
        view! {
            <article class="explained">
                <p><Badge tone=Tone::Info text=door/> " " <Time at=one.at/></p>
                <Explained explanation=one.explanation at=Some(one.at)/>
            </article>
        }
    });
    let items = items.collect_view();
    Some(
        view! {
            <Section title="Why" lead="What ACME requests and automation decided about this order, and by which rule.">
                {items}
            </Section>
        }
        .into_any(),
    )
}
