//! Ready commands and configurations for ACME clients. The URL is quoted everywhere: an `&` that
//! is added to it later must not end a command.

use domain::Product;
use domain::model::AcmeUrl;

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

fn certbot(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "certbot certonly --standalone --agree-tos --email admin@example.com \\\n  \
         --server \"{url}\" \\\n  --eab-kid {kid} \\\n  --eab-hmac-key {key} \\\n  -d '{name}'"
    )
}

fn lego(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "lego --accept-tos --email admin@example.com \\\n  --server \"{url}\" \\\n  \
         --eab --kid {kid} --hmac {key} \\\n  --domains '{name}' --http run"
    )
}

fn acme_sh(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "acme.sh --register-account --server \"{url}\" \\\n  --eab-kid {kid} \\\n  --eab-hmac-key {key}\n\
         acme.sh --issue --standalone --server \"{url}\" -d '{name}'"
    )
}

fn caddy(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "{{\n\tacme_ca \"{url}\"\n\tacme_eab {{\n\t\tkey_id {kid}\n\t\tmac_key {key}\n\t}}\n}}\n\n\
         {name} {{\n\tfile_server\n}}"
    )
}

fn mod_md(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "MDCertificateAuthority \"{url}\"\nMDCertificateAgreement accepted\nMDContactEmail admin@example.com\n\
         MDExternalAccountBinding {kid} {key}\nMDomain {name}"
    )
}

fn cert_manager(Filling { url, kid, key, .. }: Filling<'_>) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: certdeck-eab\n  namespace: cert-manager\nstringData:\n  \
         secret: {key}\n---\napiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata:\n  name: certdeck\nspec:\n  \
         acme:\n    server: \"{url}\"\n    email: admin@example.com\n    privateKeySecretRef:\n      \
         name: certdeck-account\n    externalAccountBinding:\n      keyID: {kid}\n      keySecretRef:\n        \
         name: certdeck-eab\n        key: secret\n    solvers:\n      - http01:\n          ingress: {{}}"
    )
}

fn win_acme(Filling { url, kid, key, name }: Filling<'_>) -> String {
    format!(
        "wacs.exe --accepttos --emailaddress admin@example.com --baseuri \"{url}\" --eab-key-identifier {kid} \
         --eab-key {key} --source manual --host {name}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_url_and_credential_and_the_url_is_quoted() {
        let url = "https://portal.test/mpki/api/v1/acme/v2/directory?action=renew&orderId=5";
        let with = Filling { url, kid: "k1d", key: "h-mac_", name: "www.example.com" };
        for (client, text) in all(with) {
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
}
