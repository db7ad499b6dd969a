//! A child process that is killed, by its id, when its value is dropped.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::trouble::Trouble;

/// A running child process. Its standard input is a pipe that stays open as long as this value lives.
#[derive(Debug)]
pub struct Child {
    what: String,
    process: tokio::process::Child,
}

impl Child {
    /// Starts `exe` with its standard output piped (for [`Child::stdout`]) or, if `log` is given,
    /// with both outputs appended to that file. Fails when the process can't be started.
    pub fn start<I, S>(what: &str, exe: &Path, args: I, log: Option<&Path>) -> Result<Self, Trouble>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let started = |source| Trouble::Start { what: what.to_owned(), source };
        let (out, err) = match log {
            Some(path) => {
                let file = std::fs::File::options().create(true).append(true).open(path).map_err(started)?;
                (Stdio::from(file.try_clone().map_err(started)?), Stdio::from(file))
            }
            None => (Stdio::piped(), Stdio::inherit()),
        };
        let process = tokio::process::Command::new(exe)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(started)?;
        Ok(Self { what: what.to_owned(), process })
    }

    /// Takes the piped standard output. `None` if it is not piped or was taken before.
    pub fn stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.process.stdout.take()
    }

    /// The process id; `None` once the process has ended and this value has waited for it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// The exit status if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Waits for the end of the process. tokio's `wait` closes the standard input first, and the child would
    /// then end by itself, so this function takes the pipe out during the wait.
    pub async fn wait(&mut self) -> Result<ExitStatus, Trouble> {
        let input = self.process.stdin.take();
        let ended = self.process.wait().await;
        self.process.stdin = input;
        ended.map_err(|source| Trouble::Lost { what: self.what.clone(), doing: "waited for", source })
    }

    /// Sends SIGKILL and waits for the end of the process.
    pub async fn kill(&mut self) -> Result<(), Trouble> {
        self.process.kill().await.map_err(|source| Trouble::Lost {
            what: self.what.clone(),
            doing: "killed",
            source,
        })
    }

    /// Sends SIGTERM and waits for the end of the process. If that takes longer than `limit`, it sends
    /// SIGKILL and fails with [`Trouble::Late`].
    pub async fn terminate(&mut self, limit: Duration) -> Result<ExitStatus, Trouble> {
        if let Some(pid) = self.process.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // The process may have ended by itself in the meantime. The wait below finds that out.
            let _ = kill_process(pid, Signal::TERM);
        }
        if let Ok(ended) = tokio::time::timeout(limit, self.wait()).await {
            return ended;
        }
        self.kill().await?;
        let what = format!("the end of {}", self.what);
        Err(Trouble::Late { what, limit, detail: " after SIGTERM".to_owned() })
    }
}
