//! What the agent is in the middle of, on disk: one file per event, replaced as a whole before
//! each act that must be finished or undone after a crash.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use agent_api::FailedReport;
use domain::model::{KeyType, Serial};
use domain::{EventId, Name, NameSet};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files::{self, Replacement};
use crate::site::Recipe;

/// One event's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub event: EventId,
    pub address: SocketAddr,
    pub server_name: Option<String>,
    pub recipe: Recipe,
    /// Where the private key waits for its certificate.
    pub pending_key: PathBuf,
    pub wish: CsrWish,
    pub csr_pem: String,
    pub state: State,
}

/// What a CSR was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CsrWish {
    pub common_name: Name,
    pub names: NameSet,
    pub key_type: KeyType,
}

/// How far an event has come. All but the first and the last are on the way to an end that the
/// agent reaches by itself; [`crate::work`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum State {
    /// Key and CSR are made; the certificate is awaited.
    CsrMade,
    /// The files are being replaced. Done again from the start after a crash.
    Installing { installation: Installation },
    /// The files are replaced and the server was told.
    Installed { installation: Installation },
    /// The endpoint serves the certificate; to be reported.
    Verified { installation: Installation, chain_pem: String },
    /// The old files are being put back.
    Undoing { installation: Installation, failure: Failure },
    /// The old files are back; to be reported.
    Failed { report: FailedReport },
}

/// A certificate on its way into its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installation {
    pub leaf_pem: String,
    pub chain_pem: String,
    pub serial: Serial,
    /// Files that did not exist before: to be removed if the installation is undone.
    pub created: Vec<PathBuf>,
    /// What a handshake showed before; none where it showed no certificate.
    #[serde(default)]
    pub served_before: Option<Serial>,
}

impl Entry {
    /// The replacements of the endpoint's files, in the order in which they are written.
    pub(crate) fn replacements(&self) -> Vec<(PathBuf, Replacement)> {
        let with_path = |path: PathBuf| {
            let replacement = Replacement::new(&path, self.event);
            (path, replacement)
        };
        self.recipe.files.paths().into_iter().map(with_path).collect()
    }
}

/// The folder of the pages.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    folder: PathBuf,
}

impl Journal {
    pub(crate) fn open(state_dir: &Path) -> io::Result<Self> {
        let folder = state_dir.join("events");
        files::create_private_folder(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, event: EventId) -> PathBuf {
        self.folder.join(format!("{event}.json"))
    }

    /// Replaces the event's page; it is on disk when this returns.
    pub(crate) fn save(&self, entry: &Entry) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(entry)?;
        files::write_private(&self.path(entry.event), &bytes)
    }

    /// The event's page; none where there is none or it can't be read (which is logged).
    pub(crate) fn load(&self, event: EventId) -> Option<Entry> {
        let path = self.path(event);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a page of the journal can't be read");
                return None;
            }
        };
        serde_json::from_slice(&bytes)
            .inspect_err(|error| {
                tracing::error!(path = %path.display(), %error, "a page of the journal is not valid");
            })
            .ok()
    }

    /// Forgets an event.
    pub(crate) fn remove(&self, event: EventId) -> io::Result<()> {
        let path = self.path(event);
        files::remove(&path)?;
        files::sync_folder(&path)
    }

    /// Whether there is a page of this event, readable or not.
    pub(crate) fn knows(&self, event: EventId) -> bool {
        self.path(event).exists()
    }

    /// The events that have a page, in order.
    pub(crate) fn events(&self) -> io::Result<Vec<EventId>> {
        let mut events: Vec<EventId> = Vec::new();
        for file in std::fs::read_dir(&self.folder)? {
            let name = file?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
            events.extend(number.and_then(|number| number.parse::<EventId>().ok()));
        }
        events.sort();
        Ok(events)
    }
}
