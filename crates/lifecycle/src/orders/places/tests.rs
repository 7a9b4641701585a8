use domain::model::Role;

use super::MOST_PAGES;
use crate::Actor;
use crate::testing::desks;

#[tokio::test]
async fn a_text_that_means_too_much_is_not_looked_for_without_end() {
    for desk in desks().await {
        // More names than one page of a filtered search looks at, none of them the Limited User's.
        desk.seed_orders(&Actor::Operator, 10_000, 7, |_| {}).await.unwrap();
        let manager = Actor::Person(desk.person("manager@example.com", Role::Manager).await);
        let limited = Actor::Person(desk.person("limited@example.com", Role::Limited).await);
        let meant = async |actor: &Actor, pages: usize| {
            desk.meant_within(actor, "example", pages).await.unwrap().map(|found| found.len())
        };
        assert_eq!(meant(&manager, MOST_PAGES).await, None, "more than 1,000");
        assert_eq!(meant(&limited, 1).await, None, "the walk goes on behind one page");
        assert_eq!(meant(&limited, MOST_PAGES).await, Some(0), "to its end");
    }
}
