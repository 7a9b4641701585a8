//! The caller, and what can be ordered.

use axum::Json;
use domain::model::User;
use domain::product::{CATALOGUE, MaxLifetime};
use domain::{Product, Validation};
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::ApiResult;
use super::fields::put;

/// `GET /user/me`.
pub(super) async fn me(caller: Caller) -> ApiResult {
    let role = caller.person.role;
    let mut body = person(&caller.person.user);
    put(&mut body, "status", json!("active"));
    put(&mut body, "access_roles", json!([{"id": role as u8 + 1, "name": role.label()}]));
    put(&mut body, "timezone", json!(caller.person.user.time_zone));
    Ok(Json(body))
}

/// A person as other answers refer to them.
pub(super) fn person(user: &User) -> Value {
    let (first, last) = user.name.split_once(' ').unwrap_or((&user.name, ""));
    json!({
        "id": user.id,
        "username": user.email,
        "email": user.email,
        "first_name": first,
        "last_name": last,
    })
}

/// `GET /product`.
pub(super) async fn products(_caller: Caller) -> ApiResult {
    let products: Vec<Value> = CATALOGUE.iter().map(product).collect();
    Ok(Json(json!({"products": products})))
}

fn product(product: &Product) -> Value {
    let years: &[u8] = if product.multi_year { &[1, 2, 3] } else { &[1] };
    json!({
        "name_id": product.id,
        "name": product.name,
        "group_name": "ssl_certificate",
        "group_display_name": "SSL Certificates",
        "type": kind(product),
        "validation_type": product.validation,
        "allowed_validity_years": [1],
        "allowed_order_validity_years": years,
        "allowed_validity_days": match product.max_lifetime {
            MaxLifetime::Public => Value::Null,
            MaxLifetime::Private(days) => json!(days),
        },
        "signature_hash_types": {
            "allowed_hash_types": [{"id": "sha256", "name": "SHA-256"}],
            "default_hash_type_id": "sha256",
        },
        "csr_required": true,
        "wildcard": product.wildcard,
        "additional_dns_names_allowed": product.additional_names_allowed,
        "duplicates_allowed": product.duplicates_allowed,
        "duplicate_may_add_names": product.duplicate_may_add_names,
    })
}

/// A product as other answers refer to it.
pub(super) fn product_reference(id: &str) -> Value {
    let known = Product::find(id);
    json!({
        "name_id": id,
        "name": known.map_or(id, |product| product.name),
        "type": known.map_or("ssl_certificate", kind),
    })
}

const fn kind(product: &Product) -> &'static str {
    match product.validation {
        Validation::Dv => "dv_ssl_certificate",
        Validation::Private => "private_ssl_certificate",
        Validation::Ov | Validation::Ev => "ssl_certificate",
    }
}
