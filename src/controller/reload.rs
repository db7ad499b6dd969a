//! A changed configuration file, applied without losing a request; a faulty one changes nothing.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::config::{self, Config, Service, Upstream};
use crate::provider::FixedSource;
use crate::release::Event;

use super::run::Controller;
use super::{Actor, AuditEntry, ReloadReport};

impl Controller {
    pub(super) async fn reload(&mut self, actor: Actor, reply: oneshot::Sender<ReloadReport>) {
        let path = self.path.clone();
        let loaded = tokio::task::spawn_blocking(move || config::load(&path)).await;
        let report = match loaded {
            Ok(Ok(loaded)) => self.take_config(loaded.config, &actor.0).await,
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

    async fn take_config(&mut self, config: Config, who: &str) -> ReloadReport {
        let mut applied = config::difference(&self.config, &config).live;
        let needs_restart = config::difference(&self.started, &config).needs_restart;
        let config = Arc::new(config);
        let mut faults = Vec::new();
        self.drop_services(&config);
        for service in config.services.clone() {
            let path = format!("services.{}", service.name);
            match self.index(service.name.as_str()) {
                Some(index) => {
                    self.change_service(index, service).await;
                    let keys = applied.iter().filter(|key| key.starts_with(&format!("{path}.")));
                    let keys: Vec<&str> = keys.map(String::as_str).collect();
                    if !keys.is_empty() {
                        self.audit_reload(index, who, format!("reload: {} changed", keys.join(", "))).await;
                    }
                }
                None => match self.add_service(service).await {
                    Ok(()) => {
                        self.audit_reload(self.services.len() - 1, who, format!("reload: {path} added"))
                            .await;
                    }
                    Err(fault) => {
                        tracing::error!(service = path, %fault, "the new service can't be loaded");
                        applied.retain(|key| *key != path);
                        faults.push(format!("{path}: not added, all else was applied: {fault}"));
                    }
                },
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
        tracing::info!(?applied, ?needs_restart, ?faults, "configuration reloaded");
        ReloadReport { applied, needs_restart, faults }
    }

    /// Services that are no longer in the file lose their routes; their records stay in the store.
    fn drop_services(&mut self, config: &Config) {
        let metrics = &self.metrics;
        self.services.retain_mut(|runtime| {
            let stays = config.services.iter().any(|service| service.name == runtime.config.name);
            if !stays {
                tracing::warn!(service = %runtime.config.name, "no longer configured: its routes are gone, its record stays");
                metrics.forget(&runtime.config.name, &super::story::WORDS);
            }
            stays
        });
    }

    async fn audit_reload(&mut self, index: usize, who: &str, what: String) {
        let service = &self.services[index];
        let now = service.summary();
        let entry = AuditEntry {
            time: crate::clock::wall_rfc3339(),
            who: who.to_owned(),
            service: service.name().to_string(),
            what,
            outcome: "applied".to_owned(),
            before: now.clone(),
            after: now,
        };
        self.write_audit(index, entry).await;
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
