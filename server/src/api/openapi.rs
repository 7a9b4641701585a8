//! `/api/openapi.json`: what the API has, in OpenAPI 3.1. A test walks every operation.

use axum::Json;
use serde_json::{Map, Value, json};

use super::fields::put;

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    summary: &'static str,
    /// The schema of the body, where there is one.
    body: Option<&'static str>,
    /// The status of success.
    status: &'static str,
}

const fn read(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "get", path, summary, body: None, status: "200" }
}

const fn send(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: &'static str,
    status: &'static str,
) -> Operation {
    Operation { method, path, summary, body: Some(body), status }
}

/// Every operation.
pub(super) const OPERATIONS: &[Operation] = &[
    read("/user/me", "The owner of the API key"),
    read("/user", "All people, for administrators; filters: search, email"),
    read("/container", "Divisions: this portal is one"),
    read("/organization", "Organizations; filters: name"),
    read("/organization/{id}", "One organization with its validation"),
    read("/domain", "Domains; filters: name, organization_id"),
    read("/domain/{id}", "One domain with its validation"),
    read("/product", "The product catalogue"),
    read("/product/{name_id}", "One product"),
    read(
        "/order/certificate",
        "Orders; filters: id, status, product_name_id, organization_id, common_name, domain_name, serial_number, \
         certificate_id, search (number, serial, fingerprint or part of a name), origin, user_id, is_renewed, \
         has_duplicates, valid_till, date_created; sort: id, date_created, valid_till, common_name",
    ),
    read("/order/certificate/{order}", "One order with its primary certificate and its requests"),
    send(
        "post",
        "/order/certificate/{product}",
        "Request a certificate; with renewal_of_order_id, renew an order",
        "CertificateRequest",
        "201",
    ),
    read("/order/certificate/{order}/duplicate", "The order's duplicates"),
    send(
        "post",
        "/order/certificate/{order}/duplicate",
        "Request a duplicate",
        "CertificateRequest",
        "201",
    ),
    read("/order/certificate/{order}/reissue", "The order's reissues"),
    send(
        "post",
        "/order/certificate/{order}/reissue",
        "Request a reissue",
        "CertificateRequest",
        "201",
    ),
    send(
        "put",
        "/order/certificate/{order}/revoke",
        "Request the revocation of the order with all its certificates",
        "Revocation",
        "201",
    ),
    send(
        "put",
        "/certificate/{id}/revoke",
        "Request the revocation of one certificate",
        "Revocation",
        "201",
    ),
    read(
        "/certificate/{id}/download/format/{format}",
        "A certificate as a file: pem_all, pem_noroot (or pem, default, default_pem), pem_nointermediate (or crt), \
         p7b, der",
    ),
    read(
        "/certificate/download/order/{order}/format/{format}",
        "An order's primary certificate as a file, in the same formats",
    ),
    read(
        "/certificate/{id}/chain",
        "The certificates above one, its issuer first and the root last",
    ),
    read("/request", "Requests, newest first; filters: status, type, requester_id, order_id"),
    read("/request/{id}", "One request"),
    send("put", "/request/{id}/status", "Approve, reject or cancel a request", "Review", "204"),
    send(
        "post",
        "/key/acme-eab",
        "Make an ACME Directory URL; its credential is shown this once",
        "AcmeUrl",
        "201",
    ),
];

/// `GET /api/openapi.json`.
pub(super) async fn document() -> Json<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(template(operation.path)).or_insert_with(|| json!({}));
        path[operation.method] = describe(operation);
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Certdeck Services API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "In the shape of CertCentral's Services API. Lists answer a page by limit (at most 1000) \
                and offset; page.total is the number of rows in all. Numbers are read as text, too. Errors are {\"errors\":[{\"code\",\"message\"}]}.",
        },
        "servers": [{"url": "/services/v2"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-DC-DEVKEY"}},
            "schemas": schemas(),
        },
    }))
}

/// An order's number and a product's id stand at the same place: one template for both.
fn template(path: &str) -> String {
    let shared = ["/order/certificate/{order}", "/order/certificate/{product}"];
    if shared.contains(&path) {
        "/order/certificate/{order_or_product}".to_owned()
    } else {
        path.to_owned()
    }
}

fn describe(operation: &Operation) -> Value {
    let path = template(operation.path);
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let list = ["/organization", "/domain", "/order/certificate", "/request", "/user"]
        .contains(&operation.path);
    if list {
        for name in ["limit", "offset"] {
            parameters.push(
                json!({"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}}),
            );
        }
        let schema = json!({"type": "object", "additionalProperties": {"type": "string"}});
        parameters.push(
            json!({"name": "filters", "in": "query", "style": "deepObject", "schema": schema}),
        );
    }
    // A credential is shown once: the same key could not have it again.
    let once = operation.method == "post" && operation.path != "/key/acme-eab";
    if once || operation.path.ends_with("/revoke") {
        let about = "The same key for the same act gives the same outcome; with another body it is refused (422).";
        let schema = json!({"type": "string"});
        parameters.push(json!({"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema}));
    }
    let mut value = json!({
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            operation.status: {"description": "Done"},
            "4XX": {"description": "Refused", "content": content("Errors")},
        },
    });
    if let Some(body) = operation.body {
        put(
            &mut value,
            "requestBody",
            json!({"required": body != "Revocation", "content": content(body)}),
        );
    }
    value
}

fn content(schema: &str) -> Value {
    json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}}})
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let validity = json!({"type": "object", "properties": {
        "years": number, "days": number, "custom_expiration_date": {"type": "string", "format": "date"}}});
    json!({
        "Errors": {"type": "object", "properties": {"errors": {"type": "array", "items": {
            "type": "object", "properties": {"code": text, "message": text}}}}},
        "CertificateRequest": {"type": "object", "required": ["certificate"], "properties": {
            "certificate": {"type": "object", "required": ["csr"], "properties": {
                "common_name": text, "dns_names": {"type": "array", "items": text}, "csr": text, "cert_validity": validity}},
            "organization": {"type": "object", "properties": {"id": number}},
            "order_validity": validity, "custom_expiration_date": {"type": "string", "format": "date"},
            "validity_years": number, "validity_days": number, "renewal_of_order_id": number, "comments": text,
            "confirm_revocation": {"type": "boolean", "description":
                "Reissue with changed or removed names: the order's earlier certificates are revoked in 72 hours"}}},
        "Revocation": {"type": "object", "properties": {"comments": text, "revocation_reason": {"enum": [
            "unspecified", "key_compromise", "affiliation_changed", "superseded", "cessation_of_operation",
            "privilege_withdrawn"]}}},
        "Review": {"type": "object", "required": ["status"], "properties": {
            "status": {"enum": ["approved", "rejected", "canceled"]}, "processor_comment": text,
            "key_sha256": text}},
        "AcmeUrl": {"type": "object", "required": ["name", "product_name_id", "organization_id"], "properties": {
            "name": text, "product_name_id": text, "organization_id": number,
            "validity_years": {"type": "integer", "minimum": 1, "maximum": 3}, "validity_days": number}},
    })
}
