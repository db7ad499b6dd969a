//! The watches of the engines in the configuration.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::config::{self, Config, Upstream as Configured};
use crate::control_plane::provider::docker::{EngineReport, EngineWatch};

/// The watches of all engines in the configuration, one for each engine.
#[derive(Debug)]
pub(crate) struct Engines {
    watches: BTreeMap<String, (config::Engine, bool, EngineWatch)>,
    report: mpsc::Sender<EngineReport>,
}

impl Engines {
    pub(crate) fn new(report: mpsc::Sender<EngineReport>) -> Self {
        Self { watches: BTreeMap::new(), report }
    }

    /// Looks at each engine once, at all of them in parallel. It takes at most 5 s.
    pub(crate) async fn look(config: &Config) -> Vec<EngineReport> {
        let looks = wanted(config).into_values().map(|(engine, all)| EngineWatch::look(engine, all));
        join_all(looks).await
    }

    /// Watches exactly the engines of the configuration. The watches of unchanged engines go on.
    pub(crate) fn aim(&mut self, config: &Config) {
        let mut old = std::mem::take(&mut self.watches);
        for (url, (engine, all)) in wanted(config) {
            let kept = old.remove(&url).filter(|(known, looks, _)| *known == engine && *looks == all);
            let watch = kept.map_or_else(
                || EngineWatch::start(engine.clone(), all, self.report.clone()),
                |(_, _, watch)| watch,
            );
            self.watches.insert(url, (engine, all, watch));
        }
    }
}

/// Returns the engines by URL, and for each whether containers without greenlight's labels matter
/// there.
fn wanted(config: &Config) -> BTreeMap<String, (config::Engine, bool)> {
    let mut engines = BTreeMap::new();
    for service in &config.services {
        let Configured::Docker { follow, engine, .. } = &service.upstream else { continue };
        for engine in &engine.engines {
            let entry = engines.entry(engine.url.clone()).or_insert_with(|| (engine.clone(), false));
            entry.1 |= follow;
        }
    }
    engines
}
