//! What the operator does with the whole database: synthetic load, backup, restore.

use domain::{OrderNumber, OrganizationId};
pub use store::backup::{BackupError, Restored, restore};
use store::keyset::Rows;
use store::organizations::{PlaceFilter, PlaceSort};
use store::seed::Seed;

use crate::accounts::require_administrator;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// The most orders that one seeding makes.
const MAX_SEED: u64 = 20_000_000;
/// Synthetic orders begin here, far from those that people make.
const FIRST_NUMBER: i64 = 200_000_001;
/// The orders are spread over at most so many organizations.
const MOST_ORGANIZATIONS: i64 = 50;
/// Whose they are where the database has no organization.
const ORGANIZATION: &str = "Synthetic Orders Inc.";

impl Lifecycle {
    /// Loads `orders` synthetic orders; the same seed gives the same ones.
    pub async fn seed_orders(
        &self,
        actor: &Actor,
        orders: u64,
        seed: u64,
        progress: impl FnMut(u64) + Send,
    ) -> Result<u64> {
        require_administrator(actor, "Loading synthetic orders")?;
        if orders == 0 || orders > MAX_SEED {
            return Err(LifecycleError::field(
                "orders",
                format!("Give a number of orders from 1 to {MAX_SEED}."),
            ));
        }
        let mut organizations = self.seed_organizations().await?;
        if organizations.is_empty() {
            organizations.push(self.add_organization(actor, ORGANIZATION, "US", true).await?);
        }
        let now = self.clock().now();
        let seed =
            Seed { orders, seed, now, first_number: OrderNumber(FIRST_NUMBER), organizations };
        let loaded = self.store().load_orders(seed.orders(), orders, now, progress).await?;
        Ok(loaded)
    }

    async fn seed_organizations(&self) -> Result<Vec<OrganizationId>> {
        let mut tx = self.store().reader().await?;
        let first = Rows { beyond: None, descending: false, limit: MOST_ORGANIZATIONS };
        let found = tx.organizations(&PlaceFilter::default(), PlaceSort::Name, &first).await?;
        Ok(found.into_iter().map(|one| one.id).collect())
    }
}
