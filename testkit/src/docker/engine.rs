//! A Docker Engine for one test. The script `tests/docker/engine` starts and ends it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use bollard::{API_DEFAULT_VERSION, Docker};
use tempfile::TempDir;

use super::script;

/// The timeout of the test's own requests to an engine, in seconds.
const API_TIMEOUT: u64 = 60;

/// The differences of an engine from a plain one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// With `--live-restore` containers survive the daemon.
    pub live_restore: bool,
    /// The data folder is a file system of this size, such as `64m`.
    pub disk: Option<&'static str>,
    /// More options of dockerd, such as another address.
    pub more: Vec<String>,
}

/// A running engine. It ends when this value is dropped, or when the process that has started it ends.
#[derive(Debug)]
pub struct Engine {
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    script: Mutex<Child>,
    folder: PathBuf,
    // The script removes the folder too, so that it goes even if this value is never dropped.
    _top: TempDir,
}

impl Engine {
    /// Starts an engine and waits until its API answers. Blocks for about half a second.
    pub fn start(options: Options) -> Self {
        let top = tempfile::Builder::new().prefix("greenlight-engine.").tempdir().unwrap();
        let folder = top.path().to_owned();
        let mut command = Command::new(script("engine"));
        command.arg(&folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.args(options.more);
        if options.live_restore {
            command.arg("--live-restore");
        }
        if let Some(size) = options.disk {
            command.env("DISK", size);
        }
        let mut child = command.spawn().expect("tests/docker/engine starts");
        let pipes = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let engine = Self { pipes: Mutex::new(Some(pipes)), script: Mutex::new(child), folder, _top: top };
        engine.expect("ready");
        engine
    }

    /// The URL of the engine for `engines = [{ url = }]`.
    pub fn url(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.display())
    }

    /// The path of the engine's socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    /// A client of the engine's API, at the version that the engine speaks.
    pub async fn api(&self) -> Docker {
        Docker::connect_with_unix(&self.url(), API_TIMEOUT, API_DEFAULT_VERSION)
            .unwrap()
            .negotiate_version()
            .await
            .unwrap()
    }

    /// Kills dockerd with SIGKILL, and blocks until it is gone.
    pub fn kill(&self) {
        self.tell("kill");
        self.expect("killed");
    }

    /// Ends dockerd with SIGTERM, as a restart of its service does, and blocks until it is gone. It stops the
    /// containers first.
    pub fn stop(&self) {
        self.tell("stop");
        self.expect("stopped");
    }

    /// Starts dockerd again after a kill or a stop, and blocks until its API answers.
    pub fn start_again(&self) {
        self.tell("start");
        self.expect("ready");
    }

    /// The last 20 lines of dockerd's log.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn tell(&self, command: &str) {
        let mut pipes = self.pipes.lock().unwrap();
        let (input, _) = pipes.as_mut().unwrap();
        writeln!(input, "{command}").unwrap();
        input.flush().unwrap();
    }

    fn expect(&self, word: &str) {
        let mut line = String::new();
        self.pipes.lock().unwrap().as_mut().unwrap().1.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word, "dockerd's last lines:\n{}", self.tail());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The end of its standard input ends the script.
        drop(self.pipes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        let _ = self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner).wait();
    }
}
