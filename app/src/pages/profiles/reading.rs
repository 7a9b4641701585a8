//! (ssr) The URL of the list of profiles as the lifecycle takes it.

use domain::rules::ProfileState;
use lifecycle::automation::{ProfileFilter, ProfileSort};

use super::api::SORTS;
use crate::kit::Listing;
use crate::paths;

pub(super) fn listing(query: &str) -> Listing {
    Listing::read(paths::PROFILES, query, &SORTS)
}

pub(super) fn sort(listing: &Listing) -> ProfileSort {
    match listing.sort.key.as_str() {
        "product" => ProfileSort::Product,
        "organization" => ProfileSort::Organization,
        "saved" => ProfileSort::Saved,
        _ => ProfileSort::Name,
    }
}

pub(super) fn filter(listing: &Listing) -> ProfileFilter {
    ProfileFilter {
        text: listing.filter("text").map(str::to_owned),
        active: listing.filter("state").map(|state| state == ProfileState::Active.label()),
    }
}
