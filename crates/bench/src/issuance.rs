//! An ACME client that does what certbot and lego do for a certificate (RFC 8555 section 7.1):
//! newOrder, each authorization with its challenge where it is not valid yet, finalize, the order
//! until it is valid, the certificate.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

use crate::account::{AccountKey, Credential};
use crate::http::{Answer, Connection, Request, Target};

const JOSE: &[(&str, &str)] = &[("content-type", "application/jose+json")];

/// An authorization or an order is asked for this often at most.
const MOST_POLLS: usize = 200;

/// A server's resources.
#[derive(Debug, Clone)]
pub struct Directory {
    origin: String,
    /// The path of newNonce.
    pub new_nonce: String,
    new_account: String,
    new_order: String,
}

impl Directory {
    /// Reads the directory at `path`.
    pub async fn read(target: &Target, path: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(target).await?;
        let answer = connection.send(Request { method: "GET", path, ..Request::default() }).await?;
        let directory: Value = serde_json::from_slice(&answer.body)?;
        let url = |name: &str| Ok::<_, anyhow::Error>(text(&directory, name)?.to_owned());
        let origin = target.origin();
        let nonce = url("newNonce")?;
        let new_nonce = nonce.strip_prefix(&origin).context("a directory of another server")?;
        Ok(Self {
            new_nonce: new_nonce.to_owned(),
            new_account: url("newAccount")?,
            new_order: url("newOrder")?,
            origin,
        })
    }
}

/// What is ordered; made before the clock runs.
#[derive(Debug, Clone)]
pub struct Wanted {
    name: String,
    csr: String,
}

impl Wanted {
    /// A certificate for one name with a key of its own.
    pub fn new(name: String) -> anyhow::Result<Self> {
        let key = rcgen::KeyPair::generate()?;
        let mut params = rcgen::CertificateParams::new(vec![name.clone()])?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        let csr = B64.encode(params.serialize_request(&key)?.der());
        Ok(Self { name, csr })
    }
}

/// An account with its connections, one to each node of a server. Requests take turns on them, so
/// that each node goes on with what another one has begun.
pub struct Client {
    targets: Vec<Target>,
    directory: Directory,
    connections: Vec<Connection>,
    key: AccountKey,
    /// `"kid":"…"`, or the key itself before there is an account.
    who: String,
    nonce: String,
    /// Requests sent so far.
    pub requests: u64,
}

impl Client {
    /// Makes an account.
    pub async fn register(
        targets: &[Target],
        directory: &Directory,
        credential: Option<&Credential>,
    ) -> anyhow::Result<Self> {
        let key = AccountKey::generate()?;
        let jwk = key.jwk()?;
        let mut client = Self {
            targets: targets.to_vec(),
            directory: directory.clone(),
            connections: open(targets).await?,
            key,
            who: format!(r#""jwk":{jwk}"#),
            nonce: String::new(),
            requests: 0,
        };
        let head = Request { method: "HEAD", path: &directory.new_nonce, ..Request::default() };
        let first = client.connections.first_mut().context("no node")?;
        let answer = first.send(head).await?;
        client.nonce = answer.header("replay-nonce").context("no nonce")?.to_owned();
        let mut payload = json!({"termsOfServiceAgreed": true});
        if let Some(credential) = credential {
            payload["externalAccountBinding"] = credential.bind(&jwk, &directory.new_account)?;
        }
        let answer = client.post(&directory.new_account, &payload.to_string()).await?;
        let account = answer.header("location").context("no account")?;
        client.who = format!(r#""kid":"{account}""#);
        Ok(client)
    }

    /// Goes on with new connections.
    pub async fn reconnect(&mut self) -> anyhow::Result<()> {
        self.connections = open(&self.targets).await?;
        Ok(())
    }

    /// A signed request, which must succeed.
    async fn post(&mut self, url: &str, payload: &str) -> anyhow::Result<Answer> {
        let body = self.key.sign(&self.who, &self.nonce, url, payload)?;
        let path = url.strip_prefix(&self.directory.origin).context("a URL of another server")?;
        let post = Request { method: "POST", path, headers: JOSE, body: body.as_bytes() };
        let connection = self.connections.first_mut().context("no node")?;
        let answer = connection.send(post).await?;
        self.connections.rotate_left(1);
        self.requests += 1;
        answer.header("replay-nonce").context("no nonce")?.clone_into(&mut self.nonce);
        if !(200..300).contains(&answer.status) {
            bail!("{path}: {} {}", answer.status, answer.text());
        }
        Ok(answer)
    }

    async fn object(&mut self, url: &str, payload: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.post(url, payload).await?.body)?)
    }

    /// From the order to the certificate.
    pub async fn issue(&mut self, wanted: &Wanted) -> anyhow::Result<()> {
        let payload = json!({"identifiers": [{"type": "dns", "value": wanted.name}]}).to_string();
        let url = self.directory.new_order.clone();
        let answer = self.post(&url, &payload).await?;
        let url = answer.header("location").context("no order")?.to_owned();
        let order: Value = serde_json::from_slice(&answer.body)?;
        for authorization in order["authorizations"].as_array().into_iter().flatten() {
            self.authorize(authorization.as_str().context("no authorization")?).await?;
        }
        let csr = format!(r#"{{"csr":"{}"}}"#, wanted.csr);
        let mut order = self.object(text(&order, "finalize")?, &csr).await?;
        for _ in 0..MOST_POLLS {
            if order["status"] != "processing" {
                break;
            }
            order = self.object(&url, "").await?;
        }
        let chain = self.post(text(&order, "certificate")?, "").await?.text();
        ensure!(chain.matches("BEGIN CERTIFICATE").count() >= 2, "no certificate with its issuer");
        Ok(())
    }

    /// Fetches an authorization, as clients do also where it turns out to be valid.
    async fn authorize(&mut self, url: &str) -> anyhow::Result<()> {
        let mut authorization = self.object(url, "").await?;
        if authorization["status"] == "pending" {
            let challenges = authorization["challenges"].as_array().into_iter().flatten();
            let http = challenges.clone().find(|challenge| challenge["type"] == "http-01");
            let challenge = text(http.context("no http-01 challenge")?, "url")?.to_owned();
            self.post(&challenge, "{}").await?;
            for _ in 0..MOST_POLLS {
                authorization = self.object(url, "").await?;
                if authorization["status"] != "pending" {
                    break;
                }
            }
        }
        ensure!(authorization["status"] == "valid", "an authorization that is not valid");
        Ok(())
    }
}

async fn open(targets: &[Target]) -> anyhow::Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(targets.len());
    for target in targets {
        connections.push(Connection::open(target).await?);
    }
    Ok(connections)
}

fn text<'a>(object: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    object[name].as_str().with_context(|| format!("no {name} in {object}"))
}
