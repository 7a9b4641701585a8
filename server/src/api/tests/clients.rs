//! What existing clients of the Services API send, and how they read the answers.

use super::*;

const ORDERS: &str = "/services/v2/order/certificate";
const NONE: [i64; 0] = [];

impl Site {
    /// Where nothing waits for a reviewer.
    async fn without_approval() -> Self {
        let site = Self::new().await;
        site.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
        site
    }

    async fn placed(&self, product: &str, body: Value) -> Value {
        let path = format!("{ORDERS}/{product}");
        let (status, placed) = self.call(&self.administrator, "POST", &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{placed}");
        placed
    }

    async fn refused(&self, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(&self.administrator, "POST", path, Some(body)).await;
        (status.as_u16(), answer["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn numbers(&self, query: &str) -> Vec<i64> {
        let list = self.get(&format!("{ORDERS}?{query}")).await;
        list["orders"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    }
}

#[tokio::test]
async fn clients_page_until_the_total() {
    let site = Site::new().await;
    site.desk.seed_orders(&Actor::Operator, 25, 7, |_| {}).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let list = site.get(&format!("{ORDERS}?limit=10&offset={}", seen.len())).await;
        assert_eq!(list["page"]["total"], 25, "{}", list["page"]);
        seen.extend(
            list["orders"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()),
        );
        if seen.len() >= 25 {
            break;
        }
    }
    let sorted: Vec<i64> =
        seen.iter().copied().collect::<std::collections::BTreeSet<_>>().into_iter().rev().collect();
    assert_eq!(seen, sorted, "each once, newest first");
    let far = site.get(&format!("{ORDERS}?offset=20000")).await;
    assert_eq!((&far["orders"], &far["page"]["total"]), (&json!([]), &json!(25)));
    let issued = site.get(&format!("{ORDERS}?filters[status]=issued&limit=1")).await;
    let others = 25 - issued["page"]["total"].as_i64().unwrap();
    assert!((0..25).contains(&others), "{}", issued["page"]);
    let whole = site.get(&format!("{ORDERS}?filters[status]=issued")).await;
    assert_eq!(whole["page"]["total"], issued["page"]["total"]);
    assert_eq!(whole["page"]["total"], whole["orders"].as_array().unwrap().len());
}

/// Of a multi-year plan the list shows the certificate's end as the detail does, not the plan's.
#[tokio::test]
async fn a_listed_certificate_ends_when_it_ends() {
    let site = Site::without_approval().await;
    let mut wanted = site.wanted("www.example.com");
    wanted["order_validity"] = json!({"years": 3});
    let placed = site.placed("ssl_plus", wanted).await;
    let detail = site.get(&format!("{ORDERS}/{}", placed["id"])).await;
    let list = site.get(ORDERS).await;
    let listed = &list["orders"][0];
    for field in ["id", "valid_till", "days_remaining", "serial_number"] {
        assert_eq!(listed["certificate"][field], detail["certificate"][field], "{field}");
    }
    assert_ne!(listed["certificate"]["valid_till"], listed["order_valid_till"]);
    assert_eq!(listed["order_valid_till"], detail["order_valid_till"]);
}

#[tokio::test]
async fn ids_come_as_text_and_none_as_0() {
    let site = Site::without_approval().await;
    let mut wanted = site.wanted("www.example.com");
    wanted["organization"] = json!({"id": site.organization.to_string()});
    wanted["renewal_of_order_id"] = json!(0);
    wanted["comments"] = json!("for the shop");
    let placed = site.placed("ssl_plus", wanted).await;
    let detail = site.get(&format!("{ORDERS}/{}", placed["id"])).await;
    assert_eq!(detail["notes"], json!([{"id": 1, "text": "for the shop"}]));
    assert_eq!(detail["renewed_order_id"], 0);
    let mut renewal = site.wanted("www.example.com");
    renewal["renewal_of_order_id"] = json!(placed["id"].to_string());
    let renewed = site.placed("ssl_plus", renewal).await;
    let detail = site.get(&format!("{ORDERS}/{}", renewed["id"])).await;
    assert_eq!(detail["renewed_order_id"], placed["id"]);
    assert_eq!(detail["notes"], json!([]));
}

#[tokio::test]
async fn a_certificate_ends_on_the_day_that_was_asked_for() {
    let site = Site::without_approval().await;
    let day = dates::day(site.desk.clock().now().plus(Days(20)));
    let mut wanted = site.wanted("www.example.com");
    wanted["custom_expiration_date"] = json!(day);
    let placed = site.placed("ssl_plus", wanted.clone()).await;
    let detail = site.get(&format!("{ORDERS}/{}", placed["id"])).await;
    assert_eq!(detail["certificate"]["valid_till"], day);
    let refused = (400, "invalid_custom_expiration_date".to_owned());
    let order = format!("{ORDERS}/{}", placed["id"]);
    let path = format!("{ORDERS}/ssl_plus");
    for over in ["2020-01-01", &dates::day(site.desk.clock().now())] {
        wanted["custom_expiration_date"] = json!(over);
        let over = (422, "last_day_over".to_owned());
        assert_eq!(site.refused(&path, wanted.clone()).await, over);
    }
    wanted["custom_expiration_date"] = json!("soon");
    assert_eq!(site.refused(&path, wanted.clone()).await, refused);
    wanted["custom_expiration_date"] = json!(day);
    assert_eq!(site.refused(&format!("{order}/duplicate"), wanted.clone()).await, refused);
    assert_eq!(site.refused(&format!("{order}/reissue"), wanted.clone()).await, refused);
    wanted["renewal_of_order_id"] = placed["id"].clone();
    assert_eq!(site.refused(&path, wanted).await, refused);
}

#[tokio::test]
async fn the_same_last_day_is_the_same_request_on_another_day() {
    let site = Site::without_approval().await;
    let mut wanted = site.wanted("www.example.com");
    wanted["custom_expiration_date"] = json!(dates::day(site.desk.clock().now().plus(Days(20))));
    let send = async || {
        let request = Request::builder()
            .method("POST")
            .uri(format!("{ORDERS}/ssl_plus"))
            .header("X-DC-DEVKEY", &site.administrator)
            .header("Idempotency-Key", "once")
            .header("content-type", "application/json")
            .body(Body::from(wanted.to_string()))
            .unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap()["id"].clone())
    };
    let (status, first) = send().await;
    assert_eq!(status, 201);
    // Also when that day is over.
    for days in [1, 30] {
        site.desk.clock().advance(Days(days));
        assert_eq!(send().await, (201, first.clone()));
    }
}

#[tokio::test]
async fn orders_are_found_by_day_certificate_and_part_of_a_name() {
    let site = Site::without_approval().await;
    let one = site.placed("ssl_plus", site.wanted("shop.example.com")).await;
    let two = site.placed("ssl_plus", site.wanted("mail.example.com")).await;
    let (first, second) = (one["id"].as_i64().unwrap(), two["id"].as_i64().unwrap());
    let now = site.desk.clock().now();
    let (today, later) = (dates::day(now), dates::day(now.plus(Days(3))));
    assert_eq!(
        site.numbers(&format!("filters[date_created]=={today}...{later}")).await,
        [second, first]
    );
    assert_eq!(site.numbers(&format!("filters[date_created]=%3E{later}")).await, NONE);
    let certificate = &one["certificate_id"];
    assert_eq!(site.numbers(&format!("filters[certificate_id]={certificate}")).await, [first]);
    assert_eq!(site.numbers("filters[certificate_id]=999999").await, NONE);
    assert_eq!(site.numbers("filters[search]=shop").await, [first]);
    assert_eq!(site.numbers(&format!("filters[search]={second}")).await, [second]);
    assert_eq!(site.numbers("filters[search]=example.com").await, [second, first]);
    let detail = site.get(&format!("{ORDERS}/{first}")).await;
    let serial = detail["certificate"]["serial_number"].as_str().unwrap();
    let both = |text: &str| format!("filters[serial_number]={serial}&filters[search]={text}");
    assert_eq!(site.numbers(&both("shop.ex")).await, [first]);
    assert_eq!(site.numbers(&both("mail")).await, NONE);
    assert_eq!(site.numbers(&format!("filters[serial_number]={first}")).await, NONE, "no serial");
}

#[tokio::test]
async fn what_clients_read_besides_is_there() {
    let site = Site::without_approval().await;
    let placed = site.placed("ssl_plus", site.wanted("www.example.com")).await;
    let own = format!("{ORDERS}/{}", placed["id"]);
    for kind in ["duplicate", "reissue"] {
        let body = json!({"certificate": {"csr": csr(&["www.example.com"])}});
        let path = format!("{own}/{kind}");
        let (status, made) = site.call(&site.administrator, "POST", &path, Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let list = site.get(&path).await;
        let one = &list["certificates"][0];
        assert_eq!(list["certificates"].as_array().unwrap().len(), 1);
        assert_eq!((&one["kind"], &one["sub_id"]), (&json!(kind), &json!("001")));
        assert_eq!((&one["key_size"], &one["signature_hash"]), (&json!(256), &json!("sha256")));
        assert_eq!(one["thumbprint"].as_str().unwrap().len(), 40);
        assert_eq!(one["requester"]["name"], "Test Person");
        assert!(one.get("csr").is_some());
    }
    let file = |format: &str| {
        format!("/services/v2/certificate/download/order/{}/format/{format}", placed["id"])
    };
    for (format, certificates) in
        [("pem_all", 3), ("default", 2), ("default_pem", 2), ("pem", 2), ("crt", 1)]
    {
        let pem = site.get_text(&file(format)).await;
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), certificates, "{format}");
    }
    let chain =
        site.get(&format!("/services/v2/certificate/{}/chain", placed["certificate_id"])).await;
    let above = chain["intermediates"].as_array().unwrap();
    assert_eq!(above.len(), 2);
    assert!(
        above.iter().all(|one| one["pem"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"))
    );
    let common_name = above[0]["subject_common_name"].as_str().unwrap();
    assert!(common_name.starts_with("Test, Inc. ") && !common_name.contains('='), "{above:?}");
    assert_eq!(site.get("/services/v2/product/ssl_plus").await["name_id"], "ssl_plus");
    assert_eq!(site.get("/services/v2/container").await["containers"][0]["id"], 1);
    let users = site.get("/services/v2/user").await;
    assert_eq!(users["page"]["total"], 3);
    assert_eq!(users["users"][0]["username"], "jane@example.com");
    let both = "/services/v2/user?filters[search]=test&filters[email]=lim@&limit=1";
    let users = site.get(both).await;
    assert_eq!((&users["page"]["total"], users["users"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(users["users"][0]["username"], "lim@example.com");
    let second = site.get("/services/v2/user?limit=1&offset=1").await;
    assert_eq!(second["users"][0]["username"], "lim@example.com");
    assert_eq!(second["page"], json!({"total": 3, "limit": 1, "offset": 1}));
}

#[tokio::test]
async fn limited_users_do_not_see_whose_domains_are_whose() {
    let site = Site::new().await;
    for path in ["/organization", "/organization/1", "/domain", "/domain/1", "/user"] {
        let path = format!("/services/v2{path}");
        let (status, body) = site.call(&site.limited, "GET", &path, None).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {body}");
    }
    let (status, _) = site.call(&site.limited, "GET", ORDERS, None).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let site = Site::without_approval().await;
    let send = async |key: &str, name: &str| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("{ORDERS}/ssl_plus"))
            .header("X-DC-DEVKEY", &site.administrator)
            .header("Idempotency-Key", key)
            .header("content-type", "application/json")
            .body(Body::from(site.wanted(name).to_string()))
            .unwrap();
        let response = site.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    let (status, first) = send("2026-11/1", "www.example.com").await;
    assert_eq!(status, 201, "{first}");
    let (status, refused) = send("2026-11/1", "mail.example.com").await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("idempotency_key_reused")));
    // Only letters and digits of these are alike.
    let (status, second) = send("2026-1/11", "www.example.com").await;
    assert_eq!(status, 201, "{second}");
    assert_ne!(first["id"], second["id"]);
}
