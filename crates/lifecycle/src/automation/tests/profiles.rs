//! Profiles: what is listed by them, what deleting and saving one does, and what is told of it.

use domain::ProfileId;
use domain::model::{Profile, Role};

use super::{ProfileForm, profile, renewing, yards};
use crate::testing::issuing::names;
use crate::{Actor, LifecycleError};

/// Endpoints keep in mind which profile was used last: that alone holds none of them back.
#[tokio::test]
async fn a_profile_that_nobody_renews_with_is_deleted() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let (used, taken) = (yard.endpoint(1, None).await, yard.endpoint(2, None).await);
        let (one, two) =
            (profile(&yard, "ssl_plus", "one").await, profile(&yard, "ssl_plus", "two").await);
        let form = super::ScheduleForm { profile: one, ..yard.fresh(used, "www.example.com") };
        yard.schedule(&manager, form).await.unwrap();
        yard.send_csr().await;
        yard.install().await;
        let renews = async |with: ProfileId| {
            yard.set_auto_renew(&manager, vec![taken], Some(with), Some(renewing(30)), false).await
        };
        renews(two).await.unwrap();

        yard.delete_profile(&manager, one).await.unwrap();
        let left = yard.shop.endpoint(&Actor::Operator, used).await.unwrap();
        assert_eq!(left.profile, None);
        let told = yard.told("profile.deleted").await;
        assert!(told[0].old.as_ref().unwrap().contains("ssl_plus"), "{:?}", told[0].old);

        let refused = yard.delete_profile(&manager, two).await;
        assert!(matches!(refused, Err(LifecycleError::Conflict { .. })), "{refused:?}");
        let kept = yard.shop.endpoint(&Actor::Operator, taken).await.unwrap();
        assert_eq!(kept.profile, Some(two));
        yard.take_away(2).await;
        yard.delete_profile(&manager, two).await.unwrap();
    }
}

#[tokio::test]
async fn the_loss_of_the_default_mark_is_told() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let other = profile(&yard, "ssl_plus", "other").await;
        let stored = yard.shop.profile(&manager, other).await.unwrap();
        let profile = Profile { is_default: true, ..stored.profile };
        let form = ProfileForm { profile, version: Some(stored.version), update_scheduled: false };
        yard.save_profile(&manager, form).await.unwrap();
        let told = yard.told("profile.default_moved").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].resource_id, yard.profile.to_string());
        assert!(!yard.shop.profile(&manager, yard.profile).await.unwrap().profile.is_default);
    }
}

/// However many newer orders hold one of the names alone.
#[tokio::test]
async fn d9_the_order_that_holds_all_typed_names_is_listed() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let all = "www.example.com a.example.com b.example.com";
        let wanted = yard.sell("ssl_multi_domain", all).await.order;
        for _ in 0..51 {
            yard.sell("ssl_multi_domain", "www.example.com a.example.com").await;
        }
        let with = profile(&yard, "ssl_multi_domain", "multi").await;
        let with = yard.profile(&manager, with).await.unwrap().profile;
        let typed = names("a.example.com b.example.com");
        let found = yard.duplicate_candidates(&manager, &with, &typed).await.unwrap();
        assert_eq!(found.1.orders, [wanted]);
    }
}
