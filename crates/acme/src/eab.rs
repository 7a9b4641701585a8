//! External account binding (RFC 8555 section 7.3.4): the inner JWS by which the holder of an
//! ACME Directory URL's credential vouches for an account key.

use aws_lc_rs::hmac;
use serde::Deserialize;

use crate::json;
use crate::jwk::Jwk;
use crate::jws::{Flattened, JwsError, decode};

/// An external account binding that was read but not yet verified.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The key identifier of the credential.
    pub kid: String,
    algorithm: hmac::Algorithm,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a binding is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// Not of the form that RFC 8555 section 7.3.4 asks for.
    #[error("The external account binding is not acceptable: {0}.")]
    Malformed(&'static str),
    /// Not signed with HMAC.
    #[error("The external account binding must be signed with HS256, HS384 or HS512.")]
    Algorithm,
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "members that must not be there")]
struct Header {
    alg: String,
    kid: Option<String>,
    url: Option<String>,
    #[serde(default, deserialize_with = "json::is_there")]
    nonce: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    jwk: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    crit: bool,
    #[serde(default, deserialize_with = "json::is_there")]
    b64: bool,
}

impl Binding {
    /// Reads the binding of `account_key` in a newAccount request that was signed for `url`.
    /// The bound key is compared by its RFC 7638 thumbprint.
    pub fn parse(json: &str, account_key: &Jwk, url: &str) -> Result<Self, BindingError> {
        let malformed = |_: JwsError| BindingError::Malformed("it is not a flattened JWS");
        let flattened = Flattened::parse(json.as_bytes()).map_err(malformed)?;
        let protected = decode(&flattened.protected, "").map_err(malformed)?;
        let header: Header = json::read(&protected)
            .map_err(|_| BindingError::Malformed("its protected header can't be read"))?;
        if header.nonce || header.jwk {
            return Err(BindingError::Malformed("its protected header must not hold nonce or jwk"));
        }
        if header.crit || header.b64 {
            return Err(BindingError::Malformed("critical extensions are not supported"));
        }
        if header.url.as_deref() != Some(url) {
            return Err(BindingError::Malformed("its url differs from that of the request"));
        }
        let kid = header.kid.filter(|kid| is_kid(kid));
        let kid =
            kid.ok_or(BindingError::Malformed("its kid is missing, or no key has such a one"))?;
        let algorithm = match header.alg.as_str() {
            "HS256" => hmac::HMAC_SHA256,
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => return Err(BindingError::Algorithm),
        };
        let payload = decode(&flattened.payload, "").map_err(malformed)?;
        let bound = std::str::from_utf8(&payload).ok().and_then(|json| Jwk::parse(json).ok());
        if bound.map(|key| key.thumbprint()) != Some(account_key.thumbprint()) {
            return Err(BindingError::Malformed("its payload is not the account's key"));
        }
        let signature = decode(&flattened.signature, "").map_err(malformed)?;
        Ok(Self { kid, algorithm, signed: flattened.signing_input(), signature })
    }

    /// Whether the binding was made with `mac_key`. Compared in constant time.
    pub fn verifies(&self, mac_key: &[u8]) -> bool {
        let key = hmac::Key::new(self.algorithm, mac_key);
        hmac::verify(&key, &self.signed, &self.signature).is_ok()
    }
}

/// Printable, as the key identifiers that are given out; nothing else is looked up.
fn is_kid(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const JWK: &str = r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    fn binding(header: &str, payload: &str) -> String {
        let protected = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let tag = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(tag.as_ref());
        serde_json::json!({"protected": protected, "payload": payload, "signature": signature})
            .to_string()
    }

    #[test]
    fn binds_the_same_key_however_it_is_written() {
        let key = Jwk::parse(JWK).unwrap();
        let header = r#"{"alg":"HS256","kid":"k1","url":"https://a/new"}"#;
        let spaced = JWK.replace(',', " ,\n ").replace('}', r#","alg":"ES256"}"#);
        let bound = Binding::parse(&binding(header, &spaced), &key, "https://a/new").unwrap();
        assert_eq!(bound.kid, "k1");
        assert!(bound.verifies(b"secret"));
        assert!(!bound.verifies(b"other"));
    }

    #[test]
    fn refuses_other_forms() {
        let key = Jwk::parse(JWK).unwrap();
        let good = r#"{"alg":"HS256","kid":"k1","url":"https://a/new"}"#;
        for header in [
            good.replace("HS256", "ES256"),
            good.replace("HS256", "none"),
            good.replace(r#""kid":"k1","#, ""),
            good.replace("/new", "/other"),
            good.replace('}', r#","nonce":"x"}"#),
            good.replace('}', r#","nonce":null}"#),
            good.replace('}', r#","jwk":null}"#),
            good.replace("k1", "k\\u0000"),
            good.replace("k1", "k 1"),
        ] {
            assert!(
                Binding::parse(&binding(&header, JWK), &key, "https://a/new").is_err(),
                "{header}"
            );
        }
        let other = JWK.replace("P-256", "P-384");
        assert!(Binding::parse(&binding(good, &other), &key, "https://a/new").is_err());
    }
}
