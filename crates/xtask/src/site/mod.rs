//! The browser's part of the portal, built without any tool but cargo.
//!
//! Files get their digest into their name, so that browsers may keep them for ever, and are
//! compressed here once instead of at every request. `manifest.json` tells the server the names.

mod output;
mod script;
mod style;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use output::{Manifest, Output};
use script::Script;

/// The largest gzipped WASM that is accepted, in bytes.
const WASM_BUDGET: u64 = 100 * 1024;
/// The largest gzipped style sheet that is accepted, in bytes.
const STYLE_BUDGET: u64 = 30 * 1024;

/// Builds what has changed, removes what is left over, prints sizes.
pub(crate) fn build(check_budget: bool, styles_only: bool) -> anyhow::Result<()> {
    let started = Instant::now();
    let root = workspace()?;
    let output = Output::open(root.join("target/site/pkg"))?;
    let old = output.manifest();
    let script = match old.as_ref().filter(|_| styles_only) {
        Some(old) => Script { stem: old.script.clone(), input: old.wasm_input.clone() },
        None => script::build(&root, &output, old.as_ref())?,
    };
    let style = style::build(&root, &output, old.as_ref())?;
    let manifest = Manifest {
        script: script.stem,
        wasm_input: script.input,
        style: style.file,
        style_input: style.input,
    };
    output.finish(&manifest, old.as_ref())?;
    let wasm = output.size(&manifest.wasm())?;
    let js = output.size(&manifest.js())?;
    let css = output.size(&manifest.style)?;
    println!("==> target/site is ready ({:.1} s)", started.elapsed().as_secs_f32());
    for (name, size) in [("WASM", &wasm), ("JavaScript", &js), ("CSS", &css)] {
        println!(
            "    {name:<10} {:>8} bytes, gzip {:>7}, Brotli {:>7}",
            size.plain, size.gzip, size.brotli
        );
    }
    if check_budget && (wasm.gzip > WASM_BUDGET || css.gzip > STYLE_BUDGET) {
        bail!(
            "over budget: WASM {} of {WASM_BUDGET} bytes gzipped, CSS {} of {STYLE_BUDGET}. Move code out of the islands, or styles out of the sheet.",
            wasm.gzip,
            css.gzip
        );
    }
    Ok(())
}

fn workspace() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .context("the workspace is two folders above this crate")
}
