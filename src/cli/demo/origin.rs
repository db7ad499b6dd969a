//! A sample upstream: `greenlight sample-app` as a child process, controlled by its path `/__app`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::child::Child;
use super::client::{Answer, Connection, request};
use super::trouble::Trouble;
use crate::cli::sample_app::{Change, Report};

/// The longest time until a fresh process has printed its address.
const START_LIMIT: Duration = Duration::from_secs(10);
/// The longest time for an answer of `/__app`.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A running sample app. Its process is killed when this value is dropped.
#[derive(Debug)]
pub struct DemoOrigin {
    pub name: String,
    pub address: SocketAddr,
    child: Child,
}

impl DemoOrigin {
    /// Starts a sample app that names itself `name`, and waits until it listens. `options` are further
    /// arguments of `sample-app`. Fails when the process ends or prints no address within 10 s.
    pub async fn start(
        exe: &Path,
        name: &str,
        listen: SocketAddr,
        options: &[&str],
    ) -> Result<Self, Trouble> {
        let what = format!("the {name} upstream");
        let listen = listen.to_string();
        let args =
            ["sample-app", "--name", name, "--listen", &listen].into_iter().chain(options.iter().copied());
        let mut child = Child::start(&what, exe, args, None)?;
        let mut line = String::new();
        if let Some(out) = child.stdout() {
            let mut reader = BufReader::new(out);
            if tokio::time::timeout(START_LIMIT, reader.read_line(&mut line)).await.is_err() {
                return Err(Trouble::Late {
                    what,
                    limit: START_LIMIT,
                    detail: " for its address".to_owned(),
                });
            }
        }
        let Some(address) = listening(&line) else {
            let status = child.ended().map_or_else(|| "no address".to_owned(), |status| status.to_string());
            return Err(Trouble::Ended { what, status, tail: line });
        };
        Ok(Self { name: name.to_owned(), address, child })
    }

    /// Changes how the sample app behaves. The change is in force when this function returns.
    pub async fn change(&self, change: &Change) -> Result<Report, Trouble> {
        let body = serde_json::to_string(change).unwrap_or_default();
        self.control("POST", Some(&body)).await
    }

    /// From now on this share (0 to 1) of the client requests fails, with status 500 unless another one was
    /// set.
    pub async fn fail(&self, share: f64) -> Result<Report, Trouble> {
        self.change(&Change { error_rate: Some(share), ..Change::default() }).await
    }

    /// The counts and settings of the sample app.
    pub async fn report(&self) -> Result<Report, Trouble> {
        self.control("GET", None).await
    }

    /// Sends SIGKILL and waits for the end of the process.
    pub async fn kill(&mut self) -> Result<(), Trouble> {
        self.child.kill().await
    }

    async fn control(&self, method: &str, body: Option<&str>) -> Result<Report, Trouble> {
        let what = format!("the {} upstream's /__app", self.name);
        let bytes = request(method, "/__app", &self.address.to_string(), body);
        let answer = whole_answer(self.address, &bytes, ANSWER_LIMIT, &what).await?;
        if answer.status != 200 {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(Trouble::Refused { what, status: answer.status, body });
        }
        serde_json::from_slice(&answer.body).map_err(|error| Trouble::Answer { what, why: error.to_string() })
    }
}

/// Parses the line in which the sample app prints its address: `{"listening":"127.0.0.1:1234"}`.
fn listening(line: &str) -> Option<SocketAddr> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    value.get("listening")?.as_str()?.parse().ok()
}

/// Sends one request on a new connection and returns its complete answer. After `limit` it fails with
/// [`Trouble::Late`]; `what` names the request in the error.
pub async fn whole_answer(
    address: SocketAddr,
    bytes: &[u8],
    limit: Duration,
    what: &str,
) -> Result<Answer, Trouble> {
    let exchange = async { Connection::open(address).await?.ask(bytes).await };
    match tokio::time::timeout(limit, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(source)) => Err(Trouble::Talk { what: what.to_owned(), source }),
        Err(_) => {
            Err(Trouble::Late { what: what.to_owned(), limit, detail: " without an answer".to_owned() })
        }
    }
}
