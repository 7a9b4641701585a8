//! "Try a request": what a request would come to, and why, without issuing anything.

use domain::Timestamp;
use domain::rules::{Action, Explanation};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::api::open_acme_url;
use super::detail::id_in_path;
use crate::fault::{FieldFault, PortalError};
use crate::kit::{
    Button, Choice, FormActions, Notice, Section, SelectField, Sheet, TextArea, TextField, Tone,
    Weight, page,
};
use crate::pages::activity::Explained;
use crate::paths;
use crate::query::Query;
use crate::viewer::Viewer;

/// What a request would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tried {
    /// This would be done.
    Decided(Box<Explanation>),
    /// A rule says no.
    Refused {
        /// Its number.
        rule: String,
        /// What happened, why, what to do next.
        message: String,
    },
    /// It can't be read.
    Invalid(Vec<FieldFault>),
}

/// Answers what a request would come to. Nothing is written.
#[server(prefix = "/api", endpoint = "acme-urls/try")]
pub async fn try_request(
    url_name: String,
    names: String,
    cn: String,
    action: String,
    order: String,
    at: String,
) -> Result<Tried, PortalError> {
    use crate::desk::{Desk, May};
    use lifecycle::acme::DryRunAnswer;

    let desk = Desk::require(May::Automate)?;
    let run = match reading::dry_run(url_name, &names, &cn, &action, &order, &at) {
        Ok(run) => run,
        Err(PortalError::Invalid(faults)) => return Ok(Tried::Invalid(faults)),
        Err(PortalError::Refused { rule, message, .. }) => {
            return Ok(Tried::Refused { rule, message });
        }
        Err(error) => return Err(error),
    };
    match desk.lifecycle.acme_explain(&run).await {
        Ok(DryRunAnswer::Decided(explanation)) => Ok(Tried::Decided(Box::new(explanation))),
        Ok(DryRunAnswer::Refused(refusal)) => {
            Ok(Tried::Refused { rule: refusal.rule.to_owned(), message: refusal.message })
        }
        Err(error) => match PortalError::from(error) {
            PortalError::Invalid(faults) => Ok(Tried::Invalid(faults)),
            other => Err(other),
        },
    }
}

#[cfg(feature = "ssr")]
mod reading {
    use domain::rules::{DirectoryAction, parse_directory_query};
    use domain::{Name, NameSet, Timestamp};
    use lifecycle::acme::DryRun;

    use super::in_utc;
    use crate::fault::PortalError;

    pub(super) fn dry_run(
        url_name: String,
        names: &str,
        cn: &str,
        action: &str,
        order: &str,
        at: &str,
    ) -> Result<DryRun, PortalError> {
        let list = names.replace([',', ';'], " ");
        let names = NameSet::parse_list(&list)
            .map_err(|error| PortalError::field("names", error.to_string()))?;
        if names.is_empty() {
            return Err(PortalError::field("names", "Enter at least one name."));
        }
        let common_name = match cn.trim() {
            "" => None,
            cn => {
                Some(Name::parse(cn).map_err(|error| PortalError::field("cn", error.to_string()))?)
            }
        };
        Ok(DryRun { url_name, names, common_name, asked: asked(action, order)?, at: moment(at)? })
    }

    fn asked(action: &str, order: &str) -> Result<Option<DirectoryAction>, PortalError> {
        let pairs = [("action", action.trim()), ("orderId", order.trim())];
        let given: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        Ok(parse_directory_query(&given)?)
    }

    fn moment(text: &str) -> Result<Option<Timestamp>, PortalError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        in_utc(text)
            .map(Some)
            .ok_or_else(|| PortalError::field("at", "Enter date and time, as 2027-01-31T12:00."))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_question_is_read_as_a_client_would_ask_it() {
            let run = dry_run(
                "web".to_owned(),
                "www.example.com, example.com",
                "",
                "renew",
                "5",
                "2027-01-31T12:00",
            )
            .unwrap();
            assert_eq!(run.names.len(), 2);
            assert_eq!(run.asked.map(DirectoryAction::path).as_deref(), Some("renew/5"));
            assert_eq!(run.at.map(Timestamp::rfc3339).as_deref(), Some("2027-01-31T12:00:00Z"));
        }

        #[test]
        fn what_cannot_be_read_is_told() {
            let fault = |names: &str, cn: &str, at: &str| {
                dry_run(String::new(), names, cn, "", "", at).err().map(|error| error.status())
            };
            assert_eq!(fault("", "", ""), Some(422));
            assert_eq!(fault("a.test", "b c", ""), Some(422));
            assert_eq!(fault("a.test", "", "soon"), Some(422));
            let refused = dry_run(String::new(), "a.test", "", "renew", "", "").unwrap_err();
            assert!(matches!(refused, PortalError::Refused { rule, .. } if rule == "A2"));
        }
    }
}

/// `2027-01-31T12:00` in UTC, as browsers send it, or an RFC 3339 time.
fn in_utc(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let read = [text.to_owned(), format!("{text}:00Z"), format!("{text}Z")];
    read.iter().find_map(|text| Timestamp::parse_rfc3339(text))
}

/// "Try a request".
#[component]
pub fn TryPage() -> impl IntoView {
    let id = id_in_path();
    let query = Query::parse(Viewer::current().query());
    page(async move {
        let id = id.ok_or_else(|| PortalError::no_such("ACME Directory URL"))?;
        let url = open_acme_url(id.0, String::new()).await?.row.url;
        let value = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let answer = match query.get("names") {
            Some(names) => {
                let names = names.to_owned();
                let (cn, action, order, at) =
                    (value("cn"), value("action"), value("order"), value("at"));
                Some(try_request(url.name.clone(), names, cn, action, order, at).await?)
            }
            None => None,
        };
        let moment = query.get("at").and_then(in_utc);
        let body = view! { {form(paths::acme_url_try(id), &query)}{answer.map(|answer| answered(answer, moment))} };
        Ok(Sheet::new("Try a request", body)
            .under("Automation")
            .crumb("ACME Directory URLs", paths::acme_urls())
            .crumb(url.name, paths::acme_url(id))
            .lead("What a client's request would come to, and why. Nothing is issued, and nothing is written."))
    })
}

/// A GET form: a question has a URL.
fn form(page: String, query: &Query) -> AnyView {
    let value = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let [names, cn, action, order, at] = ["names", "cn", "action", "order", "at"].map(value);
    let mut actions = vec![Choice::new("", "None: the server finds the order")];
    actions.extend(Action::ALL.iter().map(|action| Choice::new(action.as_str(), action.as_str())));
    view! {
        <Section title="The request">
            <form method="get" action=page class="stack">
                <TextArea
                    name="names" label="Names" value=names rows=3 code=true required=true
                    help="The DNS names that the client asks for, separated by spaces, commas or lines."
                />
                <TextField name="cn" label="Common name" value=cn optional=true help="Of the CSR, where it has one."/>
                <div class="row">
                    <SelectField name="action" label="Action in the URL" choices=actions value=action/>
                    <TextField name="order" label="Order ID in the URL" value=order inputmode="numeric" optional=true/>
                </div>
                <TextField name="at" label="Moment (UTC)" kind="datetime-local" value=at optional=true help="Empty: now."/>
                <FormActions><Button weight=Weight::Primary>"Try it"</Button></FormActions>
            </form>
        </Section>
    }
    .into_any()
}

fn answered(tried: Tried, at: Option<Timestamp>) -> AnyView {
    match tried {
        Tried::Decided(explanation) => view! {
            <Section title="Answer"><div class="explained"><Explained explanation=*explanation at=at/></div></Section>
        }
        .into_any(),
        Tried::Refused { rule, message } => view! {
            <Notice tone=Tone::Warning title=format!("Refused by rule {rule}")><p>{message}</p></Notice>
        }
        .into_any(),
        Tried::Invalid(faults) => {
            let faults = faults.into_iter().map(|fault| {
                view! { <li><a href=format!("#-{}", fault.field)>{fault.message}</a></li> }
            });
            let faults = faults.collect_view();
            view! { <Notice tone=Tone::Bad title="The request can't be read"><ul>{faults}</ul></Notice> }.into_any()
        }
    }
}
