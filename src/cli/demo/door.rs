//! The front door as a child process (`greenlight run`), and a small client of its admin API.

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

/// The time between two looks at a value that is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The longest time for an answer. A promote is answered once every worker has acknowledged, after 10 s at
/// most.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How many bytes at the end of the log [`Door::tail`] returns.
const TAIL_BYTES: usize = 4096;

/// The admin API of a front door, with the few requests that the demo and the tests need.
///
/// Every method fails with a [`Trouble`] when the API can't be reached or does not answer within 20 s.
#[derive(Clone, Debug)]
pub struct Admin {
    pub address: SocketAddr,
}

impl Admin {
    /// Sends any request and returns the answer, whatever its status is.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Trouble> {
        let what = format!("{method} {path}");
        let body = body.map(Value::to_string);
        let bytes = request(method, path, &self.address.to_string(), body.as_deref());
        whole_answer(self.address, &bytes, ANSWER_LIMIT, &what).await
    }

    /// Sends a request and parses the JSON of its answer. Another status than 2xx is [`Trouble::Refused`];
    /// other JSON is [`Trouble::Answer`].
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

    /// The view of a service.
    pub async fn service(&self, service: &str) -> Result<ServiceView, Trouble> {
        self.json("GET", &format!("/v1/services/{service}"), None).await
    }

    /// The view of a release.
    pub async fn release(&self, id: &str) -> Result<ReleaseView, Trouble> {
        self.json("GET", &format!("/v1/releases/{id}"), None).await
    }

    /// The releases of a service, the newest first.
    pub async fn history(&self, service: &str) -> Result<Vec<ReleaseView>, Trouble> {
        self.json("GET", &format!("/v1/services/{service}/history"), None).await
    }

    /// Asks for a release on the other color, and returns the id of that release.
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

    /// Promotes the candidate. The API answers once every worker has acknowledged the switch.
    pub async fn promote(&self, service: &str) -> Result<Value, Trouble> {
        self.json("POST", &format!("/v1/services/{service}/promote"), Some(&json!({}))).await
    }

    /// Reads the service every 20 ms until `wanted` returns true. After `limit` it fails with
    /// [`Trouble::Late`], which names `what`.
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

/// A running front door. Its process is killed when this value is dropped.
#[derive(Debug)]
pub struct Door {
    pub admin: Admin,
    pub config: PathBuf,
    pub log: PathBuf,
    child: Child,
}

impl Door {
    /// Starts the front door with a configuration file. Its output is appended to `log`. Returns at once,
    /// before the front door is ready.
    pub fn start(exe: &Path, config: &Path, log: &Path, admin: SocketAddr) -> Result<Self, Trouble> {
        let args =
            ["run", "--until-stdin-ends", "-c"].map(OsStr::new).into_iter().chain([config.as_os_str()]);
        let child = Child::start("the front door", exe, args, Some(log))?;
        Ok(Self { admin: Admin { address: admin }, config: config.to_owned(), log: log.to_owned(), child })
    }

    /// Waits until `/readyz` answers 200. Fails when the process ends or `limit` is over before that.
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

    /// The last 4 096 bytes of the log.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL_BYTES)..]).into_owned()
    }

    /// The process id; `None` once the process has ended and this value has waited for it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// The exit status if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.ended()
    }

    /// Waits for the end of the process, whatever its cause is.
    pub async fn wait(&mut self) -> Result<ExitStatus, Trouble> {
        self.child.wait().await
    }

    /// Sends SIGKILL and waits for the end of the process.
    pub async fn kill(&mut self) -> Result<(), Trouble> {
        self.child.kill().await
    }

    /// Sends SIGTERM and waits for the end of the process; see [`Child::terminate`].
    pub async fn terminate(&mut self, limit: Duration) -> Result<ExitStatus, Trouble> {
        self.child.terminate(limit).await
    }
}
