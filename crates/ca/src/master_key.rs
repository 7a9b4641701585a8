//! The master key: what encrypts the authority's keys, EAB keys and other secrets at rest.
//!
//! AES-256-GCM with a random nonce; the purpose is authenticated with the ciphertext, so that a
//! sealed secret can't be put into another's place. Sealed bytes: one format byte, 12 bytes of
//! nonce, ciphertext, 16 bytes of tag.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::keys::random;

const FORMAT: u8 = 1;
/// Longer files are not master keys: read no further.
const MAX_FILE: u64 = 1024;

/// The key that encrypts secrets at rest.
pub struct MasterKey(RandomizedNonceKey);

/// Why the master key can't be had, or a secret can't be opened with it.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file can't be read or written.
    #[error(
        "The master key file {path} can't be used. Check that its folder exists and belongs to this user."
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else than 64 hex digits.
    #[error(
        "{0} is not a master key: it must hold 64 hex digits. Restore the file from your backup."
    )]
    Malformed(PathBuf),
    /// Everybody on the machine may read the file.
    #[error("Everybody on this machine may read the master key {0}. Run: chmod 600 {0}")]
    Exposed(PathBuf),
    /// Sealed under another key or for another purpose, or damaged.
    #[error(
        "The secret {purpose:?} can't be decrypted: the master key is another one than when it was stored, or the stored bytes are damaged. Restore the master key file that belongs to this database."
    )]
    Sealed {
        /// What the secret is for.
        purpose: String,
    },
    /// The system gave no randomness.
    #[error("the system gave no random bytes")]
    Random,
}

impl MasterKey {
    /// The key in these 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, MasterKeyError> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes).map(Self).map_err(|_| MasterKeyError::Random)
    }

    /// Reads the key from the file; makes a new one there (mode 0600) if there is no file.
    ///
    /// Nodes that start at the same moment agree on one key: the file appears whole or not at all,
    /// and the first one wins.
    pub fn load_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::File { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                create(path)?;
                Self::load(path)
            }
            outcome => outcome,
        }
    }

    /// Reads the key from the file.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        let malformed = || MasterKeyError::Malformed(path.to_owned());
        let facts = std::fs::metadata(path).map_err(failed)?;
        if !facts.is_file() || facts.len() > MAX_FILE {
            return Err(malformed());
        }
        if facts.permissions().mode() & 0o007 != 0 {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
        let mut bytes = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut()).map_err(|_| malformed())?;
        Self::from_bytes(&bytes)
    }

    /// Encrypts a secret for a purpose, such as `ca-key`.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let mut body = Zeroizing::new(secret.to_vec());
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut *body)
            .map_err(|_| MasterKeyError::Random)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Decrypts what [`MasterKey::seal`] made for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MasterKeyError> {
        let refused = || MasterKeyError::Sealed { purpose: purpose.to_owned() };
        let (format, rest) = sealed.split_first().ok_or_else(refused)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        if *format != FORMAT {
            return Err(refused());
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut body)
            .map_err(|_| refused())?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(secret)")
    }
}

/// Writes a new key beside its place and links it there, which fails if somebody was first.
fn create(path: &Path) -> Result<(), MasterKeyError> {
    let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new([0u8; 32]);
    random(bytes.as_mut()).map_err(|_| MasterKeyError::Random)?;
    let mut suffix = [0u8; 8];
    random(&mut suffix).map_err(|_| MasterKeyError::Random)?;
    let fresh = path.with_extension(format!("{}.new", hex::encode(suffix)));
    let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(bytes.as_ref()))));

    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    let linked = written.and_then(|()| std::fs::hard_link(&fresh, path));
    let removed = std::fs::remove_file(&fresh);
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.and(removed).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let key = MasterKey::from_bytes(&[7; 32]).unwrap();
        let sealed = key.seal("eab", b"secret").unwrap();
        assert_eq!(key.open("eab", &sealed).unwrap().as_slice(), b"secret");
        assert_ne!(sealed, key.seal("eab", b"secret").unwrap(), "a nonce was used twice");

        let other = MasterKey::from_bytes(&[8; 32]).unwrap();
        assert!(other.open("eab", &sealed).is_err());
        assert!(key.open("ca-key", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(key.open("eab", &damaged).is_err(), "byte {at}");
            assert!(key.open("eab", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_file_is_private_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let sealed = MasterKey::load_or_create(&path).unwrap().seal("x", b"1").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(MasterKey::load_or_create(&path).unwrap().open("x", &sealed).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "left something behind");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::load(&path), Err(MasterKeyError::Exposed(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "not a key").unwrap();
        assert!(matches!(MasterKey::load_or_create(&path), Err(MasterKeyError::Malformed(_))));
        let nowhere = folder.path().join("missing/master.key");
        assert!(matches!(MasterKey::load_or_create(&nowhere), Err(MasterKeyError::File { .. })));
    }

    #[test]
    fn nodes_that_start_together_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let keys: Vec<MasterKey> = std::thread::scope(|scope| {
            let nodes: Vec<_> =
                (0..8).map(|_| scope.spawn(|| MasterKey::load_or_create(&path).unwrap())).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        let sealed = keys[0].seal("x", b"1").unwrap();
        assert!(keys.iter().all(|key| key.open("x", &sealed).is_ok()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = MasterKey::from_bytes(&[0xab; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey(secret)");
    }
}
