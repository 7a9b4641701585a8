//! A client that signs what it is told to, faults included.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use lifecycle::acme::BindingCredential;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::house::House;

pub enum Key {
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl Key {
    pub fn generate(algorithm: &'static str) -> Self {
        match algorithm {
            "ES256" => Self::Ec(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
                algorithm,
            ),
            "ES384" => Self::Ec(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
                algorithm,
            ),
            "ES512" => Self::Ec(
                EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap(),
                algorithm,
            ),
            "EdDSA" => Self::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        }
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_, algorithm) => algorithm,
            Self::Ed(_) => "EdDSA",
            Self::Rsa(_) => "RS256",
        }
    }

    pub fn jwk(&self) -> Value {
        match self {
            Self::Ec(pair, algorithm) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = match *algorithm {
                    "ES256" => "P-256",
                    "ES384" => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "crv": curve, "x": B64.encode(x), "y": B64.encode(y)})
            }
            Self::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(pair.public_key())})
            }
            Self::Rsa(pair) => {
                let key = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": B64.encode(key.modulus().big_endian_without_leading_zero()),
                    "e": B64.encode(key.exponent().big_endian_without_leading_zero()),
                })
            }
        }
    }

    pub fn sign(&self, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair, _) => pair.sign(&random, input).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(input).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The same key for a CSR.
    pub fn for_certificate(&self) -> rcgen::KeyPair {
        let pkcs8 = match self {
            Self::Ec(pair, _) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der = pair.as_der().unwrap();
                der.as_ref().to_vec()
            }
        };
        rcgen::KeyPair::try_from(pkcs8).unwrap()
    }

    pub fn thumbprint(&self) -> String {
        certdeck_acme::jwk::Jwk::parse(&self.jwk().to_string()).unwrap().thumbprint()
    }
}

/// Signs a payload under a protected header.
pub fn jws(key: &Key, protected: &Value, payload: &str) -> Value {
    let protected = B64.encode(protected.to_string());
    let payload = B64.encode(payload);
    let signature = key.sign(format!("{protected}.{payload}").as_bytes());
    json!({"protected": protected, "payload": payload, "signature": B64.encode(signature)})
}

pub fn binding(credential: &BindingCredential, jwk: &Value, url: &str) -> Value {
    binding_by(("HS256", hmac::HMAC_SHA256), credential, jwk, url)
}

/// The same with another hash.
pub fn binding_by(
    (name, algorithm): (&str, hmac::Algorithm),
    credential: &BindingCredential,
    jwk: &Value,
    url: &str,
) -> Value {
    let protected = json!({"alg": name, "kid": credential.kid, "url": url});
    let protected = B64.encode(protected.to_string());
    let payload = B64.encode(jwk.to_string());
    let key = hmac::Key::new(algorithm, &B64.decode(&credential.hmac_key).unwrap());
    let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
    json!({"protected": protected, "payload": payload, "signature": B64.encode(tag)})
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub fn links(&self, relation: &str) -> Vec<String> {
        let wanted = format!(";rel=\"{relation}\"");
        self.headers
            .get_all("link")
            .iter()
            .filter_map(|value| value.to_str().unwrap().strip_suffix(&wanted))
            .map(|url| url.trim_matches(['<', '>']).to_owned())
            .collect()
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        kind.strip_prefix("urn:ietf:params:acme:error:").unwrap().to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

pub struct Client {
    pub http: reqwest::Client,
    /// What its URLs begin with.
    pub base: String,
    /// Where they lead: somewhere else behind a proxy.
    pub node: String,
    pub key: Key,
    pub account: Option<String>,
}

impl Client {
    pub fn new(house: &House) -> Self {
        Self::with_key(house, Key::generate("ES256"))
    }

    pub fn with_key(house: &House, key: Key) -> Self {
        let base = house.server.config().base_url.trim_end_matches('/').to_owned();
        Self { http: http(), base, node: house.base.clone(), key, account: None }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/mpki/api/v1/acme/v2/{path}", self.base)
    }

    fn at_node(&self, url: &str) -> String {
        url.replacen(&self.base, &self.node, 1)
    }

    pub async fn nonce(&self) -> String {
        let answer =
            Answer::of(self.http.head(self.at_node(&self.url("new-nonce"))).send().await.unwrap())
                .await;
        answer.expect(200).header("replay-nonce")
    }

    /// The protected header of a good request.
    pub async fn header(&self, url: &str) -> Value {
        let mut header =
            json!({"alg": self.key.algorithm(), "nonce": self.nonce().await, "url": url});
        match &self.account {
            Some(account) => header["kid"] = json!(account),
            None => header["jwk"] = self.key.jwk(),
        }
        header
    }

    pub async fn send(&self, url: &str, body: String) -> Answer {
        let request = self
            .http
            .post(self.at_node(url))
            .header("content-type", "application/jose+json")
            .body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// POST with a payload, or POST-as-GET.
    pub async fn post(&self, url: &str, payload: Option<Value>) -> Answer {
        let payload = payload.map(|payload| payload.to_string()).unwrap_or_default();
        let body = jws(&self.key, &self.header(url).await, &payload);
        self.send(url, body.to_string()).await
    }

    /// POST with a payload to another node.
    pub async fn post_at(&self, node: &str, url: &str, payload: &Value) -> Answer {
        let body = jws(&self.key, &self.header(url).await, &payload.to_string());
        self.send(&url.replacen(&self.base, node, 1), body.to_string()).await
    }

    pub async fn fetch(&self, url: &str) -> Answer {
        self.post(url, None).await
    }

    pub async fn register(&mut self, credential: &BindingCredential) -> Answer {
        let url = self.url("new-account");
        let payload = json!({
            "termsOfServiceAgreed": true,
            "contact": ["mailto:admin@example.com"],
            "externalAccountBinding": binding(credential, &self.key.jwk(), &url),
        });
        let answer = self.post(&url, Some(payload)).await.expect(201);
        self.account = Some(answer.header("location"));
        answer
    }

    pub async fn order(&self, names: &[&str]) -> Answer {
        self.order_at("new-order", names, json!({})).await
    }

    pub async fn order_at(&self, path: &str, names: &[&str], mut payload: Value) -> Answer {
        payload["identifiers"] = identifiers(names);
        self.post(&self.url(path), Some(payload)).await
    }

    pub async fn finalize(&self, order: &Value, csr: &[u8]) -> Answer {
        let url = order["finalize"].as_str().unwrap();
        self.post(url, Some(json!({"csr": B64.encode(csr)}))).await
    }

    /// Polls until the object has a status.
    pub async fn until(&self, url: &str, status: &str) -> Value {
        for _ in 0..400 {
            let object = self.fetch(url).await.expect(200).json();
            if object["status"] == status {
                return object;
            }
            assert!(object["status"] != "invalid" && object["status"] != "valid", "{object}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{url} did not become {status}");
    }

    /// Order to certificate, for validated names. Answers the valid order and the chain.
    pub async fn issue(&self, path: &str, names: &[&str]) -> (Value, String) {
        let order = self.order_at(path, names, json!({})).await.expect(201).json();
        assert_eq!(order["status"], "ready", "{order}");
        let valid = self.finalize(&order, &csr(names, None)).await.expect(200).json();
        assert_eq!(valid["status"], "valid", "{valid}");
        let chain = self.fetch(valid["certificate"].as_str().unwrap()).await.expect(200);
        (valid, chain.text)
    }
}

/// Names and addresses as newOrder takes them.
pub fn identifiers(names: &[&str]) -> Value {
    let kind = |name: &str| if name.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "dns" };
    names.iter().map(|name| json!({"type": kind(name), "value": name})).collect()
}

pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(plain_tls())
        .build()
        .unwrap()
}

/// Only http is spoken in these tests; without a configuration the client would look for one.
fn plain_tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// A CSR with these SANs and, where given, this CN.
pub fn csr(names: &[&str], common_name: Option<&str>) -> Vec<u8> {
    csr_with_key(names, common_name, &rcgen::KeyPair::generate().unwrap())
}

pub fn csr_with_key(names: &[&str], common_name: Option<&str>, key: &rcgen::KeyPair) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
    }
    params.serialize_request(key).unwrap().der().to_vec()
}

/// The first certificate of a chain in DER.
pub fn leaf(chain: &str) -> Vec<u8> {
    let body = chain.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap();
    let text: String = body.split("-----END").next().unwrap().split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

pub fn certificates_in(chain: &str) -> usize {
    chain.matches("-----BEGIN CERTIFICATE-----").count()
}

pub fn serial(chain: &str) -> String {
    use x509_parser::prelude::FromDer as _;
    let der = leaf(chain);
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).unwrap();
    hex::encode(certificate.raw_serial())
}

/// SHA-256 in base64url: what dns-01 looks for.
pub fn digest_of(text: &str) -> String {
    B64.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}
