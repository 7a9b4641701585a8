//! The portal ends while an ACME client finalizes its order.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::model::KeyType;
use http_body_util::BodyExt as _;
use instant_acme::{
    Account, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy, RevocationRequest,
};
use lifecycle::Actor;
use lifecycle::lists::PageOf;
use lifecycle::orders::RequestFilter;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::portal::{ISSUE_POINTS, Portal, client, csr, on_each};
use crate::program::{Call, Program, wanted_new};

const PRODUCT: &str = "ssl_plus";

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

/// An ACME Directory URL, with what an account is bound to it by.
struct Directory {
    url: String,
    binding: ExternalAccountKey,
}

impl Directory {
    async fn create(portal: &Portal) -> Self {
        let words = ["acme-url", "create", "--name", "one", "--product", PRODUCT];
        let more = ["--organization", "Example Corp", "--json"];
        let made = portal.command(&[&words[..], &more[..]].concat()).await;
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        let mac = URL_SAFE_NO_PAD.decode(text("eab_hmac_key")).unwrap();
        let binding = ExternalAccountKey::new(text("eab_kid"), &mac);
        Self { url: text("directory_url"), binding }
    }

    /// An account that asks with this query.
    async fn account(&self, query: &str) -> Account {
        let new = NewAccount {
            contact: &["mailto:ada@example.com"],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, _) = Account::builder_with_http(Box::new(Plain(client())))
            .create(&new, format!("{}{query}", self.url), Some(&self.binding))
            .await
            .unwrap();
        account
    }
}

async fn new_order(account: &Account, name: &str, case: &str) -> Order {
    let order = account.new_order(&NewOrder::new(&[Identifier::Dns(name.to_owned())])).await;
    let mut order = order.unwrap();
    assert_eq!(order.state().status, OrderStatus::Ready, "{case}");
    order
}

/// Sends a finalize that ends the portal, and waits for that.
async fn end_in_finalize(portal: &mut Portal, order: &mut Order, csr: &[u8], point: &str) {
    let answer = order.finalize_csr(csr).await;
    assert!(matches!(answer, Err(Error::Other(_))), "{point}: it was answered: {answer:?}");
    portal.aborted(point).await;
}

/// Cuts a finalize off at each point for each action, and lets the client ask again as clients do: it
/// polls, and finalizes once more where the order is still ready.
async fn cut_off(mut portal: Portal) {
    portal.start("").await;
    let buyer = Program::of(&portal, &portal.admin).await;
    let directory = Directory::create(&portal).await;
    let mut cases = Vec::new();
    for action in ["enroll", "duplicate", "renew", "reissue"] {
        for point in ISSUE_POINTS {
            let name = format!("acme-{}.example.com", cases.len());
            let query = if action == "enroll" {
                "?action=enroll".to_owned()
            } else {
                let call = wanted_new(&portal, PRODUCT, &[&name], "");
                format!("?action={action}&orderId={}", buyer.buy(&portal, &call).await.order)
            };
            cases.push((action, point, name, directory.account(&query).await));
        }
    }
    portal.kill().await;
    for (action, point, name, account) in cases {
        let case = format!("{}: {action} {point}", portal.kind);
        let before = portal.promised().await;
        portal.start(point).await;
        let mut order = new_order(&account, &name, &case).await;
        let csr = csr(&[&name]);
        end_in_finalize(&mut portal, &mut order, csr.der(), point).await;
        // A quick signature and all that it rests on come onto the disk together, or not at all.
        let undone = portal.authority_key == KeyType::EcP256 && point != "issue.after_store";
        let promised = portal.promised().await;
        assert_eq!(promised.len(), before.len() + usize::from(!undone), "{case}");
        portal.let_two_minutes_pass().await;

        portal.start("").await;
        let ready = order.refresh().await.unwrap().status == OrderStatus::Ready;
        assert_eq!(ready, undone, "{case}");
        if ready {
            order.finalize_csr(csr.der()).await.unwrap();
        }
        let chain = order.poll_certificate(&RetryPolicy::default()).await.unwrap();
        let records = portal.on_record(&case).await;
        assert_eq!(records.len(), before.len() + 1, "{case}: lost or doubled");
        assert!(promised.iter().all(|serial| records.contains_key(serial)), "{case}: lost");
        let new = records.into_iter().find(|(serial, _)| !before.contains(serial)).unwrap().1;
        assert!(chain.starts_with(new.pem.unwrap().trim_end()), "{case}: another certificate");
        let kind = match action {
            "duplicate" | "reissue" => action,
            _ => "original",
        };
        assert_eq!(new.certificate.kind.as_str(), kind, "{case}");
        portal.kill().await;
    }
    held(&mut portal, &directory, &buyer).await;
    revoked(&mut portal, &directory).await;
}

/// A finalize that waits for a reviewer: the portal ends in both.
async fn held(portal: &mut Portal, directory: &Directory, reviewer: &Program) {
    const POINTS: [&str; 2] = ["issue.after_store", "issue.after_sign"];
    let case = format!("{}: held", portal.kind);
    let before = portal.promised().await;
    portal.desk.settings_set(&Actor::Operator, "approval_step", "one_step").await.unwrap();
    portal.start(POINTS[0]).await;
    let account = directory.account("").await;
    let mut order = new_order(&account, "held.example.com", &case).await;
    let csr = csr(&["held.example.com"]);
    end_in_finalize(portal, &mut order, csr.der(), POINTS[0]).await;
    portal.start(POINTS[1]).await;
    assert_eq!(order.refresh().await.unwrap().status, OrderStatus::Processing, "{case}");
    let page = PageOf::first((), 10);
    let requests = portal.desk.requests(&portal.admin, RequestFilter::default(), &page).await;
    let requests = requests.unwrap().rows;
    assert_eq!(requests.len(), 1, "{case}: asked once");
    reviewer.cut_off(portal, &Call::approve(requests[0].request.id), POINTS[1]).await;
    portal.let_two_minutes_pass().await;
    portal.start("").await;
    order.poll_certificate(&RetryPolicy::default()).await.unwrap();
    assert_eq!(portal.on_record(&case).await.len(), before.len() + 1, "{case}: lost or doubled");
    portal.kill().await;
    portal.desk.settings_set(&Actor::Operator, "approval_step", "skip").await.unwrap();
}

async fn revoked(portal: &mut Portal, directory: &Directory) {
    const POINT: &str = "revoke.after_store";
    let case = format!("{}: revoked", portal.kind);
    let before = portal.promised().await;
    portal.start(POINT).await;
    let account = directory.account("").await;
    let mut order = new_order(&account, "revoked.example.com", &case).await;
    order.finalize_csr(csr(&["revoked.example.com"]).der()).await.unwrap();
    let chain = order.poll_certificate(&RetryPolicy::default()).await.unwrap();
    let certificate = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
    let request = RevocationRequest { certificate: &certificate, reason: None };
    let answer = account.revoke(&request).await;
    assert!(matches!(answer, Err(Error::Other(_))), "{case}: it was answered: {answer:?}");
    portal.aborted(POINT).await;
    portal.start("").await;
    let again = account.revoke(&request).await;
    assert!(matches!(again, Err(Error::Api(_))), "{case}: it was revoked before: {again:?}");
    let records = portal.on_record(&case).await;
    let new = records.into_iter().find(|(serial, _)| !before.contains(serial)).unwrap().1;
    assert!(new.certificate.is_revoked(), "{case}");
    assert_eq!(portal.audited("certificate.revoked").await, 1, "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalize_that_was_cut_off_ends_with_one_certificate() {
    on_each(Portal::all().await, cut_off).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_signature_that_was_cut_off_is_made_by_the_next_start() {
    on_each(Portal::all_signing_slowly().await, cut_off).await;
}
