//! What these tests share: a setup with quick releases, secrets in files, and senders.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use greenlight::cli::demo::client::{Answer, Connection};
use greenlight::control_plane::controller::ReleaseView;
use ring::hmac;
use tempfile::TempDir;

use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const SECRET: &str = "what we both know";

/// A release takes a second or so.
pub(crate) fn quick() -> Setup {
    Setup {
        processes: 1,
        health: "interval = \"50ms\"\ntimeout = \"1s\"\nrise = 1\nmin_healthy_time = \"0s\"",
        release: "debounce = \"300ms\"\nbake_time = \"0s\"\nstandby_ttl = \"1h\"",
        ..Setup::default()
    }
}

/// A folder with files that hold secrets; the folder goes with the value.
#[derive(Debug)]
pub(crate) struct Secrets(pub TempDir);

impl Secrets {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file, and gives it as a value of the configuration.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        format!("{{ file = \"{}\" }}", path.display())
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}

/// A request as bytes.
pub(crate) fn post(path: &str, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head =
        format!("POST {path} HTTP/1.1\r\nHost: hooks.example.org\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in fields {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends on a connection of its own. A refusal before the whole body was read is an answer too.
pub(crate) async fn send(to: SocketAddr, bytes: &[u8]) -> Answer {
    let asked = async { Connection::open(to).await?.ask(bytes).await };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("an answer").unwrap()
}

/// Docker Hub's message.
pub(crate) fn dockerhub(repository: &str, tag: &str, pushed_at: u64) -> Vec<u8> {
    serde_json::json!({
        "callback_url": "http://127.0.0.1:9/never-called",
        "push_data": { "pushed_at": pushed_at, "pusher": "somebody", "tag": tag, "images": [] },
        "repository": { "repo_name": repository, "repo_url": "https://hub.docker.com/r/org/app", "status": "Active" }
    })
    .to_string()
    .into_bytes()
}

pub(crate) fn unix_now() -> u64 {
    greenlight::clock::wall().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The generic signature: over timestamp, `.`, body.
pub(crate) fn sign(secret: &str, at: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = [at.to_string().as_bytes(), b".", body].concat();
    format!("sha256={}", hex(hmac::sign(&key, &message).as_ref()))
}

/// A signature over the body alone, with the digest that is named.
pub(crate) fn sign_body(secret: &str, algorithm: hmac::Algorithm, body: &[u8]) -> String {
    let word = if algorithm == hmac::HMAC_SHA256 { "sha256" } else { "sha1" };
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    format!("{word}={}", hex(hmac::sign(&key, body).as_ref()))
}

/// Waits until the last release has this version and state.
pub(crate) async fn until(house: &House, version: &str, state: &str) -> ReleaseView {
    let what = format!("{version} {state}");
    let view = house
        .admin()
        .until(SERVICE, &what, PATIENCE, |service| {
            service
                .release
                .as_ref()
                .is_some_and(|last| last.version == version && last.state.as_str() == state)
        })
        .await
        .unwrap();
    view.release.unwrap()
}

/// How many releases there were, those that were replaced too.
pub(crate) async fn releases(house: &House) -> usize {
    house.admin().history(SERVICE).await.unwrap().len()
}

/// Whether a text stands in a file of the folder, or in one beneath it.
pub(crate) fn holds(folder: &Path, text: &str) -> Option<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if let Some(found) = holds(&path, text) {
                return Some(found);
            }
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            return Some(path);
        }
    }
    None
}
