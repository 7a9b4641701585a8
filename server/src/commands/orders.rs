//! `certdeck order …` and `certdeck import orders`.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::Path;

use anyhow::Context as _;
use domain::OrderNumber;
use lifecycle::Clock;
use lifecycle::orders::import::Import;
use lifecycle::orders::view::OrderView;

use super::{OPERATOR, counted, named};
use crate::cli::{ImportCommand, OrderCommand};
use crate::config::Config;
use crate::{opening, output};

/// Orders read in one go.
const PIECE: u32 = 200;

/// `certdeck order …`
pub async fn order(config: &Config, command: OrderCommand) -> anyhow::Result<()> {
    let desk = opening::desk(config, Clock::system()).await?;
    match command {
        OrderCommand::Show { number, json } => {
            let view = desk.order_view(&OPERATOR, OrderNumber(number)).await;
            let view = named(view, &number.to_string(), "`certdeck order list` shows them")?;
            if json {
                // One line: `import orders` reads it back.
                output::line(serde_json::to_string(&view)?)?;
            } else {
                output::line(line(&view))?;
                for one in &view.certificates {
                    output::line(format_args!(
                        "  {} {} {} until {}",
                        one.kind, one.serial, one.status, one.not_after
                    ))?;
                }
            }
        }
        OrderCommand::List { json } => list(&desk, json).await?,
    }
    Ok(())
}

/// Streams all orders, so that a million of them need no memory.
async fn list(desk: &lifecycle::Lifecycle, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after = None;
    let mut first = true;
    if json {
        write!(out, "[")?;
    }
    loop {
        let views = desk.order_views(&OPERATOR, after, PIECE).await?;
        for view in &views {
            if json {
                write!(out, "{}", if first { "\n" } else { ",\n" })?;
                serde_json::to_writer(&mut out, view)?;
            } else {
                writeln!(out, "{}", line(view))?;
            }
            first = false;
        }
        match views.last() {
            Some(last) => after = Some(last.number),
            None => break,
        }
    }
    if json {
        writeln!(out, "\n]")?;
    }
    out.flush()?;
    Ok(())
}

fn line(view: &OrderView) -> String {
    format!(
        "{:<12} {:<16} {:<26} {}",
        view.number,
        view.status.as_str(),
        view.product.as_str(),
        view.common_name
    )
}

/// `certdeck import …`
pub async fn import(config: &Config, command: ImportCommand) -> anyhow::Result<()> {
    let ImportCommand::Orders { file } = command;
    let desk = opening::desk(config, Clock::system()).await?;
    let outcome = desk.import_orders(&OPERATOR, reader(&file)?, |_| {}).await?;
    desk.store().close().await;
    match outcome {
        Import::Loaded { orders } => {
            output::line(format_args!("Imported {}.", counted(orders, "order")))?;
        }
        Import::Faulty { faults, more } => {
            for fault in &faults {
                eprintln!("line {}: {}", fault.line, fault.message);
            }
            let count =
                u64::try_from(faults.len()).unwrap_or(u64::MAX) + u64::try_from(more).unwrap_or(0);
            anyhow::bail!(
                "nothing was imported: {} with faults; mend them and import again",
                counted(count, "line")
            );
        }
    }
    Ok(())
}

fn reader(file: &Path) -> anyhow::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(file).with_context(|| format!("cannot read {}", file.display()))?))
}
