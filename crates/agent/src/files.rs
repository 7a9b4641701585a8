//! Files that are never half written: staged beside, flushed to disk, put in place by rename.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::EventId;

/// Only the agent's user may read and write.
const PRIVATE: u32 = 0o600;
/// Everybody may read.
const PUBLIC: u32 = 0o644;

/// What the names of all files that the agent leaves in a server's folders begin with.
const PREFIX: &str = ".certdeck-";

/// Opens an empty file that only the agent's user may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    remove(path)?;
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)
}

/// Replaces `path` by a file that only the agent's user may read.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let staged = beside(path, "", ".new");
    write_flushed(&staged, content)?;
    fs::rename(&staged, path)?;
    sync_folder(path)
}

fn write_flushed(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a folder and those above it, readable by the agent's user only.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes a file; none there is as good.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Flushes the folder of `path`, so that a rename in it survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Where the private key of an event waits for its certificate. `agent` is the agent's mark: others may
/// keep theirs in the same folder, and portals count events each for itself.
pub(crate) fn pending_key(key_file: &Path, agent: &str, event: EventId) -> PathBuf {
    folder(key_file).join(format!("{PREFIX}{agent}-{event}.key"))
}

/// The event of the file name of one of this agent's pending keys.
pub(crate) fn event_of_pending_key(agent: &str, name: &str) -> Option<EventId> {
    name.strip_prefix(PREFIX)?
        .strip_prefix(agent)?
        .strip_prefix('-')?
        .strip_suffix(".key")?
        .parse()
        .ok()
}

/// The replacement of one file: written beside it, switched, and taken back where need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replacement {
    path: PathBuf,
    staged: PathBuf,
    backup: PathBuf,
}

impl Replacement {
    pub(crate) fn new(path: &Path, event: EventId) -> Self {
        let tag = format!("{event}.");
        Self {
            path: path.to_owned(),
            staged: beside(path, &tag, ".new"),
            backup: beside(path, &tag, ".old"),
        }
    }

    /// Writes the new content beside the file, with the owner and the permissions of the file
    /// that it will replace. A secret is never readable by everybody.
    pub(crate) fn stage(&self, content: &str, secret: bool) -> io::Result<()> {
        write_flushed(&self.staged, content.as_bytes())?;
        let old = fs::metadata(&self.path).ok();
        let mode = match (secret, &old) {
            (true, Some(old)) if self.give_away(old)? => PRIVATE | (old.mode() & 0o040),
            (true, _) => PRIVATE,
            (false, Some(old)) => {
                self.give_away(old)?;
                PRIVATE | (old.mode() & 0o044)
            }
            (false, None) => PUBLIC,
        };
        fs::set_permissions(&self.staged, Permissions::from_mode(mode))
    }

    /// Gives the staged file the old one's owner and group; false where its group could not be
    /// had. Only root may give files away: any other agent leaves the file its own.
    fn give_away(&self, old: &fs::Metadata) -> io::Result<bool> {
        let new = fs::metadata(&self.staged)?;
        let same = (old.uid(), old.gid()) == (new.uid(), new.gid());
        let given = same
            || std::os::unix::fs::chown(&self.staged, Some(old.uid()), Some(old.gid())).is_ok();
        Ok(given || old.gid() == new.gid())
    }

    /// Keeps the old file under another name, once: a second call, after a crash, must not take
    /// the new file for the old one.
    pub(crate) fn back_up(&self) -> io::Result<()> {
        if fs::symlink_metadata(&self.backup).is_ok() || fs::symlink_metadata(&self.path).is_err() {
            return Ok(());
        }
        if fs::hard_link(&self.path, &self.backup).is_ok() {
            return Ok(());
        }
        // Not every file system has hard links, and not everyone may make them.
        let copy = beside(&self.path, "", ".copy");
        write_flushed(&copy, &fs::read(&self.path)?)?;
        fs::set_permissions(&copy, fs::metadata(&self.path)?.permissions())?;
        fs::rename(&copy, &self.backup)
    }

    /// Puts the new file in the old one's place.
    pub(crate) fn switch(&self) -> io::Result<()> {
        fs::rename(&self.staged, &self.path)?;
        sync_folder(&self.path)
    }

    /// Puts the old file back; `created` where there was none. May be repeated.
    pub(crate) fn restore(&self, created: bool) -> io::Result<()> {
        remove(&self.staged)?;
        if fs::symlink_metadata(&self.backup).is_ok() {
            fs::rename(&self.backup, &self.path)?;
            // Renaming does nothing where both names are still links to the same file.
            remove(&self.backup)?;
        } else if created {
            remove(&self.path)?;
        }
        sync_folder(&self.path)
    }

    /// Keeps the old file as `<name>.certdeck-old`, in the place of an earlier one. May be
    /// repeated.
    pub(crate) fn keep_backup(&self) -> io::Result<()> {
        remove(&self.staged)?;
        if fs::symlink_metadata(&self.backup).is_ok() {
            let mut name = self.path.file_name().unwrap_or_default().to_owned();
            name.push(".certdeck-old");
            fs::rename(&self.backup, self.path.with_file_name(name))?;
        }
        sync_folder(&self.path)
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A hidden name in the folder of `path`.
fn beside(path: &Path, tag: &str, end: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(format!("{PREFIX}{tag}"));
    name.push(path.file_name().unwrap_or_default());
    name.push(end);
    folder(path).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_switch_can_be_taken_back_also_when_everything_is_done_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        let replacement = Replacement::new(&path, EventId(5));
        for _ in 0..2 {
            replacement.stage("new", true).unwrap();
            replacement.back_up().unwrap();
            replacement.switch().unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        for _ in 0..2 {
            replacement.restore(false).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_is_removed_again_and_a_kept_one_leaves_its_backup() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full.pem");
        let replacement = Replacement::new(&path, EventId(5));
        let put = |content| {
            replacement.stage(content, false).unwrap();
            replacement.back_up().unwrap();
            replacement.switch().unwrap();
        };
        put("first");
        replacement.restore(true).unwrap();
        assert!(!path.exists());
        put("first");
        replacement.keep_backup().unwrap();
        put("second");
        replacement.keep_backup().unwrap();
        let old = dir.path().join("full.pem.certdeck-old");
        assert_eq!(fs::read_to_string(old).unwrap(), "first");
    }

    #[test]
    fn secrets_are_never_readable_by_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        for (old, new) in
            [(None, 0o600), (Some(0o644), 0o640), (Some(0o640), 0o640), (Some(0o400), 0o600)]
        {
            remove(&path).unwrap();
            if let Some(old) = old {
                fs::write(&path, "old").unwrap();
                fs::set_permissions(&path, Permissions::from_mode(old)).unwrap();
            }
            let replacement = Replacement::new(&path, EventId(1));
            replacement.stage("new", true).unwrap();
            replacement.switch().unwrap();
            assert_eq!(mode(&path), new, "from {old:?}");
        }
        write_private(&path, b"x").unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_link_is_replaced_and_comes_back_as_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (path, real) = (dir.path().join("live.pem"), dir.path().join("archive.pem"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        let replacement = Replacement::new(&path, EventId(1));
        replacement.stage("new", false).unwrap();
        replacement.back_up().unwrap();
        replacement.switch().unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "old");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        replacement.restore(false).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }

    #[test]
    fn pending_keys_are_known_by_their_names() {
        let path = pending_key(Path::new("/etc/tls/key.pem"), "7-ab", EventId(12));
        assert_eq!(path, Path::new("/etc/tls/.certdeck-7-ab-12.key"));
        let event = |name| event_of_pending_key("7-ab", name);
        assert_eq!(event(".certdeck-7-ab-12.key"), Some(EventId(12)));
        for other in [".certdeck-7-ab-12.key.pem.new", ".certdeck-12.key", ".certdeck-7-ac-12.key"]
        {
            assert_eq!(event(other), None, "{other}");
        }
    }
}
