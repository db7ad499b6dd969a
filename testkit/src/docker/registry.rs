//! A registry of a test's own: Debian's `docker-registry`.

use std::fmt::Write as _;
use std::io::PipeWriter;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bollard::auth::DockerCredentials;
use tempfile::TempDir;

use super::script;

pub const USER: &str = "tests";
pub const PASSWORD: &str = "tests";
/// bcrypt of [`PASSWORD`].
const HTPASSWD: &str = "tests:$2y$04$abcdefghijklmnopqrstuub0ydOp6RVlyKz619skXNiES.0vhARGG\n";
const START: Duration = Duration::from_secs(20);

/// How a registry differs from an open and silent one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Asks for [`USER`] and [`PASSWORD`].
    pub auth: bool,
    /// Where its notifications go.
    pub notify: Option<String>,
}

/// A running registry; it ends with this value, or with the process that started it.
#[derive(Debug)]
pub struct Registry {
    pub address: SocketAddr,
    auth: bool,
    input: Option<PipeWriter>,
    child: Child,
    _folder: TempDir,
}

impl Registry {
    /// Starts one on a free loopback address and waits until it listens.
    pub async fn start(address: SocketAddr, options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("greenlight-registry.").tempdir().unwrap();
        let file = folder.path().join("config.yml");
        std::fs::write(&file, config(folder.path(), address, options)).unwrap();
        std::fs::write(folder.path().join("htpasswd"), HTPASSWD).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let child = Command::new(script("until_stdin_ends"))
            .args(["docker-registry", "serve"])
            .arg(&file)
            .stdin(Stdio::from(reader))
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let registry = Self { address, auth: options.auth, input: Some(writer), child, _folder: folder };
        let listens = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(START, listens).await.expect("docker-registry listens");
        registry
    }

    /// `ADDRESS/NAME`, as an image's name.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    pub fn credentials(&self) -> Option<DockerCredentials> {
        self.auth.then(|| DockerCredentials {
            username: Some(USER.to_owned()),
            password: Some(PASSWORD.to_owned()),
            serveraddress: Some(self.address.to_string()),
            ..DockerCredentials::default()
        })
    }
}

fn config(folder: &Path, address: SocketAddr, options: &Options) -> String {
    let mut text = format!(
        "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\n  \
         delete:\n    enabled: true\nhttp:\n  addr: {address}\n  secret: tests\n",
        folder = folder.display()
    );
    if options.auth {
        let _ =
            write!(text, "auth:\n  htpasswd:\n    realm: tests\n    path: {}/htpasswd\n", folder.display());
    }
    if let Some(url) = &options.notify {
        let _ = write!(
            text,
            "notifications:\n  endpoints:\n    - name: greenlight\n      url: {url}\n      timeout: 5s\n      \
             threshold: 5\n      backoff: 1s\n"
        );
    }
    text
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
