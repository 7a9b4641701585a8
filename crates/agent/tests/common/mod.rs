//! The other side for the agent's tests: a portal that speaks the agents' protocol and signs what
//! it is asked to, and a real nginx.

#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this one")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::result_large_err,
    reason = "a fault in the fixture is the test's failure"
)]

pub mod nginx;
pub mod portal;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use certdeck_agent::Timing;
use rcgen::{CertificateParams, KeyPair};

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An address on loopback whose port the system gave and nobody uses.
pub fn free_address() -> SocketAddr {
    TcpListener::bind((LOOPBACK, 0)).unwrap().local_addr().unwrap()
}

/// Short limits, so that a failing verification does not take half a minute.
pub fn quick() -> Timing {
    Timing {
        poll_wait_seconds: 2,
        handshake: Duration::from_secs(5),
        verify: Duration::from_secs(2),
        ..Timing::default()
    }
}

/// Writes a self-signed certificate for `name` with its key.
pub fn self_signed(name: &str, fullchain: &Path, key: &Path) {
    let pair = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new([name.to_owned()]).unwrap().self_signed(&pair).unwrap();
    std::fs::write(fullchain, certificate.pem()).unwrap();
    std::fs::write(key, pair.serialize_pem()).unwrap();
}

/// Names of the files in a folder.
pub fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
