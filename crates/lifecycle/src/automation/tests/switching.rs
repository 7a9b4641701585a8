//! Auto-renew switched on, changed and off, and what is told of it.

use domain::model::Role;
use serde_json::Value;

use super::{ScheduleForm, renewing, yards};
use crate::Actor;

/// The audit log tells what somebody changed, and nothing where nobody did.
#[tokio::test]
async fn the_log_tells_what_of_auto_renew_was_changed() {
    for yard in yards().await {
        let manager = yard.somebody(Role::Manager).await;
        let other = yard.somebody(Role::Administrator).await;
        let sold = yard.sell("ssl_plus", "www.example.com").await;
        let record = yard.certificates(sold.order).await.remove(0);
        let endpoint = yard.endpoint(1, Some(&record)).await;
        let profile = super::profile(&yard, "ssl_plus", "second").await;
        let told = async || yard.told("endpoint.auto_renew").await;

        let elsewhere = yard.endpoint(2, None).await;
        let ticked_nothing =
            ScheduleForm { auto_replace: true, ..yard.fresh(elsewhere, "api.example.com") };
        yard.schedule(&manager, ticked_nothing).await.unwrap();
        assert_eq!(told().await.len(), 0, "it was off and stays off");
        let shown = yard.shop.endpoint(&Actor::Operator, elsewhere).await.unwrap();
        assert_eq!((shown.profile, shown.auto_replace), (Some(yard.profile), false));

        let on = Some(renewing(30));
        let steps = [
            (&manager, yard.profile, on.clone(), false, "on", ""),
            (&manager, yard.profile, on.clone(), true, "changed", "auto_replace"),
            (&manager, profile, on.clone(), true, "changed", "profile"),
            (&other, profile, on.clone(), true, "changed", "owner"),
            (&other, profile, Some(renewing(20)), true, "changed", "auto_renew"),
            (&other, profile, None, true, "off", ""),
        ];
        for (count, (actor, profile, renew, replace, word, what)) in (1..).zip(steps) {
            for _ in ["once", "and with nothing changed"] {
                let to = (Some(profile), renew.clone(), replace);
                yard.set_auto_renew(actor, vec![endpoint], to.0, to.1, to.2).await.unwrap();
            }
            let told = told().await;
            assert_eq!(told.len(), count, "{word} {what}");
            assert!(told[0].description.ends_with(&format!("{word}.")), "{}", told[0].description);
            assert_ne!(told[0].old, told[0].new);
            let read = |text: &Option<String>| -> Value {
                text.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
            };
            let (old, new) = (read(&told[0].old), read(&told[0].new));
            if word == "changed" {
                assert_ne!(old[what], new[what], "{what}");
            }
        }
    }
}
