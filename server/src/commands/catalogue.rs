//! `certdeck product …`

use domain::Product;
use domain::product::{CATALOGUE, MaxLifetime};
use serde_json::json;

use crate::cli::ProductCommand;
use crate::output;

/// The longest lifetime of public certificates before ballot SC-081 began to shorten it; the
/// moment of issue decides what holds.
const PUBLIC_MAX_DAYS: i64 = 398;

/// Carries the command out.
pub fn product(command: &ProductCommand) -> anyhow::Result<()> {
    let ProductCommand::List { json: as_json } = command;
    if *as_json {
        let products: Vec<_> = CATALOGUE.iter().map(row).collect();
        output::line(serde_json::to_string_pretty(&products)?)?;
    } else {
        for product in CATALOGUE {
            output::line(format_args!(
                "{:<26} {:<26} {}",
                product.id, product.name, product.validation
            ))?;
        }
    }
    Ok(())
}

fn row(product: &Product) -> serde_json::Value {
    let max_days = match product.max_lifetime {
        MaxLifetime::Public => PUBLIC_MAX_DAYS,
        MaxLifetime::Private(days) => days.0,
    };
    json!({
        "id": product.id,
        "name": product.name,
        "validation": product.validation,
        "wildcard": product.wildcard,
        "additional_names_allowed": product.additional_names_allowed,
        "duplicates_allowed": product.duplicates_allowed,
        "duplicate_may_add_names": product.duplicate_may_add_names,
        "multi_year": product.multi_year,
        "max_days": max_days,
    })
}
