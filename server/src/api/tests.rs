use axum::body::Body;
use domain::Days;
use domain::model::Role;
use http::{Request, StatusCode};
use lifecycle::accounts::NewUser;
use lifecycle::{Actor, AuthorityOptions, Clock, Issuer, MasterKey, Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;

mod clients;

/// The API on a fresh database with an authority, and keys for two roles.
struct Site {
    router: Router,
    desk: Lifecycle,
    administrator: String,
    standard: String,
    limited: String,
    organization: i64,
    _folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("api.db").display());
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        store.migrate().await.unwrap();
        let desk = Lifecycle::new(store, Clock::system());
        let key = MasterKey::load_or_create(&folder.path().join("master.key")).unwrap();
        let options = AuthorityOptions::new("Test, Inc.", "DE", desk.clock().now().minus(Days(1)));
        let issuer =
            Issuer::open(desk.store(), Arc::new(key), "https://ca.test", options).await.unwrap();
        let desk = desk.with_issuer(issuer);
        let organization =
            desk.add_organization(&Actor::Operator, "Example GmbH", "DE", true).await.unwrap();
        desk.add_domain(&Actor::Operator, "example.com", organization, true).await.unwrap();
        let (administrator, standard, limited) = (
            key_of(&desk, "root@example.com", Role::Administrator).await,
            key_of(&desk, "jane@example.com", Role::Standard).await,
            key_of(&desk, "lim@example.com", Role::Limited).await,
        );
        let router = router(desk.clone(), "https://ca.test/");
        Self {
            router,
            desk,
            administrator,
            standard,
            limited,
            organization: organization.0,
            _folder: folder,
        }
    }

    async fn call(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path).header("X-DC-DEVKEY", key);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))),
        )
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(&self.administrator, "GET", path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    fn wanted(&self, name: &str) -> Value {
        json!({
            "certificate": {"common_name": name, "csr": csr(&[name]), "server_platform": {"id": -1}},
            "organization": {"id": self.organization},
            "order_validity": {"years": 1},
        })
    }
}

async fn key_of(desk: &Lifecycle, email: &str, role: Role) -> String {
    let new = NewUser { email: email.into(), name: "Test Person".into(), role, password: None };
    let id = desk.add_user(&Actor::Operator, new).await.unwrap();
    let (_, key) = desk.create_api_key(&Actor::Operator, id, "test", None).await.unwrap();
    key.reveal().to_owned()
}

fn csr(names: &[&str]) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serialize_request(&key).unwrap().pem().unwrap()
}

#[tokio::test]
async fn a_key_is_asked_for_everywhere() {
    let site = Site::new().await;
    for operation in openapi::OPERATIONS {
        let path = operation.path.replace("{product}", "ssl_plus").replace("{format}", "p7b");
        let path =
            path.replace("{order}", "1").replace("{id}", "1").replace("{name_id}", "ssl_plus");
        let path = format!("/services/v2{path}");
        for key in ["", "cdk_forged"] {
            let (status, body) =
                site.call(key, &operation.method.to_uppercase(), &path, None).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(body["errors"][0]["code"], "invalid_api_key", "{path}");
        }
        // With a key every operation is there, and what it refuses it refuses in words.
        let (status, body) = site
            .call(&site.administrator, &operation.method.to_uppercase(), &path, Some(json!({})))
            .await;
        assert!(
            !status.is_server_error() && status != StatusCode::METHOD_NOT_ALLOWED,
            "{path}: {body}"
        );
        assert!(status.is_success() || body["errors"][0]["message"].is_string(), "{path}: {body}");
    }
}

#[tokio::test]
async fn an_order_is_placed_found_and_duplicated() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let path = "/services/v2/order/certificate/ssl_plus";
    let (status, placed) =
        site.call(&site.administrator, "POST", path, Some(site.wanted("www.example.com"))).await;
    assert_eq!(status, StatusCode::CREATED, "{placed}");
    let order = placed["id"].as_i64().unwrap();
    assert!(placed["certificate_chain"].as_array().unwrap().len() >= 2);

    let list = site
        .get("/services/v2/order/certificate?filters[common_name]=www.example.com&limit=1")
        .await;
    assert_eq!(list["orders"][0]["id"], order);
    assert_eq!(list["orders"][0]["certificate"]["id"], placed["certificate_id"]);
    assert_eq!(list["page"], json!({"total": 1, "limit": 1, "offset": 0}));
    assert_eq!(
        site.get("/services/v2/order/certificate?filters[status]=revoked").await["orders"],
        json!([])
    );

    let own = format!("/services/v2/order/certificate/{order}");
    let detail = site.get(&own).await;
    assert_eq!(detail["organization"]["name"], "Example GmbH");
    let serial = detail["certificate"]["serial_number"].as_str().unwrap().to_owned();
    let found =
        site.get(&format!("/services/v2/order/certificate?filters[serial_number]={serial}")).await;
    assert_eq!(found["orders"][0]["id"], order);

    let body = json!({"certificate": {"csr": csr(&["www.example.com"])}});
    let (status, made) =
        site.call(&site.administrator, "POST", &format!("{own}/duplicate"), Some(body)).await;
    assert_eq!((status, made["id"].as_i64()), (StatusCode::CREATED, Some(order)), "{made}");
    let duplicates = site.get(&format!("{own}/duplicate")).await;
    assert_eq!(duplicates["certificates"].as_array().unwrap().len(), 1);
    // Rule D8: the duplicate ends with the original.
    assert_eq!(
        duplicates["certificates"][0]["valid_till_datetime"],
        detail["certificate"]["valid_till_datetime"]
    );

    let id = duplicates["certificates"][0]["id"].as_i64().unwrap();
    let pem =
        site.get_text(&format!("/services/v2/certificate/{id}/download/format/pem_all")).await;
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 3);
    let p7b = site.get_text(&format!("/services/v2/certificate/{id}/download/format/p7b")).await;
    assert!(p7b.starts_with("-----BEGIN PKCS7"), "{p7b}");
}

impl Site {
    async fn get_text(&self, path: &str) -> String {
        self.get(path).await.as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn d6_extra_names_are_refused_with_the_rules_words() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let path = "/services/v2/order/certificate/ssl_plus";
    let (_, placed) =
        site.call(&site.administrator, "POST", path, Some(site.wanted("www.example.com"))).await;
    let body = json!({"certificate": {"csr": csr(&["www.example.com"]), "dns_names": ["api.example.com"]}});
    let path = format!("/services/v2/order/certificate/{}/duplicate", placed["id"]);
    let (status, refused) = site.call(&site.administrator, "POST", &path, Some(body)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert!(refused["errors"][0]["code"].is_string());
}

#[tokio::test]
async fn d1_names_that_a_duplicate_would_not_have_are_refused_and_not_left_aside() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let mut wanted = site.wanted("www.example.com");
    wanted["certificate"]["dns_names"] = json!(["www.example.com", "api.example.com"]);
    let path = "/services/v2/order/certificate/ssl_multi_domain";
    let (_, placed) = site.call(&site.administrator, "POST", path, Some(wanted)).await;
    let path = format!("/services/v2/order/certificate/{}/duplicate", placed["id"]);
    let ask = async |common_name: &str, dns_names: Value| {
        let csr = csr(&["www.example.com"]);
        let body = json!({"certificate": {"csr": csr, "common_name": common_name, "dns_names": dns_names}});
        let (status, answer) = site.call(&site.administrator, "POST", &path, Some(body)).await;
        (status.as_u16(), answer["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |code: &str| (422, code.to_owned());
    assert_eq!(ask("api.example.com", json!([])).await, refused("other_common_name"));
    assert_eq!(ask("", json!(["WWW.example.com"])).await, refused("names_missing"));
    assert_eq!(ask("www.example.com", json!(["api.example.com"])).await.0, 201);
    assert_eq!(ask("", json!([])).await.0, 201);
}

/// A plan lives longer than its certificates: each has the days that are left of its own.
#[tokio::test]
async fn days_remaining_are_the_certificates_own() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let mut wanted = site.wanted("www.example.com");
    wanted["order_validity"] = json!({"years": 3});
    let path = "/services/v2/order/certificate/ssl_plus";
    let (_, placed) = site.call(&site.administrator, "POST", path, Some(wanted)).await;
    let order = site.get(&format!("/services/v2/order/certificate/{}", placed["id"])).await;
    let days = order["certificate"]["days_remaining"].as_i64().unwrap();
    assert!((0..=398).contains(&days), "{order}");
    assert_eq!(order["certificate"]["signature_hash"], "sha256");
}

/// Names that a renewal would not have are refused, not left out.
#[tokio::test]
async fn d12_a_renewal_has_the_names_of_its_order() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let path = "/services/v2/order/certificate/ssl_plus";
    let (_, placed) =
        site.call(&site.administrator, "POST", path, Some(site.wanted("www.example.com"))).await;
    let renew = |certificate: Value| {
        let mut certificate = certificate;
        certificate["csr"] = json!(csr(&["www.example.com"]));
        json!({"certificate": certificate, "renewal_of_order_id": placed["id"]})
    };
    for (certificate, code) in [
        (json!({"dns_names": ["www.example.com", "api.example.com"]}), "invalid_dns_names"),
        (json!({"dns_names": ["not a name!"]}), "invalid_dns_names"),
        (json!({"common_name": "api.example.com"}), "invalid_common_name"),
    ] {
        let body = Some(renew(certificate));
        let (status, refused) = site.call(&site.administrator, "POST", path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
        assert_eq!(refused["errors"][0]["code"], code, "{refused}");
    }
    let same = json!({"common_name": "WWW.example.com", "dns_names": ["www.example.com"]});
    let (status, renewed) = site.call(&site.administrator, "POST", path, Some(renew(same))).await;
    assert_eq!(status, StatusCode::CREATED, "{renewed}");
    assert_ne!(renewed["id"], placed["id"]);
}

#[tokio::test]
async fn d16_a_standard_users_request_waits_and_is_reviewed() {
    let site = Site::new().await;
    site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
    let path = "/services/v2/order/certificate/ssl_plus";
    let (status, placed) =
        site.call(&site.standard, "POST", path, Some(site.wanted("www.example.com"))).await;
    assert_eq!(
        (status, placed["requests"][0]["status"].as_str()),
        (StatusCode::CREATED, Some("pending")),
        "{placed}"
    );
    let waiting = site.get("/services/v2/request?filters[status]=pending").await;
    assert_eq!(waiting, site.get("/services/v2/request?filters[status]=submitted").await);
    let id = waiting["requests"][0]["id"].as_i64().unwrap();
    assert_eq!(waiting["requests"][0]["type"], "new_request");
    let review = format!("/services/v2/request/{id}/status");
    let approval = json!({"status": "approved", "processor_comment": "fine"});
    let (status, _) = site.call(&site.standard, "PUT", &review, Some(approval.clone())).await;
    assert!(status.is_client_error(), "nobody approves their own request: {status}");
    let (status, body) = site.call(&site.administrator, "PUT", &review, Some(approval)).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let order = site.get(&format!("/services/v2/order/certificate/{}", placed["id"])).await;
    assert_eq!(order["status"], "issued");
    // A revocation always needs a second step.
    let revoke = format!("/services/v2/order/certificate/{}/revoke", placed["id"]);
    let (status, asked) =
        site.call(&site.standard, "PUT", &revoke, Some(json!({"comments": "gone"}))).await;
    assert_eq!((status, asked["type"].as_str()), (StatusCode::CREATED, Some("revoke")), "{asked}");
    let held = site.get(&format!("/services/v2/request/{}", asked["id"])).await;
    assert_eq!(
        held["order"]["certificate"],
        json!({"common_name": "www.example.com", "dns_names": ["www.example.com"]})
    );
    assert_eq!(held["order"]["organization"]["id"], site.organization);
    assert_eq!(held["order"]["product"]["name_id"], "ssl_plus");
    let waiting = site.get("/services/v2/request?filters[type]=revoke").await;
    assert_eq!(waiting["requests"][0]["order"], held["order"]);
}

/// Who says which key was looked at approves no other.
#[tokio::test]
async fn an_approval_may_say_for_which_key() {
    let site = Site::new().await;
    let path = "/services/v2/order/certificate/ssl_plus";
    site.call(&site.standard, "POST", path, Some(site.wanted("www.example.com"))).await;
    let waiting = site.get("/services/v2/request?filters[status]=pending").await;
    let request = &waiting["requests"][0];
    let review = format!("/services/v2/request/{}/status", request["id"]);
    let approve = async |key: &Value| {
        let body = json!({"status": "approved", "key_sha256": key});
        site.call(&site.administrator, "PUT", &review, Some(body)).await
    };
    let (status, refused) = approve(&json!("00")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    assert_eq!(refused["errors"][0]["code"], "conflict", "{refused}");
    let (status, body) = approve(&request["key_sha256"]).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
}

#[tokio::test]
async fn the_same_idempotency_key_makes_one_order() {
    let site = Site::new().await;
    let body = site.wanted("www.example.com").to_string();
    let mut orders = Vec::new();
    for _ in 0..2 {
        let request = Request::builder()
            .method("POST")
            .uri("/services/v2/order/certificate/ssl_plus")
            .header("X-DC-DEVKEY", &site.administrator)
            .header("Idempotency-Key", "once")
            .header("content-type", "application/json")
            .body(Body::from(body.clone()))
            .unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        orders.push(serde_json::from_slice::<Value>(&bytes).unwrap()["id"].clone());
    }
    assert!(orders[0].is_i64());
    assert_eq!(orders[0], orders[1]);
}

#[tokio::test]
async fn bad_input_is_answered_in_words() {
    let site = Site::new().await;
    let order = "/services/v2/order/certificate/ssl_plus";
    let huge = json!({"comments": "x".repeat(1_000_000)});
    for (method, path, body, status, code) in [
        ("POST", order, json!({}), 400, "invalid_organization"),
        ("POST", order, json!({"certificate": 5}), 422, "invalid_json"),
        ("POST", order, huge, 413, "body_too_large"),
        (
            "POST",
            "/services/v2/order/certificate/no_such_product",
            site.wanted("a.example.com"),
            400,
            "invalid_product",
        ),
        ("GET", "/services/v2/order/certificate?limit=5000", Value::Null, 400, "invalid_limit"),
        (
            "GET",
            "/services/v2/order/certificate?filters[colour]=red",
            Value::Null,
            400,
            "invalid_filter",
        ),
        (
            "GET",
            "/services/v2/order/certificate?filters[status]=%27",
            Value::Null,
            400,
            "invalid_filter",
        ),
        (
            "GET",
            "/services/v2/order/certificate/99999999999999999999",
            Value::Null,
            404,
            "not_found",
        ),
        ("GET", "/services/v2/nothing", Value::Null, 404, "not_found"),
        ("DELETE", "/services/v2/user/me", Value::Null, 405, "method_not_allowed"),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let (found, answer) = site.call(&site.administrator, method, path, body).await;
        assert_eq!(
            (found.as_u16(), answer["errors"][0]["code"].as_str()),
            (status, Some(code)),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn account_and_places_are_listed() {
    let site = Site::new().await;
    let me = site.get("/services/v2/user/me").await;
    assert_eq!(
        (me["username"].as_str(), me["first_name"].as_str()),
        (Some("root@example.com"), Some("Test"))
    );
    let organizations = site.get("/services/v2/organization").await;
    assert_eq!(organizations["organizations"][0]["validations"][0]["status"], "active");
    let domains = site.get("/services/v2/domain").await;
    assert_eq!(domains["domains"][0]["name"], "example.com");
    let products = site.get("/services/v2/product").await;
    assert!(
        products["products"]
            .as_array()
            .unwrap()
            .iter()
            .any(|product| product["name_id"] == "ssl_wildcard")
    );
    let document = site.get("/api/openapi.json").await;
    // Promised where it is honoured, and a credential is not shown twice.
    let promises_once = |path: &str| {
        document["paths"][path]["post"]["parameters"].to_string().contains("Idempotency-Key")
    };
    assert!(promises_once("/order/certificate/{order_or_product}"));
    assert!(!promises_once("/key/acme-eab"));
    assert!(document["paths"]["/order/certificate/{order_or_product}"]["post"].is_object());
}

#[tokio::test]
async fn an_acme_url_is_made_with_its_credential() {
    let site = Site::new().await;
    let body = json!({"name": "web", "product_name_id": "ssl_plus", "organization_id": site.organization, "validity_years": 1});
    let (status, made) = site
        .call(&site.administrator, "POST", "/services/v2/key/acme-eab", Some(body.clone()))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["acme_directory_url"], "https://ca.test/mpki/api/v1/acme/v2/directory");
    assert!(made["ext_act_kid"].is_string() && made["ext_act_hmac"].is_string());
    let (status, _) =
        site.call(&site.standard, "POST", "/services/v2/key/acme-eab", Some(body)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}
