//! Automation profiles.

use domain::model::{AutoRenew, Organization, Profile};
use domain::product::CATALOGUE;
use domain::{Days, OrganizationId, Product, ProductId, ProfileId, Timestamp, UserId};
use sqlx::QueryBuilder;

use crate::keyset::{Key, Rows, push_rows};
use crate::users::like;
use crate::value::{from_json, parse, small, to_json};
use crate::{StoreError, Tx, on};

const PROFILES: &str = "SELECT p.id, p.name, p.product_id, p.organization_id, p.coverage_years, \
     p.validity_days, p.ends_by, p.key_type, p.signature_hash, p.auto_renew_days, p.auto_renew_minute, \
     p.auto_renew_time_zone, p.is_default, p.allow_duplicates, p.emails, p.version, p.updated_at, \
     o.name AS organization_name, o.country, o.locality, o.registration_number, o.validated_until \
     FROM profiles p JOIN organizations o ON o.id = p.organization_id";

/// A profile with the number of its changes, for compare and set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRecord {
    /// The profile.
    pub profile: Profile,
    /// Its organization.
    pub organization: Organization,
    /// How often it was saved.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: Timestamp,
}

/// What the list of profiles is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProfileSort {
    /// By name.
    #[default]
    Name,
    /// By the product's name.
    Product,
    /// By the organization's name.
    Organization,
    /// When they were saved last.
    Saved,
}

impl ProfileSort {
    fn column(self) -> String {
        match self {
            Self::Name => "p.name".to_owned(),
            Self::Product => product_names(),
            Self::Organization => "o.name".to_owned(),
            Self::Saved => "p.updated_at".to_owned(),
        }
    }

    /// The key of a profile of `organization` under this sort.
    pub fn key(self, profile: &Profile, organization: &str, updated_at: Timestamp) -> Key {
        let product = || Product::find(profile.product.as_str()).map_or("", |known| known.name);
        match self {
            Self::Name => Key::Text(profile.name.clone()),
            Self::Product => Key::Text(product().to_owned()),
            Self::Organization => Key::Text(organization.to_owned()),
            Self::Saved => Key::Number(updated_at.0),
        }
    }
}

/// The name of a profile's product: only the catalogue knows it.
fn product_names() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let names = CATALOGUE
        .iter()
        .map(|product| format!(" WHEN {} THEN {}", quoted(product.id), quoted(product.name)));
    format!("CASE p.product_id{} ELSE '' END", names.collect::<String>())
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    product_id: String,
    organization_id: i64,
    coverage_years: Option<i64>,
    validity_days: Option<i64>,
    ends_by: Option<i64>,
    key_type: String,
    signature_hash: String,
    auto_renew_days: Option<i64>,
    auto_renew_minute: Option<i64>,
    auto_renew_time_zone: Option<String>,
    is_default: bool,
    allow_duplicates: bool,
    emails: String,
    version: i64,
    updated_at: i64,
    organization_name: String,
    country: String,
    locality: Option<String>,
    registration_number: Option<String>,
    validated_until: Option<i64>,
}

impl TryFrom<Row> for ProfileRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let auto_renew =
            match (row.auto_renew_days, row.auto_renew_minute, row.auto_renew_time_zone) {
                (Some(days), Some(minute), Some(time_zone)) => Some(AutoRenew {
                    days_before: Days(days),
                    minute_of_day: small("profiles.auto_renew_minute", minute)?,
                    time_zone,
                }),
                _ => None,
            };
        Ok(Self {
            profile: Profile {
                id: ProfileId(row.id),
                name: row.name,
                product: ProductId(row.product_id),
                organization: OrganizationId(row.organization_id),
                coverage_years: row
                    .coverage_years
                    .map(|years| small("profiles.coverage_years", years))
                    .transpose()?,
                validity_days: row.validity_days.map(Days),
                ends_by: row.ends_by.map(Timestamp),
                key_type: parse("profiles.key_type", &row.key_type)?,
                signature_hash: parse("profiles.signature_hash", &row.signature_hash)?,
                auto_renew,
                is_default: row.is_default,
                allow_duplicates: row.allow_duplicates,
                emails: from_json("profiles.emails", &row.emails)?,
            },
            organization: Organization {
                id: OrganizationId(row.organization_id),
                name: row.organization_name,
                country: row.country,
                locality: row.locality,
                registration_number: row.registration_number,
                validated_until: row.validated_until.map(Timestamp),
            },
            version: row.version,
            updated_at: Timestamp(row.updated_at),
        })
    }
}

impl Tx {
    /// All profiles by name. There are few: they are chosen from, never searched.
    pub async fn profiles(&mut self) -> Result<Vec<ProfileRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{PROFILES} ORDER BY p.name LIMIT 1000"));
        let rows: Vec<Row> = on!(self, |conn| sqlx::query_as(sql).fetch_all(&mut *conn).await?);
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Profiles where `text` is in the name, the product's or the organization's, in any case.
    pub async fn profiles_page(
        &mut self,
        text: Option<&str>,
        sort: ProfileSort,
        page: &Rows,
    ) -> Result<Vec<ProfileRecord>, StoreError> {
        let rows: Vec<Row> = on!(self, |conn| {
            let mut query = QueryBuilder::new(PROFILES);
            query.push(" WHERE 1 = 1");
            if let Some(text) = text {
                for (column, mark) in
                    [("p.name", " AND ("), ("o.name", " OR "), (&product_names(), " OR ")]
                {
                    query.push(format_args!("{mark}LOWER({column}) LIKE "));
                    query.push_bind(like(text)).push(" ESCAPE '!'");
                }
                query.push(")");
            }
            push_rows!(query, &sort.column(), "p.id", page);
            query.build_query_as().fetch_all(&mut *conn).await?
        });
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// One profile.
    pub async fn profile(&mut self, id: ProfileId) -> Result<Option<ProfileRecord>, StoreError> {
        let sql = sqlx::AssertSqlSafe(format!("{PROFILES} WHERE p.id = $1"));
        let row: Option<Row> =
            on!(self, |conn| sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?);
        row.map(TryInto::try_into).transpose()
    }

    /// Inserts a profile; its `id` is ignored.
    pub async fn insert_profile(
        &mut self,
        profile: &Profile,
        now: Timestamp,
        by: Option<UserId>,
    ) -> Result<ProfileId, StoreError> {
        let emails = to_json("profiles.emails", &profile.emails)?;
        let renew = profile.auto_renew.as_ref();
        let id: i64 = on!(self, |conn| {
            sqlx::query_scalar(
                "INSERT INTO profiles (name, product_id, organization_id, coverage_years, validity_days, key_type, \
                 signature_hash, auto_renew_days, auto_renew_minute, auto_renew_time_zone, is_default, \
                 allow_duplicates, emails, created_at, updated_at, updated_by, ends_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16) RETURNING id",
            )
            .bind(&profile.name)
            .bind(profile.product.as_str())
            .bind(profile.organization.0)
            .bind(profile.coverage_years.map(i64::from))
            .bind(profile.validity_days.map(|days| days.0))
            .bind(profile.key_type.as_str())
            .bind(profile.signature_hash.as_str())
            .bind(renew.map(|renew| renew.days_before.0))
            .bind(renew.map(|renew| i64::from(renew.minute_of_day)))
            .bind(renew.map(|renew| renew.time_zone.as_str()))
            .bind(profile.is_default)
            .bind(profile.allow_duplicates)
            .bind(emails.as_str())
            .bind(now.0)
            .bind(by.map(|by| by.0))
            .bind(profile.ends_by.map(|end| end.0))
            .fetch_one(&mut *conn)
            .await?
        });
        Ok(ProfileId(id))
    }

    /// Saves a profile where it is still at `version`; false where somebody saved it meanwhile.
    pub async fn update_profile(
        &mut self,
        profile: &Profile,
        version: i64,
        now: Timestamp,
        by: Option<UserId>,
    ) -> Result<bool, StoreError> {
        let emails = to_json("profiles.emails", &profile.emails)?;
        let renew = profile.auto_renew.as_ref();
        let saved: Option<i64> = on!(self, |conn| {
            sqlx::query_scalar(
                "UPDATE profiles SET name = $3, product_id = $4, organization_id = $5, coverage_years = $6, \
                 validity_days = $7, key_type = $8, signature_hash = $9, auto_renew_days = $10, \
                 auto_renew_minute = $11, auto_renew_time_zone = $12, is_default = $13, allow_duplicates = $14, \
                 emails = $15, updated_at = $16, updated_by = $17, ends_by = $18, \
                 version = version + 1 \
                 WHERE id = $1 AND version = $2 RETURNING id",
            )
            .bind(profile.id.0)
            .bind(version)
            .bind(&profile.name)
            .bind(profile.product.as_str())
            .bind(profile.organization.0)
            .bind(profile.coverage_years.map(i64::from))
            .bind(profile.validity_days.map(|days| days.0))
            .bind(profile.key_type.as_str())
            .bind(profile.signature_hash.as_str())
            .bind(renew.map(|renew| renew.days_before.0))
            .bind(renew.map(|renew| i64::from(renew.minute_of_day)))
            .bind(renew.map(|renew| renew.time_zone.as_str()))
            .bind(profile.is_default)
            .bind(profile.allow_duplicates)
            .bind(emails.as_str())
            .bind(now.0)
            .bind(by.map(|by| by.0))
            .bind(profile.ends_by.map(|end| end.0))
            .fetch_optional(&mut *conn)
            .await?
        });
        Ok(saved.is_some())
    }

    /// Takes the default mark from every other profile; those that had it, with their names.
    pub async fn clear_other_default_profiles(
        &mut self,
        keep: ProfileId,
    ) -> Result<Vec<(ProfileId, String)>, StoreError> {
        let had: Vec<(i64, String)> = on!(self, |conn| {
            sqlx::query_as(
                "UPDATE profiles SET is_default = FALSE WHERE is_default AND id <> $1 \
                 RETURNING id, name",
            )
            .bind(keep.0)
            .fetch_all(&mut *conn)
            .await?
        });
        Ok(had.into_iter().map(|(id, name)| (ProfileId(id), name)).collect())
    }

    /// Locks a profile for the rest of a write transaction: no endpoint begins to name it meanwhile. On
    /// `SQLite` writers follow one another anyway.
    pub async fn lock_profile(&mut self, id: ProfileId) -> Result<(), StoreError> {
        if let Self::Postgres(session) = self {
            sqlx::query("SELECT 1 FROM profiles WHERE id = $1 FOR UPDATE")
                .bind(id.0)
                .execute(&mut **session)
                .await?;
        }
        Ok(())
    }

    /// Whether an endpoint that is there renews with this profile.
    pub async fn is_renewed_with(&mut self, id: ProfileId) -> Result<bool, StoreError> {
        Ok(on!(self, |conn| {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM endpoints WHERE profile_id = $1 AND auto_renew \
                 AND gone_at IS NULL)",
            )
            .bind(id.0)
            .fetch_one(&mut *conn)
            .await?
        }))
    }

    /// Removes a profile; endpoints that name it name none any more.
    pub async fn delete_profile(&mut self, id: ProfileId) -> Result<(), StoreError> {
        for sql in [
            "UPDATE endpoints SET profile_id = NULL WHERE profile_id = $1",
            "DELETE FROM profiles WHERE id = $1",
        ] {
            on!(self, |conn| sqlx::query(sql).bind(id.0).execute(&mut *conn).await.map(drop)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::model::{KeyType, SignatureHash};

    use super::*;
    use crate::Store;
    use crate::samples::{NOW, organizations};
    use crate::testing::databases;

    fn sample(name: &str, product: &str, organization: i64) -> Profile {
        Profile {
            id: ProfileId(0),
            name: name.to_owned(),
            product: ProductId::from(product),
            organization: OrganizationId(organization),
            coverage_years: None,
            validity_days: None,
            ends_by: None,
            key_type: KeyType::EcP256,
            signature_hash: SignatureHash::Sha256,
            auto_renew: None,
            is_default: false,
            allow_duplicates: true,
            emails: Vec::new(),
        }
    }

    /// Five profiles, saved one after the other.
    async fn five(store: &Store) {
        organizations(store, 2).await;
        let made: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    for (at, (name, product, organization)) in [
                        ("c", "ssl_dv_geotrust", 1),
                        ("b", "ssl_plus", 2),
                        ("a", "ssl_dv_geotrust", 2),
                        ("e", "no_longer_sold", 1),
                        ("d", "ssl_plus", 1),
                    ]
                    .into_iter()
                    .enumerate()
                    {
                        let now = NOW.plus_seconds(i64::try_from(at).unwrap());
                        tx.insert_profile(&sample(name, product, organization), now, None).await?;
                    }
                    Ok(())
                })
            })
            .await;
        made.unwrap();
    }

    fn names(records: &[ProfileRecord]) -> String {
        records.iter().map(|record| record.profile.name.as_str()).collect()
    }

    #[tokio::test]
    async fn every_sort_walks_over_all_profiles_once_both_ways() {
        for database in databases().await {
            five(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            for (sort, order) in [
                (ProfileSort::Name, "abcde"),
                (ProfileSort::Product, "ecabd"),
                (ProfileSort::Organization, "cedba"),
                (ProfileSort::Saved, "cbaed"),
            ] {
                for descending in [false, true] {
                    let mut walked = String::new();
                    let mut page = Rows { beyond: None, descending, limit: 2 };
                    loop {
                        let found = tx.profiles_page(None, sort, &page).await.unwrap();
                        let Some(record) = found.last() else { break };
                        let organization = &record.organization.name;
                        assert_eq!(
                            organization,
                            &format!("Organization {}", record.profile.organization)
                        );
                        let key = sort.key(&record.profile, organization, record.updated_at);
                        page.beyond = Some((key, record.profile.id.0));
                        walked.push_str(&names(&found));
                    }
                    let order: String =
                        if descending { order.chars().rev().collect() } else { order.to_owned() };
                    assert_eq!(walked, order, "{} {sort:?} {descending}", database.kind);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_profile_is_read_as_it_was_saved() {
        for database in databases().await {
            five(&database.store).await;
            let saved = database.store.write(|tx| {
                Box::pin(async move {
                    let mut profile = sample("f", "ssl_plus", 1);
                    profile.ends_by = Some(NOW);
                    profile.id = tx.insert_profile(&profile, NOW, None).await?;
                    let first = tx.profile(profile.id).await?.map(|record| record.profile);
                    assert_eq!(first.as_ref(), Some(&profile));
                    profile.ends_by = Some(NOW.plus_seconds(5));
                    assert!(tx.update_profile(&profile, 1, NOW, None).await?);
                    let second = tx.profile(profile.id).await?.map(|record| record.profile);
                    assert_eq!(second.as_ref(), Some(&profile));
                    Ok::<_, StoreError>(())
                })
            });
            saved.await.unwrap();
        }
    }

    #[tokio::test]
    async fn profiles_are_found_by_name_product_and_organization() {
        for database in databases().await {
            five(&database.store).await;
            let mut tx = database.store.reader().await.unwrap();
            let page = Rows { beyond: None, descending: false, limit: 10 };
            let geotrust = Product::find("ssl_dv_geotrust").unwrap().name.to_uppercase();
            for (text, found) in
                [("A", "abcde"), ("organization 2", "ab"), (&geotrust, "ac"), ("%", ""), ("'", "")]
            {
                let records = tx.profiles_page(Some(text), ProfileSort::Name, &page).await.unwrap();
                assert_eq!(names(&records), found, "{} {text}", database.kind);
            }
        }
    }
}
