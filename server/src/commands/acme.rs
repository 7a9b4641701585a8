//! `certdeck acme-url …` and `certdeck acme …`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use acme::urls::Urls;
use anyhow::Context as _;
use domain::rules::{DirectoryAction, parse_directory_query};
use domain::{Days, Name, NameSet, ProductId, Timestamp};
use lifecycle::acme::{DryRun, DryRunAnswer, NewAcmeUrl};
use lifecycle::{Clock, Lifecycle, LifecycleError};
use serde::Deserialize;
use serde_json::json;

use super::{OPERATOR, named};
use crate::cli::{AcmeCommand, AcmeUrlCommand, Explain};
use crate::config::Config;
use crate::{clock, opening, output};

/// `certdeck acme-url …`
pub async fn url(config: &Config, command: AcmeUrlCommand) -> anyhow::Result<()> {
    let AcmeUrlCommand::Create(create) = command;
    let desk = opening::issuing_desk(config, Clock::system()).await?;
    let organization = desk.organization_by_name(&create.organization).await;
    let organization = named(organization, &create.organization, "add it with `certdeck org add`")?;
    let mut new = NewAcmeUrl::permissive(&create.name, ProductId(create.product), organization.id);
    new.coverage_years = create.coverage_years;
    new.validity_days = create.validity_days.map(Days);
    let product = domain::Product::find(new.product.as_str());
    let unknown = || {
        format!(
            "there is no product {:?}: `certdeck product list` shows them",
            new.product.as_str()
        )
    };
    if !product.with_context(unknown)?.duplicates_allowed {
        new.may_duplicate = false;
        new.duplicate_automatically = false;
    }
    let (_, credential) = desk.create_acme_url(&OPERATOR, new).await?;
    let directory = Urls::new(&opening::base_url(config, &desk).await?).directory();
    if create.json {
        let made = json!({
            "directory_url": directory, "eab_kid": credential.kid, "eab_hmac_key": credential.hmac_key,
        });
        output::line(made)?;
    } else {
        output::line(format_args!(
            "Directory URL: {directory}\nEAB KID:       {}\nEAB HMAC key:  {}",
            credential.kid, credential.hmac_key
        ))?;
        output::line("The key is shown this once.")?;
    }
    Ok(())
}

/// One question about a request that is not made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    url_name: String,
    names: Vec<String>,
    #[serde(default)]
    cn: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    order: Option<serde_json::Value>,
    #[serde(default)]
    at: Option<String>,
}

/// `certdeck acme …`
pub async fn acme(config: &Config, command: AcmeCommand) -> anyhow::Result<()> {
    let AcmeCommand::Explain(explain) = command;
    let desk = opening::desk(config, clock::remembered(config)).await?;
    if let Some(file) = &explain.batch {
        batch(&desk, file).await
    } else {
        let as_json = explain.json;
        let answer = answer(&desk, single(explain)?).await?;
        if as_json {
            output::line(serde_json::to_string_pretty(&answer)?)?;
        } else {
            output::line(words(&answer))?;
        }
        Ok(())
    }
}

fn single(explain: Explain) -> anyhow::Result<Question> {
    Ok(Question {
        url_name: explain.url_name.context("give --url-name")?,
        names: explain.names,
        cn: explain.cn,
        action: explain.action,
        order: explain.order.map(serde_json::Value::String),
        at: explain.at.map(Timestamp::rfc3339),
    })
}

async fn batch(desk: &Lifecycle, file: &Path) -> anyhow::Result<()> {
    let input =
        std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut asked, mut unreadable) = (0_u64, 0_u64);
    // By bytes: a line that is not even text is one that can't be read, and no end of the others.
    for (index, line) in BufReader::new(input).split(b'\n').enumerate() {
        let line = line.with_context(|| format!("cannot read {}", file.display()))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        asked += 1;
        let answer = match question(&line) {
            Ok(question) => answer(desk, question).await,
            Err(message) => Err(Unanswered::Unreadable(message)),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(Unanswered::Unreadable(message)) => {
                unreadable += 1;
                json!({ "error": { "line": index + 1, "message": message } })
            }
            // The next line would find the same.
            Err(Unanswered::Failed(error)) => {
                out.flush()?;
                return Err(error.context(format!("line {}", index + 1)));
            }
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()?;
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} of {} could not be read: the answers with \"error\" say which and why; mend \
         those lines and ask them again",
        super::counted(asked, "line")
    );
    Ok(())
}

fn question(line: &[u8]) -> Result<Question, String> {
    serde_json::from_slice(line).map_err(|error| {
        // The one line that the parser sees is another one of the file.
        let fault = error.to_string().replace(" at line 1 column ", " at column ");
        format!("not a question as {{\"url_name\":\"…\",\"names\":[\"…\"]}}: {fault}")
    })
}

/// Why a question has no answer.
enum Unanswered {
    /// The question can't be read, or asks for something that does not exist.
    Unreadable(String),
    /// It failed on our side.
    Failed(anyhow::Error),
}

impl Unanswered {
    fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<Unanswered> for anyhow::Error {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Unreadable(message) => Self::msg(message),
            Unanswered::Failed(error) => error,
        }
    }
}

/// The answer, or the refusal, as JSON. What can't be read at all is an error.
async fn answer(desk: &Lifecycle, question: Question) -> Result<serde_json::Value, Unanswered> {
    let asked = match asked(&question) {
        Ok(asked) => asked,
        Err(refusal) => return Ok(json!({ "refusal": refusal })),
    };
    let names: NameSet = question
        .names
        .iter()
        .map(|name| Name::parse(name))
        .collect::<Result<_, _>>()
        .map_err(Unanswered::unreadable)?;
    let common_name = question.cn.as_deref().map(Name::parse).transpose();
    let common_name = common_name.map_err(Unanswered::unreadable)?;
    let at = question.at.as_deref().map(time).transpose()?;
    let run = DryRun { url_name: question.url_name, names, common_name, asked, at };
    let answer = desk.acme_explain(&run).await;
    let of_question =
        matches!(answer, Err(LifecycleError::NotFound { .. } | LifecycleError::Invalid(_)));
    let found = "Automation > ACME Directory URLs shows their names";
    match named(answer, &run.url_name, found) {
        Ok(answer) => Ok(DryRunAnswer::to_json(&answer)),
        Err(error) if of_question => Err(Unanswered::unreadable(error)),
        Err(error) => Err(Unanswered::Failed(error)),
    }
}

fn time(text: &str) -> Result<Timestamp, Unanswered> {
    let time = Timestamp::parse_rfc3339(text);
    time.ok_or_else(|| {
        Unanswered::Unreadable(format!(
            "{text:?} is not an RFC 3339 time, such as 2026-01-31T08:00:00Z"
        ))
    })
}

/// What the directory URL would ask for with these parameters.
fn asked(question: &Question) -> Result<Option<DirectoryAction>, domain::Refusal> {
    let order = question.order.as_ref().filter(|order| !order.is_null()).map(|order| match order {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let pairs: Vec<(&str, &str)> =
        [("action", question.action.as_deref()), ("orderId", order.as_deref())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
    parse_directory_query(&pairs)
}

fn words(answer: &serde_json::Value) -> String {
    let text =
        |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(refusal) = answer.get("refusal") {
        return format!(
            "refused by rule {}: {}",
            text(&refusal["rule"]),
            text(&refusal["message"])
        );
    }
    let mut lines = vec![match &answer["order"] {
        serde_json::Value::Null => text(&answer["action"]),
        order => format!("{} of order {order}", text(&answer["action"])),
    }];
    lines.push(text(&answer["why"]));
    for one in answer["candidates"].as_array().into_iter().flatten() {
        let kept = if one["kept"] == json!(true) { "kept   " } else { "dropped" };
        lines.push(format!(
            "  {kept} {} ({}): {}",
            one["order"],
            text(&one["rule"]),
            text(&one["why"])
        ));
    }
    lines.join("\n")
}
