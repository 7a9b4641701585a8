//! The parts of the kit on one page, with the site's styles: `http://127.0.0.1:3100`.
//!
//! For looking at, in light and dark and in every width: no database, nobody signed in.

use axum::Router;
use axum::routing::get;
use certdeck_app::kit::{
    ActionMenu, Badge, Bar, BarChart, Button, Checkbox, Choice, CodeBlock, Column, Copyable,
    Dialog, EmptyState, Expander, Expiry, Fact, Facts, FilterBar, FilterSelect, FilterText, Form,
    FormActions, Glyph, Lineage, Link, LinkButton, Listing, Notice, OpenDialog, Pager, RadioGroup,
    Section, SelectField, Sheet, Stage, Step, Steps, Table, TextArea, TextField, Time, Tone, Track,
    Unavailable, Weight, Zone, page,
};
use certdeck_app::viewer::{Theme, Viewer, Who};
use domain::model::Role;
use domain::{Days, Timestamp};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};

const NOW: Timestamp = Timestamp(1_795_000_000);
const SITE: &str = "target/site";

#[component]
fn Gallery(style: String, theme: Theme) -> impl IntoView {
    provide_meta_context();
    let theme = (theme != Theme::Auto).then(|| theme.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-js="">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <link rel="stylesheet" href=style/>
                <MetaTags/>
            </head>
            <body>
                <Title text="Gallery"/>
                {page(async { Ok(sheet()) })}
            </body>
        </html>
    }
}

fn sheet() -> Sheet {
    let body = view! {
        <Steps current=2 steps=steps()/>
        <Notice tone=Tone::Good><p>"Settings saved."</p></Notice>
        <Notice tone=Tone::Warning title="Names were removed">
            <p>"The order's earlier certificates are revoked in 72 hours. " <a href="#x">"What that means"</a></p>
        </Notice>
        <Notice tone=Tone::Bad><p>"Only the names of the original can be on a duplicate of this product (D6)."</p></Notice>
        <Notice tone=Tone::Info><p>"Requests of Standard Users always wait for a reviewer."</p></Notice>
        {list()}
        <div class="columns">{numbers()}{order()}</div>
        {form()}
        <Expander title="Advanced Settings"><p>"Collapsed until clicked."</p></Expander>
        <CodeBlock label="certbot command" text="certbot certonly --standalone \\\n  --server 'https://portal.example/mpki/api/v1/acme/v2/directory' \\\n  --eab-kid kid-1 --eab-hmac-key AAAA -d www.example.com"/>
        <EmptyState title="No endpoints yet" text="An agent on your web server finds them by itself.">
            <LinkButton href="#" weight=Weight::Primary>"Add agent"</LinkButton>
        </EmptyState>
        <Unavailable label="Issue a duplicate certificate" why="An administrator has not enabled duplicates in Automation. Ask for one by hand: Orders, order, Certificate actions, Request duplicate."/>
    };
    Sheet::new("Orders", body)
        .under("Certificates")
        .lead("What was ordered, with its certificates.")
        .actions(view! {
            <OpenDialog id="ask">"Open a dialog"</OpenDialog>
            <LinkButton href="#" weight=Weight::Primary glyph=Glyph::Add>"Request a certificate"</LinkButton>
            <Dialog id="ask" title="Revoke certificate">
                <p>"It can't be taken back."</p>
                <FormActions><Button weight=Weight::Danger>"Revoke"</Button></FormActions>
            </Dialog>
        })
}

fn steps() -> Vec<Step> {
    ["Automation profile", "Certificate", "Installation", "Review"]
        .map(|label| Step { label, href: Some("#".to_owned()) })
        .into()
}

fn list() -> AnyView {
    let listing =
        Listing::read(certdeck_app::paths::ORDERS, "status=issued", &["-number", "expires"]);
    let (bar, table, pager) = (listing.clone(), listing.clone(), listing);
    let columns = vec![
        Column::new("Order ID").sorted("number"),
        Column::new("Status"),
        Column::new("Common name"),
        Column::new("Product"),
        Column::new("Valid till").sorted("expires"),
        Column::new("Certificates").number(),
        Column::new("Actions").hidden(),
    ];
    let rows = [
        (Tone::Good, "Issued", 200, "www.example.com"),
        (Tone::Waiting, "Pending", 25, "api.example.com"),
        (Tone::Bad, "Revoked", 3, "*.shop.example.com"),
        (Tone::Neutral, "Canceled", -4, "mail.example.com"),
    ];
    let rows = rows.into_iter().enumerate().map(|(at, (tone, status, days, name))| {
        view! {
            <tr>
                <th scope="row"><a href="#">{555_123_456 + at}</a></th>
                <td><Badge tone=tone text=status/></td>
                <td>{name}<span class="small muted">"and 3 more names"</span></td>
                <td>"SSL Wildcard"</td>
                <td><Expiry at=NOW.plus(Days(days))/></td>
                <td class="number">{at}</td>
                <td class="end">
                    <LinkButton href="#">"Renew"</LinkButton>" "
                    <ActionMenu id=format!("m{at}") label="More actions">
                        <li><a href="#">"Request duplicate"</a></li>
                        <li><a href="#" class="danger">"Revoke certificate"</a></li>
                    </ActionMenu>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <FilterBar listing=bar export=true>
            <FilterText name="q" label="Name" placeholder="www.example.com"/>
            <FilterSelect name="status" label="Status" choices=vec![Choice::new("issued", "Issued")]/>
        </FilterBar>
        <Table label="Orders" columns=columns listing=table>{rows}</Table>
        <Pager listing=pager previous=None next=Some("9".to_owned())/>
    }
    .into_any()
}

fn numbers() -> AnyView {
    let bar = |label: &str, value: u64, tone| Bar {
        shown: value.to_string(),
        label: label.to_owned(),
        value,
        href: "#".to_owned(),
        tone,
    };
    let bars = vec![
        bar("0–7 days", 3, Tone::Bad),
        bar("8–30 days", 12, Tone::Warning),
        bar("31–60 days", 31, Tone::Info),
        bar("61–90 days", 24, Tone::Info),
        bar("later", 40, Tone::Neutral),
    ];
    view! {
        <Section title="Certificates by days to expiry" lead="Certificates expiring in 90 days or less so you can schedule them.">
            <BarChart label="Certificates by days to expiry" bars=bars/>
        </Section>
    }
    .into_any()
}

fn order() -> AnyView {
    let stage = |label: &str, tone, at| Stage { label: label.to_owned(), tone, at };
    let stages = vec![
        stage("CSR", Tone::Good, Some(NOW)),
        stage("Order", Tone::Good, Some(NOW)),
        stage("Issued", Tone::Info, None),
        stage("Installed", Tone::Neutral, None),
        stage("Verified", Tone::Neutral, None),
    ];
    let link = |label: &str, note: &str, current| Link {
        label: label.to_owned(),
        href: "#".to_owned(),
        note: note.to_owned(),
        status: Some((Tone::Good, "Issued")),
        till: Some(NOW.plus(Days(90))),
        current,
    };
    view! {
        <Section title="Order 555123456">
            <Facts>
                <Fact term="Serial number"><Copyable text="04:9f:1c:77:aa:20:91:3e" what="the serial number"/></Fact>
                <Fact term="Organization">"Example GmbH"</Fact>
                <Fact term="Ordered"><Time at=NOW/></Fact>
            </Facts>
            <Lineage links=vec![link("12345", "2025", false), link("67890", "issued", true)]/>
            <Track stages=stages/>
        </Section>
    }
    .into_any()
}

fn form() -> AnyView {
    view! {
        <Section title="Certificate" lead="What will be asked for.">
            <Form action="/api/none">
                <TextField name="cn" label="Common name" required=true help="One of the names."/>
                <TextArea name="sans" label="Other names" optional=true code=true/>
                <SelectField name="product" label="Product" choices=vec![Choice::new("a", "SSL Wildcard")]/>
                <RadioGroup name="approval" legend="Approval Steps" value="one_step" choices=vec![
                    Choice::new("one_step", "One step: certificate requests must be approved").help("The default."),
                    Choice::new("skip", "Skip approval step: remove the approval step from your certificate order processes"),
                ]/>
                <Checkbox name="auto" label="Enable duplicate certificates in Automation" checked=true/>
                <FormActions>
                    <Button weight=Weight::Primary>"Save Settings"</Button>
                    <LinkButton href="#" weight=Weight::Ghost>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Section>
    }
    .into_any()
}

fn viewer(theme: Theme) -> Viewer {
    Viewer {
        person: Some(Who {
            name: "Ada Byron".to_owned(),
            email: "ada@example.com".to_owned(),
            role: Role::Administrator,
        }),
        zone: Zone::named("Europe/Berlin"),
        now: NOW,
        url: "/certificates/orders?status=issued".to_owned(),
        theme,
    }
}

/// The style sheet as it is now, whatever its digest.
async fn style() -> impl axum::response::IntoResponse {
    let mut files = std::fs::read_dir(format!("{SITE}/pkg"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let sheet = files.find(|path| path.extension().is_some_and(|ending| ending == "css"));
    let text = sheet.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    ([(http::header::CONTENT_TYPE, "text/css")], text)
}

fn gallery(theme: Theme) -> axum::routing::MethodRouter {
    get(leptos_axum::render_app_async_with_context(
        move || provide_context(viewer(theme)),
        move || view! { <Gallery style="/style.css".to_owned() theme=theme/> },
    ))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    certdeck_app::context::start();
    let app = Router::new()
        .route("/style.css", get(style))
        .route("/", gallery(Theme::Light))
        .route("/dark", gallery(Theme::Dark));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3100").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
