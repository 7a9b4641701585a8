//! The portal ends while an ACME client finalizes its order.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::KeyType;
use http_body_util::BodyExt as _;
use instant_acme::{
    Account, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient, Identifier,
    NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};

use crate::portal::{ISSUE_POINTS, Portal};

/// Without TLS: the portal's plain listener is on loopback.
struct Plain(reqwest::Client);

impl HttpClient for Plain {
    fn request(
        &self,
        request: http::Request<BodyWrapper<axum::body::Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let other = |error: reqwest::Error| Error::Other(Box::new(error));
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes);
            let sent = client
                .request(parts.method, parts.uri.to_string())
                .headers(parts.headers)
                .body(body.unwrap_or_default())
                .send();
            let answer: http::Response<reqwest::Body> = sent.await.map_err(other)?.into();
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.map_err(other)?.to_bytes();
            Ok(http::Response::from_parts(parts, http_body_util::Full::new(bytes)).into())
        })
    }
}

async fn account(portal: &Portal) -> Account {
    let made = portal
        .command(&[
            "acme-url",
            "create",
            "--name",
            "one",
            "--product",
            "ssl_plus",
            "--organization",
            "Example Corp",
            "--json",
        ])
        .await;
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let mac = URL_SAFE_NO_PAD.decode(text("eab_hmac_key")).unwrap();
    let binding = ExternalAccountKey::new(text("eab_kid"), &mac);
    let new = NewAccount {
        contact: &["mailto:ada@example.com"],
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (account, _) = Account::builder_with_http(Box::new(Plain(client)))
        .create(&new, text("directory_url"), Some(&binding))
        .await
        .unwrap();
    account
}

fn csr(name: &str) -> Vec<u8> {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

/// Cuts a finalize off at each point, and lets the client ask again as clients do: it polls, and
/// finalizes once more where the order is still ready.
async fn cut_off(mut portal: Portal) {
    portal.start("").await;
    let account = account(&portal).await;
    for (number, point) in ISSUE_POINTS.into_iter().enumerate() {
        let case = format!("{}: {point}", portal.kind);
        let name = format!("acme-{number}.example.com");
        portal.kill().await;
        portal.start(point).await;
        let wanted = [Identifier::Dns(name.clone())];
        let mut order = account.new_order(&NewOrder::new(&wanted)).await.unwrap();
        assert_eq!(order.state().status, OrderStatus::Ready, "{case}");
        let csr = csr(&name);
        let answer = order.finalize_csr(&csr).await;
        assert!(matches!(answer, Err(Error::Other(_))), "{case}: it was answered: {answer:?}");
        portal.aborted(point).await;
        portal.let_two_minutes_pass().await;

        portal.start("").await;
        // A quick signature and all that it rests on come onto the disk together, or not at all.
        let undone = portal.authority_key == KeyType::EcP256 && point != "issue.after_store";
        let ready = order.refresh().await.unwrap().status == OrderStatus::Ready;
        assert_eq!(ready, undone, "{case}");
        if ready {
            order.finalize_csr(&csr).await.unwrap();
        }
        let chain = order.poll_certificate(&RetryPolicy::default()).await.unwrap();
        portal.assert_one_certificate_each(number + 1, &case).await;
        let recorded = portal.newest_pem().await;
        assert!(chain.starts_with(recorded.trim_end()), "{case}: another certificate");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalize_that_was_cut_off_ends_with_one_certificate() {
    for portal in Portal::all().await {
        cut_off(portal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_signature_that_was_cut_off_is_made_by_the_next_start() {
    for portal in Portal::all_signing_slowly().await {
        cut_off(portal).await;
    }
}
