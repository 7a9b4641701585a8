//! Properties that hold for all orders, names and moments.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Coverage, OrderFile, OrderStatus, Origin, Windows};
use crate::product::CATALOGUE;
use crate::rules::detect::{Wanted, detect, detection_keys};
use crate::rules::duplicate::{DuplicateNames, plan_duplicate};
use crate::rules::explanation::Decision;
use crate::rules::fixture::{NOW, acme_request, acme_url, order};
use crate::rules::lineage::{chain, newest_issued};
use crate::rules::name_match::match_names;
use crate::rules::reissue::{ReissueRequest, plan_reissue};
use crate::rules::validity::{Limits, longest_lifetime, plan_validity};
use crate::rules::window::renewal_window;
use crate::{Days, Name, NameSet, OrderNumber, OrganizationId, Product, Timestamp};

fn any_product() -> impl Strategy<Value = &'static Product> {
    (0..CATALOGUE.len()).prop_map(|index| &CATALOGUE[index])
}

fn any_name() -> impl Strategy<Value = Name> {
    "(\\*\\.)?([ab]\\.){0,2}(example|other)\\.(com|test)"
        .prop_map(|text| Name::parse(&text).unwrap())
}

fn any_names() -> impl Strategy<Value = NameSet> {
    vec(any_name(), 1..4).prop_map(|names| names.into_iter().collect())
}

prop_compose! {
    fn any_order()(
        number in 1_i64..20,
        product in any_product(),
        held in any_names(),
        days_left in -60_i64..260,
        plan_left in proptest::option::of(-60_i64..1100),
        status in proptest::sample::select(OrderStatus::ALL),
        origin in proptest::sample::select(Origin::ALL),
        renewed_by in proptest::option::of(1_i64..20),
    ) -> OrderFile {
        let text: Vec<&str> = held.iter().map(Name::as_str).collect();
        let mut file = order(number, product.id, &text.join(" "), days_left);
        file.order.status = status;
        file.order.origin = origin;
        file.order.renewed_by = renewed_by.map(OrderNumber);
        if let Some(left) = plan_left {
            file.order.coverage = Coverage::MultiYear { years: 1, ends: NOW.plus(Days(left)) };
        }
        file
    }
}

proptest! {
    #[test]
    fn d8_a_plan_never_outlives_its_source(file in any_order(), extra in any_names(), ago in 0_i64..300) {
        let now = NOW.plus(Days(-ago));
        for names in [DuplicateNames::Same, DuplicateNames::Extra { names: extra }] {
            if let Ok(plan) = plan_duplicate(&file, &names, now) {
                let primary = file.primary().unwrap();
                prop_assert_eq!(plan.validity.not_after, primary.not_after);
                prop_assert_eq!(plan.source, primary.id);
                prop_assert!(plan.validity.not_before < plan.validity.not_after);
                let product = Product::find(plan.product.as_str()).unwrap();
                prop_assert!(plan.validity.not_after < now.plus(longest_lifetime(product, now)));
                prop_assert!(product.duplicate_may_add_names || plan.names == file.order.names);
            }
        }
        if let Ok(plan) = plan_reissue(&file, &ReissueRequest::Same, Timestamp(i64::MAX), now) {
            prop_assert!(plan.validity.not_after <= file.valid_till().unwrap());
        }
    }

    #[test]
    fn validity_never_passes_a_limit(
        product in any_product(),
        start in 0_i64..2_000_000_000,
        asked in proptest::option::of(0_i64..2000),
        left in -100_i64..500,
        issuer in -10_i64..4000,
        coverage in proptest::option::of(-10_i64..1200),
    ) {
        let start = Timestamp(start);
        let limits = Limits {
            issuer_not_after: start.plus(Days(issuer)),
            coverage_ends: coverage.map(|days| start.plus(Days(days))),
        };
        if let Ok(validity) = plan_validity(product, start, asked.map(Days), Days(left), limits) {
            prop_assert!(validity.not_before < validity.not_after);
            prop_assert!(validity.not_after < start.plus(longest_lifetime(product, start)));
            prop_assert!(validity.not_after <= limits.issuer_not_after);
            prop_assert!(limits.coverage_ends.is_none_or(|ends| validity.not_after <= ends));
        }
    }

    #[test]
    fn a4_detection_ignores_the_order_of_names_and_candidates(
        wanted in vec(any_name(), 1..4),
        mut orders in vec(any_order(), 0..8),
        product in any_product(),
    ) {
        orders.sort_by_key(OrderFile::number);
        orders.dedup_by_key(|file| file.number());
        let found = |names: &NameSet, orders: &[OrderFile]| {
            let wanted = Wanted { organization: OrganizationId(1), product: &product.product_id(), names, common_name: None };
            detect(&wanted, orders, NOW)
        };
        let forth: NameSet = wanted.iter().cloned().collect();
        let back: NameSet = wanted.into_iter().rev().collect();
        let first = found(&forth, &orders);
        orders.reverse();
        let second = found(&back, &orders);
        prop_assert_eq!(&first, &second);
        let kept: Vec<OrderNumber> = first.candidates.iter().filter(|v| v.kept).map(|v| v.order).collect();
        prop_assert_eq!(kept, first.order.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a4_preselection_by_keys_misses_no_match(wanted in any_names(), file in any_order()) {
        if match_names(&file.order, &wanted, None).is_ok() {
            let keys = detection_keys(&file.order.product, &wanted);
            let by_set = keys.canonical == file.order.names.canonical();
            let holds_any = |names: &[Name]| names.iter().any(|name| file.order.names.contains(name));
            prop_assert!(by_set || holds_any(keys.any_of()));
            prop_assert!(by_set || keys.all_of.iter().all(|each| holds_any(each)));
        }
    }

    #[test]
    fn a7_a8_exactly_one_default_action_for_any_order_and_moment(mut file in any_order(), days in -400_i64..400) {
        file.order.origin = Origin::Acme;
        let url = acme_url(file.order.product.as_str());
        let wanted = file.order.names.clone();
        let now = NOW.plus(Days(days));
        let candidates = std::slice::from_ref(&file);
        let request = crate::rules::AcmeRequest { now, ..acme_request(&url, &wanted, candidates) };
        // Only names that the product can't hold are refused.
        if let Ok(decided) = crate::rules::decide_acme(&request) {
            let due = renewal_window(&file, Windows::default()).unwrap().is_open(now);
            let multi_year = file.order.coverage.is_multi_year();
            match decided.decision {
                Decision::Renew { .. } => prop_assert!(due),
                Decision::Reissue { .. } => prop_assert!(multi_year && !due),
                Decision::Duplicate { .. } | Decision::Enroll { like: Some(_) } => prop_assert!(!multi_year && !due),
                Decision::Enroll { like: None } => prop_assert!(decided.explanation.candidates.iter().all(|v| !v.kept)),
            }
            prop_assert_eq!(decided.decision.order(), decided.explanation.order);
        }
    }

    #[test]
    fn d13_a_chain_ends_and_visits_each_order_once(files in vec(any_order(), 1..20)) {
        let start = files.first().unwrap();
        let line = chain(start, &files);
        let mut numbers: Vec<OrderNumber> = line.iter().map(|file| file.number()).collect();
        let length = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), length);
        prop_assert!(newest_issued(start, &files).is_none_or(OrderFile::is_standing));
    }

    #[test]
    fn a9_window_opens_within_the_lifetime_and_stays_open(file in any_order(), later in 0_i64..1000) {
        let window = renewal_window(&file, Windows::default()).unwrap();
        prop_assert!(!window.is_open(window.opens_at.plus_seconds(-1)));
        prop_assert!(window.is_open(window.opens_at.plus(Days(later))));
        let end = file.valid_till().unwrap();
        prop_assert!(window.opens_at < end);
    }
}
