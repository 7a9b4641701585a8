//! What the lists of profiles and agents show.

use domain::model::Role;

use super::*;
use crate::LifecycleError;
use crate::automation::{AgentFilter, AgentSort, ProfileFilter, ProfileSort};
use crate::lists::PageOf;

#[tokio::test]
async fn profiles_are_told_apart_by_what_they_need() {
    for yard in yards().await {
        for name in ["a", "b", "c", "d"] {
            profile(&yard, "ssl_plus", name).await;
        }
        let list = async |active: Option<bool>, page: &PageOf<ProfileSort>| {
            let filter = ProfileFilter { text: None, active };
            yard.profile_list(&Actor::Operator, &filter, page).await.unwrap()
        };
        let names = |rows: &[super::super::ProfileView]| -> String {
            rows.iter().map(|view| view.profile.name.as_str()).collect()
        };
        let mut page = PageOf::first(ProfileSort::Name, 2);
        page.descending = true;
        let first = list(Some(true), &page).await;
        assert_eq!((names(&first.rows).as_str(), first.after), ("dc", true));
        assert!(list(Some(false), &page).await.rows.is_empty());

        // Its organization's validation is over: the list is searched to its end.
        yard.validate_organization(&Actor::Operator, yard.organization, false).await.unwrap();
        assert!(list(Some(true), &page).await.rows.is_empty());
        let shown = first.rows.last().unwrap();
        page.beyond = Some((shown.key(ProfileSort::Name), shown.profile.id.0));
        assert_eq!(names(&list(Some(false), &page).await.rows), "ba");
        page.backwards = true;
        let before = list(Some(false), &page).await;
        assert_eq!((names(&before.rows).as_str(), before.before), ("d", false));

        let limited = yard.somebody(Role::Limited).await;
        let refused = yard.profile_list(&limited, &ProfileFilter::default(), &page).await;
        assert!(matches!(refused, Err(LifecycleError::Forbidden { .. })));
    }
}

#[tokio::test]
async fn an_agent_is_meant_by_number_or_name() {
    for yard in yards().await {
        yard.add_agent(&Actor::Operator, "host-10").await.unwrap();
        let meant = async |text: &str| {
            let found = yard.agent_meant(&Actor::Operator, text).await.unwrap();
            found.map(|agent| agent.name)
        };
        assert_eq!(meant(&yard.agent.to_string()).await.as_deref(), Some("host-1"));
        assert_eq!(meant("HOST-1").await.as_deref(), Some("host-1"), "whole");
        assert_eq!(meant("-10").await.as_deref(), Some("host-10"), "the only one");
        assert_eq!(meant("host").await, None, "which one?");
        assert_eq!(meant("4711").await, None);
        let limited = yard.somebody(Role::Limited).await;
        assert!(yard.agent_meant(&limited, "host-1").await.is_err());
        let page = PageOf::first(AgentSort::Name, 1);
        assert!(yard.agents(&limited, &AgentFilter::default(), &page).await.is_err());
    }
}
