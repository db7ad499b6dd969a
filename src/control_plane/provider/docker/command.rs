//! One command in a fresh container of an image, such as a hook's smoke test or a migration.

use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions, WaitContainerOptions};
use futures_util::StreamExt as _;

use crate::config;
use crate::model::{ImageReference, ServiceName, Version};
use crate::tasks;

use super::evidence::{LOG_BYTES_MAX, log};
use super::fault::Doing;
use super::set::{join, remove, stop};
use super::upstream::ServiceEngines;
use super::{CallOff, Caller, DockerFault, Engine, call_off, spec};

/// A command to run. It runs with the service's own environment, mounts, network, user and limits.
#[derive(Clone, Debug)]
pub struct CommandRun {
    pub service: ServiceName,
    /// The service's docker keys.
    pub config: config::Docker,
    /// The image, such as `org/app:prod`. A tag is allowed and ignored.
    pub image: String,
    /// The image's digest, as in a release's version (`sha256:...`).
    pub version: String,
    /// The program and its arguments. The image's entrypoint is not used.
    pub command: Vec<String>,
    /// Further environment, which overrides the configured one, as `KEY=value`.
    pub env: Vec<String>,
    /// The longest time from the start of the container. A container that takes longer is killed.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    /// The exit code. `None` if the command took longer than its timeout and was killed.
    pub code: Option<i64>,
    /// The last lines of its output, 100 lines and 64 KiB at most.
    pub log: Vec<String>,
}

/// Runs a command in a fresh container on the service's first engine, and removes the container. The image
/// is pulled if it is not there.
///
/// A task of its own does the work. If the caller drops this future, the command is stopped with the
/// service's signal and timeout, and its container is removed.
///
/// # Errors
/// The command could not be run at all. A command that fails is no fault.
pub async fn run_command(run: CommandRun) -> Result<CommandEnd, DockerFault> {
    let (caller, off) = call_off();
    let _stop = StopOnDrop(caller);
    let task = tasks::spawn("command", async move { run_to_its_end(&run, off).await });
    task.await.map_err(|why| DockerFault::Refused(why.to_string()))?
}

/// Calls the command off when the future that waits for it is dropped.
struct StopOnDrop(Caller);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.call_off();
    }
}

async fn run_to_its_end(run: &CommandRun, off: CallOff) -> Result<CommandEnd, DockerFault> {
    let upstream = ServiceEngines::new(run.service.clone(), run.config.clone(), 1);
    let mut image = ImageReference::parse(&run.image).map_err(|why| DockerFault::Refused(why.to_string()))?;
    image.digest = None;
    let version = Version(run.version.clone());
    let Some(engine) = upstream.engines().first() else {
        return Err(DockerFault::Refused("no engine is configured".to_owned()));
    };
    upstream.pull(&image, &version, off.clone(), &|_| ()).await?;
    let mut env = upstream.env().await?;
    env.extend(run.config.env.iter().map(|(key, value)| format!("{key}={value}")));
    env.extend(run.env.iter().cloned());
    let unset = config::Docker { env: std::collections::BTreeMap::new(), ..run.config.clone() };
    let name = image.at(&version.0);
    let body = spec::command_body(&unset, &name, run.service.as_str(), &run.command, &env);
    let what = run.command.join(" ");
    let doing = Doing::Container(&what);
    off.check()?;
    let created = engine
        .ask(doing, async |docker| docker.create_container(None::<CreateContainerOptions>, body).await)
        .await?;
    let ended = wait(engine, run, &created.id, &what, off).await;
    if let Err(DockerFault::CalledOff) = ended
        && let Err(why) = stop(engine, &created.id, &what).await
    {
        // The removal below kills the command all the same.
        tracing::warn!(service = %run.service, %why, "the command of a hook that nobody waits for was not stopped");
    }
    let removed = remove(engine, &created.id, &what).await;
    if let Err(why) = removed {
        tracing::warn!(service = %run.service, %why, "the container of a hook's command is left behind until the next start");
    }
    ended
}

/// Starts the container and waits for its end.
async fn wait(
    engine: &Engine,
    run: &CommandRun,
    id: &str,
    what: &str,
    mut off: CallOff,
) -> Result<CommandEnd, DockerFault> {
    let doing = Doing::Container(what);
    off.check()?;
    join(engine, &run.config, id, what).await?;
    let starting = async |docker: &Docker| docker.start_container(id, None::<StartContainerOptions>).await;
    engine.ask(doing, starting).await?;
    let client = engine.client().await?.with_timeout(run.timeout + Duration::from_mins(1));
    let mut waiting = Box::pin(client.wait_container(id, None::<WaitContainerOptions>));
    let waited = tokio::select! {
        waited = tokio::time::timeout(run.timeout, waiting.next()) => waited,
        () = off.wait() => return Err(DockerFault::CalledOff),
    };
    let code = match waited {
        Ok(Some(Ok(answer))) => Some(answer.status_code),
        // bollard reports an exit code other than 0 in this way.
        Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => Some(code),
        Ok(Some(Err(error))) => return Err(engine.fault(doing, &error)),
        Ok(None) => return Err(engine.away("it did not say how the command ended")),
        Err(_) => None,
    };
    let log = log(engine, id, what, LOG_BYTES_MAX).await?;
    Ok(CommandEnd { code, log })
}
