//! A set of containers is brought up, stopped and removed here. Each of these may be done again after a
//! crash at any point, and then finishes the earlier attempt.

use std::time::Duration;

use bollard::errors::Error;
use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptions,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::config::Docker;
use crate::model::{Color, ImageReference, ReleaseId, Version};

use super::container::{Container, single_port, tcp_ports};
use super::fault::Doing;
use super::labels::{self, Marks};
use super::upstream::{AT_ONCE, INSPECT_MAX, ServiceEngines, gone_is_none, inspect, list};
use super::{CallOff, DockerFault, Engine, image, spec};

/// Extra time for a stop, over the container's own stop timeout. After that timeout the engine kills the
/// container, and then answers.
const STOP_SLACK: Duration = Duration::from_secs(15);
/// How long a start or a removal of a container may take.
const CHANGE_MAX: Duration = Duration::from_mins(1);

/// How many containers an engine starts at a time.
const STARTS_AT_ONCE: usize = 4;

/// The description of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The release that its containers belong to.
    pub release: ReleaseId,
    pub color: Color,
    pub version: Version,
    pub image: ImageReference,
    /// How many containers it has. 0 stands for the number in the configuration.
    pub replicas: u32,
}

impl ServiceEngines {
    /// Brings a set up. It creates the missing ones of `replicas` containers, round robin over the engines,
    /// and starts all of them. Kept containers are started as they are. One that can't be started, such as
    /// one whose network is gone, is created anew.
    ///
    /// # Errors
    /// The first fault. Containers that were created by then are removed with the set.
    pub async fn start(&self, set: &Set, off: &CallOff) -> Result<(), DockerFault> {
        let mut making = Making { image: set.image.at(&set.version.0), env: None, image_port: None };
        let replicas = if set.replicas == 0 { self.replicas() } else { set.replicas };
        let engines = self.engines().len().max(1);
        for (at, engine) in self.engines().iter().enumerate() {
            let mine: Vec<u32> =
                (1..=replicas).filter(|index| *index as usize % engines == (at + 1) % engines).collect();
            let there = self.set(engine, &set.release).await?;
            let kept: Vec<(u32, Container)> = there
                .into_iter()
                .filter_map(|container| Some((container.marks.as_ref()?.index, container)))
                .filter(|(index, _)| mine.contains(index))
                .collect();
            let missing: Vec<u32> =
                mine.iter().copied().filter(|index| kept.iter().all(|(there, _)| there != index)).collect();
            let created = self.create(engine, set, &missing, &mut making, off).await?;
            off.check()?;
            let unfit = self.start_kept(engine, set, kept, &mut making).await?;
            let created_anew = self.create(engine, set, &unfit, &mut making, off).await?;
            off.check()?;
            let starts = created.into_iter().chain(created_anew);
            let starts = starts.map(|(id, name)| async move {
                join(engine, self.config(), &id, &name).await?;
                start(engine, &id, &name).await
            });
            let started: Vec<Result<(), DockerFault>> =
                stream::iter(starts).buffer_unordered(STARTS_AT_ONCE).collect().await;
            started.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Starts the containers that are there. Removes those that the engine refuses to start, and returns
    /// their indices. Nothing is removed before all that is needed to create them anew has been read.
    async fn start_kept(
        &self,
        engine: &Engine,
        set: &Set,
        kept: Vec<(u32, Container)>,
        making: &mut Making,
    ) -> Result<Vec<u32>, DockerFault> {
        let starts = kept.into_iter().map(|(index, one)| async move {
            // A container that an attempt before a crash has created may not have joined its networks yet.
            let joined = if one.never_started() {
                join(engine, self.config(), &one.id, &one.name).await
            } else {
                Ok(())
            };
            let started = match joined {
                Ok(()) => start(engine, &one.id, &one.name).await,
                Err(why) => Err(why),
            };
            (index, one, started)
        });
        let started: Vec<_> = stream::iter(starts).buffer_unordered(STARTS_AT_ONCE).collect().await;
        let mut unfit = Vec::new();
        for (index, container, outcome) in started {
            match outcome {
                Ok(()) => {}
                // A person has paused it, and a new one in its place would undo that.
                Err(DockerFault::Refused(why)) if why.contains("paused container") => {
                    return Err(DockerFault::Refused(why));
                }
                Err(why @ DockerFault::Refused(_)) => {
                    making.env(self).await?;
                    tracing::warn!(container = container.name, set = %set.release, %why, "created anew");
                    remove(engine, &container.id, &container.name).await?;
                    unfit.push(index);
                }
                Err(why) => return Err(why),
            }
        }
        Ok(unfit)
    }

    /// Creates the containers of these indices, and returns their ids and names.
    async fn create(
        &self,
        engine: &Engine,
        set: &Set,
        indices: &[u32],
        making: &mut Making,
        off: &CallOff,
    ) -> Result<Vec<(String, String)>, DockerFault> {
        let mut created = Vec::new();
        if indices.is_empty() {
            return Ok(created);
        }
        off.check()?;
        let env = making.env(self).await?;
        for marks in self.places(engine, set, indices, making).await? {
            off.check()?;
            let body = spec::body(self.config(), &making.image, &marks, &env);
            let name = marks.name();
            // The body of the request is large, and would be part of each future around it.
            let creating = Box::pin(create(engine, &name, body, &marks));
            created.push((creating.await?, name));
        }
        Ok(created)
    }

    /// The marks of the containers that have to be created on an engine.
    async fn places(
        &self,
        engine: &Engine,
        set: &Set,
        indices: &[u32],
        making: &mut Making,
    ) -> Result<Vec<Marks>, DockerFault> {
        let marks = |index: u32, port: Option<u16>| Marks {
            service: self.service().clone(),
            color: set.color,
            set: Some(set.release.clone()),
            version: Some(set.version.clone()),
            image: Some(set.image.to_string()),
            index,
            port,
        };
        let port = self.port(engine, making).await?;
        if !spec::on_host(self.config()) {
            return Ok(indices.iter().map(|index| marks(*index, Some(port))).collect());
        }
        let others = list(engine, &[labels::SERVICE.to_owned()]).await?;
        let mine = others
            .iter()
            .filter(|other| other.marks.as_ref().is_some_and(|m| m.set.as_ref() == Some(&set.release)));
        let used: Vec<u16> = mine.filter_map(|other| other.marks.as_ref()?.port).collect();
        let free = spec::host_ports(port, indices.len() + used.len(), &marks(0, None), &others)
            .map_err(DockerFault::Refused)?;
        let free = free.into_iter().filter(|port| !used.contains(port));
        Ok(indices.iter().zip(free).map(|(index, port)| marks(*index, Some(port))).collect())
    }

    /// The port that the application listens on, either the configured one or the image's single one.
    async fn port(&self, engine: &Engine, making: &mut Making) -> Result<u16, DockerFault> {
        if let Some(port) = self.config().port.or(making.image_port) {
            return Ok(port);
        }
        let name = making.image.as_str();
        let found = image::inspect(engine, name).await?.ok_or_else(|| DockerFault::NoImage {
            engine: engine.name().to_owned(),
            container: name.to_owned(),
        })?;
        let exposed = Some(found).and_then(|image| image.config?.exposed_ports).unwrap_or_default();
        let port = single_port(&tcp_ports(&exposed))
            .map_err(|why| DockerFault::Refused(format!("{name}: {why}")))?;
        making.image_port = Some(port);
        Ok(port)
    }

    /// The lines of the env files, in the order of the files.
    pub(crate) async fn env(&self) -> Result<Vec<String>, DockerFault> {
        let mut lines = Vec::new();
        for path in &self.config().env_file {
            let refused =
                |why: String| DockerFault::Refused(format!("upstream.env_file {}: {why}", path.display()));
            let text = tokio::fs::read_to_string(path).await.map_err(|why| refused(why.to_string()))?;
            lines.extend(spec::env_lines(&text, |key| std::env::var(key).ok()).map_err(refused)?);
        }
        Ok(lines)
    }

    /// Stops a set's containers, each with its own signal and timeout, and keeps them.
    ///
    /// # Errors
    /// The first fault. The other containers are stopped all the same.
    pub async fn stop(&self, set: &ReleaseId) -> Result<(), DockerFault> {
        self.end(set, End::Stop).await
    }

    /// Stops and removes a set's containers, with the volumes that have no name.
    ///
    /// # Errors
    /// The first fault. The other containers are removed all the same.
    pub async fn remove(&self, set: &ReleaseId) -> Result<(), DockerFault> {
        self.end(set, End::Remove).await
    }

    /// Ends each container of a set. The first fault is returned when all are done.
    async fn end(&self, set: &ReleaseId, how: End) -> Result<(), DockerFault> {
        let mut first = Ok(());
        for engine in self.engines() {
            first = first.and(self.end_on(engine, set, how).await);
        }
        first
    }

    async fn end_on(&self, engine: &Engine, set: &ReleaseId, how: End) -> Result<(), DockerFault> {
        let there = self.set(engine, set).await?;
        let ending = there.into_iter().map(|container| async move {
            stop(engine, &container.id, &container.name).await?;
            match how {
                End::Stop => Ok(()),
                End::Remove => remove(engine, &container.id, &container.name).await,
            }
        });
        let outcomes: Vec<Result<(), DockerFault>> =
            stream::iter(ending).buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    /// Removes the containers that are left of hooks' commands. No command runs when greenlight starts.
    ///
    /// # Errors
    /// The first fault.
    pub async fn remove_commands(&self) -> Result<(), DockerFault> {
        let label = format!("{}={}", labels::COMMAND, self.service());
        for engine in self.engines() {
            let left = list(engine, std::slice::from_ref(&label)).await?;
            let removing = left.into_iter().map(|c| async move { remove(engine, &c.id, &c.name).await });
            let removing = stream::iter(removing).buffer_unordered(AT_ONCE);
            removing.try_collect::<Vec<()>>().await?;
        }
        Ok(())
    }
}

/// How a container is ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Stop,
    Remove,
}

/// The parts that all containers of a set have in common. Each is read once, when it is needed.
struct Making {
    image: String,
    env: Option<Vec<String>>,
    image_port: Option<u16>,
}

impl Making {
    async fn env(&mut self, engines: &ServiceEngines) -> Result<Vec<String>, DockerFault> {
        match &self.env {
            Some(env) => Ok(env.clone()),
            None => Ok(self.env.insert(engines.env().await?).clone()),
        }
    }
}

/// Creates a container, or finds the one that an earlier attempt has created.
async fn create(
    engine: &Engine,
    name: &str,
    body: bollard::models::ContainerCreateBody,
    marks: &Marks,
) -> Result<String, DockerFault> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let creating = engine.ask(Doing::Container(name), async |docker| {
        match docker.create_container(Some(options), body).await {
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(None),
            other => other.map(Some),
        }
    });
    let created = engine.within(CHANGE_MAX, name, "its creation", creating).await?;
    if let Some(created) = created {
        for warning in created.warnings {
            tracing::warn!(container = name, engine = engine.name(), warning, "the engine warns");
        }
        return Ok(created.id);
    }
    match inspect(engine, name).await? {
        Some(there) if there.marks.as_ref().is_some_and(|found| found.is_same(marks)) => Ok(there.id),
        _ => Err(DockerFault::Refused(format!(
            "the name {name} is taken on the engine {} by a container that is not ours: rename or remove that one",
            engine.name()
        ))),
    }
}

/// Joins a container that does not run yet to the further networks of the configuration. Only engines from API
/// 1.44 on take several networks when a container is created.
pub(crate) async fn join(engine: &Engine, config: &Docker, id: &str, name: &str) -> Result<(), DockerFault> {
    if spec::on_host(config) {
        return Ok(());
    }
    for network in &config.options.networks {
        let request = NetworkConnectRequest { container: id.to_owned(), ..NetworkConnectRequest::default() };
        let joined = engine.ask(Doing::Container(name), async |docker| {
            match docker.connect_network(network, request).await {
                // An earlier attempt has joined it already.
                Err(Error::DockerResponseServerError { status_code: 403, message })
                    if message.contains("already exists") =>
                {
                    Ok(())
                }
                other => other,
            }
        });
        joined.await?;
    }
    Ok(())
}

async fn start(engine: &Engine, id: &str, name: &str) -> Result<(), DockerFault> {
    let started = engine.ask(Doing::Container(name), async |docker| {
        match docker.start_container(id, None::<StartContainerOptions>).await {
            // 304 says that it runs already. A 404 here may be about its network, and is a fault.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 304, .. }) => Ok(()),
            other => other,
        }
    });
    engine.within(CHANGE_MAX, name, "its start", started).await
}

/// Stops a container with its own signal, and kills it after its own timeout.
pub(crate) async fn stop(engine: &Engine, id: &str, name: &str) -> Result<(), DockerFault> {
    let inspecting = engine.ask(Doing::Other("inspecting a container"), async |docker| {
        gone_is_none(docker.inspect_container(id, None).await)
    });
    let inspected = engine.within(INSPECT_MAX, name, "its inspection", inspecting).await?;
    let own = inspected.and_then(|found| found.config?.stop_timeout);
    let patience =
        Duration::from_secs(own.and_then(|own| u64::try_from(own).ok()).unwrap_or(10)) + STOP_SLACK;
    // The engine's own limit is longer, so that a slow stop is told as one of this container.
    let client = engine.client().await?.with_timeout(patience * 2);
    let stopping = async {
        let stopped = gone_is_none(client.stop_container(id, None::<StopContainerOptions>).await);
        stopped.map(drop).map_err(|error| engine.fault(Doing::Container(name), &error))
    };
    engine.within(patience, name, "its stop", stopping).await
}

pub(crate) async fn remove(engine: &Engine, id: &str, name: &str) -> Result<(), DockerFault> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let removing = engine.ask(Doing::Container(name), async |docker| {
        match docker.remove_container(id, Some(options)).await {
            // 409 says that another client is removing it already.
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            other => gone_is_none(other).map(drop),
        }
    });
    engine.within(CHANGE_MAX, name, "its removal", removing).await
}
