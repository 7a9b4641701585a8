//! An ACME account's key, and what is signed with it (RFC 8555 sections 6.2 and 7.3.4).

use anyhow::Context as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::json;

/// A credential for an external account binding.
#[derive(Clone)]
pub struct Credential {
    /// Its name.
    pub kid: String,
    /// Its key, base64url.
    pub hmac_key: String,
}

/// An account's ES256 key.
#[derive(Debug)]
pub struct AccountKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl AccountKey {
    /// A new one.
    pub fn generate() -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { pair, random: SystemRandom::new() })
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> anyhow::Result<String> {
        // An uncompressed point: a byte 4, then x and y.
        let point = self.pair.public_key().as_ref().get(1..65).context("no P-256 key")?;
        let (x, y) = point.split_at(32);
        let (x, y) = (B64.encode(x), B64.encode(y));
        Ok(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
    }

    /// A request's body. `who` is `"kid":"…"` or `"jwk":{…}`.
    pub fn sign(&self, who: &str, nonce: &str, url: &str, payload: &str) -> anyhow::Result<String> {
        let protected = format!(r#"{{"alg":"ES256",{who},"nonce":"{nonce}","url":"{url}"}}"#);
        let (protected, payload) = (B64.encode(protected), B64.encode(payload));
        let signature =
            self.pair.sign(&self.random, format!("{protected}.{payload}").as_bytes())?;
        let signature = B64.encode(signature);
        Ok(format!(
            r#"{{"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#
        ))
    }
}

impl Credential {
    /// Reads what `certdeck acme-url create --json` printed.
    pub fn read(made: &str) -> anyhow::Result<Self> {
        let made: serde_json::Value = serde_json::from_str(made)?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).context("no credential");
        Ok(Self { kid: text("eab_kid")?, hmac_key: text("eab_hmac_key")? })
    }

    /// Binds a key (as JWK) to the credential, for newAccount at `url`.
    pub fn bind(&self, jwk: &str, url: &str) -> anyhow::Result<serde_json::Value> {
        let protected =
            B64.encode(json!({"alg": "HS256", "kid": self.kid, "url": url}).to_string());
        let payload = B64.encode(jwk);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &B64.decode(&self.hmac_key)?);
        let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
        let signature = B64.encode(tag);
        Ok(json!({"protected": protected, "payload": payload, "signature": signature}))
    }
}
