//! One command in a fresh container of an image: a hook's smoke test, a migration.

use std::time::Duration;

use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions, WaitContainerOptions};
use futures_util::StreamExt as _;

use crate::config::Docker;
use crate::model::{ServiceName, Version};

use super::evidence::{LOG_BYTES_MAX, log};
use super::fault::Doing;
use super::reference::Reference;
use super::set::remove;
use super::upstream::Upstream;
use super::{CallOff, DockerFault, call_off, spec};

/// A command, and what it runs in: the service's own environment, mounts, network, user and limits.
#[derive(Clone, Debug)]
pub struct CommandRun {
    pub service: ServiceName,
    /// The service's docker keys.
    pub config: Docker,
    /// Where the image is, with any tag or none: `org/app:prod`.
    pub image: String,
    /// Its digest, as a release's version has it: `sha256:...`.
    pub version: String,
    /// Program and arguments; the image's entrypoint is not used.
    pub command: Vec<String>,
    /// More environment, over the configured one: `KEY=value`.
    pub env: Vec<String>,
    /// From the start of the container on; a container that takes longer is killed.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEnd {
    /// Its exit code; `None`: it took longer than its timeout and was killed.
    pub code: Option<i64>,
    /// Its last lines of output, 100 lines and 64 KiB at most.
    pub log: Vec<String>,
}

/// Runs a command in a fresh container on the service's first engine that answers, and removes the
/// container. The image is pulled if it is not there.
///
/// The work goes on in a task of its own: a caller who gives up leaves no container behind.
///
/// # Errors
/// The command could not be run at all; one that fails is no fault.
pub async fn run_command(run: CommandRun) -> Result<CommandEnd, DockerFault> {
    let task = tokio::spawn(async move { run_to_its_end(&run).await });
    task.await.map_err(|why| DockerFault::Refused(why.to_string()))?
}

async fn run_to_its_end(run: &CommandRun) -> Result<CommandEnd, DockerFault> {
    let upstream = Upstream::new(run.service.clone(), run.config.clone(), 1);
    let mut image = Reference::parse(&run.image).map_err(|why| DockerFault::Refused(why.to_string()))?;
    image.digest = None;
    let version = Version(run.version.clone());
    let Some(engine) = upstream.engines().first() else {
        return Err(DockerFault::Refused("no engine is configured".to_owned()));
    };
    let (_kept, off): (_, CallOff) = call_off();
    upstream.pull(&image, &version, off, &|_| ()).await?;
    let mut env = upstream.env().await?;
    env.extend(run.config.env.iter().map(|(key, value)| format!("{key}={value}")));
    env.extend(run.env.iter().cloned());
    let unset = Docker { env: std::collections::BTreeMap::new(), ..run.config.clone() };
    let name = image.at(&version.0);
    let body = spec::command_body(&unset, &name, run.service.as_str(), &run.command, &env);
    let what = run.command.join(" ");
    let doing = Doing::Container(&what);
    let created = engine
        .ask(doing, async |docker| docker.create_container(None::<CreateContainerOptions>, body).await)
        .await?;
    let ended = async {
        engine
            .ask(doing, async |docker| {
                docker.start_container(&created.id, None::<StartContainerOptions>).await
            })
            .await?;
        let client = engine.client().await?.with_timeout(run.timeout + Duration::from_mins(1));
        let mut waiting = Box::pin(client.wait_container(&created.id, None::<WaitContainerOptions>));
        let code = match tokio::time::timeout(run.timeout, waiting.next()).await {
            Ok(Some(Ok(answer))) => Some(answer.status_code),
            // The library's way to say: an exit code other than 0.
            Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => Some(code),
            Ok(Some(Err(error))) => return Err(engine.fault(doing, &error)),
            Ok(None) => return Err(engine.away("it did not say how the command ended")),
            Err(_) => None,
        };
        let log = log(engine, &created.id, &what, LOG_BYTES_MAX).await?;
        Ok(CommandEnd { code, log })
    };
    let ended = ended.await;
    let removed = remove(engine, &created.id, &what).await;
    if let Err(why) = removed {
        tracing::warn!(service = %run.service, %why, "the container of a hook's command is left behind until the next start");
    }
    ended
}
