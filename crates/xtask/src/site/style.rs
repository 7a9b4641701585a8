//! SCSS to CSS.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use grass::{Options, OutputStyle};

use super::output::{Manifest, Output, digest, named};

/// The sheet's file name, and the digest of what it was made from.
#[derive(Debug)]
pub(crate) struct Style {
    pub(crate) file: String,
    pub(crate) input: String,
}

/// Compiles `style/main.scss` where any SCSS file changed.
pub(crate) fn build(root: &Path, output: &Output, old: Option<&Manifest>) -> anyhow::Result<Style> {
    let folder = root.join("style");
    let sources = sources(&folder)?;
    let input = digest(sources.iter().map(Vec::as_slice));
    if let Some(old) = old.filter(|old| old.style_input == input) {
        return Ok(Style { file: old.style.clone(), input });
    }
    println!("==> Compiling the styles");
    let options = Options::default().style(OutputStyle::Compressed).load_path(&folder);
    let css = grass::from_path(folder.join("main.scss"), &options)
        .context("style/main.scss does not compile")?;
    let file = format!("{}.css", named(&digest([css.as_bytes()])));
    output.write(&file, css.as_bytes())?;
    Ok(Style { file, input })
}

fn sources(folder: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut paths = scss_files(folder)?;
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .collect()
}

fn scss_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(scss_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "scss") {
            found.push(path);
        }
    }
    Ok(found)
}
