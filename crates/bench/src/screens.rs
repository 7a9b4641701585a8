//! A signed-in person's requests, and the URLs that stand for what people ask lists and searches.

use anyhow::{Context as _, ensure};

use crate::http::{Answer, Connection, Request, Target};

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "demo-administrator";

/// The list under test.
const ORDERS: &str = "/certificates/orders";

/// Query strings that narrow the list, one for each filter and some of two.
const FILTERS: [&str; 16] = [
    "",
    "status=issued",
    "status=revoked",
    "status=canceled",
    "status=pending",
    "product=ssl_plus",
    "product=private_ssl_wildcard",
    "organization=1",
    "expires=30",
    "duplicates=yes",
    "duplicates=no",
    "renewed=yes",
    "origin=acme",
    "status=revoked&product=ssl_wildcard",
    "status=issued&expires=30",
    "organization=2&origin=automation&duplicates=yes",
];

const SORTS: [&str; 8] =
    ["number", "-number", "ordered", "-ordered", "expires", "-expires", "name", "-name"];

/// What URLs look for, as far as targets tell it apart.
#[derive(Debug, Clone, Copy)]
pub enum Sought {
    /// Pages of the list.
    List,
    /// The list, by whole names and beginnings.
    Name,
    /// The list, by parts of names.
    Part,
    /// Names for the wizard, whole or by their beginning.
    Wizard,
    /// Names for the wizard, by a part.
    WizardPart,
}

/// URLs of one sort, measured together.
#[derive(Debug)]
pub struct Mix {
    /// What they look for.
    pub sought: Sought,
    /// What they have in common.
    pub label: &'static str,
    /// Paths with their queries.
    pub paths: Vec<String>,
}

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    target: Target,
    cookie: String,
}

impl Session {
    /// Signs in as the demonstration's administrator.
    pub async fn sign_in(target: &Target) -> anyhow::Result<Self> {
        let body = format!("next=%2F&email={}&password={PASSWORD}", EMAIL.replace('@', "%40"));
        let origin = target.origin();
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
        let post = Request {
            method: "POST",
            path: "/api/session/sign-in",
            headers: &headers,
            body: body.as_bytes(),
        };
        let answer = Connection::open(target).await?.send(post).await?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.with_context(|| format!("no session: {}", answer.status))?.to_owned();
        Ok(Self { target: target.clone(), cookie })
    }

    /// A connection of this session.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.target).await
    }

    /// A page, which must be there. `coding` is what a browser would say that it accepts.
    pub async fn get(
        &self,
        connection: &mut Connection,
        path: &str,
        coding: &str,
    ) -> anyhow::Result<Answer> {
        let headers = [("cookie", self.cookie.as_str()), ("accept-encoding", coding)];
        let answer =
            connection.send(Request { method: "GET", path, headers: &headers, body: b"" }).await?;
        ensure!(answer.status == 200, "{path}: {}", answer.status);
        Ok(answer)
    }

    async fn text(&self, connection: &mut Connection, path: &str) -> anyhow::Result<String> {
        Ok(self.get(connection, path, "identity").await?.text())
    }
}

/// First and next pages of the list with every filter in every order, 50 rows each.
pub async fn lists(session: &Session) -> anyhow::Result<Vec<Mix>> {
    let mut connection = session.connect().await?;
    let (mut first, mut next) = (Vec::new(), Vec::new());
    for filter in FILTERS {
        for sort in SORTS {
            let separator = if filter.is_empty() { "" } else { "&" };
            let path = format!("{ORDERS}?{filter}{separator}sort={sort}&size=50");
            let page = session.text(&mut connection, &path).await?;
            next.extend(links(&page, &format!("{ORDERS}?")).find(|href| href.contains("after=")));
            first.push(path);
        }
    }
    Ok(vec![
        Mix { sought: Sought::List, label: "list, first pages", paths: first },
        Mix { sought: Sought::List, label: "list, next pages", paths: next },
    ])
}

/// The list's search for names, the wizard's search for orders to duplicate, and its suggestions.
pub async fn searches(session: &Session) -> anyhow::Result<Vec<Mix>> {
    let mut connection = session.connect().await?;
    let names = names(session, &mut connection).await?;
    let Wizard { suggest, found } = wizard(session, &mut connection, &names).await?;
    let quoted = |name: &String| format!("{ORDERS}?name=%22{name}%22&size=50");
    let starts: Vec<&str> = names.iter().filter_map(|name| name.get(..name.len().min(9))).collect();
    let middles: Vec<&str> =
        names.iter().filter_map(|name| name.get(3..name.len().min(14))).collect();
    // What many names hold makes the longest walks.
    let common = [
        "example.com",
        "www",
        "maple1",
        "ple.ne",
        ".amber",
        "api.",
        "e.co",
        "log",
        "nothing-like-it",
    ];
    let find =
        |texts: &[&str]| texts.iter().map(|text| format!("{ORDERS}?name={text}&size=50")).collect();
    let ask = |texts: &[&str]| texts.iter().map(|text| format!("{suggest}?q={text}")).collect();
    Ok(vec![
        Mix {
            sought: Sought::Name,
            label: "list by name, whole",
            paths: names.iter().map(quoted).collect(),
        },
        Mix { sought: Sought::Name, label: "list by name, prefix", paths: find(&starts) },
        Mix { sought: Sought::Part, label: "list by name, substring", paths: find(&middles) },
        Mix { sought: Sought::Part, label: "list by name, common text", paths: find(&common) },
        Mix { sought: Sought::Wizard, label: "wizard's orders, whole names", paths: found },
        Mix { sought: Sought::Wizard, label: "wizard's names, prefix", paths: ask(&starts) },
        Mix {
            sought: Sought::WizardPart,
            label: "wizard's names, substring",
            paths: ask(&middles),
        },
        Mix {
            sought: Sought::WizardPart,
            label: "wizard's names, common text",
            paths: ask(&common),
        },
    ])
}

/// What the wizard is asked.
struct Wizard {
    /// The source of its suggestions.
    suggest: String,
    /// Searches that find orders to duplicate.
    found: Vec<String>,
}

/// The wizard's second step on an endpoint, with each profile and those of `names` for which it has
/// orders to choose from.
async fn wizard(
    session: &Session,
    connection: &mut Connection,
    names: &[String],
) -> anyhow::Result<Wizard> {
    let endpoints = session.text(connection, "/automation/endpoints").await?;
    let profiles = session.text(connection, "/automation/profiles").await?;
    let endpoint = numbers(&endpoints, "/automation/endpoints/").next().context("no endpoint")?;
    let mut found = Vec::new();
    for profile in numbers(&profiles, "/automation/profiles/") {
        for name in names {
            let path = format!(
                "/automation/endpoints/{endpoint}/request/certificate?action=request&profile={profile}&obtain=duplicate&search={name}"
            );
            if session.text(connection, &path).await?.contains("Duplicate order ") {
                found.push(path);
            }
        }
    }
    ensure!(found.len() >= 10, "the wizard finds orders for {} names", found.len());
    Ok(Wizard { suggest: format!("/automation/endpoints/{endpoint}/request/names"), found })
}

/// Common names of orders from here and there in the list.
async fn names(session: &Session, connection: &mut Connection) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for query in [
        "product=ssl_plus",
        "product=ssl_plus&sort=number",
        "product=ssl_plus&sort=name",
        "origin=acme&sort=expires",
    ] {
        let page = session.text(connection, &format!("{ORDERS}?{query}&size=100")).await?;
        // Order ID, status, common name.
        let cells = page.split("<tr>").filter_map(|row| row.split("<td>").nth(2));
        let found = cells.filter_map(|cell| cell.split('<').next());
        names.extend(found.filter(|name| name.contains('.')).map(str::to_owned));
    }
    names.retain(|name| !name.starts_with('*'));
    names.sort_unstable();
    names.dedup();
    ensure!(names.len() >= 10, "the list shows {} names", names.len());
    Ok(names)
}

/// Links that begin so.
fn links<'a>(page: &'a str, beginning: &'a str) -> impl Iterator<Item = String> + 'a {
    let hrefs = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    hrefs.filter(move |href| href.starts_with(beginning)).map(|href| href.replace("&amp;", "&"))
}

/// The numbers at the end of links that begin so.
fn numbers<'a>(page: &'a str, beginning: &'a str) -> impl Iterator<Item = u64> + 'a {
    links(page, beginning).filter_map(move |href| href.strip_prefix(beginning)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_pages() {
        let page =
            r#"<a href="/a/7">x</a><a href="/a?after=9&amp;size=50">y</a><a href="/b">z</a>"#;
        assert_eq!(numbers(page, "/a/").collect::<Vec<_>>(), [7]);
        assert_eq!(links(page, "/a?").collect::<Vec<_>>(), ["/a?after=9&size=50"]);
    }
}
