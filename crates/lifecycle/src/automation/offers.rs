//! What the list of endpoints offers: the *Action* column for a whole page of rows.

use std::collections::BTreeMap;

use domain::rules::{Offer, check_bulk, offer_in_automation, offered_actions};
use domain::{ProfileId, Refusal};
use store::endpoints::EndpointRecord;

use super::agents::require_person;
use super::schedule::facts;
use crate::settings::preferences;
use crate::{Actor, Lifecycle, LifecycleError, Result};

impl Lifecycle {
    /// What the *Action* column offers for each of these endpoints, in their order. Each order is
    /// read once, however many endpoints serve its certificates.
    pub async fn offers(&self, actor: &Actor, endpoints: &[EndpointRecord]) -> Result<Vec<Offer>> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let mut orders = BTreeMap::new();
        for number in endpoints.iter().filter_map(|endpoint| endpoint.order) {
            if let std::collections::btree_map::Entry::Vacant(entry) = orders.entry(number) {
                entry.insert(tx.order_file(number).await?);
            }
        }
        let offer = |endpoint: &EndpointRecord| {
            let order = endpoint.order.and_then(|number| orders.get(&number)).and_then(Option::as_ref);
            offered_actions(&facts(endpoint, order, now))
        };
        Ok(endpoints.iter().map(offer).collect())
    }

    /// Whether the automation request page offers a duplicate to this person with this profile;
    /// the refusal says why not.
    pub async fn duplicates_offered(
        &self,
        actor: &Actor,
        profile: Option<ProfileId>,
    ) -> Result<std::result::Result<(), Refusal>> {
        require_person(actor)?;
        let mut tx = self.store().reader().await?;
        let profile = match profile {
            Some(id) => Some(tx.profile(id).await?.ok_or(LifecycleError::NotFound { what: "profile" })?.profile),
            None => None,
        };
        let role = actor.role().unwrap_or(domain::model::Role::Limited);
        Ok(offer_in_automation(&preferences(&mut tx).await?, role, profile.as_ref()))
    }

    /// Why a bulk request offers no duplicates (rule D7's own words).
    pub fn duplicates_in_bulk(&self) -> Option<Refusal> {
        check_bulk(&[true]).err()
    }
}
