//! Writes the record before its effects are performed, and writes less urgent changes in the
//! background.
//!
//! The loop waits for the store only if a record must be on the disk before an effect, and then for
//! [`WRITE_TIMEOUT`] at most. Every other write takes a turn ([`Controller::turns`]), one at a time,
//! so that an urgent write finds at most one other write in the queue of the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::clock;
use crate::control_plane::store::{ANSWER_MAX, Store, StoreFault, StoredRelease};
use crate::model::{ReleaseId, Revision, ServiceName};
use crate::release::{Event, State, Step};
use crate::tasks;

use super::message::Internal;
use super::record::{FORMAT, Record, WRITE_TIMEOUT, pin_end};
use super::run::Controller;
use super::saved::Saved;
use super::view::ReleaseView;

fn encode<T: Serialize>(value: &T) -> Result<String, StoreFault> {
    serde_json::to_string(value).map_err(|why| StoreFault::Write(why.to_string()))
}

fn stored(view: &ReleaseView) -> Result<StoredRelease, StoreFault> {
    let (id, service) = (view.id.as_str().into(), view.service.as_str().into());
    Ok(StoredRelease { id, service, json: encode(view)? })
}

/// A record that is ready to be written.
#[derive(Debug)]
struct Draft {
    service: ServiceName,
    /// The revision that the record replaces.
    base: Revision,
    json: String,
    releases: Vec<StoredRelease>,
    views: BTreeMap<ReleaseId, ReleaseView>,
}

async fn put(store: &dyn Store, draft: Draft) -> Saved {
    let Draft { service, base, json, releases, views } = draft;
    let write = store.compare_and_swap(&service, base, json, releases);
    let late = |_| Err(StoreFault::Write(format!("no answer within {} s", ANSWER_MAX.as_secs())));
    let outcome = tokio::time::timeout(ANSWER_MAX, write).await.unwrap_or_else(late);
    Saved { service, base, views, outcome }
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

    fn draft(&self, index: usize, state: &State) -> Result<Draft, StoreFault> {
        let service = &self.services[index];
        let mut quarantined_at = service.quarantined_at.clone();
        for entry in &state.quarantine {
            quarantined_at.entry(entry.version.clone()).or_insert_with(clock::wall_rfc3339);
        }
        let record = Record {
            format: FORMAT,
            state: state.to_saved(clock::now()),
            pin_ends: pin_end(state, clock::now(), clock::wall()),
            quarantined_at,
            containers: service.stored_containers(state),
            pending: service.pending.clone(),
        };
        Ok(Draft {
            service: service.name().clone(),
            base: service.revision,
            json: encode(&record)?,
            releases: service.unwritten_releases.values().map(stored).collect::<Result<Vec<_>, _>>()?,
            views: service.unwritten_releases.clone(),
        })
    }

    /// Writes a record while the loop waits.
    async fn write(&mut self, index: usize, state: &State) -> Result<(), StoreFault> {
        let Draft { service: name, base, json, releases, .. } = self.draft(index, state)?;
        let store = Arc::clone(&self.store);
        let writing = async {
            let mut revision = base;
            for retry in [true, false] {
                let write = store.compare_and_swap(&name, revision, json.clone(), releases.clone());
                match write.await {
                    // Only this process writes to the folder, so the other writer was a write in the
                    // background, or one that came through after the controller had given it up.
                    Err(StoreFault::Conflict { found, .. }) if retry => revision = Revision(found),
                    written => return written,
                }
            }
            Err(StoreFault::Write("its revision keeps changing".to_owned()))
        };
        let late = |_| Err(StoreFault::Write(format!("no answer within {} s", WRITE_TIMEOUT.as_secs())));
        let revision = tokio::time::timeout(WRITE_TIMEOUT, writing).await.unwrap_or_else(late)?;
        let service = &mut self.services[index];
        service.revision = revision;
        service.unwritten_releases.clear();
        service.unsaved = false;
        Ok(())
    }

    /// Writes counters that have changed, and everything that an unwritable store has held up, while
    /// the loop goes on. Does nothing while an earlier such write is under way.
    pub(crate) fn begin_saving(&mut self) {
        if self.saving {
            return;
        }
        let mut drafts = Vec::new();
        for index in 0..self.services.len() {
            if !self.services[index].unsaved {
                continue;
            }
            self.services[index].update_views(&[]);
            match self.draft(index, &self.services[index].state) {
                Ok(draft) => drafts.push(draft),
                Err(fault) => {
                    tracing::error!(service = %self.services[index].name(), %fault, "the record can't be written");
                    continue;
                }
            }
            // A change from now on is for the next write.
            self.services[index].unsaved = false;
        }
        if drafts.is_empty() {
            return;
        }
        self.saving = true;
        let (store, turns, internal) =
            (Arc::clone(&self.store), Arc::clone(&self.turns), self.internal.clone());
        self.tasks.spawn(tasks::named("save", async move {
            let mut saved = Vec::with_capacity(drafts.len());
            for draft in drafts {
                let _turn = turns.acquire().await;
                saved.push(put(&*store, draft).await);
            }
            // The receiver is gone only when the process is stopping.
            let _ = internal.send(Internal::Saved(saved)).await;
        }));
    }

    /// Takes the outcomes of the writes that [`Controller::begin_saving`] began.
    pub(crate) async fn saved(&mut self, saved: Vec<Saved>) {
        self.saving = false;
        for Saved { service, base, views, outcome } in saved {
            let Some(index) = self.index(service.as_str()) else { continue };
            let runtime = &mut self.services[index];
            if runtime.revision != base {
                // A newer record was written in between. It has everything that this one has.
                continue;
            }
            match outcome {
                Ok(revision) => {
                    runtime.revision = revision;
                    runtime.unwritten_releases.retain(|id, view| views.get(id) != Some(view));
                    self.saved_again(index).await;
                }
                Err(StoreFault::Conflict { found, .. }) => {
                    // An earlier write of this process came through after it had been given up.
                    runtime.revision = Revision(found);
                    runtime.unsaved = true;
                }
                Err(fault) => {
                    runtime.unsaved = true;
                    if !runtime.state.unwritable {
                        tracing::error!(%service, %fault, "the store can't be written");
                        // The step refuses this only if the state already knows it.
                        let _ = self.told_unwritable(index).await;
                    }
                }
            }
        }
    }

    /// Ends the time in which the store could not be written, if a write has just succeeded.
    async fn saved_again(&mut self, index: usize) {
        if !self.services[index].state.unwritable {
            return;
        }
        tracing::info!(service = %self.services[index].name(), "the store can be written again");
        self.scribe.settled().await;
        self.apply_fact(index, Event::StoreWritable(true)).await;
    }

    /// Writes everything that is unsaved while the loop waits: at the start, before a service is
    /// dropped, and at the end.
    pub(crate) async fn save_unsaved(&mut self) {
        for index in 0..self.services.len() {
            if !self.services[index].unsaved {
                continue;
            }
            let state = self.services[index].state.clone();
            self.services[index].update_views(&[]);
            match self.write(index, &state).await {
                Ok(()) => self.saved_again(index).await,
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
}
