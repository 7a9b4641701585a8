//! A real nginx (Debian's package) with a configuration of its own, on ports that the system
//! gave.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use certdeck_agent::{NginxConfig, Served, probe};

pub const BINARY: &str = "/usr/sbin/nginx";

pub struct Nginx {
    pub folder: PathBuf,
    child: Child,
}

impl Nginx {
    /// Starts nginx in `folder` with `servers`, the inside of its `http` block, which is put into
    /// an included file.
    pub async fn start(folder: &Path, servers: &str, listens: SocketAddr) -> Self {
        std::fs::create_dir_all(folder.join("sites")).unwrap();
        std::fs::create_dir_all(folder.join("tmp")).unwrap();
        std::fs::write(folder.join("nginx.conf"), main_file(folder)).unwrap();
        std::fs::write(folder.join("sites/site.conf"), servers).unwrap();
        let child = Command::new(BINARY)
            .args(arguments(folder))
            .args(["-g", "daemon off;"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is needed for this test: apt install nginx");
        let nginx = Self { folder: folder.to_owned(), child };
        nginx.wait_for(listens).await;
        nginx
    }

    async fn wait_for(&self, address: SocketAddr) {
        let end = Instant::now() + Duration::from_secs(20);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < end, "nginx does not listen on {address}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn config(&self) -> NginxConfig {
        NginxConfig {
            binary: BINARY.into(),
            config_file: Some(self.folder.join("nginx.conf")),
            prefix: Some(self.folder.clone()),
            discover: true,
            test_command: None,
            reload_command: None,
        }
    }

    /// Adds a directive that nginx does not know: its own test and every reload fail from now on.
    pub fn break_configuration(&self) {
        std::fs::write(self.folder.join("sites/zz-broken.conf"), "no_such_directive on;\n")
            .unwrap();
    }

    pub fn mend_configuration(&self) {
        std::fs::remove_file(self.folder.join("sites/zz-broken.conf")).unwrap();
    }

    /// Whether nginx itself accepts the files: a key that does not fit its certificate fails.
    pub fn accepts_its_files(&self) -> bool {
        let test = Command::new(BINARY).args(arguments(&self.folder)).arg("-t").output().unwrap();
        test.status.success()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Not `nginx -s stop`: it reads the configuration, which the test may have broken.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

pub fn arguments(folder: &Path) -> [String; 4] {
    let text = |path: &Path| path.display().to_string();
    ["-c".into(), text(&folder.join("nginx.conf")), "-p".into(), text(folder)]
}

fn main_file(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "worker_processes 1;
         pid {folder}/nginx.pid;
         error_log {folder}/error.log;
         events {{ worker_connections 64; }}
         http {{
             access_log off;
             client_body_temp_path {folder}/tmp/body;
             proxy_temp_path {folder}/tmp/proxy;
             fastcgi_temp_path {folder}/tmp/fastcgi;
             uwsgi_temp_path {folder}/tmp/uwsgi;
             scgi_temp_path {folder}/tmp/scgi;
             include sites/*.conf;
         }}"
    )
}

/// What `address` serves now.
pub async fn served(address: SocketAddr, name: &str) -> Served {
    probe(address, Some(name), Duration::from_secs(5)).await.unwrap()
}
