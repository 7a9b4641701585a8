//! What the operator does with the whole database: synthetic load, backup, restore.

use domain::{OrderNumber, OrganizationId};
pub use store::backup::{BackupError, Restored, check_unused, database_file, missing, restore};
use store::keyset::Rows;
use store::orders::{OrderFilter, OrderSort};
use store::organizations::{PlaceFilter, PlaceSort};
use store::seed::Seed;

use crate::accounts::require_administrator;
use crate::{Actor, Lifecycle, LifecycleError, Result};

/// Stands in the database while a demonstration is filled into it, wherever a restore or a copy
/// takes it; none of the settings that people see.
const FILLING: &str = "demonstration_is_filled";

/// The most orders that one seeding makes.
const MAX_SEED: u64 = 20_000_000;
/// Synthetic orders begin here, far from those that people make.
const FIRST_NUMBER: i64 = 200_000_001;
/// Keeps the random numbers of one seeding apart from those of the next.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// The orders are spread over at most so many organizations.
const MOST_ORGANIZATIONS: i64 = 50;
/// Whose they are where the database has no organization.
const ORGANIZATION: &str = "Synthetic Orders Inc.";

impl Lifecycle {
    /// Whether a demonstration is being filled into this database, or its filling was broken off.
    pub async fn is_filling(&self) -> Result<bool> {
        let rows = self.store().reader().await?.settings().await?;
        Ok(rows.iter().any(|row| row.key == FILLING && row.value == "true"))
    }

    /// Notes that the filling begins, or that it is done.
    pub async fn note_filling(&self, begins: bool) -> Result<()> {
        let now = self.clock().now();
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let rows = tx.settings().await?;
                    let version = rows.iter().find(|row| row.key == FILLING).map(|row| row.version);
                    let value = if begins { "true" } else { "false" };
                    tx.put_setting(FILLING, value, version.unwrap_or(0), now, None).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Loads `orders` synthetic orders behind those that are there; in a database without any, the
    /// same seed gives the same ones.
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
        let first_number = self.first_synthetic().await?;
        // Behind earlier ones the same seed must not give the same serials again.
        let earlier = first_number.0.abs_diff(FIRST_NUMBER);
        let seed = seed.wrapping_add(earlier.wrapping_mul(SPREAD));
        let seed = Seed { orders, seed, now, first_number, organizations };
        let loaded = self.store().load_orders(seed.orders(), orders, now, None, progress).await?;
        Ok(loaded)
    }

    /// Behind the highest number that is taken.
    async fn first_synthetic(&self) -> Result<OrderNumber> {
        let mut tx = self.store().reader().await?;
        let all = OrderFilter::default();
        let highest = tx.orders_page(&all, OrderSort::Number, true, None, 1).await?;
        let taken = highest.first().map_or(0, |row| row.order.number.0);
        Ok(OrderNumber(FIRST_NUMBER.max(taken.saturating_add(1))))
    }

    async fn seed_organizations(&self) -> Result<Vec<OrganizationId>> {
        let mut tx = self.store().reader().await?;
        let first = Rows { beyond: None, descending: false, limit: MOST_ORGANIZATIONS };
        let found = tx.organizations(&PlaceFilter::default(), PlaceSort::Name, &first).await?;
        Ok(found.into_iter().map(|one| one.id).collect())
    }
}
