//! A program that calls the JSON API.

use domain::{CertificateId, OrderNumber, RequestId};
use lifecycle::Actor;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::portal::{Portal, client, csr};

pub struct Program {
    client: Client,
    key: String,
}

/// A call, which may be sent again.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    body: Value,
    /// The `Idempotency-Key`.
    once: String,
}

impl Call {
    pub fn post(path: String, body: Value, once: &str) -> Self {
        Self { method: Method::POST, path, body, once: once.to_owned() }
    }

    pub fn put(path: String, body: Value, once: &str) -> Self {
        Self { method: Method::PUT, path, body, once: once.to_owned() }
    }

    pub fn approve(request: RequestId) -> Self {
        Self::put(format!("request/{request}/status"), json!({ "status": "approved" }), "")
    }
}

impl Program {
    /// With an API key of this person's.
    pub async fn of(portal: &Portal, actor: &Actor) -> Self {
        let user = actor.person().unwrap().user.id;
        let (_, key) = portal.desk.create_api_key(actor, user, "program", None).await.unwrap();
        Self { client: client(), key: key.reveal().to_owned() }
    }

    /// Status and body; an error where the portal ended before it answered.
    pub async fn send(&self, portal: &Portal, call: &Call) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/services/v2/{}", portal.url, call.path);
        let answer = self
            .client
            .request(call.method.clone(), url)
            .header("X-DC-DEVKEY", &self.key)
            .header("Idempotency-Key", &call.once)
            .json(&call.body)
            .send()
            .await?;
        let (status, body) = (answer.status().as_u16(), answer.bytes().await?);
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// The body of what must be done well.
    pub async fn done(&self, portal: &Portal, call: &Call) -> Value {
        let (status, body) = self.send(portal, call).await.unwrap();
        assert!((200..300).contains(&status), "{call:?}: {status} {body}");
        body
    }

    /// Sends what ends the portal, and waits for that.
    pub async fn cut_off(&self, portal: &mut Portal, call: &Call, point: &str) {
        let answer = self.send(portal, call).await;
        assert!(answer.is_err(), "{point}: {call:?} was answered: {answer:?}");
        portal.aborted(point).await;
    }

    /// Gets what a call for a new order is for.
    pub async fn buy(&self, portal: &Portal, call: &Call) -> Bought {
        let body = self.done(portal, call).await;
        let order = OrderNumber(body["id"].as_i64().unwrap());
        Bought { order, certificate: certificate(&body) }
    }
}

pub struct Bought {
    pub order: OrderNumber,
    pub certificate: CertificateId,
}

/// The certificate of an answer.
pub fn certificate(answer: &Value) -> CertificateId {
    CertificateId(answer["certificate_id"].as_i64().unwrap())
}

/// A new order for these names, of 60 days: few enough for "Renew", enough for duplicates.
pub fn wanted_new(portal: &Portal, product: &str, names: &[&str], once: &str) -> Call {
    let body = json!({
        "certificate": { "common_name": names[0], "csr": csr(names).pem().unwrap() },
        "organization": { "id": portal.organization },
        "validity_days": 60,
    });
    Call::post(format!("order/certificate/{product}"), body, once)
}
