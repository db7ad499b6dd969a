//! Applies a changed configuration file without losing a request. A faulty file changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config::{self, Config, Service, Upstream};
use crate::control_plane::provider::{FixedSource, docker};
use crate::model::Color;
use crate::release::Event;
use crate::tasks;
use crate::tls::{self, Live, Reloaded};

use super::run::Controller;
use super::service::ServiceRuntime;
use super::{Actor, AuditEntry, ReloadReport};

/// How long a reload waits for the workers. It does not wait longer for a slow worker, since the
/// loop, and with it every revert, waits too.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(2);

impl Controller {
    pub(crate) async fn reload(&mut self, actor: Actor, reply: oneshot::Sender<ReloadReport>) {
        let path = self.path.clone();
        let tls = Arc::clone(&self.tls);
        let loaded = tokio::task::spawn_blocking(move || load(&path, &tls)).await;
        let report = match loaded {
            Ok(Ok((config, files, warnings))) => {
                self.look_for_networks(&config);
                for warning in &warnings {
                    tracing::warn!("configuration: {warning}");
                }
                // The files are adopted even if the configuration names the same ones, since their
                // content may be new.
                let read = self.tls.adopt(files);
                let mut report = self.take_config(config, &actor.0).await;
                report.applied.extend(read);
                report.warnings = warnings;
                report
            }
            Ok(Err(faults)) => {
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

    /// Asks the engines for the networks of the services. The loop does not wait for an engine, so what is
    /// missing is in the log alone.
    fn look_for_networks(&mut self, config: &Config) {
        let config = config.clone();
        self.tasks.spawn(tasks::named("network look-up", async move {
            for warning in docker::missing_networks(&config).await {
                tracing::warn!("configuration: {warning}");
            }
        }));
    }

    async fn take_config(&mut self, config: Config, who: &str) -> ReloadReport {
        let config::Difference { live: mut applied, mut needs_restart } =
            config::difference(&self.started, &self.config, &config);
        let next_release = at_next_release(&config, &mut applied);
        let config = Arc::new(self.with_running_upstreams(config, &mut applied, &mut needs_restart));
        let mut faults = self.drop_services(&config).await;
        for service in config.services.clone() {
            let path = format!("services.{}", service.name);
            match self.index(service.name.as_str()) {
                Some(index) => {
                    self.change_service(index, service).await;
                    let keys = applied.iter().filter(|key| key.starts_with(&format!("{path}.")));
                    let keys: Vec<&str> = keys.map(String::as_str).collect();
                    if !keys.is_empty() {
                        self.audit_reload(index, who, format!("reload: {} changed", keys.join(", ")));
                    }
                }
                None => match self.add_service(service).await {
                    Ok(()) => {
                        self.audit_reload(self.services.len() - 1, who, format!("reload: {path} added"));
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
        self.engines.aim(&config);
        self.config = Arc::clone(&config);
        self.table_dirty = true;
        self.views_dirty = true;
        self.targets_dirty = true;
        self.publish();
        // The report says "applied" only after every worker uses the new routes.
        let acknowledged = tokio::time::timeout(ACKNOWLEDGE_TIMEOUT, self.workers.acknowledge()).await;
        if acknowledged.is_err() {
            tracing::warn!("a worker has not acknowledged the reloaded routes yet");
        }
        self.certificates.repeat();
        self.look_at_certificates();
        self.reloaded.send_replace(config);
        tracing::info!(?applied, ?next_release, ?needs_restart, ?faults, "configuration reloaded");
        ReloadReport { applied, needs_restart, next_release, faults, warnings: Vec::new() }
    }

    /// The configuration with the parts of each service's upstream that a reload can't change as they are
    /// now, so that what runs keeps its traffic. The paths of those that differ go to `needs_restart`.
    fn with_running_upstreams(
        &self,
        config: Config,
        applied: &mut Vec<String>,
        needs_restart: &mut Vec<String>,
    ) -> Config {
        let mut kept = Vec::new();
        let service = |new: &Arc<Service>| {
            let Some(index) = self.index(new.name.as_str()) else { return Arc::clone(new) };
            let (service, key) = as_it_runs(&self.services[index].config, Arc::clone(new));
            kept.extend(key.map(|key| format!("services.{}.upstream{key}", new.name)));
            service
        };
        let services = config.services.iter().map(service).collect();
        for path in kept {
            applied.retain(|key| key.strip_prefix(&path).is_none_or(|rest| !rest.starts_with(['.', '['])));
            if !path.ends_with(".upstream") && !needs_restart.contains(&path) {
                needs_restart.push(path);
            }
        }
        Config { services, ..config }
    }

    /// Drops the services that are no longer in the file. They lose their routes, and their records
    /// stay in the store as they are now. A service whose record can't be written stays, and a
    /// fault says so.
    async fn drop_services(&mut self, config: &Config) -> Vec<String> {
        let leaves = |runtime: &ServiceRuntime| {
            config.services.iter().all(|service| service.name != runtime.config.name)
        };
        let leaving: Vec<usize> = (0..self.services.len()).filter(|i| leaves(&self.services[*i])).collect();
        for &index in &leaving {
            self.services[index].unsaved = true;
        }
        if !leaving.is_empty() {
            self.save_unsaved().await;
        }
        // Pending events refer to services by position, and the positions are about to change.
        self.take_pending().await;
        let mut faults = Vec::new();
        let metrics = &self.metrics;
        self.services.retain_mut(|runtime| {
            if !leaves(runtime) {
                return true;
            }
            let name = runtime.config.name.clone();
            if runtime.unsaved {
                faults.push(format!(
                    "services.{name}: kept, since its record can't be written: reload again later"
                ));
                return true;
            }
            for color in Color::ALL {
                if let Some(drain) = runtime.drains[color].take() {
                    drain.abort();
                }
            }
            runtime.errands.values().for_each(tokio::task::AbortHandle::abort);
            metrics.forget(&name);
            tracing::warn!(service = %name, "no longer configured: its routes are gone, its record stays");
            false
        });
        faults
    }

    fn audit_reload(&self, index: usize, who: &str, what: String) {
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
        self.scribe.audit(self.services[index].name().clone(), entry);
    }

    async fn change_service(&mut self, index: usize, service: Arc<Service>) {
        let runtime = &mut self.services[index];
        let policy = service.policy.clone();
        let changed = runtime.config.policy != policy;
        let other_containers = runtime.config.upstream != service.upstream;
        runtime.config = service;
        if let (true, Some(containers)) = (other_containers, runtime.containers.as_mut()) {
            containers.reconfigure(&runtime.config, &self.internal);
            self.place_containers(index);
        }
        if changed {
            self.apply_fact(index, Event::PolicyChanged(Box::new(policy))).await;
        }
    }
}

/// Loads a configuration and the certificates that it names, with its warnings, or returns every fault.
fn load(path: &Path, tls: &Live) -> Result<(Config, Reloaded, Vec<String>), Vec<String>> {
    let loaded = config::load(path).map_err(|faults| {
        let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
        faults
    })?;
    let files = tls.read(&loaded.config)?;
    let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    warnings.extend(tls::warnings(&loaded.config));
    Ok((loaded.config, files, warnings))
}

/// Moves the keys that say how containers are created out of `applied`, and returns them.
fn at_next_release(config: &Config, applied: &mut Vec<String>) -> Vec<String> {
    let is_one = |path: &String| {
        config.services.iter().any(|service| {
            let prefix = format!("services.{}.upstream.", service.name);
            let managed = matches!(&service.upstream, Upstream::Docker { follow: false, .. });
            let key = path.strip_prefix(&prefix).filter(|_| managed);
            key.is_some_and(|key| config::shapes_containers(key.split(['.', '[']).next().unwrap_or(key)))
        })
    };
    let (later, now) = std::mem::take(applied).into_iter().partition(is_one);
    *applied = now;
    later
}

/// A service with those parts of its upstream that a reload can't change as they are now, and the key under
/// `upstream` that was kept; it is empty for the whole table. A reload changes neither who runs the
/// endpoints nor takes away an engine that may have some. How followed containers are reached stays, too.
fn as_it_runs(old: &Arc<Service>, new: Arc<Service>) -> (Arc<Service>, Option<&'static str>) {
    let kept = |upstream: Upstream| {
        let mut policy = new.policy.clone();
        (policy.upstream, policy.replicas) = (old.policy.upstream, old.policy.replicas);
        Arc::new(Service { upstream, policy, ..(*new).clone() })
    };
    match (&old.upstream, &new.upstream) {
        (Upstream::Fixed { .. }, Upstream::Fixed { .. }) => (new, None),
        (
            Upstream::Docker { follow: was, engine: before, .. },
            Upstream::Docker { follow, engine, image, replicas, initial },
        ) if was == follow => {
            let stays = |url: &str| engine.engines.iter().any(|engine| engine.url == url);
            let mut now = (**engine).clone();
            let mut key = None;
            if *follow
                && (&before.network, before.publish, before.port) != (&now.network, now.publish, now.port)
            {
                (now.network, now.publish, now.port) = (before.network.clone(), before.publish, before.port);
                key = Some(".network");
            }
            if !before.engines.iter().all(|engine| stays(&engine.url)) {
                now.engines.clone_from(&before.engines);
                key = Some(".engines");
            }
            if key.is_none() {
                return (new, None);
            }
            let upstream = Upstream::Docker {
                image: image.clone(),
                replicas: *replicas,
                follow: *follow,
                initial: *initial,
                engine: Box::new(now),
            };
            (Arc::new(Service { upstream, ..(*new).clone() }), key)
        }
        _ => (kept(old.upstream.clone()), Some("")),
    }
}

/// Returns the addresses that the fixed provider resolves.
pub(crate) fn sources(config: &Config) -> Vec<FixedSource> {
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
