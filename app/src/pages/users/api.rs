//! People as their pages show them.

use domain::model::Role;
use domain::{Timestamp, UserId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fault::PortalError;
use crate::pages::paged::Paged;

/// Keys that the list is sorted by.
pub const SORTS: [&str; 4] = ["name", "email", "role", "seen"];

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Kept out.
    pub disabled: bool,
    /// Has chosen a password.
    pub has_password: bool,
    /// IANA time zone.
    pub time_zone: String,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

/// What a one-time link asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkView {
    /// The first administrator.
    FirstAdministrator,
    /// A password for this e-mail address.
    Person(String),
}

#[cfg(feature = "ssr")]
mod reading {
    use lifecycle::accounts::{Account, AccountFilter, AccountSort};

    use super::{SORTS, UserRow};
    use crate::kit::Listing;
    use crate::paths;

    pub(crate) fn listing(query: &str) -> Listing {
        Listing::read(paths::USERS, query, &SORTS)
    }

    pub(crate) fn sort(listing: &Listing) -> AccountSort {
        match listing.sort.key.as_str() {
            "email" => AccountSort::Email,
            "role" => AccountSort::Role,
            "seen" => AccountSort::LastSignIn,
            _ => AccountSort::Name,
        }
    }

    pub(crate) fn filter(listing: &Listing) -> AccountFilter {
        AccountFilter {
            text: listing.filter("text").map(ToOwned::to_owned),
            role: listing.query.read("role"),
            disabled: listing.filter("status").map(|status| status == "disabled"),
            ..AccountFilter::default()
        }
    }

    impl From<Account> for UserRow {
        fn from(account: Account) -> Self {
            Self {
                id: account.user.id,
                name: account.user.name,
                email: account.user.email,
                role: account.user.role,
                disabled: account.user.disabled,
                has_password: account.password_hash.is_some(),
                time_zone: account.user.time_zone,
                created_at: account.created_at,
                seen_at: account.last_sign_in_at,
            }
        }
    }
}
#[cfg(feature = "ssr")]
pub(crate) use reading::{filter, listing, sort};

/// A page of people.
#[server(prefix = "/api", endpoint = "users/list")]
pub async fn users(query: String) -> Result<Paged<UserRow>, PortalError> {
    use crate::desk::{Desk, May};
    use crate::pages::paged::{page_of, paged};
    use lifecycle::accounts::AccountSort;

    let desk = Desk::require(May::Administer)?;
    let listing = listing(&query);
    let sort = sort(&listing);
    let page = page_of(&listing, sort, sort == AccountSort::LastSignIn);
    let slice = desk.lifecycle.users(&desk.actor(), filter(&listing), &page).await?;
    Ok(paged(slice, |account| (sort.key(account), account.user.id.0), UserRow::from))
}

/// One person.
#[server(prefix = "/api", endpoint = "users/one")]
pub async fn user(id: i64) -> Result<UserRow, PortalError> {
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    Ok(desk.lifecycle.user(&desk.actor(), UserId(id)).await?.into())
}

/// The signed-in person.
#[server(prefix = "/api", endpoint = "users/me")]
pub async fn me() -> Result<UserRow, PortalError> {
    let desk = crate::desk::Desk::open()?;
    Ok(desk.lifecycle.user(&desk.actor(), desk.person.user.id).await?.into())
}

/// Adds a person and hands out the link by which they choose a password.
#[server(prefix = "/api", endpoint = "users/add")]
pub async fn add_user(email: String, name: String, role: String) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};
    use lifecycle::accounts::NewUser;

    let desk = Desk::require(May::Administer)?;
    let role = role.parse().map_err(|_| PortalError::field("role", "Choose a role."))?;
    let new = NewUser { email, name, role, password: None };
    let id = desk.lifecycle.add_user(&desk.actor(), new).await?;
    let link = desk.lifecycle.invite_user(&desk.actor(), id).await?;
    browser::hand_over(&browser::absolute(&crate::paths::set_up(link.reveal())));
    browser::flash("The person was added.");
    browser::redirect(&crate::paths::user(id));
    Ok(())
}

/// Makes a new link by which a person chooses a password.
#[server(prefix = "/api", endpoint = "users/link")]
pub async fn make_link(id: i64) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    let link = desk.lifecycle.invite_user(&desk.actor(), UserId(id)).await?;
    browser::hand_over(&browser::absolute(&crate::paths::set_up(link.reveal())));
    browser::redirect(&crate::paths::user(UserId(id)));
    Ok(())
}

/// The link that was just made, once.
#[server(prefix = "/api", endpoint = "users/taken-link")]
pub async fn taken_link() -> Result<Option<String>, PortalError> {
    crate::desk::Desk::require(crate::desk::May::Administer)?;
    Ok(crate::browser::take_over())
}

/// Gives a person another role.
#[server(prefix = "/api", endpoint = "users/role")]
pub async fn set_role(id: i64, role: String) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    let role = role.parse().map_err(|_| PortalError::field("role", "Choose a role."))?;
    desk.lifecycle.set_user_role(&desk.actor(), UserId(id), role).await?;
    browser::flash("The role was changed. It holds at once.");
    browser::redirect(&crate::paths::user(UserId(id)));
    Ok(())
}

/// Keeps a person out, or lets them in again.
#[server(prefix = "/api", endpoint = "users/disable")]
pub async fn set_disabled(id: i64, disabled: bool) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, May};

    let desk = Desk::require(May::Administer)?;
    desk.lifecycle.set_user_disabled(&desk.actor(), UserId(id), disabled).await?;
    browser::flash(if disabled {
        "The account is disabled, and its sessions are over."
    } else {
        "The account is enabled."
    });
    browser::redirect(&crate::paths::user(UserId(id)));
    Ok(())
}

/// Saves the person's own name and time zone.
#[server(prefix = "/api", endpoint = "users/profile")]
pub async fn save_profile(name: String, time_zone: String) -> Result<(), PortalError> {
    use crate::browser;

    let desk = crate::desk::Desk::open()?;
    desk.lifecycle.set_profile(&desk.person, &name, &time_zone).await?;
    browser::flash("Saved.");
    browser::redirect(&crate::paths::my_account());
    Ok(())
}

/// Changes the person's own password.
#[server(prefix = "/api", endpoint = "users/password")]
pub async fn change_password(
    current_password: String,
    password: String,
) -> Result<(), PortalError> {
    use crate::browser;
    use crate::desk::{Desk, SignedIn};

    let desk = Desk::open()?;
    let own = SignedIn::current();
    let keep = own.as_ref().map(|signed_in| &*signed_in.token);
    desk.lifecycle.change_password(&desk.person, current_password, password, keep).await?;
    browser::flash("The password was changed, and your other sessions are over.");
    browser::redirect(&crate::paths::my_account());
    Ok(())
}

/// What a one-time link is for. Works before sign-in, as do the two below.
#[server(prefix = "/api", endpoint = "set-up/link")]
pub async fn open_link(token: String) -> Result<LinkView, PortalError> {
    use lifecycle::accounts::links::LinkFor;

    let address = crate::browser::visitor().address;
    Ok(match crate::desk::lifecycle()?.open_link(&token, address).await? {
        LinkFor::FirstAdministrator => LinkView::FirstAdministrator,
        LinkFor::Person { email } => LinkView::Person(email),
    })
}

/// Makes the first administrator and signs them in.
#[server(prefix = "/api", endpoint = "set-up/administrator")]
pub async fn set_up_administrator(
    token: String,
    email: String,
    name: String,
    password: String,
) -> Result<(), PortalError> {
    use lifecycle::accounts::links::Setup;

    let (visitor, setup) = (crate::browser::visitor(), Setup { email, name, password });
    let lifecycle = crate::desk::lifecycle()?;
    let session =
        lifecycle.complete_setup(&token, setup, visitor.address, &visitor.user_agent).await?;
    crate::browser::sign_in(&lifecycle, &session).await?;
    crate::browser::redirect(&crate::paths::dashboard());
    Ok(())
}

/// Sets the password of the link's person and signs them in.
#[server(prefix = "/api", endpoint = "set-up/password")]
pub async fn choose_password(token: String, password: String) -> Result<(), PortalError> {
    let visitor = crate::browser::visitor();
    let lifecycle = crate::desk::lifecycle()?;
    let session =
        lifecycle.choose_password(&token, password, visitor.address, &visitor.user_agent).await?;
    crate::browser::sign_in(&lifecycle, &session).await?;
    crate::browser::redirect(&crate::paths::dashboard());
    Ok(())
}
