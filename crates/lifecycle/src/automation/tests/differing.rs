//! Orders that go on with a profile of another product or organization.

use domain::model::{EndpointAction, Profile, Role};
use domain::{Days, NameSet, ProfileId};

use super::{Obtain, ProfileForm, ScheduleForm, profile, yards};
use crate::Actor;

/// What goes on is the order: its product and organization, and its product holds the names.
#[tokio::test]
async fn a_renewal_keeps_its_orders_product_and_organization() {
    for yard in yards().await {
        let admin = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_wildcard", "*.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        yard.clock().advance(Days(180));
        let other =
            yard.add_organization(&Actor::Operator, "Other GmbH", "DE", true).await.unwrap();
        let standard = yard.shop.profile(&admin, yard.profile).await.unwrap().profile;
        let elsewhere = Profile {
            id: ProfileId(0),
            name: "Elsewhere".to_owned(),
            organization: other,
            ..standard
        };
        let form = ProfileForm { profile: elsewhere, version: None, update_scheduled: false };
        let elsewhere = yard.save_profile(&admin, form).await.unwrap();
        let private = profile(&yard, "private_ssl_plus", "Private").await;
        let obtain = Obtain::New { common_name: None, names: NameSet::default() };
        let renewal = yard.form(endpoint, EndpointAction::Renew, obtain);
        for profile in [yard.profile, private, elsewhere] {
            let form = ScheduleForm { profile, ..renewal.clone() };
            let told = yard.preview(&admin, &form).await.unwrap();
            assert_eq!(
                (told.product.id, told.organization.as_str()),
                ("ssl_wildcard", "Example GmbH")
            );
            assert_eq!(told.source.map(|order| order.number), Some(sold.order));
        }
        yard.schedule(&admin, ScheduleForm { profile: elsewhere, ..renewal }).await.unwrap();
        yard.send_csr().await;
        let order = yard.file(yard.install().await.certificate.order).await.order;
        assert_eq!((order.product.as_str(), order.renews), ("ssl_wildcard", Some(sold.order)));
        assert_eq!(order.organization, yard.organization);
    }
}
