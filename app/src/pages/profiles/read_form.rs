//! (ssr) Between the form of a profile and the lifecycle.

use domain::model::{KeyType, Profile, SignatureHash};
use domain::product::CATALOGUE;
use domain::rules::longest_lifetime;
use domain::{Days, OrganizationId, ProductId, ProfileId, Timestamp};
use lifecycle::automation::{ProfileForm as Save, ProfileView};
use lifecycle::lists::{Key, PageOf};
use lifecycle::organizations::{PlaceFilter, PlaceSort};

use super::api::{ProfileForm, ProfileRow};
use crate::desk::{Desk, May};
use crate::fault::{FieldFault, PortalError};
use crate::pages::csv::all_rows;
use crate::pages::endpoints::reading::read_renew;
use crate::pages::wizard::state::emails;

pub(super) fn row(view: ProfileView) -> ProfileRow {
    let product = domain::Product::find(view.profile.product.as_str());
    ProfileRow {
        product: product
            .map_or_else(|| view.profile.product.to_string(), |product| product.name.to_owned()),
        organization: view.organization_name,
        version: view.version,
        updated_at: view.updated_at,
        state: view.state,
        profile: view.profile,
    }
}

pub(super) async fn form(desk: &Desk, id: Option<ProfileId>) -> Result<ProfileForm, PortalError> {
    let found = match id {
        Some(id) => Some(row(desk.lifecycle.profile(&desk.actor(), id).await?)),
        None => None,
    };
    Ok(ProfileForm {
        first: found.is_none() && !desk.lifecycle.has_profiles(&desk.actor()).await?,
        row: found,
        organizations: organizations(desk).await?,
        longest: CATALOGUE.iter().map(|product| longest_lifetime(product, desk.now).0).collect(),
        time_zone: desk.person.user.time_zone.clone(),
        may_automate: desk.may(May::Automate),
    })
}

/// All organizations by name.
pub(crate) async fn organizations(desk: &Desk) -> Result<Vec<(i64, String)>, PortalError> {
    let key = |one: &domain::model::Organization| (Key::Text(one.name.clone()), one.id.0);
    let rows = all_rows(PlaceSort::Name, false, key, |page: PageOf<PlaceSort>| {
        let desk = desk.clone();
        async move { desk.lifecycle.organizations(&desk.actor(), PlaceFilter::default(), &page).await }
    });
    Ok(rows.await?.into_iter().map(|one| (one.id.0, one.name)).collect())
}

/// The form as it was sent.
#[derive(Debug)]
pub(super) struct Typed {
    pub id: String,
    pub version: String,
    pub name: String,
    pub product: String,
    pub organization: String,
    pub coverage_years: String,
    pub validity: String,
    pub validity_amount: String,
    pub validity_end: String,
    pub key_type: String,
    pub signature_hash: String,
    pub emails: String,
    pub auto_renew: String,
    pub days_before: String,
    pub renew_time: String,
    pub time_zone: String,
    pub is_default: String,
    pub allow_duplicates: String,
    pub update_scheduled: String,
}

/// What is to be saved; each field that can't be read is named.
pub(super) fn read(typed: &Typed) -> Result<Save, PortalError> {
    let mut faults = Vec::new();
    let organization =
        take(&mut faults, number("organization", &typed.organization, "Choose an organization."));
    let (validity_days, ends_by) = take(&mut faults, validity(typed)).unwrap_or_default();
    let key_type = typed
        .key_type
        .parse::<KeyType>()
        .map_err(|_| PortalError::field("key_type", "Choose a key."));
    let hash = typed.signature_hash.parse::<SignatureHash>();
    let hash = hash.map_err(|_| PortalError::field("signature_hash", "Choose a signature hash."));
    let (key_type, signature_hash) = (take(&mut faults, key_type), take(&mut faults, hash));
    let auto_renew = if typed.auto_renew == "on" {
        take(&mut faults, read_renew(&typed.days_before, &typed.renew_time, &typed.time_zone))
    } else {
        None
    };
    let (Some(organization), Some(key_type), Some(signature_hash), true) =
        (organization, key_type, signature_hash, faults.is_empty())
    else {
        return Err(PortalError::Invalid(faults));
    };
    let profile = Profile {
        id: ProfileId(typed.id.parse().unwrap_or_default()),
        name: typed.name.trim().to_owned(),
        product: ProductId(typed.product.clone()),
        organization: OrganizationId(organization),
        coverage_years: typed.coverage_years.parse().ok(),
        validity_days,
        ends_by,
        key_type,
        signature_hash,
        auto_renew,
        is_default: typed.is_default == "on",
        allow_duplicates: typed.allow_duplicates == "on",
        emails: emails(&typed.emails),
    };
    Ok(Save {
        profile,
        version: typed.version.parse().ok(),
        update_scheduled: typed.update_scheduled == "on",
    })
}

/// A refusal at the form's own field: days and years are entered in one.
pub(super) fn at_field(error: PortalError) -> PortalError {
    let PortalError::Invalid(mut faults) = error else { return error };
    for fault in faults.iter_mut().filter(|fault| fault.field == "validity_days") {
        "validity_amount".clone_into(&mut fault.field);
    }
    PortalError::Invalid(faults)
}

/// The value, or its faults among the others.
fn take<T>(faults: &mut Vec<FieldFault>, value: Result<T, PortalError>) -> Option<T> {
    match value {
        Ok(value) => Some(value),
        Err(PortalError::Invalid(more)) => {
            faults.extend(more);
            None
        }
        Err(_) => None,
    }
}

fn number(field: &str, text: &str, message: &str) -> Result<i64, PortalError> {
    text.trim().parse().map_err(|_| PortalError::field(field, message))
}

/// Days, or years kept as days; or a custom end, the last second of its day. Neither for the longest.
fn validity(typed: &Typed) -> Result<(Option<Days>, Option<Timestamp>), PortalError> {
    let amount = || number("validity_amount", &typed.validity_amount, "Enter a whole number.");
    match typed.validity.as_str() {
        "days" => Ok((Some(Days(amount()?)), None)),
        "years" => Ok((Some(Days(amount()?.saturating_mul(365))), None)),
        "end" => {
            let end = Timestamp::parse_rfc3339(&format!("{}T23:59:59Z", typed.validity_end.trim()));
            let end = end.ok_or_else(|| {
                PortalError::field("validity_end", "Enter the last day, as year-month-day.")
            })?;
            Ok((None, Some(end)))
        }
        _ => Ok((None, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        let text = |text: &str| text.to_owned();
        Typed {
            id: text("3"),
            version: text("2"),
            name: text(" Web "),
            product: text("ssl_plus"),
            organization: text("1"),
            coverage_years: text(""),
            validity: text(""),
            validity_amount: text(""),
            validity_end: text(""),
            key_type: text("ec_p256"),
            signature_hash: text("sha256"),
            emails: text("a@x.test b@x.test"),
            auto_renew: text(""),
            days_before: text("30"),
            renew_time: text("02:00"),
            time_zone: text("UTC"),
            is_default: text("on"),
            allow_duplicates: text(""),
            update_scheduled: text("on"),
        }
    }

    #[test]
    fn a_form_becomes_a_profile() {
        let save = read(&typed()).unwrap();
        assert_eq!(
            (save.profile.name.as_str(), save.version, save.update_scheduled),
            ("Web", Some(2), true)
        );
        assert_eq!((save.profile.validity_days, save.profile.auto_renew), (None, None));
        assert_eq!(save.profile.emails.len(), 2);
        assert!(save.profile.is_default && !save.profile.allow_duplicates);
    }

    #[test]
    fn validity_as_days_years_or_an_end() {
        let with = |kind: &str, amount: &str, end: &str| {
            let typed = Typed {
                validity: kind.to_owned(),
                validity_amount: amount.to_owned(),
                validity_end: end.to_owned(),
                ..typed()
            };
            validity(&typed).map(|(days, end)| (days.map(|days| days.0), end.map(|end| end.0))).ok()
        };
        assert_eq!(with("days", "47", ""), Some((Some(47), None)));
        assert_eq!(with("years", "1", ""), Some((Some(365), None)));
        assert_eq!(with("", "47", ""), Some((None, None)));
        assert_eq!(with("end", "47", "2026-12-31"), Some((None, Some(1_798_761_599))));
        assert_eq!(with("end", "", "soon"), None);
        assert_eq!(with("days", "many", ""), None);
    }

    #[test]
    fn every_faulty_field_is_named() {
        let broken =
            Typed { organization: String::new(), key_type: "rsa512".to_owned(), ..typed() };
        let error = read(&broken).unwrap_err();
        assert!(error.of_field("organization").is_some() && error.of_field("key_type").is_some());
    }
}
