//! The watches of the engines that the configuration names.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use crate::config::{self, Config, Upstream as Configured};
use crate::control_plane::provider::docker::{EngineReport, EngineWatch};

/// The watches of all engines that the configuration names, each once.
#[derive(Debug)]
pub(crate) struct Engines {
    watches: BTreeMap<String, (config::Engine, bool, EngineWatch)>,
    report: mpsc::Sender<EngineReport>,
}

impl Engines {
    pub(crate) fn new(report: mpsc::Sender<EngineReport>) -> Self {
        Self { watches: BTreeMap::new(), report }
    }

    /// One look at each engine, all at once; 5 s at most.
    pub(crate) async fn look(config: &Config) -> Vec<EngineReport> {
        let looks = wanted(config).into_values().map(|(engine, all)| EngineWatch::look(engine, all));
        join_all(looks).await
    }

    /// Watches exactly the engines of the configuration. Those that stay are not asked anew.
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

/// URL -> engine, and whether containers without our labels matter there.
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
