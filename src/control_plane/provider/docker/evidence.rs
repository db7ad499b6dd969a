//! The evidence of a failed set: the last log lines and the state of each container, taken before any of
//! them is stopped. Its size is limited, because it is kept with the release's record.

use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::model::ReleaseId;

use super::container::Container;
use super::fault::Doing;
use super::upstream::{ServiceEngines, gone_is_none};
use super::{DockerFault, Engine};

/// How many log lines of a container are kept.
pub(super) const LINES_MAX: usize = 100;
/// How many bytes of a container's log are kept.
pub(super) const LOG_BYTES_MAX: usize = 64 * 1024;
/// How many containers of a set are asked. The others would most likely say the same as the first ones.
pub(super) const CONTAINERS_MAX: usize = 8;
/// How many bytes of log are kept of a set.
const SET_BYTES_MAX: usize = 256 * 1024;
/// How long the engine may take for the log or the state of one container. Evidence is worth a short wait,
/// since the containers go on to run until it is taken.
const LOG_MAX: Duration = Duration::from_secs(3);

/// One container in the state before it was stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    pub name: String,
    /// The short id.
    pub id: String,
    /// The engine's word, such as `running`, `restarting` or `exited`.
    pub status: String,
    /// How it ended last, if it did not end well.
    pub end: Option<String>,
    pub restarts: u32,
    /// The log lines, oldest first. Standard output and error are mixed as they came.
    pub log: Vec<String>,
    /// The engine's inspection, without the environment (which may be secret) and without parts that
    /// explain nothing here.
    pub inspect: Value,
}

impl ServiceEngines {
    /// The present state of a set's containers. Those that ended badly come first.
    ///
    /// # Errors
    /// [`DockerFault::Away`]. If a log can't be read, a line in its place says so.
    pub async fn witnesses(&self, set: &ReleaseId) -> Result<Vec<Witness>, DockerFault> {
        let mut found = Vec::new();
        for engine in self.engines() {
            for container in self.set(engine, set).await? {
                found.push((engine, container));
            }
        }
        found.sort_by_key(|(_, container)| container.end.is_none() && container.restarts == 0);
        found.truncate(CONTAINERS_MAX);
        let bytes = LOG_BYTES_MAX.min(SET_BYTES_MAX / found.len().max(1));
        let mut witnesses = Vec::new();
        for (engine, container) in found {
            match witness(engine, &container, bytes).await {
                Err(why @ DockerFault::Stuck { .. }) => tracing::warn!(%set, %why, "no evidence of it"),
                found => witnesses.extend(found?),
            }
        }
        Ok(witnesses)
    }
}

impl ServiceEngines {
    /// How a container ended, with the last line that it wrote. `None` if neither is known.
    pub async fn why_it_ended(&self, id: &str, end: Option<String>) -> Option<String> {
        let mut said = None;
        for engine in self.engines() {
            // An engine without this container gives a line that starts with "(its log".
            let lines = log(engine, id, id, LOG_BYTES_MAX).await.unwrap_or_default();
            said = lines.into_iter().rfind(|line| !line.trim().is_empty() && !line.starts_with("(its log"));
            if said.is_some() {
                break;
            }
        }
        let said =
            said.map(|line| format!("its last line: {}", line.trim().chars().take(200).collect::<String>()));
        let parts: Vec<String> = end.into_iter().chain(said).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

async fn witness(
    engine: &Engine,
    container: &Container,
    bytes: usize,
) -> Result<Option<Witness>, DockerFault> {
    let inspecting = engine.ask(Doing::Other("inspecting a container"), async |docker| {
        gone_is_none(docker.inspect_container(&container.id, None).await)
    });
    let inspecting = engine.within(LOG_MAX, &container.name, "its inspection", inspecting);
    let Some(inspected) = inspecting.await? else { return Ok(None) };
    let status = inspected.state.as_ref().and_then(|state| state.status);
    Ok(Some(Witness {
        name: container.name.clone(),
        id: container.id.chars().take(12).collect(),
        status: status.map(|status| status.to_string()).unwrap_or_default(),
        end: container.end.clone(),
        restarts: container.restarts,
        log: log(engine, &container.id, &container.name, bytes).await?,
        inspect: trimmed(&inspected),
    }))
}

/// A container's last lines. Of a longer log, only the last `bytes` bytes are kept.
pub(crate) async fn log(
    engine: &Engine,
    id: &str,
    name: &str,
    bytes: usize,
) -> Result<Vec<String>, DockerFault> {
    let options =
        LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&LINES_MAX.to_string()).build();
    let client = engine.client().await?;
    let mut chunks = Box::pin(client.logs(id, Some(options)));
    let mut text: Vec<u8> = Vec::new();
    let until = Instant::now() + LOG_MAX;
    loop {
        let chunk = match timeout_at(until, chunks.next()).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(_) => {
                let waited = LOG_MAX.as_secs();
                tracing::warn!(
                    container = name,
                    engine = engine.name(),
                    waited,
                    "its log did not end in time"
                );
                let mut lines = last_lines(&text);
                lines.push(format!("(its log can't be read further: no answer within {waited} s)"));
                return Ok(lines);
            }
        };
        match chunk {
            Ok(chunk) => {
                text.extend_from_slice(&chunk.into_bytes());
                let over = text.len().saturating_sub(bytes);
                text.drain(..over);
            }
            Err(error) => match engine.fault(Doing::Container(name), &error) {
                away @ DockerFault::Away { .. } => return Err(away),
                // The log driver keeps nothing that the engine could read.
                why => return Ok(vec![format!("(its log can't be read: {why})")]),
            },
        }
    }
    Ok(last_lines(&text))
}

/// The last [`LINES_MAX`] lines of a text. The text may begin in the middle of a line.
pub(crate) fn last_lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    let skip = lines.len().saturating_sub(LINES_MAX);
    lines[skip..].iter().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

/// The parts of an inspection that say why a container failed.
fn trimmed(inspected: &ContainerInspectResponse) -> Value {
    let state = inspected.state.as_ref();
    let host = inspected.host_config.as_ref();
    let config = inspected.config.as_ref();
    let health = state.and_then(|state| state.health.as_ref());
    let last_check = health.and_then(|health| health.log.as_ref()?.last());
    json!({
        "image": config.and_then(|config| config.image.clone()),
        "path": inspected.path,
        "args": inspected.args,
        "user": config.and_then(|config| config.user.clone()),
        "created": inspected.created,
        "started_at": state.and_then(|state| state.started_at.clone()),
        "finished_at": state.and_then(|state| state.finished_at.clone()),
        "exit_code": state.and_then(|state| state.exit_code),
        "oom_killed": state.and_then(|state| state.oom_killed),
        "error": state.and_then(|state| state.error.clone()).filter(|error| !error.is_empty()),
        "restart_count": inspected.restart_count,
        "memory": host.and_then(|host| host.memory).filter(|memory| *memory > 0),
        "network": host.and_then(|host| host.network_mode.clone()),
        "binds": host.and_then(|host| host.binds.clone()),
        "health": health.and_then(|health| health.status).map(|status| status.to_string()),
        "health_output": last_check.and_then(|check| check.output.clone()).map(|text| text.chars().take(1000).collect::<String>()),
        "labels": config.and_then(|config| config.labels.clone()).map(ours),
    })
}

fn ours(labels: std::collections::HashMap<String, String>) -> std::collections::BTreeMap<String, String> {
    labels.into_iter().filter(|(key, _)| key.starts_with("greenlight.")).collect()
}
