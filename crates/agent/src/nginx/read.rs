//! Reads nginx's configuration with all that it includes.

use std::io::Read;
use std::path::Path;

use super::glob;
use super::syntax::{self, Directive};
use crate::discovery::DiscoveryError;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// The most files that are read; a file that includes itself reaches it.
const MAX_FILES: usize = 4000;
/// Files included by included files.
const MAX_DEPTH: usize = 32;

/// The directives of `file`, each `include` replaced by what it includes. Relative patterns start
/// at the main file's folder, wherever they stand.
pub(super) fn configuration(file: &Path) -> Result<Vec<Directive>, DiscoveryError> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut reader = Reader { folder, files: 0 };
    reader.file(file, 0)
}

struct Reader<'a> {
    folder: &'a Path,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<Vec<Directive>, DiscoveryError> {
        self.files += 1;
        if self.files > MAX_FILES || depth > MAX_DEPTH {
            return Err(DiscoveryError::TooMany { path: path.to_owned() });
        }
        let text = read_text(path)?;
        let directives = syntax::parse(&text).map_err(|found| DiscoveryError::Syntax {
            path: path.to_owned(),
            line: found.line,
            fault: found.fault,
        })?;
        self.with_includes(directives, depth)
    }

    fn with_includes(
        &mut self,
        directives: Vec<Directive>,
        depth: usize,
    ) -> Result<Vec<Directive>, DiscoveryError> {
        let mut whole = Vec::with_capacity(directives.len());
        for mut directive in directives {
            if directive.name == "include" {
                for pattern in &directive.arguments {
                    let pattern = self.folder.join(pattern);
                    let paths = glob::expand(&pattern)
                        .map_err(|source| DiscoveryError::Read { path: pattern.clone(), source })?;
                    for path in paths {
                        whole.extend(self.file(&path, depth + 1)?);
                    }
                }
                continue;
            }
            if let Some(block) = directive.block.take() {
                directive.block = Some(self.with_includes(block, depth)?);
            }
            whole.push(directive);
        }
        Ok(whole)
    }
}

fn read_text(path: &Path) -> Result<String, DiscoveryError> {
    let failed = |source| DiscoveryError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(DiscoveryError::TooMany { path: path.to_owned() });
    }
    // Comments may be in any encoding; what matters here is ASCII.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_start_at_the_main_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sites")).unwrap();
        std::fs::write(dir.path().join("nginx.conf"), "http { include sites/*; }").unwrap();
        std::fs::write(dir.path().join("sites/a"), "server { include tls.conf; }").unwrap();
        std::fs::write(dir.path().join("tls.conf"), "ssl_certificate a.pem;").unwrap();
        let read = configuration(&dir.path().join("nginx.conf")).unwrap();
        let server = &read[0].block.as_ref().unwrap()[0];
        assert_eq!(server.block.as_ref().unwrap()[0].arguments, ["a.pem"]);
    }

    #[test]
    fn a_file_that_includes_itself_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nginx.conf");
        std::fs::write(&path, "include nginx.conf;").unwrap();
        assert!(matches!(configuration(&path), Err(DiscoveryError::TooMany { .. })));
    }
}
