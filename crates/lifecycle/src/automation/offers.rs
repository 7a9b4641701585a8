//! What the list of endpoints offers: the *Action* column for a whole page of rows.

use std::collections::{BTreeSet, HashMap};

use domain::model::{CertificateStatus, EndpointStatus, OrderFile};
use domain::rules::{EndpointFacts, Offer, offered_actions, status_after};
use domain::{EventId, OrderNumber};
use store::Tx;
use store::endpoints::EndpointRecord;

use super::agents::{require_manager, require_person};
use super::resolve::facts;
use crate::{Actor, Lifecycle, Result};

/// What is offered for an endpoint, and what has become of the certificate of ours that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The actions.
    pub offer: Offer,
    /// None where it has none of ours.
    pub certificate: Option<CertificateStatus>,
    /// Where automation stands there, also while its agent is silent.
    pub behind: EndpointStatus,
}

impl Lifecycle {
    /// What the *Action* column offers for each of these endpoints, in their order. All their
    /// orders are read together.
    pub async fn offers(
        &self,
        actor: &Actor,
        endpoints: &[EndpointRecord],
    ) -> Result<Vec<Offered>> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let numbers: BTreeSet<OrderNumber> =
            endpoints.iter().filter_map(|endpoint| endpoint.order).collect();
        let numbers: Vec<OrderNumber> = numbers.into_iter().collect();
        let orders: HashMap<OrderNumber, OrderFile> =
            tx.order_files(&numbers).await?.into_iter().map(|file| (file.number(), file)).collect();
        let mut offers = Vec::with_capacity(endpoints.len());
        for endpoint in endpoints {
            let order = endpoint.order.and_then(|number| orders.get(&number));
            let status = behind_silence(&mut tx, endpoint).await?;
            let facts = EndpointFacts { status, ..facts(endpoint, order, now) };
            let certificate = facts.certificate.map(|certificate| certificate.status);
            offers.push(Offered { offer: offered_actions(&facts), certificate, behind: status });
        }
        withhold(&mut tx, actor, endpoints, &mut offers).await?;
        Ok(offers)
    }
}

/// "Retry" and "Cancel" are offered to those only who may touch the event: see
/// `may_touch`, which refuses the others.
async fn withhold(
    tx: &mut Tx,
    actor: &Actor,
    endpoints: &[EndpointRecord],
    offers: &mut [Offered],
) -> Result<()> {
    if require_manager(actor, "Changing another person's event").is_ok() {
        return Ok(());
    }
    let Some(person) = actor.person() else { return Ok(()) };
    let events: Vec<EventId> =
        endpoints.iter().filter_map(|endpoint| endpoint.current_event).collect();
    let own = tx.events_asked_by(person.user.id, &events).await?;
    for (endpoint, offered) in endpoints.iter().zip(offers) {
        if endpoint.current_event.is_none_or(|event| !own.contains(&event)) {
            offered.offer = offered.offer.clone().without_its_event();
        }
    }
    Ok(())
}

/// "Agent error" is what people see while an agent is silent; what can be done follows from the
/// event that waits for it.
async fn behind_silence(tx: &mut Tx, endpoint: &EndpointRecord) -> Result<EndpointStatus> {
    if endpoint.status != EndpointStatus::AgentError {
        return Ok(endpoint.status);
    }
    let open = tx.open_event(endpoint.id).await?;
    Ok(open.map_or_else(
        || status_after(endpoint.auto_renew.is_some()),
        |event| event.status.on_endpoint(),
    ))
}
