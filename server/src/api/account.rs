//! The caller, and what can be ordered.

use axum::Json;
use axum::extract::Path;
use domain::model::{Role, User};
use domain::product::{CATALOGUE, MaxLifetime};
use domain::{Product, Validation};
use lifecycle::accounts::AccountFilter;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::{ApiError, ApiResult};
use super::fields::put;
use super::listing::Listed;

/// `GET /user/me`.
pub(super) async fn me(caller: Caller) -> ApiResult {
    let mut body = whole(&caller.person.user, caller.person.role);
    put(&mut body, "timezone", json!(caller.person.user.time_zone));
    Ok(Json(body))
}

/// `GET /user`: everybody, for administrators.
pub(super) async fn users(caller: Caller, mut listed: Listed) -> ApiResult {
    let (text, email) = (listed.take("search"), listed.take("email"));
    listed.nothing_left()?;
    let filter = AccountFilter { text, email, ..AccountFilter::default() };
    let actor = caller.actor();
    let found = caller.desk.users_from(&actor, &filter, listed.limit, listed.offset).await?;
    let users: Vec<Value> = found.rows.iter().map(|one| whole(&one.user, one.user.role)).collect();
    Ok(Json(json!({"users": users, "page": listed.page(found.total)})))
}

/// `GET /container`: this portal is one division.
pub(super) async fn containers(_caller: Caller) -> ApiResult {
    let mut one = container();
    put(&mut one, "parent_id", json!(0));
    put(&mut one, "is_active", json!(true));
    put(&mut one, "has_logo", json!(false));
    Ok(Json(json!({"containers": [one]})))
}

/// The division as other answers refer to it.
pub(super) fn container() -> Value {
    json!({"id": 1, "name": "Certdeck"})
}

fn whole(user: &User, role: Role) -> Value {
    let mut view = person(user);
    put(&mut view, "status", json!(if user.disabled { "inactive" } else { "active" }));
    put(&mut view, "access_roles", json!([{"id": role as u8 + 1, "name": role.label()}]));
    put(&mut view, "container", container());
    view
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

/// `GET /product/{name_id}`.
pub(super) async fn one_product(_caller: Caller, Path(id): Path<String>) -> ApiResult {
    let found = Product::find(&id).ok_or_else(|| ApiError::no_such("product"))?;
    Ok(Json(product(found)))
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
        "custom_expiration_date_allowed": true,
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
