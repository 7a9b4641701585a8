//! What the authority publishes, over HTTP, as a client finds it: by what the certificate says.

use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{StatusCode, header};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::portal::{Running, certdeck, client, outcome, printed};

const NAME: &str = "www.example.com";

/// An organization that may have certificates; the API keys of an administrator and a manager.
async fn ready_to_order(folder: &Path) -> [String; 2] {
    printed(folder, &["org", "add", "Ours", "--country", "DE", "--validated"]).await;
    printed(folder, &["domain", "add", "example.com", "--org", "Ours", "--validated"]).await;
    printed(folder, &["settings", "set", "approval_step", "skip"]).await;
    [key_of(folder, "administrator").await, key_of(folder, "manager").await]
}

/// Somebody of this role: their API key.
async fn key_of(folder: &Path, role: &str) -> String {
    let email = format!("{role}@example.com");
    let password = folder.join("password");
    std::fs::write(&password, "harbour violet anvil").unwrap();
    let mut command =
        certdeck(folder, &["user", "add", &email, "--role", role, "--password-stdin"]);
    command.stdin(std::fs::File::open(&password).unwrap());
    assert!(outcome(command).await.status.success());
    let key = printed(folder, &["token", "create", "--user", &email, "--name", "t"]).await;
    key.split_whitespace().find(|word| word.starts_with("cdk_")).unwrap().to_owned()
}

/// Orders a certificate: its chain in DER, and its id.
async fn order(url: &str, key: &str) -> (Vec<Vec<u8>>, i64) {
    let pair = KeyPair::generate().unwrap();
    let mut csr = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    csr.distinguished_name = rcgen::DistinguishedName::new();
    let csr = csr.serialize_request(&pair).unwrap().pem().unwrap();
    let body = json!({"certificate": {"common_name": NAME, "csr": csr}, "organization": {"id": 1}});
    let request = client()
        .post(format!("{url}/services/v2/order/certificate/ssl_plus"))
        .header("X-DC-DEVKEY", key)
        .json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let chain = answer["certificate_chain"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let der = |one: &Value| pem_to_der(one["pem"].as_str().unwrap());
    (chain.iter().map(der).collect(), answer["certificate_id"].as_i64().unwrap())
}

fn pem_to_der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// The addresses that a certificate names: OCSP, issuer, CRL.
fn addresses(leaf: &X509Certificate<'_>) -> [String; 3] {
    let uri = |name: &GeneralName<'_>| match name {
        GeneralName::URI(uri) => (*uri).to_owned(),
        other => panic!("{other:?}"),
    };
    let (mut ocsp, mut issuer, mut crl) = Default::default();
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => {
                for one in &access.accessdescs {
                    let place = uri(&one.access_location);
                    if one.access_method.to_id_string() == "1.3.6.1.5.5.7.48.1" {
                        ocsp = place;
                    } else {
                        issuer = place;
                    }
                }
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                match &points.points[0].distribution_point {
                    Some(DistributionPointName::FullName(names)) => crl = uri(&names[0]),
                    other => panic!("{other:?}"),
                }
            }
            _ => {}
        }
    }
    [ocsp, issuer, crl]
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

/// An OCSP request about one certificate (RFC 6960 section 4.1.1), and the `CertID` in it.
fn ocsp_request(leaf: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> (Vec<u8>, Vec<u8>) {
    let sha1 = |data: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, data).as_ref().to_vec();
    let algorithm = der(0x30, &[0x06, 5, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0]);
    let name = der(0x04, &sha1(issuer.subject().as_raw()));
    let key = der(0x04, &sha1(&issuer.public_key().subject_public_key.data));
    let serial = der(0x02, leaf.raw_serial());
    let id = der(0x30, &[algorithm, name, key, serial].concat());
    let list = der(0x30, &der(0x30, &id));
    (der(0x30, &der(0x30, &list)), id)
}

/// What follows the certificate's id in an answer: its status.
fn status_of(answer: &[u8], id: &[u8]) -> u8 {
    let at = answer.windows(id.len()).position(|window| window == id).unwrap();
    answer[at + id.len()]
}

#[tokio::test]
async fn root_issuer_crl_and_ocsp_are_where_the_certificate_says() {
    let folder = tempfile::tempdir().unwrap();
    let [key, reviewers] = ready_to_order(folder.path()).await;
    let portal = Running::serve(certdeck(folder.path(), &["serve"])).await;
    let (chain, id) = order(&portal.url, &key).await;
    let (_, leaf) = X509Certificate::from_der(&chain[0]).unwrap();
    let (_, issuer) = X509Certificate::from_der(&chain[1]).unwrap();
    let get = async |url: &str| {
        let answer = client().get(url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (kind, answer.bytes().await.unwrap().to_vec())
    };
    let (kind, root) = get(&format!("{}/ca/root.pem", portal.url)).await;
    assert_eq!(kind, "application/x-pem-file");
    let root = String::from_utf8(root).unwrap();
    assert_eq!(root, printed(folder.path(), &["ca", "export-root"]).await);
    let root = pem_to_der(&root);
    let (_, root) = X509Certificate::from_der(&root).unwrap();
    assert_eq!(issuer.issuer(), root.subject());

    let [ocsp, issuer_at, crl] = addresses(&leaf);
    let found = get(&issuer_at).await;
    assert_eq!(found, ("application/pkix-cert".to_owned(), chain[1].clone()));
    let revoked = async || {
        let (kind, list) = get(&crl).await;
        assert_eq!(kind, "application/pkix-crl");
        let (_, list) = CertificateRevocationList::from_der(&list).unwrap();
        assert_eq!(list.issuer(), issuer.subject());
        list.iter_revoked_certificates().any(|one| one.raw_serial() == leaf.raw_serial())
    };
    let (request, cert_id) = ocsp_request(&leaf, &issuer);
    let encoded = STANDARD.encode(&request).replace('+', "%2B").replace('/', "%2F");
    let statuses = async || {
        let (kind, by_get) = get(&format!("{ocsp}/{encoded}")).await;
        let posted = client()
            .post(&ocsp)
            .header(header::CONTENT_TYPE, "application/ocsp-request")
            .body(request.clone());
        let posted = posted.send().await.unwrap();
        assert_eq!(posted.headers()[header::CONTENT_TYPE], kind.as_str());
        assert_eq!(kind, "application/ocsp-response");
        let by_post = posted.bytes().await.unwrap();
        [status_of(&by_get, &cert_id), status_of(&by_post, &cert_id)]
    };
    // `good [0] IMPLICIT NULL`, and `revoked [1] IMPLICIT RevokedInfo`.
    assert_eq!((revoked().await, statuses().await), (false, [0x80, 0x80]));
    let put = async |path: String, key: &str, body: Value| {
        let request = client().put(format!("{}/services/v2/{path}", portal.url));
        let answer = request.header("X-DC-DEVKEY", key).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.text().await.unwrap()
    };
    let reason = json!({"revocation_reason": "superseded"});
    let asked = put(format!("certificate/{id}/revoke"), &key, reason).await;
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let approved = json!({"status": "approved"});
    put(format!("request/{}/status", asked["id"]), &reviewers, approved).await;
    assert_eq!((revoked().await, statuses().await), (true, [0xa1, 0xa1]));
    let unknown = client().get(format!("{}/ca/nobody/crl", portal.url)).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

/// A CA certificate and its key; under another one where given.
fn authority(
    name: &str,
    above: Option<&Issuer<'_, KeyPair>>,
) -> (String, KeyPair, CertificateParams) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2046, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        Some(above) => params.signed_by(&key, above).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (certificate.pem(), key, params)
}

#[tokio::test]
async fn an_own_authority_issues_from_the_next_start_on() {
    let folder = tempfile::tempdir().unwrap();
    let [key, _] = ready_to_order(folder.path()).await;
    let first = Running::serve(certdeck(folder.path(), &["serve"])).await;
    let (former, _) = order(&first.url, &key).await;

    let (root_pem, root_key, root) = authority("Own Root", None);
    let above = Issuer::new(root, root_key);
    let (issuing_pem, issuing_key, _) = authority("Own Issuing CA", Some(&above));
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let chain = file("chain.pem", &format!("{issuing_pem}{root_pem}"));
    let own = file("own.pem", &issuing_key.serialize_pem());
    let other = file("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    let import = |key: &str| ["ca", "import", "--key", key, "--chain", &chain].map(str::to_owned);
    let words = import(&other);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let refused = outcome(certdeck(folder.path(), &words)).await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("private key"), "{said}");
    let words = import(&own);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = printed(folder.path(), &words).await;
    assert!(said.contains("next start"), "{said}");
    let (still, _) = order(&first.url, &key).await;
    assert_eq!(still[1], former[1], "not before the next start");

    let former_address = addresses(&X509Certificate::from_der(&former[0]).unwrap().1)[1].clone();
    let path = former_address.strip_prefix(&first.url).unwrap().to_owned();
    first.terminate().await;
    assert_eq!(first.code().await, Some(0));
    let second = Running::serve(certdeck(folder.path(), &["serve"])).await;
    let (now, _) = order(&second.url, &key).await;
    assert_eq!(now[1], pem_to_der(&issuing_pem));
    let root = printed(folder.path(), &["ca", "export-root"]).await;
    assert_eq!(pem_to_der(&root), pem_to_der(&root_pem));
    let answer = client().get(format!("{}{path}", second.url)).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().to_vec(), former[1], "the former issuer answers on");
}
