//! The folder `target/site/pkg` and its manifest.

use std::fs;
use std::hash::Hasher as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Every output's name begins with this.
const NAME: &str = "certdeck";

/// What the server needs to know, and what this build was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Name of the script without `.js`; the WASM is `…_bg.wasm`.
    pub(crate) script: String,
    /// Digest of the WASM that the compiler made.
    pub(crate) wasm_input: String,
    /// Name of the style sheet.
    pub(crate) style: String,
    /// Digest of the SCSS sources.
    pub(crate) style_input: String,
}

impl Manifest {
    pub(crate) fn js(&self) -> String {
        format!("{}.js", self.script)
    }

    pub(crate) fn wasm(&self) -> String {
        format!("{}_bg.wasm", self.script)
    }
}

/// Sizes in bytes.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) plain: u64,
    pub(crate) gzip: u64,
    pub(crate) brotli: u64,
}

#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
}

impl Output {
    pub(crate) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The manifest of the last build, where all its files are still there.
    pub(crate) fn manifest(&self) -> Option<Manifest> {
        let text = fs::read_to_string(self.manifest_path()).ok()?;
        let manifest: Manifest = serde_json::from_str(&text).ok()?;
        let there = [manifest.js(), manifest.wasm(), manifest.style.clone()]
            .iter()
            .all(|file| self.size(file).is_ok());
        there.then_some(manifest)
    }

    /// Writes a file with its Brotli and gzip forms beside it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        fs::write(self.folder.join(name), bytes)?;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes)?;
        fs::write(self.folder.join(format!("{name}.gz")), gzip.finish()?)?;
        let mut brotli = Vec::new();
        let best = brotli::enc::BrotliEncoderParams::default();
        brotli::BrotliCompress(&mut &*bytes, &mut brotli, &best)?;
        fs::write(self.folder.join(format!("{name}.br")), brotli)?;
        Ok(())
    }

    /// Writes the manifest where it changed, and removes files of earlier builds.
    pub(crate) fn finish(&self, manifest: &Manifest, old: Option<&Manifest>) -> anyhow::Result<()> {
        if old == Some(manifest) {
            return Ok(());
        }
        let kept = [manifest.js(), manifest.wasm(), manifest.style.clone()];
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !kept.iter().any(|file| name.starts_with(file.as_str())) {
                fs::remove_file(entry.path())?;
            }
        }
        fs::write(self.manifest_path(), serde_json::to_string_pretty(manifest)?)?;
        Ok(())
    }

    pub(crate) fn size(&self, name: &str) -> anyhow::Result<Size> {
        let bytes = |suffix: &str| -> anyhow::Result<u64> {
            let path = self.folder.join(format!("{name}{suffix}"));
            Ok(fs::metadata(&path).with_context(|| format!("{} is missing", path.display()))?.len())
        };
        Ok(Size { plain: bytes("")?, gzip: bytes(".gz")?, brotli: bytes(".br")? })
    }

    fn manifest_path(&self) -> PathBuf {
        self.folder.with_file_name("manifest.json")
    }
}

/// A digest that changes when the contents do; it protects nothing.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:016x}", hasher.finish())
}

/// `certdeck-<digest>`.
pub(crate) fn named(digest: &str) -> String {
    format!("{NAME}-{digest}")
}
