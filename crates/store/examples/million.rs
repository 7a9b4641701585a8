//! Loads synthetic orders into an empty database and times what pages and rules look up.
//!
//! `cargo run -p certdeck-store --example million -- sqlite:///tmp/million.db 1000000`

use std::time::Instant;

use certdeck_store as store;
use domain::model::{Coverage, KeyType, OrderStatus, Origin, SignatureHash};
use domain::{Name, OrderNumber, OrganizationId, Timestamp};
use store::candidates::Candidates;
use store::orders::{NewOrder, OrderFilter, OrderSort};
use store::search::{NameQuery, SearchFilter};
use store::seed::Seed;
use store::{Store, StoreError, StoreOptions, Tx};

const NOW: Timestamp = Timestamp(1_795_000_000);
const ORGANIZATIONS: i64 = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("give the database's address")?;
    let orders: u64 = arguments.next().ok_or("give the number of orders")?.parse()?;
    let store = Store::open(&url, StoreOptions::default()).await?;
    if !store.schema_is_current().await? {
        store.migrate().await?;
        load(&store, orders).await?;
    }
    let mut tx = store.reader().await?;
    // The first round warms the caches.
    for round in ["cold", "warm"] {
        println!("-- {round}");
        lists(&mut tx).await?;
        searches(&mut tx).await?;
        candidates(&mut tx).await?;
    }
    drop(tx);
    println!("-- writes, each an order of three names and its move to issued");
    for writers in [1, 8, 32] {
        writes(&store, writers).await?;
    }
    store.close().await;
    Ok(())
}

async fn load(store: &Store, orders: u64) -> Result<(), Box<dyn std::error::Error>> {
    let made: Result<(), StoreError> = store.write(|tx| Box::pin(organizations(tx))).await;
    made?;
    let seed = Seed {
        orders,
        seed: 1,
        now: NOW,
        first_number: OrderNumber(100_000_001),
        organizations: (1..=ORGANIZATIONS).map(OrganizationId).collect(),
    };
    let start = Instant::now();
    let made = seed.orders().map(|loaded| loaded.file.order.names.len()).sum::<usize>();
    println!("generating: {:.1?}, {made} names", start.elapsed());
    let start = Instant::now();
    let loaded = store
        .load_orders(seed.orders(), orders, NOW, None, |done| {
            if done % 100_000 == 0 {
                println!("{done} rows sent after {:.1?}", start.elapsed());
            }
        })
        .await?;
    println!("loaded {loaded} orders in {:.1?}", start.elapsed());
    Ok(())
}

async fn organizations(tx: &mut Tx) -> Result<(), StoreError> {
    for id in 1..=ORGANIZATIONS {
        let sql =
            "INSERT INTO organizations (id, name, country, created_at) VALUES ($1, $2, 'DE', 0)";
        let name = format!("Organization {id}");
        match tx {
            Tx::Sqlite(session) => {
                sqlx::query(sql).bind(id).bind(name).execute(session).await.map(drop)
            }
            Tx::Postgres(session) => {
                sqlx::query(sql).bind(id).bind(name).execute(&mut **session).await.map(drop)
            }
        }?;
    }
    Ok(())
}

/// Durable writes a second, by so many writers at once.
async fn writes(store: &Store, writers: usize) -> Result<(), Box<dyn std::error::Error>> {
    const EACH: usize = 40;
    let start = Instant::now();
    let works = (0..writers).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..EACH {
                let done: Result<(), StoreError> = store
                    .write(move |tx| {
                        Box::pin(async move { one_order(tx, writer * EACH + number).await })
                    })
                    .await;
                done?;
            }
            Ok::<(), StoreError>(())
        })
    });
    for work in works.collect::<Vec<_>>() {
        work.await??;
    }
    let count = u32::try_from(writers * EACH)?;
    println!("{writers} writers: {:.2?} for each of {count}", start.elapsed() / count);
    Ok(())
}

async fn one_order(tx: &mut Tx, salt: usize) -> Result<(), StoreError> {
    let name = |host: &str| format!("{host}{salt}.written.example.com").parse::<Name>();
    let (Ok(common_name), Ok(second), Ok(third)) = (name("www"), name("api"), name("mail")) else {
        return Err(StoreError::NotFound);
    };
    let new = NewOrder {
        number: None,
        organization: OrganizationId(1),
        product: "ssl_plus".into(),
        names: [common_name.clone(), second, third].into_iter().collect(),
        common_name,
        status: OrderStatus::Pending,
        origin: Origin::Acme,
        coverage: Coverage::Single,
        ordered_at: NOW,
        issued_at: None,
        renews: None,
        auto_renew: false,
        validity_days: None,
        key_type: KeyType::EcP256,
        signature_hash: SignatureHash::Sha256,
        acme_url: None,
        acme_account: None,
        profile: None,
        requester: None,
        requester_name: None,
        idempotency_key: None,
        note: None,
        certificate_until: None,
    };
    let number = tx.insert_order(&new).await?.ok_or(StoreError::NotFound)?.number;
    tx.move_order(number, OrderStatus::Pending, OrderStatus::Issued).await?;
    Ok(())
}

async fn lists(tx: &mut Tx) -> Result<(), StoreError> {
    let all = OrderFilter::default();
    let status = OrderFilter { status: Some(OrderStatus::Revoked), ..all.clone() };
    let origin = OrderFilter { origin: Some(Origin::Acme), ..all.clone() };
    let organization = OrderFilter { organization: Some(OrganizationId(7)), ..all.clone() };
    let product = OrderFilter { product: Some("ssl_wildcard".into()), ..all.clone() };
    let expiring = OrderFilter {
        status: Some(OrderStatus::Issued),
        ends_from: Some(NOW),
        ends_until: Some(NOW.plus_seconds(30 * 86_400)),
        ..all.clone()
    };
    for (name, filter) in [
        ("all", all),
        ("status", status),
        ("origin", origin),
        ("organization", organization),
        ("product", product),
        ("expiring", expiring),
    ] {
        for sort in
            [OrderSort::Number, OrderSort::OrderedAt, OrderSort::ValidTill, OrderSort::CommonName]
        {
            let start = Instant::now();
            let page = tx.orders_page(&filter, sort, true, None, 50).await?;
            let first = start.elapsed();
            let mut second = first;
            if let Some(last) = page.last() {
                let start = Instant::now();
                tx.orders_page(&filter, sort, true, Some(&sort.key(last)), 50).await?;
                second = start.elapsed();
            }
            println!(
                "list {name} by {sort:?}: {first:.2?}, next page {second:.2?}, {} rows",
                page.len()
            );
        }
    }
    Ok(())
}

async fn searches(tx: &mut Tx) -> Result<(), StoreError> {
    let mut texts = vec![
        "\"www0.amber0.example.com\"",
        "www",
        "www.",
        "w",
        "maple1234",
        ".example.com",
        "le12345.ex",
        "example",
        "nothing-like-it",
        "tal2.iris",
        "com",
        "99.ex",
        ".quartz2000.example",
    ];
    texts.sort_unstable();
    for text in texts {
        let Some(query) = NameQuery::typed(text) else { continue };
        for (what, filter) in [
            ("all", SearchFilter::default()),
            (
                "one organization",
                SearchFilter { organization: Some(OrganizationId(3)), ..SearchFilter::default() },
            ),
        ] {
            let start = Instant::now();
            let page = tx.search_orders(&query, &filter, None, 50).await?;
            let more = if page.next.is_some() { ", more" } else { "" };
            println!(
                "search {text} in {what}: {:.2?}, {} orders{more}",
                start.elapsed(),
                page.orders.len()
            );
        }
    }
    Ok(())
}

async fn candidates(tx: &mut Tx) -> Result<(), StoreError> {
    let page = tx.orders_page(&OrderFilter::default(), OrderSort::Number, true, None, 200).await?;
    let Some(order) =
        page.iter().map(|record| &record.order).find(|order| order.common_name.is_wildcard())
    else {
        return Ok(());
    };
    let of = Candidates {
        organization: order.organization,
        product: &order.product,
        origin: None,
        limit: 50,
    };
    let start = Instant::now();
    let found = tx.candidates_with_names(of, &order.names, None).await?;
    println!("candidates by names: {:.2?}, {}", start.elapsed(), found.len());
    let below: Option<Name> =
        format!("a.b.{}", order.common_name.as_str().trim_start_matches("*.")).parse().ok();
    let wildcards: Vec<Name> = below
        .iter()
        .flat_map(Name::ancestors)
        .filter_map(|domain| Name::parse(&format!("*.{domain}")).ok())
        .collect();
    let start = Instant::now();
    let found = tx.candidates_with_names_or_any(of, &order.names, &wildcards).await?;
    println!("candidates by names or wildcards: {:.2?}, {}", start.elapsed(), found.len());
    Ok(())
}
