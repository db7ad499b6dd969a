//! The engines of one service, and which containers there belong to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::config::Docker;
use crate::model::{ReleaseId, ServiceName};

use super::container::Container;
use super::fault::Doing;
use super::spec::on_host;
use super::{DockerFault, Engine, labels};

/// How many containers an engine is asked about at a time.
pub(crate) const AT_ONCE: usize = 8;
/// How long the inspection of one container may take. An engine that is about to stop a container may hold
/// its lock for longer, while it answers about all others.
pub(crate) const INSPECT_MAX: Duration = Duration::from_secs(5);

/// A service with `kind = "docker"`, and the engines that it names. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceEngines {
    service: ServiceName,
    config: Arc<Docker>,
    replicas: u32,
    engines: Arc<[Engine]>,
}

impl ServiceEngines {
    #[must_use]
    pub fn new(service: ServiceName, config: Docker, replicas: u32) -> Self {
        let engines = config.engines.iter().cloned().map(Engine::new).collect();
        Self { service, config: Arc::new(config), replicas, engines }
    }

    #[must_use]
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    #[must_use]
    pub fn config(&self) -> &Docker {
        &self.config
    }

    /// Whether the containers share the network of their host, and with it the host's ports.
    #[must_use]
    pub fn is_on_host(&self) -> bool {
        on_host(&self.config)
    }

    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    #[must_use]
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// A set's containers on an engine, running or not, in the order of their index. Only containers whose
    /// labels name this service and this release are returned.
    pub(crate) async fn set(&self, engine: &Engine, set: &ReleaseId) -> Result<Vec<Container>, DockerFault> {
        let wanted = [format!("{}={}", labels::SERVICE, self.service), format!("{}={set}", labels::RELEASE)];
        let mut found = list(engine, &wanted).await?;
        // The engine has filtered already. These containers may be stopped and removed, so the labels are
        // checked once more.
        found.retain(|container| {
            let marks = container.marks.as_ref();
            marks.is_some_and(|marks| marks.service == self.service && marks.set.as_ref() == Some(set))
        });
        found.sort_by_key(|container| container.marks.as_ref().map(|marks| marks.index));
        Ok(found)
    }
}

/// The containers that carry all of these labels (`key` or `key=value`), running or not.
pub(crate) async fn list(engine: &Engine, labels: &[String]) -> Result<Vec<Container>, DockerFault> {
    let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
    listed(engine, (!labels.is_empty()).then_some(filters), None).await
}

/// As [`list`]. A container that its engine does not answer about is taken as it was known before, so that
/// one container does not make its engine look away.
pub(crate) async fn list_again(
    engine: &Engine,
    labels: &[String],
    known: &BTreeMap<String, Container>,
) -> Result<Vec<Container>, DockerFault> {
    let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
    listed(engine, (!labels.is_empty()).then_some(filters), Some(known)).await
}

async fn listed(
    engine: &Engine,
    filters: Option<HashMap<String, Vec<String>>>,
    known: Option<&BTreeMap<String, Container>>,
) -> Result<Vec<Container>, DockerFault> {
    let mut options = ListContainersOptionsBuilder::default().all(true);
    if let Some(filters) = &filters {
        options = options.filters(filters);
    }
    let options = options.build();
    let found = engine
        .ask(Doing::Other("listing containers"), async |docker| docker.list_containers(Some(options)).await)
        .await?;
    let named = found.into_iter().filter_map(|summary| {
        let name = summary.names.unwrap_or_default().into_iter().next();
        let id = summary.id?;
        Some((name.map_or_else(|| id.clone(), |name| name.trim_start_matches('/').to_owned()), id))
    });
    let named: Vec<(String, String)> = named.collect();
    let inspected: Vec<Option<Container>> = stream::iter(named)
        .map(|(name, id)| async move { inspect_or_known(engine, &name, &id, known).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(inspected.into_iter().flatten().collect())
}

/// One container, or the one of `known` if there is no answer about it.
pub(crate) async fn inspect_or_known(
    engine: &Engine,
    name: &str,
    id: &str,
    known: Option<&BTreeMap<String, Container>>,
) -> Result<Option<Container>, DockerFault> {
    match engine.within(INSPECT_MAX, name, "its inspection", inspect(engine, id)).await {
        Err(why @ DockerFault::Stuck { .. }) => match known {
            Some(known) => {
                tracing::warn!(%why, "taken as it was before");
                Ok(known.get(id).cloned())
            }
            None => Err(why),
        },
        other => other,
    }
}

/// One container. `None` if it is gone.
pub(crate) async fn inspect(engine: &Engine, id: &str) -> Result<Option<Container>, DockerFault> {
    let inspected = engine
        .ask(Doing::Other("inspecting a container"), async |docker| {
            gone_is_none(docker.inspect_container(id, None).await)
        })
        .await?;
    Ok(inspected.as_ref().and_then(Container::of))
}

/// Turns a 404 into `None`. Someone has removed the container in the meantime.
pub(crate) fn gone_is_none<T>(
    answer: Result<T, bollard::errors::Error>,
) -> Result<Option<T>, bollard::errors::Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        // 304 says that the container is already in the wanted state.
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 304 | 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
