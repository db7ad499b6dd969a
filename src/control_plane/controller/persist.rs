//! Writes the record before its effects are performed, and writes less urgent changes later.

use serde::Serialize;

use crate::clock;
use crate::control_plane::store::{StoreFault, StoredRelease};
use crate::release::{Event, State, Step};

use super::record::{FORMAT, Record, WRITE_TIMEOUT};
use super::run::Controller;
use super::view::{AuditEntry, ReleaseView};

fn encode<T: Serialize>(value: &T) -> Result<String, StoreFault> {
    serde_json::to_string(value).map_err(|why| StoreFault::Write(why.to_string()))
}

fn stored(view: &ReleaseView) -> Result<StoredRelease, StoreFault> {
    let (id, service) = (view.id.as_str().into(), view.service.as_str().into());
    Ok(StoredRelease { id, service, json: encode(view)? })
}

impl Controller {
    /// Writes a step's state and the records of its releases in one transaction.
    pub(crate) async fn save(&mut self, index: usize, step: &Step) -> Result<(), StoreFault> {
        let service = &mut self.services[index];
        let before = (service.live.clone(), service.last.clone(), service.pending.clone());
        service.update_views_of(&step.state, &step.ended);
        service.note_ends(step);
        let written = self.write(index, &step.state).await;
        if written.is_err() {
            // The step has not happened, so the changes to its records are undone.
            let service = &mut self.services[index];
            (service.live, service.last, service.pending) = before;
            service.unwritten_releases.clear();
        }
        written
    }

    async fn write(&mut self, index: usize, state: &State) -> Result<(), StoreFault> {
        let mut quarantined_at = self.services[index].quarantined_at.clone();
        for entry in &state.quarantine {
            quarantined_at.entry(entry.version.clone()).or_insert_with(clock::wall_rfc3339);
        }
        let containers = self.services[index].stored_containers(state);
        let pending = self.services[index].pending.clone();
        let record = Record {
            format: FORMAT,
            state: state.to_saved(clock::now()),
            quarantined_at,
            containers,
            pending,
        };
        let json = encode(&record)?;
        let service = &self.services[index];
        let releases = service.unwritten_releases.values().map(stored).collect::<Result<Vec<_>, _>>()?;
        let (name, revision) = (service.name().clone(), service.revision);
        let store = std::sync::Arc::clone(&self.store);
        let mut revision = revision;
        for retry in [true, false] {
            let write = store.compare_and_swap(&name, revision, json.clone(), releases.clone());
            let written = tokio::time::timeout(WRITE_TIMEOUT, write).await.unwrap_or_else(|_| {
                Err(StoreFault::Write(format!("no answer within {} s", WRITE_TIMEOUT.as_secs())))
            });
            match written {
                Ok(revision) => {
                    let service = &mut self.services[index];
                    service.revision = revision;
                    service.unwritten_releases.clear();
                    service.unsaved = false;
                    return Ok(());
                }
                // Only this process writes to the folder, so the other writer was an earlier write
                // of this process, which came through after the controller had given it up.
                Err(StoreFault::Conflict { found, .. }) if retry => {
                    revision = crate::model::Revision(found);
                }
                Err(fault) => return Err(fault),
            }
        }
        Err(StoreFault::Write("its revision keeps changing".to_owned()))
    }

    /// Writes counters that have changed, and everything that an unwritable store has held up.
    pub(crate) async fn save_unsaved(&mut self) {
        for index in 0..self.services.len() {
            if !self.services[index].unsaved {
                continue;
            }
            let state = self.services[index].state.clone();
            self.services[index].update_views(&[]);
            match self.write(index, &state).await {
                Ok(()) if state.unwritable => {
                    tracing::info!(service = %state.service, "the store can be written again");
                    self.write_backlog(index).await;
                    self.apply_fact(index, Event::StoreWritable(true)).await;
                }
                Ok(()) => self.write_backlog(index).await,
                Err(_) if state.unwritable => {}
                Err(fault) => {
                    tracing::error!(service = %state.service, %fault, "the store can't be written");
                    // The step refuses this only if the state already knows it.
                    let _ = self.told_unwritable(index).await;
                }
            }
        }
    }

    /// Makes the last write before the process ends. It stores the time that is left of every
    /// deadline.
    pub(crate) async fn save_all(&mut self) {
        for service in &mut self.services {
            service.unsaved |= service.deadline.is_some();
        }
        self.save_unsaved().await;
    }

    /// Writes a line of the audit log. If that fails, an error is logged and nothing else stops.
    pub(crate) async fn write_audit(&mut self, index: usize, entry: AuditEntry) {
        let name = self.services[index].name().clone();
        let Ok(json) = encode(&entry) else { return };
        let store = std::sync::Arc::clone(&self.store);
        let written = tokio::time::timeout(WRITE_TIMEOUT, store.audit(&name, json)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::error!(service = %name, what = %entry.what, who = %entry.who, "the audit log can't be written");
        }
    }
}
