//! A portal as a process of its own, on a port of the system's choice.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use http::{StatusCode, header};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The program with these words on this data folder, without the test's own settings.
pub fn certdeck(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certdeck"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CERTDECK_")) {
        command.env_remove(name);
    }
    command
        .env("CERTDECK_DATA_DIR", folder)
        .env("CERTDECK_LISTEN", "127.0.0.1:0")
        .env("CERTDECK_TLS_LISTEN", "off")
        .env("RUST_LOG", "error")
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// What a command came to.
pub async fn outcome(mut command: Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap()
}

/// What a command prints that succeeds.
pub async fn printed(folder: &Path, words: &[&str]) -> String {
    let output = outcome(certdeck(folder, words)).await;
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A running process.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What is printed behind `listening on `, without TLS.
    pub url: String,
}

impl Running {
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, url: String::new() }
    }

    /// A portal that is ready.
    pub async fn serve(command: Command) -> Self {
        let mut running = Self::spawn(command);
        running.listening().await;
        running
    }

    /// Waits until it says where it listens.
    pub async fn listening(&mut self) {
        self.url = self.line_with("listening on ").await;
    }

    /// The rest of the next line that begins so.
    pub async fn line_with(&mut self, beginning: &str) -> String {
        let wanted = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if let Some(rest) = line.strip_prefix(beginning) {
                    return rest.to_owned();
                }
            }
            panic!("it ended before it printed {beginning:?}")
        };
        tokio::time::timeout(PATIENCE, wanted).await.unwrap()
    }

    pub fn stderr(&mut self) -> Lines<BufReader<ChildStderr>> {
        BufReader::new(self.child.stderr.take().unwrap()).lines()
    }

    /// Asks it to end.
    pub async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// All that it prints from now on, until its end.
    pub async fn rest(mut self) -> Vec<String> {
        let mut rest = Vec::new();
        let all = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                rest.push(line);
            }
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap();
        rest
    }

    /// Waits for its end; its exit code.
    pub async fn code(mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }
}

/// Sends a form as a browser does.
pub async fn send_form(url: &str, path: &str, form: &str) -> reqwest::Response {
    let request = client()
        .post(format!("{url}{path}"))
        .header(header::ORIGIN, url)
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(form.to_owned()).send().await.unwrap()
}

/// The session's cookie that an answer sets.
pub fn session_of(answer: &reqwest::Response) -> Option<String> {
    let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
    let mut cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    cookies.find(|cookie| cookie.starts_with("certdeck=")).map(str::to_owned)
}

/// Signs in: the session's cookie, where the person was let in.
pub async fn sign_in(url: &str, email: &str, password: &str) -> Option<String> {
    let (email, password) = (email.replace('@', "%40"), password.replace(' ', "+"));
    let form = format!("email={email}&password={password}&next=%2F");
    session_of(&send_form(url, "/api/session/sign-in", &form).await)
}

/// A page for whoever has this session.
pub async fn page(url: &str, path: &str, session: &str) -> (StatusCode, String) {
    let request = client().get(format!("{url}{path}")).header(header::COOKIE, session);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// A client that follows nothing.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let policy = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(policy).timeout(PATIENCE).build().unwrap()
}
