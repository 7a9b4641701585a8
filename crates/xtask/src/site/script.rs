//! Rust to WASM, and the script that loads it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use wasm_bindgen_cli_support::Bindgen;

use super::output::{Manifest, Output, digest, named};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "wasm-release";

/// The script's name without ending, and the digest of what it was made from.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) stem: String,
    pub(crate) input: String,
}

/// Compiles the frontend and binds it to JavaScript; cargo decides what must be compiled.
pub(crate) fn build(
    root: &Path,
    output: &Output,
    old: Option<&Manifest>,
) -> anyhow::Result<Script> {
    println!("==> Compiling the islands to WASM (the first time takes some minutes)");
    compile(root)?;
    let path = root.join(format!("target/{TARGET}/{PROFILE}/certdeck_frontend.wasm"));
    let wasm = fs::read(&path).with_context(|| format!("{} is missing", path.display()))?;
    let input = digest([wasm.as_slice()]);
    if let Some(old) = old.filter(|old| old.wasm_input == input) {
        return Ok(Script { stem: old.script.clone(), input });
    }
    let mut bindings = bind(wasm)?;
    let bound = bindings.wasm_mut().emit_wasm();
    let script = bindings.js().to_owned();
    let stem = named(&digest([bound.as_slice(), script.as_bytes()]));
    output.write(&format!("{stem}_bg.wasm"), &bound)?;
    output.write(&format!("{stem}.js"), script.as_bytes())?;
    Ok(Script { stem, input })
}

fn compile(root: &Path) -> anyhow::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "build",
            "-p",
            "certdeck-frontend",
            "--lib",
            "--target",
            TARGET,
            "--profile",
            PROFILE,
        ])
        .current_dir(root)
        .status()
        .context("cargo could not be started")?;
    if !status.success() {
        bail!(
            "the frontend did not compile; `rustup target add {TARGET}` if the target is missing"
        );
    }
    Ok(())
}

fn bind(wasm: Vec<u8>) -> anyhow::Result<wasm_bindgen_cli_support::Output> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes("certdeck", wasm)
        .web(true)?
        .typescript(false)
        // The page names the hashed WASM itself.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
}
