//! Automation profiles: saved as a whole, with a check that nobody saved meanwhile.

use domain::model::{EventStatus, Profile};
use domain::rules::{ProfileState, check_profile, profile_state};
use domain::{EventId, ProfileId, Timestamp};
use serde_json::{Value, json};
use store::Tx;
use store::profiles::{ProfileRecord, ProfileSort};

use super::agents::{require_manager, require_person};
use crate::audit::{AuditEntry, record};
use crate::lists::{Key, PageOf, Slice};
use crate::{Actor, FieldFault, Lifecycle, LifecycleError, Result};

/// A profile as it was filled in. `profile.id` is ignored for a new one.
#[derive(Debug, Clone)]
pub struct ProfileForm {
    /// All fields.
    pub profile: Profile,
    /// The version that the form was made from; none for a new profile.
    pub version: Option<i64>,
    /// "Update these preferences in scheduled automation events that use this profile".
    pub update_scheduled: bool,
}

/// A profile with its state.
#[derive(Debug, Clone)]
pub struct ProfileView {
    /// The profile.
    pub profile: Profile,
    /// The number of its changes.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: Timestamp,
    /// The organization's name.
    pub organization_name: String,
    /// "Active", or "Action needed" with reasons.
    pub state: ProfileState,
}

impl ProfileView {
    /// The key of the profile under `sort`.
    pub fn key(&self, sort: ProfileSort) -> Key {
        sort.key(&self.profile, &self.organization_name, self.updated_at)
    }
}

/// Which profiles a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFilter {
    /// In the name, the product's or the organization's, in any case.
    pub text: Option<String>,
    /// "Active" ones only, or only those with "Action needed".
    pub active: Option<bool>,
}

impl Lifecycle {
    /// A page of profiles. What needs action the rules alone can tell, so that with this filter as
    /// many profiles are looked at as it takes.
    pub async fn profile_list(
        &self,
        actor: &Actor,
        filter: &ProfileFilter,
        page: &PageOf<ProfileSort>,
    ) -> Result<Slice<ProfileView>> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let (mut rows, mut shown) = (page.rows(), Vec::new());
        let wanted = usize::try_from(rows.limit).unwrap_or_default();
        loop {
            let records = tx.profiles_page(filter.text.as_deref(), page.sort, &rows).await?;
            let more = records.len() >= wanted;
            for record in records {
                let view = view(record, now);
                rows.beyond = Some((view.key(page.sort), view.profile.id.0));
                let active = view.state == ProfileState::Active;
                if filter.active.is_none_or(|wanted| wanted == active) {
                    shown.push(view);
                }
            }
            if !more || shown.len() >= wanted {
                return Ok(page.slice(shown));
            }
        }
    }

    /// Whether there is a profile.
    pub async fn has_profiles(&self, actor: &Actor) -> Result<bool> {
        let first = PageOf::first(ProfileSort::Name, 1);
        Ok(!self.profile_list(actor, &ProfileFilter::default(), &first).await?.rows.is_empty())
    }

    /// All profiles by name, to choose from.
    pub async fn profiles(&self, actor: &Actor) -> Result<Vec<ProfileView>> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        Ok(tx.profiles().await?.into_iter().map(|record| view(record, now)).collect())
    }

    /// One profile.
    pub async fn profile(&self, actor: &Actor, id: ProfileId) -> Result<ProfileView> {
        require_person(actor)?;
        let now = self.clock().now();
        let mut tx = self.store().reader().await?;
        let record = tx.profile(id).await?.ok_or(LifecycleError::NotFound { what: "profile" })?;
        Ok(view(record, now))
    }

    /// Saves a profile, new or changed. The first of all becomes the default.
    pub async fn save_profile(&self, actor: &Actor, form: ProfileForm) -> Result<ProfileId> {
        require_manager(actor, "Changing an automation profile")?;
        let now = self.clock().now();
        let faults: Vec<FieldFault> =
            check_profile(&form.profile, now).into_iter().map(FieldFault::from).collect();
        if !faults.is_empty() {
            return Err(LifecycleError::Invalid(faults));
        }
        let actor = actor.clone();
        self.store().write(move |tx| Box::pin(save(tx, now, actor, form))).await
    }

    /// Removes a profile that no endpoint renews with.
    pub async fn delete_profile(&self, actor: &Actor, id: ProfileId) -> Result<()> {
        require_manager(actor, "Deleting an automation profile")?;
        let (now, actor) = (self.clock().now(), actor.clone());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    tx.lock_profile(id).await?;
                    let old = tx.profile(id).await?.ok_or(LifecycleError::NotFound { what: "profile" })?;
                    if tx.is_renewed_with(id).await? {
                        let message = format!("Endpoints renew with the profile {:?}. Choose another one for them first.", old.profile.name);
                        return Err(LifecycleError::Conflict { message });
                    }
                    tx.delete_profile(id).await?;
                    let said = format!("Profile {:?} was deleted.", old.profile.name);
                    let entry = AuditEntry::new("profile.deleted", "profile", id, said)
                        .changing(json(&old.profile), Value::Null);
                    record(tx, now, &actor, entry).await
                })
            })
            .await
    }
}

fn view(record: ProfileRecord, now: Timestamp) -> ProfileView {
    ProfileView {
        state: profile_state(&record.profile, Some(&record.organization), now),
        organization_name: record.organization.name,
        profile: record.profile,
        version: record.version,
        updated_at: record.updated_at,
    }
}

async fn save(tx: &mut Tx, now: Timestamp, actor: Actor, form: ProfileForm) -> Result<ProfileId> {
    let mut profile = form.profile;
    if tx.organization(profile.organization).await?.is_none() {
        return Err(LifecycleError::field("organization", "Choose one of the organizations."));
    }
    let by = actor.person().map(|person| person.user.id);
    let old = match form.version {
        Some(_) => tx.profile(profile.id).await?,
        None => None,
    };
    profile.is_default |=
        old.as_ref().is_some_and(|old| old.profile.is_default) || tx.profiles().await?.is_empty();
    if let Some(version) = form.version {
        let old = old.as_ref().ok_or(LifecycleError::NotFound { what: "profile" })?;
        if !taken(tx.update_profile(&profile, version, now, by).await)? {
            return Err(stale(old));
        }
    } else {
        profile.id = taken(tx.insert_profile(&profile, now, by).await)?;
    }
    let mut new = json(&profile);
    if form.update_scheduled {
        let followed = update_scheduled(tx, &profile).await?;
        if let Some(fields) = new.as_object_mut() {
            fields.insert("scheduled_events".to_owned(), json!(followed));
        }
    }
    let said = format!("Profile {:?} was saved.", profile.name);
    let entry = AuditEntry::new("profile.saved", "profile", profile.id, said)
        .changing(old.as_ref().map_or(Value::Null, |old| json(&old.profile)), new);
    record(tx, now, &actor, entry).await?;
    if profile.is_default {
        take_default_mark(tx, now, &actor, &profile).await?;
    }
    Ok(profile.id)
}

/// There is one default profile: the one before is it no longer.
async fn take_default_mark(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    default: &Profile,
) -> Result<()> {
    for (id, name) in tx.clear_other_default_profiles(default.id).await? {
        let said = format!("Profile {name:?} is no longer the default: {:?} is.", default.name);
        let entry = AuditEntry::new("profile.default_moved", "profile", id, said)
            .changing(json!({"is_default": true}), json!({"is_default": false}));
        record(tx, now, actor, entry).await?;
    }
    Ok(())
}

fn json(profile: &Profile) -> Value {
    serde_json::to_value(profile).unwrap_or_default()
}

fn taken<T>(outcome: std::result::Result<T, store::StoreError>) -> Result<T> {
    outcome.map_err(|error| {
        if error.is_unique("profiles.name") {
            LifecycleError::field("name", "Another profile has this name. Choose another.")
        } else {
            error.into()
        }
    })
}

fn stale(current: &ProfileRecord) -> LifecycleError {
    LifecycleError::Conflict {
        message: format!(
            "Somebody else saved the profile {:?} at {} while you were editing. Look at it as it is now, then enter your changes again.",
            current.profile.name, current.updated_at
        ),
    }
}

/// Profile edits leave scheduled events as they were unless this is asked for; events that an
/// agent has begun stay as they are in any case. Answers which follow.
async fn update_scheduled(tx: &mut Tx, profile: &Profile) -> Result<Vec<EventId>> {
    let mut followed = Vec::new();
    for id in tx.scheduled_events_of_profile(profile.id).await? {
        let event = tx.event_for_update(id).await?;
        // Begun by an agent since they were listed.
        let Some(mut event) = event.filter(|event| event.status == EventStatus::Scheduled) else {
            continue;
        };
        event.profile = profile.clone();
        tx.save_event(&event).await?;
        followed.push(id);
    }
    Ok(followed)
}
