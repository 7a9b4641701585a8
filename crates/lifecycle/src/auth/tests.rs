use domain::model::Role;

use super::*;
use crate::testing::{PASSWORD, desks};

fn here() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

async fn try_in(desk: &Lifecycle, email: &str, password: &str) -> Result<SessionToken> {
    let credentials = Credentials { email: email.into(), password: password.into() };
    desk.sign_in(credentials, Some(here()), "test").await
}

#[tokio::test]
async fn a_session_opens_and_closes() {
    for desk in desks().await {
        desk.person("jane@example.com", Role::Manager).await;
        let token = try_in(&desk, " Jane@Example.com ", PASSWORD).await.unwrap();
        let person = desk.session(token.reveal(), Some(here())).await.unwrap().unwrap();
        assert_eq!((person.user.email.as_str(), person.role), ("jane@example.com", Role::Manager));
        assert!(!format!("{token:?}").contains(token.reveal()));
        for _ in ["once", "and with a page that was open meanwhile"] {
            desk.sign_out(&person, token.reveal()).await.unwrap();
        }
        assert!(desk.session(token.reveal(), Some(here())).await.unwrap().is_none());
        let told = desk.told("session.closed").await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].actor_id, Some(person.user.id.0));
        assert_eq!(told[0].address.as_deref(), Some("192.0.2.7"));
        assert!(desk.session("forged", Some(here())).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_session_ends_by_idleness_and_by_age() {
    for desk in desks().await {
        desk.person("jane@example.com", Role::Manager).await;
        let token = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap();
        let start = desk.real_now();
        let at = |seconds: i64| desk.session_at(token.reveal(), None, start.plus_seconds(seconds));
        assert!(at(sessions::IDLE_SECONDS + 60).await.unwrap().is_none());
        // A request each hour keeps it open, up to its age.
        for hour in 1..sessions::ABSOLUTE_SECONDS / 3_600 {
            assert!(at(hour * 3_600).await.unwrap().is_some(), "after {hour} hours");
        }
        assert!(at(sessions::ABSOLUTE_SECONDS + 60).await.unwrap().is_none());
        // The demonstration's clock signs nobody out.
        let fresh = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap();
        desk.clock().advance(domain::Days(400));
        assert!(desk.session(fresh.reveal(), None).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn wrong_unknown_and_disabled_answer_the_same() {
    for desk in desks().await {
        desk.person("jane@example.com", Role::Manager).await;
        let gone = desk.person("gone@example.com", Role::Standard).await;
        desk.set_user_disabled(&Actor::Operator, gone.user.id, true).await.unwrap();
        let mut answers = Vec::new();
        for (email, password) in [
            ("jane@example.com", "wrong password here"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            (&"x".repeat(5_000), PASSWORD),
            ("jane@example.com", &"x".repeat(1_000_000)),
        ] {
            answers.push(try_in(&desk, email, password).await.unwrap_err().to_string());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
}

#[tokio::test]
async fn guessing_is_throttled_by_email_and_by_address() {
    for desk in desks().await {
        desk.person("jane@example.com", Role::Manager).await;
        for _ in 0..10 {
            assert!(matches!(
                try_in(&desk, "jane@example.com", "guess").await,
                Err(LifecycleError::Invalid(_))
            ));
        }
        // Even the right one is not looked at any more.
        let refused = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap_err();
        assert!(
            matches!(refused, LifecycleError::Throttled { retry_after_seconds: 30..=91 }),
            "{refused:?}"
        );
        // Others from the same address are not kept out by that, until the address is used up.
        desk.person("john@example.com", Role::Manager).await;
        try_in(&desk, "john@example.com", PASSWORD).await.unwrap();
        let mut refused = 0;
        for number in 0..60 {
            let email = format!("nobody{number}@example.com");
            refused += i32::from(matches!(
                try_in(&desk, &email, "guess").await,
                Err(LifecycleError::Throttled { .. })
            ));
        }
        assert!(refused >= 5, "{refused}");
    }
}

/// Whoever knows an e-mail address keeps its owner out of their own network's portal only.
#[tokio::test]
async fn a_stranger_who_guesses_keeps_nobody_out() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let from = async |address: &str, password: &str| {
            let credentials =
                Credentials { email: "jane@example.com".into(), password: password.into() };
            desk.sign_in(credentials, Some(address.parse().unwrap()), "test").await
        };
        for _ in 0..10 {
            from("198.51.100.1", "guess").await.unwrap_err();
        }
        let refused = from("198.51.100.1", PASSWORD).await.unwrap_err();
        assert!(matches!(refused, LifecycleError::Throttled { .. }), "{refused:?}");
        from("192.0.2.7", PASSWORD).await.unwrap();
        // That was the owner; the guesses from everywhere go on counting.
        let mut tries = 0;
        let refused = loop {
            let refused = from(&format!("203.0.113.{tries}"), "guess").await.unwrap_err();
            match refused {
                LifecycleError::Throttled { .. } => break refused,
                _ => tries += 1,
            }
        };
        assert!(tries >= 85, "{tries}: {refused}");
        // A link lets its person in whatever others do.
        let link = desk.invite_user(&Actor::Operator, jane.user.id).await.unwrap();
        desk.choose_password(link.reveal(), "a wholly new sentence".into(), None, "test")
            .await
            .unwrap();
        from("192.0.2.8", "a wholly new sentence").await.unwrap();
    }
}

/// Guesses are counted in the database: who is kept out of one process is kept out of the next, until
/// the time is over that they were told.
#[tokio::test]
async fn guessing_is_throttled_on_all_nodes_and_over_a_restart() {
    for desk in desks().await {
        desk.person("jane@example.com", Role::Manager).await;
        for _ in 0..10 {
            try_in(&desk, "jane@example.com", "guess").await.unwrap_err();
        }
        let store = store::Store::open(desk.url(), store::StoreOptions::default()).await.unwrap();
        let next = Lifecycle::new(store, desk.clock().clone());
        let refused = try_in(&next, "jane@example.com", PASSWORD).await.unwrap_err();
        assert!(
            matches!(refused, LifecycleError::Throttled { retry_after_seconds: 30..=91 }),
            "{refused:?}"
        );
        // The demonstration's clock frees nobody.
        desk.clock().advance(domain::Days(1));
        try_in(&next, "jane@example.com", PASSWORD).await.unwrap_err();
        desk.tamper("UPDATE rate_buckets SET updated_at = updated_at - 91").await;
        try_in(&next, "jane@example.com", PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_links() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let here = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap();
        let elsewhere = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap();
        let link = desk.invite_user(&Actor::Operator, jane.user.id).await.unwrap();
        let change = |current: &str, new: &str| {
            desk.change_password(&jane, current.into(), new.into(), Some(here.reveal()))
        };
        assert!(change("wrong", "a wholly new sentence").await.is_err());
        assert!(change(PASSWORD, "short").await.is_err());
        change(PASSWORD, "a wholly new sentence").await.unwrap();
        assert!(desk.session(here.reveal(), None).await.unwrap().is_some());
        assert!(desk.session(elsewhere.reveal(), None).await.unwrap().is_none());
        assert!(desk.open_link(link.reveal(), None).await.is_err(), "the link before ended too");
        assert!(try_in(&desk, "jane@example.com", PASSWORD).await.is_err());
        try_in(&desk, "jane@example.com", "a wholly new sentence").await.unwrap();
    }
}

#[test]
fn an_ipv6_household_is_one_address() {
    let net = |text: &str| rate::network(text.parse().unwrap());
    assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff::9"));
    assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
    assert_eq!(net("::ffff:192.0.2.7"), "192.0.2.7");
}

#[tokio::test]
async fn sweeping_leaves_what_still_works() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let token = try_in(&desk, "jane@example.com", PASSWORD).await.unwrap();
        let link = desk.invite_user(&Actor::Operator, jane.user.id).await.unwrap();
        desk.sweep_sessions().await.unwrap();
        assert!(desk.session(token.reveal(), None).await.unwrap().is_some());
        desk.open_link(link.reveal(), None).await.unwrap();
        desk.tamper("UPDATE sessions SET expires_at = 1").await;
        desk.tamper("UPDATE one_time_links SET expires_at = 1").await;
        desk.sweep_sessions().await.unwrap();
        assert!(desk.session(token.reveal(), None).await.unwrap().is_none());
        assert!(desk.open_link(link.reveal(), None).await.is_err());
    }
}
