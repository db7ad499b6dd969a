//! Endpoints that are listed in the configuration. Host names are resolved again every 10 s, and each
//! address is an endpoint.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::model::{Color, Endpoint, EndpointId, PerColor, ServiceName};
use crate::tasks;

use super::lookup::{self, LOOKUP_MAX, LOOKUPS_AT_ONCE, Lookups};

/// How often names are resolved. Each time differs by up to [`JITTER`], so that many front doors don't ask
/// at the same moment.
const RESOLVE_EVERY: Duration = Duration::from_secs(10);
const JITTER: f64 = 0.1;

/// `[services.NAME.upstream]` of kind fixed, as `host:port` texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedSource {
    pub service: ServiceName,
    pub addresses: PerColor<Vec<String>>,
}

/// The present endpoints of a color, in the order of their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUpdate {
    pub service: ServiceName,
    pub color: Color,
    pub endpoints: Vec<Endpoint>,
}

/// Resolves names and reports changes. Dropping it stops it.
#[derive(Debug)]
pub struct FixedProvider {
    sources: watch::Sender<Arc<Vec<FixedSource>>>,
    task: JoinHandle<()>,
}

impl FixedProvider {
    /// Starts with no sources. Runs on the current runtime until it is dropped, or until the receiver is
    /// gone.
    ///
    /// Each color is reported once when all of its names have been looked up, even if it has no endpoint
    /// (because a name was never resolved). After that it is reported whenever its endpoints change.
    #[must_use]
    pub fn start(updates: mpsc::Sender<ProviderUpdate>) -> Self {
        Self::start_asking(updates, Lookups::new(lookup::system(), LOOKUP_MAX), RESOLVE_EVERY)
    }

    pub(crate) fn start_asking(
        updates: mpsc::Sender<ProviderUpdate>,
        lookups: Lookups,
        every: Duration,
    ) -> Self {
        let sources = watch::Sender::new(Arc::default());
        let desk = Desk { updates, lookups, every, names: HashMap::new(), reported: HashMap::new() };
        let task = tasks::spawn("fixed provider", desk.run(sources.subscribe()));
        Self { sources, task }
    }

    /// Replaces the sources and resolves each at once. Literal addresses are reported without any look-up.
    /// A name that can't be resolved keeps its last addresses.
    pub fn set_sources(&self, sources: Vec<FixedSource>) {
        self.sources.send_replace(Arc::new(sources));
    }

    /// Resolves once, now. This is for the start, before traffic is taken. A name that can't be resolved is
    /// left out and logged. A look-up takes 5 s at most.
    pub async fn resolve(source: &FixedSource) -> PerColor<Vec<Endpoint>> {
        let lookups = &Lookups::new(lookup::system(), LOOKUP_MAX);
        let color = |color: Color| async move {
            let found = stream::iter(&source.addresses[color]).map(|text| async move {
                match text.parse() {
                    Ok(literal) => vec![literal],
                    Err(_) => lookups.resolve(text).await.unwrap_or_else(|why| {
                        tracing::warn!(service = %source.service, %color, name = %text, %why, "can't be resolved");
                        Vec::new()
                    }),
                }
            });
            let found: Vec<Vec<SocketAddr>> = found.buffer_unordered(LOOKUPS_AT_ONCE).collect().await;
            endpoints(&source.service, color, found.into_iter().flatten())
        };
        let (blue, green) = tokio::join!(color(Color::Blue), color(Color::Green));
        PerColor { blue, green }
    }
}

impl Drop for FixedProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The endpoints of a color for these addresses, sorted and without duplicates.
fn endpoints(
    service: &ServiceName,
    color: Color,
    addresses: impl Iterator<Item = SocketAddr>,
) -> Vec<Endpoint> {
    let addresses: BTreeSet<SocketAddr> = addresses.collect();
    addresses
        .into_iter()
        .map(|address| Endpoint {
            id: EndpointId::new(format!("{service}/{color}/{address}")),
            address,
            probe: None,
        })
        .collect()
}

/// The knowledge about one name.
#[derive(Debug, Default)]
struct Name {
    addresses: Vec<SocketAddr>,
    /// Whether its last look-up failed, which has been logged then.
    failing: bool,
}

/// The state of the provider's task.
struct Desk {
    updates: mpsc::Sender<ProviderUpdate>,
    lookups: Lookups,
    every: Duration,
    names: HashMap<String, Name>,
    reported: HashMap<(ServiceName, Color), Vec<Endpoint>>,
}

/// The receiver of the updates is gone.
struct Unheard;

impl Desk {
    async fn run(mut self, mut sources: watch::Receiver<Arc<Vec<FixedSource>>>) {
        loop {
            let current = Arc::clone(&sources.borrow_and_update());
            self.forget_all_but(&current);
            let pause = self.every.mul_f64(1.0 - JITTER + 2.0 * JITTER * fastrand::f64());
            let round = async {
                self.resolve_all(&current).await?;
                tokio::time::sleep(pause).await;
                Ok::<(), Unheard>(())
            };
            let alive = tokio::select! {
                round = round => round.is_ok(),
                changed = sources.changed() => changed.is_ok(),
            };
            if !alive {
                return;
            }
        }
    }

    fn forget_all_but(&mut self, sources: &[FixedSource]) {
        let texts = |source: &FixedSource| {
            let PerColor { blue, green } = &source.addresses;
            blue.iter().chain(green).cloned().collect::<Vec<_>>()
        };
        let listed: BTreeSet<String> = sources.iter().flat_map(texts).collect();
        self.names.retain(|name, _| listed.contains(name));
        self.reported.retain(|(service, _), _| sources.iter().any(|source| source.service == *service));
    }

    /// Resolves every name once. A color is reported as soon as all of its names are looked up, so that a
    /// slow name delays its own color and no other.
    async fn resolve_all(&mut self, sources: &[FixedSource]) -> Result<(), Unheard> {
        let colors: Vec<(&FixedSource, Color)> =
            sources.iter().flat_map(|source| Color::ALL.map(|color| (source, color))).collect();
        let mut waiting = vec![0_usize; colors.len()];
        let mut names = Vec::new();
        for (index, &(source, color)) in colors.iter().enumerate() {
            let lookups = source.addresses[color].iter().filter(|text| text.parse::<SocketAddr>().is_err());
            names.extend(lookups.map(|name| (index, name.clone())));
            waiting[index] = names.iter().filter(|(of, _)| *of == index).count();
            if waiting[index] == 0 {
                self.report(source, color).await?;
            }
        }
        let lookups = self.lookups.clone();
        let mut found = stream::iter(names)
            .map(|(index, name)| {
                let lookups = lookups.clone();
                async move {
                    let found = lookups.resolve(&name).await;
                    (index, name, found)
                }
            })
            .buffer_unordered(LOOKUPS_AT_ONCE);
        while let Some((index, name, found)) = found.next().await {
            let (source, color) = colors[index];
            self.learn(source, &name, found);
            waiting[index] -= 1;
            if waiting[index] == 0 {
                self.report(source, color).await?;
            }
        }
        Ok(())
    }

    fn learn(&mut self, source: &FixedSource, name: &str, found: Result<Vec<SocketAddr>, String>) {
        let known = self.names.entry(name.to_owned()).or_default();
        match found {
            Ok(addresses) => {
                if known.failing {
                    tracing::info!(service = %source.service, name, "is resolved again");
                }
                *known = Name { addresses, failing: false };
            }
            Err(why) => {
                if !known.failing {
                    let kept = known.addresses.len();
                    tracing::warn!(
                        service = %source.service, name, why, kept,
                        "can't be resolved; its last addresses are kept"
                    );
                }
                known.failing = true;
            }
        }
    }

    async fn report(&mut self, source: &FixedSource, color: Color) -> Result<(), Unheard> {
        let addresses = source.addresses[color].iter().flat_map(|text| match text.parse() {
            Ok(literal) => vec![literal],
            Err(_) => self.names.get(text).map_or_else(Vec::new, |name| name.addresses.clone()),
        });
        let endpoints = endpoints(&source.service, color, addresses);
        let key = (source.service.clone(), color);
        if self.reported.get(&key) == Some(&endpoints) {
            return Ok(());
        }
        let update = ProviderUpdate { service: key.0.clone(), color, endpoints: endpoints.clone() };
        // It is recorded only after it was sent. If this round is dropped here, the next one reports it.
        self.updates.send(update).await.map_err(|_| Unheard)?;
        self.reported.insert(key, endpoints);
        Ok(())
    }
}
