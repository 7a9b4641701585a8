use super::*;
use crate::testing::desks;

async fn listed(desk: &Lifecycle, actor: &Actor) -> Vec<ApiKey> {
    let page = PageOf::first(ApiKeySort::Created, 10);
    desk.api_keys(actor, &ApiKeyFilter::default(), &page).await.unwrap().rows
}

#[tokio::test]
async fn a_key_signs_in_as_its_owner_until_it_is_revoked() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let actor = Actor::Person(jane.clone());
        let (id, key) = desk.create_api_key(&actor, jane.user.id, "ci", None).await.unwrap();
        assert!(
            key.reveal().starts_with("cdk_") && key.reveal().len() == 47,
            "{}",
            key.reveal().len()
        );
        let person = desk.authenticate_api_key(key.reveal(), None).await.unwrap().unwrap();
        assert_eq!(
            (person.user.id, person.role, person.door),
            (jane.user.id, Role::Manager, Door::Api)
        );
        assert!(listed(&desk, &actor).await[0].last_used_at.is_some());
        desk.revoke_api_key(&actor, id).await.unwrap();
        assert!(desk.authenticate_api_key(key.reveal(), None).await.unwrap().is_none());
        assert!(desk.authenticate_api_key("cdk_forged", None).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_key_has_the_lesser_of_its_own_role_and_its_owners() {
    for desk in desks().await {
        desk.person("root@example.com", Role::Administrator).await;
        let jane = desk.person("jane@example.com", Role::Administrator).await;
        let id = jane.user.id;
        let actor = Actor::Person(jane);
        let (_, narrow) =
            desk.create_api_key(&actor, id, "read", Some(Role::Standard)).await.unwrap();
        let (_, wide) =
            desk.create_api_key(&actor, id, "all", Some(Role::Administrator)).await.unwrap();
        let role = async |key: &SecretToken| {
            desk.authenticate_api_key(key.reveal(), None).await.unwrap().map(|p| p.role)
        };
        assert_eq!(role(&narrow).await, Some(Role::Standard));
        assert_eq!(role(&wide).await, Some(Role::Administrator));
        desk.set_user_role(&Actor::Operator, id, Role::Limited).await.unwrap();
        assert_eq!(role(&narrow).await, Some(Role::Limited));
        assert_eq!(role(&wide).await, Some(Role::Limited));
        desk.set_user_disabled(&Actor::Operator, id, true).await.unwrap();
        assert_eq!(role(&wide).await, None);
    }
}

/// The owner's role at the time is a limit, not what the key was made for.
#[tokio::test]
async fn a_chosen_role_does_not_grow_with_its_owner() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Standard).await;
        let (id, actor) = (jane.user.id, Actor::Person(jane));
        let (_, chosen) =
            desk.create_api_key(&actor, id, "ci", Some(Role::Standard)).await.unwrap();
        let (_, wide) =
            desk.create_api_key(&actor, id, "wide", Some(Role::Administrator)).await.unwrap();
        let (_, as_jane) = desk.create_api_key(&actor, id, "mine", None).await.unwrap();
        desk.set_user_role(&Actor::Operator, id, Role::Administrator).await.unwrap();
        for (key, role) in
            [(&chosen, Role::Standard), (&wide, Role::Standard), (&as_jane, Role::Administrator)]
        {
            let person = desk.authenticate_api_key(key.reveal(), None).await.unwrap().unwrap();
            assert_eq!(person.role, role);
        }
    }
}

#[tokio::test]
async fn a_key_is_seen_by_its_owner_and_by_administrators() {
    for desk in desks().await {
        let root = Actor::Person(desk.person("root@example.com", Role::Administrator).await);
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let joe = Actor::Person(desk.person("joe@example.com", Role::Manager).await);
        let (owner, actor) = (jane.user.id, Actor::Person(jane));
        let (id, _) = desk.create_api_key(&actor, owner, "ci", None).await.unwrap();
        for actor in [&actor, &root, &Actor::Operator] {
            assert_eq!(desk.api_key(actor, id).await.unwrap().name, "ci");
        }
        for (actor, id) in [(&joe, id), (&actor, ApiKeyId(id.0 + 1))] {
            let refused = desk.api_key(actor, id).await.unwrap_err();
            assert!(matches!(refused, LifecycleError::NotFound { what: "API key" }));
        }
    }
}

#[tokio::test]
async fn a_narrow_key_makes_no_wider_key() {
    let desk = desks().await.remove(0);
    let mut jane = desk.person("jane@example.com", Role::Administrator).await;
    jane.role = Role::Standard;
    let (_, key) = desk
        .create_api_key(&Actor::Person(jane.clone()), jane.user.id, "child", None)
        .await
        .unwrap();
    let person = desk.authenticate_api_key(key.reveal(), None).await.unwrap().unwrap();
    assert_eq!(person.role, Role::Standard);
}

#[tokio::test]
async fn foreign_keys_look_like_none() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Manager).await;
        let john = desk.person("john@example.com", Role::Manager).await;
        let (id, _) =
            desk.create_api_key(&Actor::Operator, jane.user.id, "hers", None).await.unwrap();
        let actor = Actor::Person(john);
        assert!(listed(&desk, &actor).await.is_empty());
        assert!(matches!(
            desk.revoke_api_key(&actor, id).await,
            Err(LifecycleError::NotFound { .. })
        ));
        assert!(matches!(
            desk.create_api_key(&actor, jane.user.id, "x", None).await,
            Err(LifecycleError::Forbidden { .. })
        ));
    }
}
