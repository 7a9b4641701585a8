//! (ssr) What the steps show, read from the lifecycle.

use domain::model::{
    CertificateKind, Coverage, EndpointAction, KeyType, OrderFile, Preferences, Profile,
};
use domain::rules::{Decision, DuplicateCandidates, ProfileState, offer_in_automation};
use domain::{Days, EndpointId, NameSet, Product, ProfileId, Timestamp};
use lifecycle::LifecycleError;
use lifecycle::automation::{EndpointRecord, Install, Preview, ProfileView, Served};

use super::api::{
    Candidate, CertificateView, Endpoint, Frame, PlanView, ProfileOption, ProfilesView, ReviewView,
};
use super::state;
use crate::desk::{Desk, May};
use crate::fault::PortalError;
use crate::pages::endpoints::address;
use crate::query::Query;

/// Orders that are shown with why they can't be chosen.
const MOST_DROPPED: usize = 10;

pub(super) async fn frame(
    desk: &Desk,
    id: EndpointId,
    query: &Query,
) -> Result<Frame, PortalError> {
    let endpoint = desk.lifecycle.endpoint(&desk.actor(), id).await?;
    Ok(of_endpoint(desk, endpoint, query).await?.frame)
}

pub(super) async fn profiles(
    desk: &Desk,
    id: EndpointId,
    query: &Query,
) -> Result<ProfilesView, PortalError> {
    let record = desk.lifecycle.endpoint(&desk.actor(), id).await?;
    let in_use = record.profile.map(|profile| profile.0);
    let frame = of_endpoint(desk, record, query).await?.frame;
    let profiles = desk.lifecycle.profiles(&desk.actor()).await?;
    let profiles: Vec<ProfileOption> = profiles.iter().map(option).collect();
    let default = profiles.iter().find(|profile| profile.is_default).map(|profile| profile.id);
    let chosen = state::profile(query).map(|profile| profile.0);
    Ok(ProfilesView {
        frame,
        profiles,
        suggested: chosen.or(in_use).or(default),
        may_automate: desk.may(May::Automate),
    })
}

/// What a step has read for its frame.
struct Read {
    frame: Frame,
    profile: Option<Profile>,
    preferences: Preferences,
}

async fn of_endpoint(
    desk: &Desk,
    record: EndpointRecord,
    query: &Query,
) -> Result<Read, PortalError> {
    let chosen = match state::profile(query) {
        Some(id) => profile(desk, id).await?,
        None => None,
    };
    let action = state::action(query);
    let settings = desk.lifecycle.settings().await?;
    let frame = Frame {
        endpoint: endpoint(record),
        action,
        label: action.label(settings.value("brand_word")),
        profile: chosen.as_ref().map(option),
        state: state::write(query),
        may_administer: desk.may(May::Administer),
        time_zone: desk.person.user.time_zone.clone(),
        tomorrow: tomorrow(desk.now, &desk.person.user.time_zone),
    };
    let profile = chosen.map(|chosen| chosen.profile);
    Ok(Read { frame, profile, preferences: settings.preferences() })
}

/// None where it was removed since it was chosen.
async fn profile(desk: &Desk, id: ProfileId) -> Result<Option<ProfileView>, PortalError> {
    match desk.lifecycle.profile(&desk.actor(), id).await {
        Ok(profile) => Ok(Some(profile)),
        Err(LifecycleError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn endpoint(record: EndpointRecord) -> Endpoint {
    let common_name = record.served.as_ref().and_then(Served::name).map(ToString::to_string);
    Endpoint {
        id: record.id,
        address: address(&record.ip, record.port),
        server_name: record.server_name,
        common_name,
        host: record.agent_name,
        order: record.order,
        auto_renew: record.auto_renew,
        auto_replace: record.auto_replace,
    }
}

fn tomorrow(now: Timestamp, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = jiff::Timestamp::from_second(now.0).map(|now| now.to_zoned(zone).date());
    today
        .ok()
        .and_then(|date| date.tomorrow().ok())
        .map(|date| date.to_string())
        .unwrap_or_default()
}

fn option(view: &ProfileView) -> ProfileOption {
    let ProfileView { profile, organization_name, state, .. } = view;
    let product = Product::find(profile.product.as_str());
    ProfileOption {
        id: profile.id.0,
        product: product
            .map_or_else(|| profile.product.to_string(), |product| product.name.to_owned()),
        organization: organization_name.clone(),
        terms: terms(profile),
        reasons: match state {
            ProfileState::Active => Vec::new(),
            ProfileState::ActionNeeded { reasons } => reasons.clone(),
        },
        is_default: profile.is_default,
        may_add_names: product.is_some_and(|product| product.duplicate_may_add_names),
        auto_renew: profile.auto_renew.clone(),
        name: profile.name.clone(),
    }
}

fn terms(profile: &Profile) -> String {
    terms_of(profile.coverage_years, profile.validity_days, profile.key_type)
}

fn terms_of(years: Option<u8>, days: Option<Days>, key: KeyType) -> String {
    let coverage = match years {
        Some(1) => "1 year".to_owned(),
        Some(years) => format!("{years} years"),
        None => "one certificate".to_owned(),
    };
    let validity =
        days.map_or_else(|| "longest validity".to_owned(), |days| format!("{} days", days.0));
    format!("{coverage}, {validity}, {}", key.label())
}

/// The terms of what a plan comes to: a renewal has its order's, and what stays under its order ends by
/// that; the key is the profile's.
fn plan_terms(preview: &Preview) -> String {
    let Some(order) = &preview.source else { return terms(&preview.profile) };
    let key = preview.profile.key_type;
    match preview.decided.as_ref().map(|decided| decided.decision) {
        Some(Decision::Renew { .. }) => {
            let years = match order.coverage {
                Coverage::MultiYear { years, .. } => Some(years),
                Coverage::Single => None,
            };
            terms_of(years, order.validity_days, key)
        }
        _ => key.label().to_owned(),
    }
}

/// What of the profile counts where an order of another product or organization goes on.
fn differs(profile: &ProfileOption, product: &str, organization: &str) -> Option<String> {
    if profile.product == product && profile.organization == organization {
        return None;
    }
    Some(format!(
        "The order's product and organization stay: {product} for {organization}. Of the profile \
         {:?}, which is {} for {}, the key type counts, what it suggests for auto-renew, and \
         whether duplicates are allowed.",
        profile.name, profile.product, profile.organization
    ))
}

pub(super) async fn certificate(
    desk: &Desk,
    id: EndpointId,
    query: &Query,
) -> Result<CertificateView, PortalError> {
    let record = desk.lifecycle.endpoint(&desk.actor(), id).await?;
    let action = state::action(query);
    let place = desk.lifecycle.names_in_place(&desk.actor(), &record, action).await?;
    let suggested = record.served.as_ref().filter(|_| place.is_none()).and_then(suggested);
    let Read { frame, profile, preferences } = of_endpoint(desk, record, query).await?;
    let knows_duplicates =
        matches!(action, EndpointAction::Request | EndpointAction::Renew | EndpointAction::Switch);
    if knows_duplicates && profile.is_none() && state::profile(query).is_some() {
        return Err(PortalError::no_such("profile"));
    }
    let refused = profile.as_ref().filter(|_| knows_duplicates).and_then(|profile| {
        offer_in_automation(&preferences, desk.person.user.role, Some(profile)).err()
    });
    let duplicate = knows_duplicates && refused.is_none() && state::wants_duplicate(query);
    let mut view = CertificateView {
        in_place: place.as_ref().map(|(name, names)| {
            (name.to_string(), names.iter().map(ToString::to_string).collect())
        }),
        suggested,
        knows_duplicates,
        refused: refused.map(|refusal| (refusal.rule.to_owned(), refusal.message)),
        duplicate,
        search: query.get("search").unwrap_or_default().to_owned(),
        search_fault: None,
        candidates: None,
        dropped: Vec::new(),
        order: state::order(query),
        extra_names: query.get("extra_names").unwrap_or_default().to_owned(),
        frame,
    };
    if let Some(profile) = profile.filter(|_| duplicate) {
        // Emptied is an answer too: once an order was chosen the field is as it was sent.
        let suggests = view.order.is_none();
        candidates(desk, &mut view, &profile, place.map(|(_, names)| names), suggests).await?;
    }
    Ok(view)
}

/// The names of what is served, for the fields: a new order in the place of one that is gone is for
/// the same ones, as a rule.
fn suggested(served: &Served) -> Option<(String, Vec<String>)> {
    let name = served.name()?;
    let more = served.names.iter().filter(|one| *one != name).map(ToString::to_string);
    Some((name.to_string(), more.collect()))
}

/// Fills in the orders to choose from: by the names in place, else by those searched for.
async fn candidates(
    desk: &Desk,
    view: &mut CertificateView,
    profile: &Profile,
    in_place: Option<NameSet>,
    suggests_more: bool,
) -> Result<(), PortalError> {
    let actor = desk.actor();
    let (files, judged) = match in_place {
        Some(names) => desk.lifecycle.duplicate_candidates_for(&actor, profile, &names).await?,
        None if view.search.is_empty() => return Ok(()),
        None => match NameSet::parse_dns_list(&view.search) {
            Ok(names) => {
                let found = desk.lifecycle.duplicate_candidates(&actor, profile, &names).await?;
                if suggests_more {
                    let held: Vec<&NameSet> =
                        found.0.iter().map(|file| &file.order.names).collect();
                    view.extra_names = not_held(&names, &held);
                }
                found
            }
            Err(error) => {
                view.search_fault = Some(error.to_string());
                return Ok(());
            }
        },
    };
    let organization =
        view.frame.profile.as_ref().map(|profile| profile.organization.clone()).unwrap_or_default();
    view.candidates = Some(files.into_iter().map(|file| candidate(file, &organization)).collect());
    view.dropped = dropped(judged);
    Ok(())
}

/// The names searched for that not all of the orders hold: the duplicate is for them as well, so
/// they are suggested as additional ones.
fn not_held(names: &NameSet, found: &[&NameSet]) -> String {
    let held = |name| found.iter().all(|order| order.contains(name));
    let more: Vec<&str> =
        names.iter().filter(|name| !held(name)).map(domain::Name::as_str).collect();
    more.join(", ")
}

fn candidate(file: OrderFile, organization: &str) -> Candidate {
    let order = &file.order;
    let product = Product::find(order.product.as_str());
    Candidate {
        number: order.number,
        product: product
            .map_or_else(|| order.product.to_string(), |product| product.name.to_owned()),
        common_name: order.common_name.to_string(),
        sans: order
            .names
            .iter()
            .filter(|name| **name != order.common_name)
            .map(ToString::to_string)
            .collect(),
        // The rules keep orders of the profile's organization only.
        organization: organization.to_owned(),
        valid_till: file.valid_till(),
        duplicate_till: file.primary().map(|primary| primary.not_after),
        duplicates: file
            .certificates
            .iter()
            .filter(|one| one.kind == CertificateKind::Duplicate)
            .count(),
    }
}

fn dropped(judged: DuplicateCandidates) -> Vec<(domain::OrderNumber, String)> {
    let verdicts = judged.verdicts.into_iter().filter(|verdict| !verdict.kept).take(MOST_DROPPED);
    verdicts.map(|verdict| (verdict.order, verdict.why)).collect()
}

pub(super) async fn review(
    desk: &Desk,
    id: EndpointId,
    query: &Query,
) -> Result<ReviewView, PortalError> {
    let frame = frame(desk, id, query).await?;
    let plan = plan(desk, id, query, frame.profile.as_ref()).await;
    Ok(ReviewView { frame, plan, key: desk.lifecycle.page_key()? })
}

async fn plan(
    desk: &Desk,
    id: EndpointId,
    query: &Query,
    profile: Option<&ProfileOption>,
) -> Result<PlanView, PortalError> {
    let form = state::form(id, query, "preview".to_owned())?;
    let at_once = form.install == Install::Now;
    let preview = desk.lifecycle.preview(&desk.actor(), &form).await;
    let preview = preview.map_err(|error| state::at_field(error.into(), query))?;
    let terms = plan_terms(&preview);
    let Preview {
        product,
        organization,
        mode,
        source_order,
        common_name,
        names,
        scheduled_at,
        valid_till,
        held,
        decided,
        keeps_auto_renew,
        ..
    } = preview;
    let profile = profile.filter(|_| source_order.is_some());
    Ok(PlanView {
        product: product.name.to_owned(),
        terms,
        differs: profile.and_then(|profile| differs(profile, product.name, &organization)),
        organization,
        mode,
        source_order,
        common_name: common_name.to_string(),
        names: names.iter().map(ToString::to_string).collect(),
        scheduled_at: (!at_once).then_some(scheduled_at),
        valid_till,
        held: held.map(|because| because.words().to_owned()),
        decided: decided.map(|decided| decided.explanation),
        keeps_auto_renew,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_for_something_else_says_what_of_it_counts() {
        let profile = ProfileOption {
            id: 1,
            name: "Usual".to_owned(),
            product: "Standard SSL".to_owned(),
            organization: "Example GmbH".to_owned(),
            terms: String::new(),
            reasons: Vec::new(),
            is_default: false,
            may_add_names: false,
            auto_renew: None,
        };
        assert_eq!(differs(&profile, "Standard SSL", "Example GmbH"), None);
        for (product, organization) in
            [("SSL Wildcard", "Example GmbH"), ("Standard SSL", "Other GmbH")]
        {
            let words = differs(&profile, product, organization).unwrap();
            let stays = format!("stay: {product} for {organization}.");
            assert!(words.contains(&stays), "{words}");
            assert!(words.contains("which is Standard SSL for Example GmbH,"), "{words}");
        }
    }

    #[test]
    fn names_that_an_order_does_not_list_are_suggested() {
        let names = |text| NameSet::parse_dns_list(text).unwrap();
        let (wild, both) = (names("*.example.com"), names("*.example.com a.example.com"));
        let asked = names("a.example.com *.example.com b.example.com");
        assert_eq!(not_held(&asked, &[&both]), "b.example.com");
        assert_eq!(not_held(&asked, &[&both, &wild]), "a.example.com, b.example.com");
        assert_eq!(not_held(&wild, &[&both, &wild]), "");
        assert_eq!(not_held(&asked, &[]), "");
    }
}
