//! A new credential, shown once, with ready commands.

use leptos::prelude::*;

use super::api::{Shown, UrlView};
use super::commands::{Filling, all, example_name, over_dns};
use crate::kit::{CodeBlock, Copyable, Fact, Facts, Notice, Section, Tone};

/// The credential and what to do with it. Opening the page again does not show it again.
pub(super) fn shown(view: &UrlView, credential: &Shown) -> AnyView {
    let directory = view.directory.clone();
    let Shown { kid, hmac_key } = credential.clone();
    view! {
        <Notice tone=Tone::Warning title="Copy the HMAC key now">
            <p>"It is shown this once. If it is lost, rotate the credential: that makes another."</p>
        </Notice>
        <Section title="Credential" lead="For external account binding (EAB): whoever holds it gets certificates as this URL says.">
            <Facts>
                <Fact term="ACME Directory URL"><Copyable text=directory what="the ACME Directory URL"/></Fact>
                <Fact term="KID"><Copyable text=kid what="the KID"/></Fact>
                <Fact term="HMAC key"><Copyable text=hmac_key what="the HMAC key"/></Fact>
            </Facts>
        </Section>
        {clients(view, credential)}
    }
    .into_any()
}

fn clients(view: &UrlView, credential: &Shown) -> AnyView {
    let (name, dns) = (example_name(&view.row.url), over_dns(&view.row.url));
    let over_dns = dns.then(|| {
        view! {
            <Notice tone=Tone::Info title="Wildcards are validated over DNS">
                <p>"Control of a wildcard's domain is shown by a TXT record (dns-01), by nothing else. The commands name a name server that takes dynamic updates, and a hook: put your own in, or your DNS provider's plug-in. certbot asks for the record itself to be made."</p>
            </Notice>
        }
    });
    let with = Filling {
        url: &view.directory,
        kid: &credential.kid,
        key: &credential.hmac_key,
        name: &name,
        dns,
    };
    let blocks = all(with).into_iter().map(|(client, text)| {
        view! {
            <details class="client" open=client == "certbot">
                <summary>{client}</summary>
                <CodeBlock label=format!("For {client}") text=text/>
            </details>
        }
    });
    let blocks = blocks.collect_view();
    view! {
        <Section title="Ready commands" lead="Put your own name and e-mail address in. Keep the quotes around the URL: without them a shell cuts it off at an &.">
            {over_dns}
            <div class="clients">{blocks}</div>
            <p class="muted small">
                "A client that has an account at this portal goes on with it, and with the ACME Directory URL that it was made for, whatever credential it is given. On such a host give it another place for its accounts: "
                <code>"--config-dir"</code>" for certbot, "<code>"--path"</code>" for lego, "
                <code>"--config-home"</code>" for acme.sh, "<code>"-c"</code>" for uacme."
            </p>
            <p class="muted small">
                "Where this portal's own certificate comes from its embedded authority, clients have to trust it first: "
                <a href="/ca/root.pem" download="">"root.pem"</a>
                " ("<code>"REQUESTS_CA_BUNDLE"</code>" for certbot, "<code>"LEGO_CA_CERTIFICATES"</code>" for lego, "
                <code>"--ca-bundle"</code>" for acme.sh, "<code>"acme_ca_root"</code>" for Caddy, "
                <code>"MDCACertificateFile"</code>" for Apache, "<code>"caBundle"</code>" for cert-manager)."
            </p>
        </Section>
    }
    .into_any()
}
