//! A changed configuration file, applied without losing a request; a faulty one changes nothing.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::config::{self, Config, Service, Upstream};
use crate::provider::FixedSource;
use crate::release::Event;

use super::ReloadReport;
use super::run::Controller;

impl Controller {
    pub(super) async fn reload(&mut self, reply: oneshot::Sender<ReloadReport>) {
        let path = self.path.clone();
        let loaded = tokio::task::spawn_blocking(move || config::load(&path)).await;
        let report = match loaded {
            Ok(Ok(loaded)) => self.take_config(loaded.config).await,
            Ok(Err(faults)) => {
                let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
                tracing::error!(?faults, "the configuration file is faulty: nothing was changed");
                ReloadReport { faults, ..ReloadReport::default() }
            }
            Err(why) => ReloadReport {
                faults: vec![format!("the file could not be read: {why}")],
                ..ReloadReport::default()
            },
        };
        let _ = reply.send(report);
    }

    async fn take_config(&mut self, config: Config) -> ReloadReport {
        let difference = config::difference(&self.config, &config);
        let config = Arc::new(config);
        self.drop_services(&config);
        for service in config.services.clone() {
            match self.index(service.name.as_str()) {
                Some(index) => self.change_service(index, service).await,
                None => self.add_service(service).await,
            }
        }
        self.provider.set_sources(sources(&config));
        self.config = Arc::clone(&config);
        self.table_dirty = true;
        self.views_dirty = true;
        self.targets_dirty = true;
        self.publish();
        // A report that says "applied" means that every worker works by it.
        self.workers.acknowledge().await;
        self.reloaded.send_replace(config);
        tracing::info!(applied = ?difference.live, needs_restart = ?difference.needs_restart, "configuration reloaded");
        ReloadReport { applied: difference.live, needs_restart: difference.needs_restart, faults: Vec::new() }
    }

    /// Services that are no longer in the file lose their routes; their records stay in the store.
    fn drop_services(&mut self, config: &Config) {
        self.services.retain_mut(|runtime| {
            let stays = config.services.iter().any(|service| service.name == runtime.config.name);
            if !stays {
                tracing::warn!(service = %runtime.config.name, "no longer configured: its routes are gone, its record stays");
            }
            stays
        });
    }

    async fn change_service(&mut self, index: usize, service: Arc<Service>) {
        let runtime = &mut self.services[index];
        let policy = service.policy.clone();
        let changed = runtime.config.policy != policy;
        runtime.config = service;
        if changed {
            self.apply_fact(index, Event::PolicyChanged(Box::new(policy))).await;
        }
    }
}

/// What the fixed provider resolves.
pub(super) fn sources(config: &Config) -> Vec<FixedSource> {
    config
        .services
        .iter()
        .filter_map(|service| match &service.upstream {
            Upstream::Fixed { addresses, .. } => {
                Some(FixedSource { service: service.name.clone(), addresses: addresses.clone() })
            }
            Upstream::Docker { .. } => None,
        })
        .collect()
}
