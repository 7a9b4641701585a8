//! Ready commands and configurations for ACME clients. The URL is quoted everywhere: an `&` that
//! is added to it later must not end a command.

use domain::Product;
use domain::model::AcmeUrl;
use domain::product::Validation;

/// What the commands are filled with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filling<'a> {
    /// The directory URL.
    pub(super) url: &'a str,
    /// The key identifier.
    pub(super) kid: &'a str,
    /// The MAC key.
    pub(super) key: &'a str,
    /// A name to ask for.
    pub(super) name: &'a str,
    /// It is validated over DNS: see [`over_dns`].
    pub(super) dns: bool,
}

/// In the place of the reader's own name server, which takes updates as RFC 2136 says, and of its
/// TSIG key.
const NAME_SERVER: &str = "ns1.example.com";
const TSIG_KEY: &str = "acme-key";
const TSIG_SECRET: &str = "TSIG-SECRET";
const TSIG_FILE: &str = "/etc/acme-key.conf";

/// Whether clients have to show control of their names over DNS: for a wildcard there is nothing
/// but dns-01 (RFC 8555 section 7.1.3), and for names of organizations that are validated already
/// there are no challenges at all.
pub(super) fn over_dns(url: &AcmeUrl) -> bool {
    let product = Product::find(url.product.as_str());
    product.is_some_and(|product| product.wildcard && product.validation == Validation::Dv)
}

/// A name that fits the URL, for the examples.
pub(super) fn example_name(url: &AcmeUrl) -> String {
    let base =
        url.allowed_domains.first().map_or_else(|| "example.com".to_owned(), ToString::to_string);
    let wildcard = Product::find(url.product.as_str()).is_some_and(|product| product.wildcard);
    if wildcard { format!("*.{base}") } else { format!("www.{base}") }
}

/// Clients by name, each with what to run or to write.
pub(super) fn all(with: Filling<'_>) -> [(&'static str, String); 7] {
    [
        ("certbot", certbot(with)),
        ("lego", lego(with)),
        ("acme.sh", acme_sh(with)),
        ("Caddy", caddy(with)),
        ("Apache mod_md", mod_md(with)),
        ("cert-manager", cert_manager(with)),
        ("win-acme", win_acme(with)),
    ]
}

fn certbot(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let way = if dns { "--manual --preferred-challenges dns" } else { "--standalone" };
    format!(
        "certbot certonly {way} --agree-tos --email admin@example.com \\\n  \
         --server \"{url}\" \\\n  --eab-kid {kid} \\\n  --eab-hmac-key {key} \\\n  -d '{name}'"
    )
}

fn lego(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let (server, way) = if dns {
        let server = format!(
            "RFC2136_NAMESERVER={NAME_SERVER} RFC2136_TSIG_KEY={TSIG_KEY} \\\n  \
             RFC2136_TSIG_ALGORITHM=hmac-sha256. RFC2136_TSIG_SECRET={TSIG_SECRET} \\\n"
        );
        (server, "--dns rfc2136")
    } else {
        (String::new(), "--http")
    };
    format!(
        "{server}lego --accept-tos --email admin@example.com \\\n  --server \"{url}\" \\\n  \
         --eab --kid {kid} --hmac {key} \\\n  --domains '{name}' {way} run"
    )
}

fn acme_sh(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let (server, way) = if dns {
        let server = format!("export NSUPDATE_SERVER={NAME_SERVER} NSUPDATE_KEY={TSIG_FILE}\n");
        (server, "--dns dns_nsupdate")
    } else {
        (String::new(), "--standalone")
    };
    format!(
        "acme.sh --register-account --server \"{url}\" \\\n  --eab-kid {kid} \\\n  --eab-hmac-key {key}\n\
         {server}acme.sh --issue {way} --server \"{url}\" -d '{name}'"
    )
}

fn caddy(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let way = if dns {
        format!(
            "\t# A Caddy that was built with github.com/caddy-dns/rfc2136.\n\ttls {{\n\t\tdns rfc2136 {{\n\t\t\t\
             key_name \"{TSIG_KEY}\"\n\t\t\tkey_alg \"hmac-sha256\"\n\t\t\tkey \"{TSIG_SECRET}\"\n\t\t\t\
             server \"{NAME_SERVER}:53\"\n\t\t}}\n\t}}\n"
        )
    } else {
        String::new()
    };
    format!(
        "{{\n\tacme_ca \"{url}\"\n\tacme_eab {{\n\t\tkey_id {kid}\n\t\tmac_key {key}\n\t}}\n}}\n\n\
         {name} {{\n{way}\tfile_server\n}}"
    )
}

fn mod_md(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let way =
        if dns { "MDCAChallenges dns-01\nMDChallengeDns01 /usr/local/bin/dns-hook\n" } else { "" };
    format!(
        "MDCertificateAuthority \"{url}\"\nMDCertificateAgreement accepted\nMDContactEmail admin@example.com\n\
         MDExternalAccountBinding {kid} {key}\n{way}MDomain {name}"
    )
}

fn cert_manager(Filling { url, kid, key, dns, .. }: Filling<'_>) -> String {
    let solver = if dns {
        format!(
            "dns01:\n          rfc2136:\n            nameserver: {NAME_SERVER}:53\n            \
             tsigKeyName: {TSIG_KEY}\n            tsigAlgorithm: HMACSHA256\n            \
             tsigSecretSecretRef:\n              name: tsig\n              key: secret"
        )
    } else {
        "http01:\n          ingress: {}".to_owned()
    };
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: certdeck-eab\n  namespace: cert-manager\nstringData:\n  \
         secret: {key}\n---\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata:\n  name: certdeck\nspec:\n  \
         acme:\n    server: \"{url}\"\n    email: admin@example.com\n    privateKeySecretRef:\n      \
         name: certdeck-account\n    externalAccountBinding:\n      keyID: {kid}\n      keySecretRef:\n        \
         name: certdeck-eab\n        key: secret\n    solvers:\n      - {solver}"
    )
}

fn win_acme(Filling { url, kid, key, name, dns }: Filling<'_>) -> String {
    let way = if dns {
        " --validationmode dns-01 --validation script --dnsscript C:\\dns-hook.ps1"
    } else {
        ""
    };
    format!(
        "wacs.exe --accepttos --emailaddress admin@example.com --baseuri \"{url}\" --eab-key-identifier {kid} \
         --eab-key {key} --source manual --host {name}{way}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_url_and_credential_and_the_url_is_quoted() {
        let url = "https://portal.test/mpki/api/v1/acme/v2/directory?action=renew&orderId=5";
        let with = |dns| Filling { url, kid: "k1d", key: "h-mac_", name: "www.example.com", dns };
        for (client, text) in all(with(false)).into_iter().chain(all(with(true))) {
            assert_eq!(
                text.matches(url).count(),
                text.matches(&format!("\"{url}\"")).count(),
                "{client}"
            );
            for part in [url, "k1d", "h-mac_"] {
                assert!(text.contains(part), "{client} without {part}");
            }
        }
    }

    #[test]
    fn a_wildcard_that_is_validated_over_dns_has_no_command_with_http() {
        let with = |dns| Filling { url: "u", kid: "k", key: "h", name: "*.example.com", dns };
        for ((client, http), (_, dns)) in all(with(false)).into_iter().zip(all(with(true))) {
            assert!(dns.to_lowercase().contains("dns"), "{client}: {dns}");
            assert!(!http.contains("dns"), "{client}: {http}");
            for way in ["--standalone", "--http", "http01"] {
                assert!(!dns.contains(way), "{client}: {dns}");
            }
        }
    }
}
