//! No page walks a table: the work of lists, searches and candidates is counted in the steps of
//! SQLite's own machine, that of lists also in rows that PostgreSQL reads, with enough orders that a
//! scan would show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::model::{OrderStatus, Origin};
use domain::time::DAY;
use domain::{AcmeAccountId, AcmeUrlId, AgentId, Name, OrderNumber, OrganizationId, Timestamp};
use sqlx::{AssertSqlSafe, Connection};

use crate::audit::AuditFilter;
use crate::candidates::Candidates;
use crate::endpoints::{EndpointFilter, EndpointSort};
use crate::keyset::Rows;
use crate::orders::{ListedOrder, OrderFilter, OrderKey, OrderSort};
use crate::samples::{NOW, organizations};
use crate::search::{NameQuery, SearchFilter};
use crate::seed::Seed;
use crate::testing::{TestDatabase, postgres, sqlite};
use crate::{Store, StoreOptions, Tx};

const ORDERS: u64 = 20_000;

/// A page by index takes about 3,000 steps whatever the number of orders; a scan, several for each.
const ALLOWED: u64 = ORDERS / 2;

/// With a time window, all in the window or up to fifty in it are looked at, in an index: more than
/// for a page by index, and still far from a scan.
const ALLOWED_FOR_WINDOW: u64 = 4 * ALLOWED;

/// Where a text is looked for inside of names, up to a thousand of 60,000 are looked at.
const ALLOWED_INSIDE: u64 = 3 * ALLOWED;

/// Rows of tables and indexes that PostgreSQL may read for a page: those in a time window are read
/// all, and of those in a rare state one of some products.
const ALLOWED_ROWS: u64 = ORDERS / 10;

/// What a list under the filter is sorted by: by the certificates' ends where it is filtered by
/// them, and by nothing else where that leads from the dashboard to what ends late.
fn sorts(filter: &OrderFilter) -> Vec<OrderSort> {
    let all =
        [OrderSort::Number, OrderSort::OrderedAt, OrderSort::ValidTill, OrderSort::CommonName];
    match (filter.ends_from, filter.ends_until) {
        // What has expired.
        (None, None) if filter.valid_from.is_none() && filter.valid_until.is_some() => {
            vec![OrderSort::ValidTill]
        }
        (None, None) => all.to_vec(),
        (_, None) => vec![OrderSort::CertificateEnd],
        (_, Some(_)) => [&all[..], &[OrderSort::CertificateEnd]].concat(),
    }
}

/// Counts the steps of one connection, in tens.
struct Meter(Arc<AtomicU64>, &'static str);

impl Meter {
    async fn on(tx: &mut Tx, when: &'static str) -> Self {
        let Tx::Sqlite(session) = tx else { panic!("only SQLite counts its steps") };
        let tens = Arc::new(AtomicU64::new(0));
        let counter = tens.clone();
        session.plain_connection().lock_handle().await.unwrap().set_progress_handler(
            10,
            move || {
                counter.fetch_add(1, Ordering::Relaxed);
                true
            },
        );
        Self(tens, when)
    }

    fn check(&self, what: &str) {
        self.check_below(ALLOWED, what);
    }

    fn check_below(&self, allowed: u64, what: &str) {
        let steps = self.0.swap(0, Ordering::Relaxed) * 10;
        assert!(steps > 0, "{what} {}: nothing was counted", self.1);
        assert!(steps < allowed, "{what} {}: {steps} steps", self.1);
    }
}

async fn seeded(database: TestDatabase) -> TestDatabase {
    organizations(&database.store, 5).await;
    let seed = Seed {
        orders: ORDERS,
        seed: 11,
        now: NOW,
        first_number: OrderNumber(100_000_001),
        organizations: (1..=5).map(OrganizationId).collect(),
    };
    database.store.load_orders(seed.orders(), ORDERS, NOW, None, |_| {}).await.unwrap();
    database
}

/// Each filter alone, and mixes of them: a rare one among common ones, a time window, none at all.
fn filters() -> Vec<OrderFilter> {
    let all = OrderFilter::default();
    let of = |status| OrderFilter { status: Some(status), ..all.clone() };
    // Within the next 30 days.
    let soon = OrderFilter {
        valid_from: Some(NOW),
        valid_until: Some(NOW.plus_seconds(31 * DAY - 1)),
        ..all.clone()
    };
    // The same of the certificates.
    let ending =
        OrderFilter { ends_from: soon.valid_from, ends_until: soon.valid_until, ..all.clone() };
    let late = OrderFilter { ends_from: Some(NOW.plus_seconds(366 * DAY)), ..all.clone() };
    let expired =
        OrderFilter { valid_until: Some(NOW.plus_seconds(-1)), ..of(OrderStatus::Issued) };
    let duplicates = OrderFilter { has_duplicates: Some(true), ..all.clone() };
    let organization = OrderFilter { organization: Some(OrganizationId(3)), ..all.clone() };
    let renewed = OrderFilter { renewed: Some(true), ..all.clone() };
    let wildcards = OrderFilter { product: Some("ssl_wildcard".into()), ..all.clone() };
    let acme = OrderFilter { origin: Some(Origin::Acme), ..all.clone() };
    vec![
        of(OrderStatus::Issued),
        of(OrderStatus::Pending),
        OrderFilter { has_duplicates: Some(false), ..all.clone() },
        OrderFilter { renewed: Some(false), ..all.clone() },
        OrderFilter { product: wildcards.product.clone(), ..of(OrderStatus::Revoked) },
        OrderFilter { organization: organization.organization, ..of(OrderStatus::Pending) },
        OrderFilter { origin: acme.origin, ..duplicates.clone() },
        OrderFilter {
            origin: Some(Origin::Automation),
            has_duplicates: Some(true),
            ..organization.clone()
        },
        OrderFilter { status: Some(OrderStatus::Issued), ..soon.clone() },
        OrderFilter { organization: organization.organization, ..soon.clone() },
        OrderFilter { has_duplicates: Some(true), ..soon.clone() },
        OrderFilter { organization: organization.organization, ..ending.clone() },
        OrderFilter { has_duplicates: Some(true), ..ending.clone() },
        OrderFilter { organization: organization.organization, ..expired.clone() },
        OrderFilter { product: wildcards.product.clone(), ..expired.clone() },
        OrderFilter { has_duplicates: Some(true), ..expired.clone() },
        OrderFilter { origin: acme.origin, renewed: Some(false), ..expired.clone() },
        ending,
        late,
        expired,
        all,
        duplicates,
        organization,
        renewed,
        wildcards,
        acme,
        soon,
    ]
}

/// Whether nothing but the window narrows a list that an index has by day.
fn is_by_day(filter: &OrderFilter, sort: OrderSort) -> bool {
    let (ends_from, ends_until) = (filter.ends_from, filter.ends_until);
    let window = OrderFilter { ends_from, ends_until, ..OrderFilter::default() };
    let sorted = matches!(sort, OrderSort::Number | OrderSort::OrderedAt);
    ends_until.is_some() && sorted && *filter == window
}

async fn lists(tx: &mut Tx, meter: &Meter) {
    for filter in &filters() {
        let window = filter.valid_until.or(filter.ends_until).is_some();
        for sort in sorts(filter) {
            let allowed =
                if window && !is_by_day(filter, sort) { ALLOWED_FOR_WINDOW } else { ALLOWED };
            for descending in [false, true] {
                let page = tx.listed_orders_page(filter, sort, descending, None, 50).await.unwrap();
                meter.check_below(allowed, &format!("{filter:?} by {sort:?}, {descending}"));
                let Some(last) = page.last() else { continue };
                let after = Some(sort.listed_key(last));
                tx.listed_orders_page(filter, sort, descending, after.as_ref(), 50).await.unwrap();
                meter.check_below(allowed, &format!("{filter:?} by {sort:?}, second page"));
            }
        }
    }
}

async fn searches(tx: &mut Tx, meter: &Meter) {
    // The first search reads which trigrams are common.
    tx.suggest_names(&NameQuery::Substring("first".to_owned()), 1).await.unwrap();
    meter.0.swap(0, Ordering::Relaxed);
    for typed in
        ["www.", "w", ".example.com", "example", "birch1", "\"www.example.com\"", "no-such"]
    {
        let query = NameQuery::typed(typed).unwrap();
        let inside = matches!(query, NameQuery::Substring(_));
        let allowed = if inside { ALLOWED_INSIDE } else { ALLOWED };
        let page = tx.search_orders(&query, &SearchFilter::default(), None, 25).await.unwrap();
        meter.check_below(allowed, &format!("search {typed}"));
        if let Some(next) = page.next {
            tx.search_orders(&query, &SearchFilter::default(), Some(&next), 25).await.unwrap();
            meter.check_below(allowed, &format!("search {typed}, second page"));
        }
        tx.suggest_names(&query, 10).await.unwrap();
        meter.check_below(allowed, &format!("names for {typed}"));
    }
}

#[tokio::test]
async fn no_page_walks_a_table() {
    let database = seeded(sqlite().await).await;
    pages(&mut database.store.reader().await.unwrap(), "with statistics").await;
    // A database that grew by itself has none until it is maintained.
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    for table in ["sqlite_stat1", "sqlite_stat4"] {
        let sql = AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    let store = Store::open(&database.url, StoreOptions::default()).await.unwrap();
    pages(&mut store.reader().await.unwrap(), "without statistics").await;
    store.maintain().await.unwrap();
    let measured: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'orders'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert!(measured > 0, "maintenance measures the tables");
}

/// ACME orders that came to their end, of one account, each with its request; some wait for a
/// reviewer, and some ended a while ago, with a request or without, or just now.
const ACME_ORDERS: [&str; 3] = [
    "INSERT INTO acme_accounts (id, thumbprint, jwk, status, created_at) \
     VALUES (1, 'print', '{}', 'valid', 1)",
    "INSERT INTO requests (id, kind, status, order_number, created_at) \
     SELECT number, 'new', CASE number % 2000 WHEN 0 THEN 'pending' ELSE 'approved' END, number, 1 \
     FROM orders",
    "INSERT INTO acme_orders (account_id, status, identifiers, names_key, expires_at, order_number, \
     request_id, ended_at, finalize_claimed_at, created_at) SELECT 1, \
     CASE number % 2000 WHEN 0 THEN 'processing' WHEN 1 THEN 'invalid' WHEN 2 THEN 'invalid' \
     ELSE CASE number % 2 WHEN 0 THEN 'valid' ELSE 'invalid' END END, '[]', 'k', \
     1, CASE number % 2000 WHEN 1 THEN NULL ELSE number END, \
     CASE number % 2000 WHEN 1 THEN NULL ELSE number END, \
     CASE number % 2000 WHEN 1 THEN 1 WHEN 2 THEN 1 ELSE 9 END, 1, 1 FROM orders",
];

/// What clients end, and what is swept, reads no orders that are over.
#[tokio::test]
async fn acme_orders_that_are_over_are_not_read() {
    let database = seeded(sqlite().await).await;
    for sql in ACME_ORDERS {
        database.execute(sql).await.unwrap();
    }
    let mut tx = database.store.reader().await.unwrap();
    let meter = Meter::on(&mut tx, "without statistics").await;
    let held = tx.held_acme_orders(Some(AcmeAccountId(1)), None).await.unwrap();
    meter.check("held orders of an account");
    assert_eq!(held.len() as u64, ORDERS / 2000);
    assert!(tx.held_acme_orders(None, Some(AcmeUrlId(1))).await.unwrap().is_empty());
    meter.check("held orders of a URL");
    let nothing = tx.acme_orders_for_nothing(Timestamp(8), 500).await.unwrap();
    meter.check("orders that came to nothing");
    assert_eq!(nothing.len() as u64, 2 * ORDERS / 2000);
    let late = Timestamp(i64::MAX);
    let stale = tx.stale_acme_orders(late, late, Timestamp(2), 500).await.unwrap();
    meter.check("orders whose time is over");
    assert_eq!(stale.len() as u64, ORDERS / 2000, "those that nobody decided");
}

/// Each of 20 agents has its share of the endpoints; half of them are gone.
const ENDPOINTS: [&str; 2] = [
    "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 20) \
     INSERT INTO agents (id, name, status, created_at) SELECT n, 'agent ' || n, 'active', 1 FROM counted",
    "INSERT INTO endpoints (agent_id, ip, port, order_number, status, gone_at, created_at) \
     SELECT 1 + number % 20, '192.0.2.1', number - 100000000, number, 'configured', \
     CASE number / 20 % 2 WHEN 0 THEN 1 ELSE NULL END, 1 FROM orders",
];

/// Pages of endpoints and agents read those that are there, and no others.
#[tokio::test]
async fn endpoints_that_are_gone_are_not_read() {
    let database = seeded(sqlite().await).await;
    for sql in ENDPOINTS {
        database.execute(sql).await.unwrap();
    }
    let mut tx = database.store.reader().await.unwrap();
    let meter = Meter::on(&mut tx, "without statistics of endpoints").await;
    let all = EndpointFilter::default();
    let one = EndpointFilter { agent: Some(AgentId(7)), ..all.clone() };
    for filter in [&all, &one] {
        for descending in [false, true] {
            let sort = EndpointSort::Address;
            let page = tx.endpoints(filter, sort, descending, None, 50).await.unwrap();
            meter.check(&format!("{filter:?}, {descending}"));
            let after = sort.key(page.last().unwrap());
            tx.endpoints(filter, sort, descending, Some(&after), 50).await.unwrap();
            meter.check(&format!("{filter:?}, {descending}, second page"));
        }
    }
    let agent = tx.agent(AgentId(7)).await.unwrap().unwrap();
    assert_eq!(agent.endpoints.unsigned_abs(), ORDERS / 40);
    meter.check("an agent with the count of its endpoints");
}

/// A page of the entries of one kind of actor reads and sorts no more than the page.
#[tokio::test]
async fn entries_of_a_kind_of_actor_are_not_sorted() {
    let database = sqlite().await;
    let entries = format!(
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {ORDERS}) \
         INSERT INTO audit_log (at, actor_kind, actor_id, actor_name, action, resource_kind, resource_id, \
         description) SELECT n, CASE WHEN n % 1000 = 0 THEN 'operator' ELSE 'acme_account' END, n % 500, \
         'A', 'order.placed', 'order', n, 'Placed.' FROM counted"
    );
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    sqlx::query(AssertSqlSafe(entries)).execute(&mut connection).await.unwrap();
    for (kind, found) in [("acme_account", 50), ("operator", ORDERS / 1000)] {
        let mut tx = database.store.reader().await.unwrap();
        let meter = Meter::on(&mut tx, "without statistics").await;
        let filter = AuditFilter { actor_kind: Some(kind.to_owned()), ..AuditFilter::default() };
        let page = Rows { beyond: None, descending: true, limit: 50 };
        let rows = tx.audit_page(&filter, &page).await.unwrap();
        meter.check(kind);
        assert_eq!(rows.len() as u64, found);
        assert!(rows.is_sorted_by(|one, next| one.id > next.id), "newest first");
    }
}

/// What is sealed already is not read again, also by who measured the log when it was short.
#[tokio::test]
async fn the_sealed_log_is_not_read_by_who_seals() {
    let database = sqlite().await;
    let entries = |from: u64, to: u64, sealed: bool| {
        let (position, hash) = if sealed { ("n", "'h'") } else { ("NULL", "NULL") };
        format!(
            "WITH RECURSIVE counted (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM counted WHERE n < {to}) \
             INSERT INTO audit_log (id, at, actor_kind, actor_name, action, resource_kind, resource_id, \
             description, chain_position, hash) SELECT n, n, 'person', 'A', 'order.placed', 'order', n, \
             'Placed.', {position}, {hash} FROM counted"
        )
    };
    let long = ORDERS + 10;
    let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
    for sql in [
        entries(1, 7, false),
        "ANALYZE audit_log".to_owned(),
        "UPDATE audit_log SET chain_position = id, hash = 'h'".to_owned(),
        entries(8, long, true),
        entries(long + 1, long + 3, false),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    // Statistics are read with the schema.
    let store = Store::open(&database.url, StoreOptions::default()).await.unwrap();
    let mut tx = store.reader().await.unwrap();
    let meter = Meter::on(&mut tx, "with statistics of a short log").await;
    assert_eq!(tx.unsealed_audit(64).await.unwrap().len(), 3);
    meter.check_below(ORDERS / 20, "entries without a seal");
    assert_eq!(tx.count_unsealed_audit(500).await.unwrap(), 3);
    meter.check_below(ORDERS / 20, "how many have none");
}

async fn pages(tx: &mut Tx, when: &'static str) {
    let meter = Meter::on(tx, when).await;
    lists(tx, &meter).await;
    searches(tx, &meter).await;
    let newest =
        tx.orders_page(&OrderFilter::default(), OrderSort::Number, true, None, 1).await.unwrap();
    meter.check("the newest order");
    let order = &newest[0].order;
    let of = Candidates {
        organization: order.organization,
        product: &order.product,
        origin: None,
        limit: 20,
    };
    tx.candidates_with_names(of, &order.names, None).await.unwrap();
    meter.check("candidates by names");
    let common_name = Some(&order.common_name);
    tx.candidates_with_names(of, &order.names, common_name).await.unwrap();
    meter.check("candidates by names and common name");
    let names: Vec<Name> = order.names.iter().cloned().collect();
    tx.candidates_with_names_or_any(of, &order.names, &names).await.unwrap();
    meter.check("candidates by names or any name");
    let each: Vec<Vec<Name>> = names.into_iter().map(|name| vec![name]).collect();
    tx.candidates_covering(of, &each).await.unwrap();
    meter.check("candidates that cover names");
}

/// Runs an SQL command of the test's own.
async fn command(tx: &mut Tx, sql: &'static str) {
    crate::on!(tx, |conn| sqlx::raw_sql(sql).execute(&mut *conn).await.map(drop).unwrap());
}

/// Rows of all tables and indexes that this session has read; the count goes on within a transaction.
async fn rows_read(tx: &mut Tx) -> u64 {
    let sql = "SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + \
               CASE WHEN relkind = 'r' THEN pg_stat_get_xact_tuples_fetched(c.oid) ELSE 0 END)::bigint \
               FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
               WHERE nspname = 'public' AND relkind IN ('r', 'i')";
    let rows: i64 =
        crate::on!(tx, |conn| sqlx::query_scalar(sql).fetch_one(&mut *conn).await.unwrap());
    rows.try_into().unwrap()
}

/// A page of a list, and the rows that were read for it.
async fn page_of_postgresql(
    tx: &mut Tx,
    filter: &OrderFilter,
    (sort, descending): (OrderSort, bool),
    after: Option<&OrderKey>,
    limit: u32,
) -> (Vec<ListedOrder>, u64) {
    command(tx, "BEGIN").await;
    let before = rows_read(tx).await;
    let rows = tx.listed_orders_page(filter, sort, descending, after, limit).await.unwrap();
    let read = rows_read(tx).await - before;
    command(tx, "ROLLBACK").await;
    (rows, read)
}

/// Of some hundred orders in a window the rows of a page are read for each day.
#[tokio::test]
async fn postgresql_does_not_read_all_that_ends_within_some_days() {
    let Some(database) = postgres().await else { return };
    let database = seeded(database).await;
    let mut tx = database.store.reader().await.unwrap();
    let (ends_from, ends_until) = (Some(NOW), Some(NOW.plus_seconds(31 * DAY - 1)));
    let filter = OrderFilter { ends_from, ends_until, ..OrderFilter::default() };
    for sort in [OrderSort::Number, OrderSort::OrderedAt] {
        let order = (sort, true);
        let (all, read) = page_of_postgresql(&mut tx, &filter, order, None, 1_000).await;
        assert!((400..1_000).contains(&all.len()), "{} orders", all.len());
        assert!(read > all.len() as u64, "{read} rows by {sort:?}");
        let (page, read) = page_of_postgresql(&mut tx, &filter, order, None, 2).await;
        assert_eq!(page, all.get(..2).unwrap());
        assert!(read < 150, "{read} rows by {sort:?}");
    }
}

#[tokio::test]
async fn no_list_walks_a_table_of_postgresql() {
    let Some(database) = postgres().await else { return };
    let database = seeded(database).await;
    let mut tx = database.store.reader().await.unwrap();
    for filter in &filters() {
        for (sort, descending) in
            sorts(filter).into_iter().flat_map(|sort| [(sort, false), (sort, true)])
        {
            let mut after = None;
            for page in ["first", "second"] {
                let order = (sort, descending);
                let (rows, read) =
                    page_of_postgresql(&mut tx, filter, order, after.as_ref(), 50).await;
                let what = format!("{page} page of {filter:?} by {sort:?}, {descending}");
                assert!(read >= rows.len() as u64, "{what}: {read} rows");
                assert!(read < ALLOWED_ROWS, "{what}: {read} rows");
                let Some(last) = rows.last() else { break };
                after = Some(sort.listed_key(last));
            }
        }
    }
}
