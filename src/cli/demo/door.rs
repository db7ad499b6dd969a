//! The front door: `greenlight run` as a child process, and what its admin API says and does.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::child::Child;
use super::client::{Answer, request};
use super::origin::whole_answer;
use super::trouble::Trouble;
use crate::clock;
use crate::control_plane::controller::{ReleaseView, ServiceView};

/// Between two looks at something that is awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A promote answers once every worker has acknowledged, 10 s at most.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
const TAIL_BYTES: usize = 4096;

/// The admin API of a front door, for the few questions that a demo or a test has.
#[derive(Clone, Debug)]
pub struct Admin {
    pub address: SocketAddr,
}

impl Admin {
    /// Any request; the answer whatever its status.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Trouble> {
        let what = format!("{method} {path}");
        let body = body.map(Value::to_string);
        let bytes = request(method, path, &self.address.to_string(), body.as_deref());
        whole_answer(self.address, &bytes, ANSWER_LIMIT, &what).await
    }

    /// A request that has to be answered with 2xx and JSON.
    pub async fn json<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Trouble> {
        let what = format!("{method} {path}");
        let answer = self.ask(method, path, body).await?;
        if !(200..300).contains(&answer.status) {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(Trouble::Refused { what, status: answer.status, body });
        }
        serde_json::from_slice(&answer.body).map_err(|error| Trouble::Answer { what, why: error.to_string() })
    }

    pub async fn service(&self, service: &str) -> Result<ServiceView, Trouble> {
        self.json("GET", &format!("/v1/services/{service}"), None).await
    }

    pub async fn release(&self, id: &str) -> Result<ReleaseView, Trouble> {
        self.json("GET", &format!("/v1/releases/{id}"), None).await
    }

    /// Newest first.
    pub async fn history(&self, service: &str) -> Result<Vec<ReleaseView>, Trouble> {
        self.json("GET", &format!("/v1/services/{service}/history"), None).await
    }

    /// Asks for a release of the other color; its id.
    pub async fn deploy(&self, service: &str, version: &str, auto_promote: bool) -> Result<String, Trouble> {
        let path = format!("/v1/services/{service}/releases");
        let body = json!({ "version": version, "auto_promote": auto_promote });
        let accepted: Value = self.json("POST", &path, Some(&body)).await?;
        match accepted.get("id").and_then(Value::as_str) {
            Some(id) => Ok(id.to_owned()),
            None => {
                Err(Trouble::Answer { what: format!("POST {path}"), why: format!("no id in {accepted}") })
            }
        }
    }

    /// Answers once every worker has acknowledged the switch.
    pub async fn promote(&self, service: &str) -> Result<Value, Trouble> {
        self.json("POST", &format!("/v1/services/{service}/promote"), Some(&json!({}))).await
    }

    /// Looks until the service is as wanted.
    pub async fn until(
        &self,
        service: &str,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&ServiceView) -> bool,
    ) -> Result<ServiceView, Trouble> {
        let begun = clock::instant();
        loop {
            let view = self.service(service).await?;
            if wanted(&view) {
                return Ok(view);
            }
            if clock::instant().duration_since(begun) > limit {
                let detail =
                    format!("; {service} is {} (active {}, epoch {})", view.state, view.active, view.epoch);
                return Err(Trouble::Late { what: what.to_owned(), limit, detail });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

/// A running front door.
#[derive(Debug)]
pub struct Door {
    pub admin: Admin,
    pub config: PathBuf,
    pub log: PathBuf,
    child: Child,
}

impl Door {
    /// Starts it on a configuration file; its output is appended to `log`. Returns at once.
    pub fn start(exe: &Path, config: &Path, log: &Path, admin: SocketAddr) -> Result<Self, Trouble> {
        let args =
            ["run", "--until-stdin-ends", "-c"].map(OsStr::new).into_iter().chain([config.as_os_str()]);
        let child = Child::start("the front door", exe, args, Some(log))?;
        Ok(Self { admin: Admin { address: admin }, config: config.to_owned(), log: log.to_owned(), child })
    }

    /// Waits until `/readyz` says so.
    pub async fn ready(&mut self, limit: Duration) -> Result<(), Trouble> {
        let begun = clock::instant();
        loop {
            if let Some(status) = self.child.ended() {
                let what = "the front door".to_owned();
                return Err(Trouble::Ended { what, status: status.to_string(), tail: self.tail() });
            }
            if let Ok(answer) = self.admin.ask("GET", "/readyz", None).await
                && answer.status == 200
            {
                return Ok(());
            }
            if clock::instant().duration_since(begun) > limit {
                let what = "the front door's /readyz".to_owned();
                return Err(Trouble::Late {
                    what,
                    limit,
                    detail: format!("; its last lines:\n{}", self.tail()),
                });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The last lines of its log.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL_BYTES)..]).into_owned()
    }

    /// None once it has ended and been waited for.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// Its exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.ended()
    }

    /// Waits for its end, whatever ends it.
    pub async fn wait(&mut self) -> Result<ExitStatus, Trouble> {
        self.child.wait().await
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<(), Trouble> {
        self.child.kill().await
    }

    /// SIGTERM, and waits for its end.
    pub async fn terminate(&mut self, limit: Duration) -> Result<ExitStatus, Trouble> {
        self.child.terminate(limit).await
    }
}
