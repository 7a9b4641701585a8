//! The SQLite side of a bulk load.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::rows::{Cell, Table};
use crate::StoreError;
use crate::kept::index_new_orders;

/// Rows of one statement: more gain nothing, and a statement has at most 32,766 parameters.
const ROWS: usize = 100;

/// Fewer orders are added to the indexes one by one.
const WORTH_REBUILDING: u64 = 20_000;

/// The statements that make indexes and triggers that were dropped for the load.
#[derive(Debug)]
pub(super) struct SetAside(Vec<String>);

/// Drops the loaded tables' indexes and triggers where the load is large against what is there:
/// building them once, sorted, is then much faster than a million random insertions.
pub(super) async fn set_indexes_aside(
    connection: &mut SqliteConnection,
    expected: u64,
) -> Result<Option<SetAside>, StoreError> {
    let present: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM order_names")
        .fetch_one(&mut *connection)
        .await?;
    if expected < WORTH_REBUILDING || expected.saturating_mul(3) < present.unsigned_abs() {
        return Ok(None);
    }
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL \
         AND tbl_name IN ('orders', 'order_names', 'certificates')",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (kind, name, _) in &rows {
        execute(connection, format!("DROP {kind} {name}")).await?;
    }
    Ok(Some(SetAside(rows.into_iter().map(|(_, _, sql)| sql).collect())))
}

/// Makes again what [`set_indexes_aside`] dropped, and fills the trigram index.
pub(super) async fn build_indexes(
    connection: &mut SqliteConnection,
    set_aside: Option<SetAside>,
) -> Result<(), StoreError> {
    let Some(SetAside(statements)) = set_aside else { return index_new_orders(connection).await };
    for statement in statements {
        execute(connection, statement).await?;
    }
    // In one piece after the second: searches go through each piece.
    for act in ["rebuild", "optimize"] {
        let sql = format!("INSERT INTO orders_fts (orders_fts) VALUES ('{act}')");
        execute(connection, sql).await?;
    }
    Ok(())
}

/// Lets the planner know the tables' new shape.
pub(super) async fn gather_statistics(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    execute(connection, "PRAGMA analysis_limit = 1000".to_owned()).await?;
    // Only what was loaded: statistics of tables that are still empty would be wrong as soon as they
    // are not.
    for table in ["orders", "order_names", "certificates"] {
        execute(connection, format!("ANALYZE {table}")).await?;
    }
    Ok(())
}

/// Multi-row inserts: the statement of a full batch is prepared once.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: Vec<Vec<Cell>>,
) -> Result<(), StoreError> {
    let columns = table.columns.join(", ");
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let batch: Vec<Vec<Cell>> = rows.by_ref().take(ROWS).collect();
        let places = vec![row.as_str(); batch.len()].join(", ");
        let sql = format!("INSERT INTO {} ({columns}) VALUES {places}", table.name);
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(batch.len() == ROWS);
        for cell in batch.into_iter().flatten() {
            query = match cell {
                Cell::Null => query.bind(None::<i64>),
                Cell::Number(number) => query.bind(number),
                Cell::Bool(value) => query.bind(value),
                Cell::Text(text) => query.bind(text),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn execute(connection: &mut SqliteConnection, sql: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(connection).await?;
    Ok(())
}
