//! The list of ACME Directory URLs, a page at a time.

use store::acme::{AcmeUrlFilter, AcmeUrlLine, AcmeUrlSort};

use super::urls::require_approver;
use crate::lists::{PageOf, Slice};
use crate::{Actor, Lifecycle, Result};

impl Lifecycle {
    /// URLs that the filter shows.
    pub async fn acme_url_list(
        &self,
        actor: &Actor,
        filter: &AcmeUrlFilter,
        page: &PageOf<AcmeUrlSort>,
    ) -> Result<Slice<AcmeUrlLine>> {
        require_approver(actor)?;
        let mut tx = self.store().reader().await?;
        Ok(page.slice(tx.acme_url_lines(filter, page.sort, &page.rows()).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acme::NewAcmeUrl;
    use crate::lists::Key;
    use crate::testing::issuing::shops;

    fn names(slice: Slice<AcmeUrlLine>) -> Vec<String> {
        slice.rows.into_iter().map(|line| line.record.url.name).collect()
    }

    async fn only(desk: &Lifecycle, filter: AcmeUrlFilter) -> Vec<String> {
        let page = PageOf::first(AcmeUrlSort::Made, 10);
        names(desk.acme_url_list(&Actor::Operator, &filter, &page).await.unwrap())
    }

    #[tokio::test]
    async fn urls_are_filtered_sorted_and_paged() {
        for shop in shops().await {
            let (actor, all) = (Actor::Operator, AcmeUrlFilter::default());
            let organization = shop.organization;
            let mut kids = Vec::new();
            for name in ["beta", "alpha", "gamma"] {
                let new = NewAcmeUrl::permissive(name, "ssl_plus".into(), organization);
                let (url, credential) = shop.create_acme_url(&actor, new).await.unwrap();
                kids.push((url.id, credential.kid));
            }
            shop.revoke_acme_url(&actor, kids[2].0).await.unwrap();

            let page = PageOf::first(AcmeUrlSort::Name, 2);
            let first = shop.acme_url_list(&actor, &all, &page).await.unwrap();
            assert!(first.after && !first.before);
            assert_eq!(names(first), ["alpha", "beta"]);
            let beyond = Some((Key::Text("beta".to_owned()), kids[0].0.0));
            let next = shop.acme_url_list(&actor, &all, &PageOf { beyond, ..page }).await.unwrap();
            assert_eq!(names(next), ["gamma"]);

            let kid = kids[1].1.chars().take(12).collect::<String>();
            let text = |text: &str| AcmeUrlFilter {
                text: Some(text.to_owned()),
                ..AcmeUrlFilter::default()
            };
            assert_eq!(only(&shop, text(&kid)).await, ["alpha"], "by the start of its KID");
            assert_eq!(only(&shop, text("GAM")).await, ["gamma"]);
            let revoked = AcmeUrlFilter { revoked: Some(true), ..AcmeUrlFilter::default() };
            assert_eq!(only(&shop, revoked).await, ["gamma"]);
            let foreign =
                AcmeUrlFilter { product: Some("ssl_wildcard".into()), ..AcmeUrlFilter::default() };
            assert!(only(&shop, foreign).await.is_empty());
        }
    }
}
