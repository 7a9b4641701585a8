//! instant-acme, a client that others wrote, on each database: from directory to revocation, with what its
//! run against the portal (`examples/instant-acme.rs`) leaves out, contacts and deactivation.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use http_body_util::BodyExt as _;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, Error, ExternalAccountKey,
    HttpClient, Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy, RevocationRequest,
};

use crate::client::{csr, leaf};
use crate::house::houses;

struct Plain(reqwest::Client);

impl HttpClient for Plain {
    fn request(
        &self,
        request: http::Request<BodyWrapper<axum::body::Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body =
                body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let answer = client
                .request(parts.method, parts.uri.to_string())
                .headers(parts.headers)
                .body(body)
                .send()
                .await;
            let answer = answer.map_err(|error| Error::Other(Box::new(error)))?;
            let mut response = http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                response = response.header(name, value);
            }
            let bytes = answer.bytes().await.map_err(|error| Error::Other(Box::new(error)))?;
            Ok(BytesResponse::from(response.body(http_body_util::Full::new(bytes)).unwrap()))
        })
    }
}

#[tokio::test]
async fn instant_acme_enrolls_rolls_its_key_over_and_revokes() {
    for house in houses().await {
        let credential = house.url("one", "ssl_plus").await;
        let mac =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&credential.hmac_key).unwrap();
        let binding = ExternalAccountKey::new(credential.kid.clone(), &mac);
        let new = NewAccount {
            contact: &["mailto:a@example.com"],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (mut account, _) = Account::builder_with_http(Box::new(Plain(crate::client::http())))
            .create(&new, house.acme("directory"), Some(&binding))
            .await
            .unwrap();
        let identifiers = [
            Identifier::Dns("www.example.com".to_owned()),
            Identifier::Dns("example.com".to_owned()),
        ];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await.unwrap();
        assert_eq!(order.state().status, OrderStatus::Ready);
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            assert_eq!(authorization.unwrap().status, AuthorizationStatus::Valid);
        }
        order.finalize_csr(&csr(&["www.example.com", "example.com"], None)).await.unwrap();
        let chain = order.poll_certificate(&RetryPolicy::default()).await.unwrap();
        let _new_credentials = account.update_key().await.unwrap();
        account.update_contacts(&["mailto:b@example.com"]).await.unwrap();
        let der = leaf(&chain);
        let request = RevocationRequest { certificate: &der.into(), reason: None };
        account.revoke(&request).await.unwrap();
        account.deactivate().await.unwrap();
    }
}
