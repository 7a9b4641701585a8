use super::links::{LinkFor, Setup};
use super::*;
use crate::testing::{PASSWORD, desks};

#[tokio::test]
async fn people_are_added_once_and_listed_by_name() {
    for desk in desks().await {
        for email in ["b@example.com", "a@example.com", "c_1@example.com"] {
            desk.person(email, Role::Standard).await;
        }
        let again = NewUser {
            email: "A@example.com".into(),
            name: "A".into(),
            role: Role::Manager,
            password: None,
        };
        assert!(matches!(
            desk.add_user(&Actor::Operator, again).await,
            Err(LifecycleError::Invalid(_))
        ));
        let page = async |text: Option<&str>, page: &PageOf<AccountSort>| {
            let filter = AccountFilter { text: text.map(Into::into), ..AccountFilter::default() };
            desk.users(&Actor::Operator, filter, page).await.unwrap()
        };
        for sort in
            [AccountSort::Name, AccountSort::Email, AccountSort::Role, AccountSort::LastSignIn]
        {
            let mut walk = PageOf::first(sort, 2);
            let one = page(None, &walk).await;
            let last = &one.rows[1];
            walk.beyond = Some((sort.key(last), last.user.id.0));
            let two = page(None, &walk).await;
            assert_eq!((one.rows.len(), two.rows.len(), two.after), (2, 1, false), "{sort:?}");
            walk.beyond = Some((sort.key(&two.rows[0]), two.rows[0].user.id.0));
            walk.backwards = true;
            assert_eq!(page(None, &walk).await.rows, one.rows, "{sort:?}");
        }
        let first = PageOf::first(AccountSort::Name, 2);
        // `_` is a letter here, not a wildcard.
        assert_eq!(page(Some("C_"), &first).await.rows.len(), 1);
        let meant = async |text: &str| desk.person_meant(&Actor::Operator, text).await.unwrap();
        assert!(meant("C_").await.is_some(), "nobody else's holds it");
        assert!(meant("B@example.com").await.is_some());
        assert_eq!(meant("example").await, None, "which one?");
        assert_eq!(meant("7").await, Some(UserId(7)));
        assert_eq!(page(Some("a_e"), &first).await.rows.len(), 0);
    }
}

#[tokio::test]
async fn people_are_found_by_text_and_address_together() {
    for desk in desks().await {
        for (email, name) in
            [("z@example.com", "Ada"), ("ada@example.org", "Bob"), ("ada@example.com", "Cid")]
        {
            let name = name.to_owned();
            let new = NewUser { email: email.into(), name, role: Role::Standard, password: None };
            desk.add_user(&Actor::Operator, new).await.unwrap();
        }
        let found = async |text: Option<&str>, email: Option<&str>, skip: u64| {
            let (text, email) = (text.map(ToOwned::to_owned), email.map(ToOwned::to_owned));
            let filter = AccountFilter { text, email, ..AccountFilter::default() };
            let found = desk.users_from(&Actor::Operator, &filter, 2, skip).await.unwrap();
            let emails: Vec<String> = found.rows.into_iter().map(|row| row.user.email).collect();
            (emails.join(" "), found.total)
        };
        assert_eq!(found(None, None, 0).await, ("ada@example.com ada@example.org".to_owned(), 3));
        assert_eq!(found(None, None, 2).await, ("z@example.com".to_owned(), 3));
        assert_eq!(found(Some("ada"), None, 5).await, (String::new(), 3));
        let both = found(Some("ada"), Some("EXAMPLE.com"), 0).await;
        assert_eq!(both, ("ada@example.com z@example.com".to_owned(), 2));
        assert_eq!(found(None, Some("ada"), 1).await, ("ada@example.org".to_owned(), 2));
    }
}

#[tokio::test]
async fn bad_people_are_refused_field_by_field() {
    let desk = desks().await.remove(0);
    for email in [
        "",
        "jane",
        "jane@",
        "@example.com",
        "jane@nowhere",
        "a b@example.com",
        "<a>@example.com",
        "a@10.0.0.1",
    ] {
        let new = NewUser {
            email: email.into(),
            name: String::new(),
            role: Role::Standard,
            password: None,
        };
        let refused = desk.add_user(&Actor::Operator, new).await.unwrap_err();
        assert!(
            matches!(&refused, LifecycleError::Invalid(faults) if faults[0].field == "email"),
            "{email}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn only_administrators_manage_people() {
    let desk = desks().await.remove(0);
    let manager = desk.person("m@example.com", Role::Manager).await;
    let (id, actor) = (manager.user.id, Actor::Person(manager));
    let forbidden = |error| matches!(error, LifecycleError::Forbidden { .. });
    assert!(forbidden(desk.set_user_role(&actor, id, Role::Administrator).await.unwrap_err()));
    assert!(forbidden(desk.set_user_disabled(&actor, id, true).await.unwrap_err()));
    assert!(forbidden(desk.invite_user(&actor, id).await.unwrap_err()));
    assert!(forbidden(
        desk.users(&actor, AccountFilter::default(), &PageOf::first(AccountSort::Name, 10))
            .await
            .unwrap_err()
    ));
    desk.user(&actor, id).await.unwrap();
}

#[tokio::test]
async fn an_administrator_always_remains() {
    for desk in desks().await {
        let one = desk.person("one@example.com", Role::Administrator).await.user.id;
        let refused = desk.set_user_disabled(&Actor::Operator, one, true).await.unwrap_err();
        assert!(matches!(refused, LifecycleError::Conflict { .. }));
        assert!(desk.set_user_role(&Actor::Operator, one, Role::Manager).await.is_err());
        // Of two who remove each other at the same moment, one stays.
        let two = desk.person("two@example.com", Role::Administrator).await.user.id;
        let (a, b) = tokio::join!(
            desk.set_user_role(&Actor::Operator, one, Role::Standard),
            desk.set_user_disabled(&Actor::Operator, two, true)
        );
        assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1, "{a:?} {b:?}");
    }
}

#[tokio::test]
async fn disabling_ends_sessions_and_links() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Standard).await.user.id;
        let credentials = crate::auth::Credentials {
            email: "jane@example.com".into(),
            password: PASSWORD.into(),
        };
        let session = desk.sign_in(credentials, None, "").await.unwrap();
        let link = desk.invite_user(&Actor::Operator, jane).await.unwrap();
        desk.set_user_disabled(&Actor::Operator, jane, true).await.unwrap();
        desk.set_user_disabled(&Actor::Operator, jane, false).await.unwrap();
        assert!(desk.session(session.reveal(), None).await.unwrap().is_none());
        assert!(
            desk.choose_password(link.reveal(), "a wholly new sentence".into(), None, "")
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn the_set_up_link_makes_one_administrator() {
    for desk in desks().await {
        let stale = desk.setup_link().await.unwrap().unwrap();
        let link = desk.setup_link().await.unwrap().unwrap();
        let setup = || Setup {
            email: "root@example.com".into(),
            name: "Root".into(),
            password: PASSWORD.into(),
        };
        assert!(desk.complete_setup(stale.reveal(), setup(), None, "").await.is_err());
        assert_eq!(desk.open_link(link.reveal(), None).await.unwrap(), LinkFor::FirstAdministrator);
        // Faults leave the link as it is.
        let weak = Setup { password: "short".into(), ..setup() };
        assert!(desk.complete_setup(link.reveal(), weak, None, "").await.is_err());
        let session = desk.complete_setup(link.reveal(), setup(), None, "").await.unwrap();
        let person = desk.session(session.reveal(), None).await.unwrap().unwrap();
        assert_eq!(person.role, Role::Administrator);
        assert!(desk.complete_setup(link.reveal(), setup(), None, "").await.is_err());
        assert!(desk.setup_link().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_person_chooses_a_password_by_link_once() {
    for desk in desks().await {
        let new = NewUser {
            email: "new@example.com".into(),
            name: "New".into(),
            role: Role::Standard,
            password: None,
        };
        let id = desk.add_user(&Actor::Operator, new).await.unwrap();
        let link = desk.invite_user(&Actor::Operator, id).await.unwrap();
        let wanted = LinkFor::Person { email: "new@example.com".into() };
        assert_eq!(desk.open_link(link.reveal(), None).await.unwrap(), wanted);
        let choose =
            || desk.choose_password(link.reveal(), "a wholly new sentence".into(), None, "");
        let session = choose().await.unwrap();
        assert!(desk.session(session.reveal(), None).await.unwrap().is_some());
        assert!(choose().await.is_err());
        // A person's link makes no administrator.
        let link = desk.invite_user(&Actor::Operator, id).await.unwrap();
        let setup = Setup {
            email: "root@example.com".into(),
            name: "Root".into(),
            password: PASSWORD.into(),
        };
        assert!(desk.complete_setup(link.reveal(), setup, None, "").await.is_err());
        assert!(desk.open_link("forged", None).await.is_err());
    }
}

#[tokio::test]
async fn people_set_their_own_name_and_time_zone() {
    for desk in desks().await {
        let jane = desk.person("jane@example.com", Role::Limited).await;
        assert!(desk.set_profile(&jane, "Jane", "Mars/Olympus").await.is_err());
        for name in [" ", "Jane\nAda", "Jane\u{8}", &"J".repeat(MAX_NAME + 1)] {
            assert!(desk.set_profile(&jane, name, "UTC").await.is_err(), "{name:?}");
        }
        for _ in ["once", "and with nothing changed"] {
            desk.set_profile(&jane, "Jane", "Europe/Berlin").await.unwrap();
        }
        let told = desk.told("user.changed").await;
        assert_eq!(told.len(), 1);
        assert!(told[0].old.as_ref().unwrap().contains("UTC"), "{:?}", told[0].old);
        assert!(told[0].new.as_ref().unwrap().contains("Europe/Berlin"), "{:?}", told[0].new);
        let account = desk.user(&Actor::Person(jane.clone()), jane.user.id).await.unwrap();
        assert_eq!(account.user.time_zone, "Europe/Berlin");
    }
}
