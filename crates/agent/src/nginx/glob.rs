//! The file patterns of `include`: `*`, `?` and `[…]` within one part of a path.

use std::path::{Component, Path, PathBuf};

/// The existing files that `pattern` stands for, sorted as nginx reads them. A pattern without a
/// special character stands for itself.
pub(super) fn expand(pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        found = match part {
            Component::Normal(name) if name.to_str().is_some_and(is_pattern) => {
                let name = name.to_str().unwrap_or_default();
                let mut deeper = Vec::new();
                for folder in &found {
                    deeper.extend(matching(folder, name)?);
                }
                deeper
            }
            other => found.into_iter().map(|path| path.join(other)).collect(),
        };
    }
    found.sort();
    Ok(found)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn matching(folder: &Path, pattern: &str) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let hidden = name.starts_with('.') && !pattern.starts_with('.');
        if !hidden && matches(pattern.as_bytes(), name.as_bytes()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether `name` fits `pattern`. A star first tries to stand for nothing, then for one byte
/// more each time the rest does not fit.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(at), name.get(position)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                star = Some((at + 1, position));
                at += 1;
                continue;
            }
            (Some(b'?'), Some(_)) => Some(1),
            (Some(b'['), Some(&byte)) => class(pattern.get(at..).unwrap_or_default(), byte),
            (Some(wanted), Some(byte)) if wanted == byte => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(step), _) => (at, position) = (at + step, position + 1),
            (None, Some((after, from))) if from < name.len() => {
                star = Some((after, from + 1));
                (at, position) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// The length of the class at the start of `pattern` where `byte` belongs to it.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let start = if negated { 2 } else { 1 };
    // A `]` right at the start belongs to the class.
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|&byte| byte == b']')?;
    let members = pattern.get(start..end)?;
    let ranged = members
        .windows(3)
        .any(|range| matches!(range, [low, b'-', high] if (low..=high).contains(&&byte)));
    (negated != (ranged || members.contains(&byte))).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_as_a_shell_would() {
        for (pattern, name, fits) in [
            ("*.conf", "site.conf", true),
            ("*.conf", "site.conf.bak", false),
            ("*", "anything", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?.x", "1.x", true),
            ("?.x", "12.x", false),
            ("[0-4]*", "3rd", true),
            ("[0-4]*", "9th", false),
            ("[!a]*", "b", true),
            ("[!a]*", "a", false),
            ("[unclosed", "[unclosed", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn expands_folders_and_files() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b/x.conf", "a/y.conf", "a/.hidden.conf", "a/z.txt"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = expand(&dir.path().join("*/*.conf")).unwrap();
        assert_eq!(found, [dir.path().join("a/y.conf"), dir.path().join("b/x.conf")]);
        assert_eq!(expand(&dir.path().join("none/*.conf")).unwrap(), Vec::<PathBuf>::new());
    }
}
