//! From bytes to a request that someone has signed (RFC 8555 section 6).
//!
//! A handler that takes one of the types here has been given a request whose content type, JWS,
//! key, signature, URL and nonce were checked; there is no other way to a payload.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, OriginalUri, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::model::acme::{AccountStatus, AcmeAccount};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::AcmeServer;
use crate::json;
use crate::jwk::Jwk;
use crate::jws::{Jws, JwsError, Signer};
use crate::nonce::Check;
use crate::problem::{Kind, Problem};

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 50_000;

/// Who signed.
#[derive(Debug, Clone)]
pub enum Author {
    /// A valid account.
    Account(Box<AcmeAccount>),
    /// A key, of an account or not.
    Key,
}

/// A request with a good signature, URL and nonce.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who signed.
    pub author: Author,
    /// The key that signed.
    pub key: Jwk,
    /// The decoded payload; empty for POST-as-GET.
    pub payload: Vec<u8>,
    /// The URL that it was signed for.
    pub url: String,
    /// Where it came from, as far as the server was told.
    pub address: Option<IpAddr>,
}

/// A [`Signed`] by a valid account.
#[derive(Debug, Clone)]
pub struct ByAccount {
    /// The account.
    pub account: AcmeAccount,
    /// The request.
    pub signed: Signed,
}

/// A [`ByAccount`] for an order: whether the account may still order is checked again in the
/// transaction of the order, so that it need not be read from the database before.
#[derive(Debug, Clone)]
pub struct ForOrder(pub ByAccount);

/// A [`Signed`] by a key that the request itself holds.
#[derive(Debug, Clone)]
pub struct ByKey(pub Signed);

/// A POST-as-GET by a valid account (RFC 8555 section 6.3): its payload is empty.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The account.
    pub account: AcmeAccount,
}

impl Signed {
    /// The payload as JSON of the wanted form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read(&self.payload)
    }

    /// Whether this is a POST-as-GET.
    pub fn is_fetch(&self) -> bool {
        self.payload.is_empty()
    }
}

/// What the path of a URL names. A path that is no text names nothing.
#[derive(Debug, Clone)]
pub struct InPath<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(_) => Err(Problem::not_found("resource")),
        }
    }
}

/// A payload as JSON of the wanted form.
pub fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Problem> {
    json::read(payload).map_err(|error| {
        Problem::malformed(format!("The payload can't be read as JSON for this resource: {error}."))
    })
}

/// Where the account that signed is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accounts {
    /// In the database.
    Stored,
    /// Among those that were read a moment ago: what the request leads to checks the account again.
    Recent,
}

impl FromRequest<AcmeServer> for Signed {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &AcmeServer) -> Result<Self, Problem> {
        Self::check(request, server, Accounts::Stored).await
    }
}

impl Signed {
    async fn check(
        request: Request,
        server: &AcmeServer,
        accounts: Accounts,
    ) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let wanted_url = requested_url(&request, server);
        let body = read_body(request.into_body(), server.config().body_time).await?;
        let jws = Jws::parse(&body)?;
        // A POST-as-GET changes nothing.
        let accounts = if jws.payload.is_empty() { Accounts::Recent } else { accounts };
        let (mut author, mut key) = find_author(server, &jws, accounts).await?;
        let mut verified = jws.verify(&key);
        if verified.is_err() && accounts == Accounts::Recent {
            // Another node may have changed the key a moment ago.
            (author, key) = find_author(server, &jws, Accounts::Stored).await?;
            verified = jws.verify(&key);
        }
        verified?;
        if jws.url != wanted_url {
            return Err(Problem::new(
                Kind::Unauthorized,
                format!(
                    "The request was signed for another URL: the protected header's url must be {wanted_url:?}."
                ),
            ));
        }
        spend_nonce(server, jws.nonce.as_deref()).await?;
        if let Author::Account(account) = &author {
            check_account(account)?;
        }
        Ok(Self { author, key, payload: jws.payload, url: wanted_url, address })
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/jose+json") {
        return Ok(());
    }
    Err(Problem::malformed("Requests must have the content type application/jose+json.")
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// The whole body. Who sends one byte after the other must not hold what was sent for ever.
async fn read_body(body: Body, time: Duration) -> Result<Bytes, Problem> {
    match timeout(time, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::malformed(format!(
            "The body could not be read, or is longer than {BODY_LIMIT} bytes."
        ))
        .with_status(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(Problem::malformed("The body took too long to arrive. Send it again.")
            .with_status(StatusCode::REQUEST_TIMEOUT)),
    }
}

fn requested_url(request: &Request, server: &AcmeServer) -> String {
    let uri = request
        .extensions()
        .get::<OriginalUri>()
        .map_or_else(|| request.uri(), |original| &original.0);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    server.urls().absolute(path)
}

async fn find_author(
    server: &AcmeServer,
    jws: &Jws,
    accounts: Accounts,
) -> Result<(Author, Jwk), Problem> {
    match &jws.signer {
        Signer::Key(key) => Ok((Author::Key, key.clone())),
        Signer::Account(url) => {
            let unknown = || {
                Problem::new(
                    Kind::AccountDoesNotExist,
                    "The kid is not the URL of an account of this server.",
                )
            };
            let id = server.urls().account_of(url).ok_or_else(unknown)?;
            let account = match accounts {
                Accounts::Stored => server.desk().account(id).await?,
                Accounts::Recent => server.desk().recent_account(id).await?,
            };
            let account = account.ok_or_else(unknown)?;
            let key = Jwk::parse(&account.jwk).map_err(|_| {
                Problem::new(Kind::ServerInternal, "The account's key can't be read.")
            })?;
            Ok((Author::Account(Box::new(account)), key))
        }
    }
}

fn check_account(account: &AcmeAccount) -> Result<(), Problem> {
    match account.status {
        AccountStatus::Valid => Ok(()),
        AccountStatus::Deactivated => {
            Err(Problem::new(Kind::Unauthorized, "The account was deactivated. Make a new one."))
        }
        AccountStatus::Revoked => Err(Problem::new(
            Kind::Unauthorized,
            "The ACME Directory URL of this account was revoked. Ask its administrator for another one.",
        )),
    }
}

async fn spend_nonce(server: &AcmeServer, nonce: Option<&str>) -> Result<(), Problem> {
    let nonce = nonce.ok_or_else(Problem::bad_nonce)?;
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !nonce.bytes().all(base64url) {
        return Err(Problem::malformed("The nonce is not base64url (RFC 8555 section 6.5.2)."));
    }
    let good = match server.nonces().spend(nonce, server.desk().clock().now()) {
        Check::Good => true,
        Check::Bad => false,
        Check::AskStore { spent } => server.desk().spend_nonce(spent).await?,
    };
    if good { Ok(()) } else { Err(Problem::bad_nonce()) }
}

impl ByAccount {
    fn of(signed: Signed) -> Result<Self, Problem> {
        match &signed.author {
            Author::Account(account) => Ok(Self { account: account.as_ref().clone(), signed }),
            Author::Key => Err(Problem::malformed(
                "This resource asks for kid, the account's URL, in the protected header, not jwk.",
            )),
        }
    }
}

impl FromRequest<AcmeServer> for ByAccount {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &AcmeServer) -> Result<Self, Problem> {
        Self::of(Signed::from_request(request, server).await?)
    }
}

impl FromRequest<AcmeServer> for ForOrder {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &AcmeServer) -> Result<Self, Problem> {
        ByAccount::of(Signed::check(request, server, Accounts::Recent).await?).map(Self)
    }
}

impl FromRequest<AcmeServer> for ByKey {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &AcmeServer) -> Result<Self, Problem> {
        let signed = Signed::from_request(request, server).await?;
        match signed.author {
            Author::Key => {
                signed.key.check_account_key().map_err(JwsError::from)?;
                Ok(Self(signed))
            }
            Author::Account(_) => Err(Problem::malformed(
                "This resource asks for jwk, the key itself, in the protected header, not kid.",
            )),
        }
    }
}

impl FromRequest<AcmeServer> for Fetch {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &AcmeServer) -> Result<Self, Problem> {
        let ByAccount { account, signed } = ByAccount::from_request(request, server).await?;
        if signed.is_fetch() {
            return Ok(Self { account });
        }
        Err(Problem::malformed(
            "This resource can only be read: POST-as-GET has an empty payload (RFC 8555 section 6.3).",
        ))
    }
}
