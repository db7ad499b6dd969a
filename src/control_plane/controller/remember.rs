//! The judge's memory of each service on its way between the seconds, the store and the state.

use std::sync::Arc;

use crate::judge::Baseline;
use crate::model::{Color, ServiceName};
use crate::release::{Event, Stretch};
use crate::tasks;

use super::message::Done;
use super::record::WRITE_TIMEOUT;
use super::rejection::{RefusalCode, Rejection};
use super::run::Controller;
use super::service::ServiceRuntime;
use super::service::recall::{Recall, incident};

impl ServiceRuntime {
    /// Freezes the past of a color: its last minutes, and how the service usually is.
    pub(crate) fn baseline(&self, color: Color) -> Baseline {
        let minutes = self.windows[color].freeze(&self.state.policy.judge);
        Baseline { usual: self.recall.usual(), ..minutes }
    }

    /// Whether the active color is in an incident, if that can hold a release.
    fn incident(&self) -> Option<String> {
        let waits = self.state.running().is_some() && self.state.stretch() == Stretch::Before;
        waits.then(|| incident(&self.state, &self.baseline(self.state.active))).flatten()
    }
}

impl Controller {
    /// Reads a service's memory. A memory that can't be read is begun anew, since it only helps the
    /// judge.
    pub(crate) async fn recall(&self, service: &ServiceName) -> Recall {
        let stored = self.store.memory(service).await;
        let read = match stored {
            Ok(stored) => stored.map(|json| Recall::stored(&json).map_err(|why| why.to_string())),
            Err(why) => Some(Err(why.to_string())),
        };
        match read {
            Some(Ok(recall)) => recall,
            Some(Err(why)) => {
                tracing::warn!(%service, %why, "the judge's memory can't be read: it begins anew");
                Recall::default()
            }
            None => Recall::default(),
        }
    }

    /// Tells the state when an incident of the active color begins or ends, and writes the memory once
    /// a minute.
    pub(crate) async fn memory_second(&mut self, index: usize) {
        let service = &mut self.services[index];
        if let Some(json) = service.recall.due() {
            let (name, store) = (service.name().clone(), Arc::clone(&self.store));
            self.tasks.spawn(tasks::named("memory", async move {
                let written = tokio::time::timeout(WRITE_TIMEOUT, store.keep_memory(&name, json)).await;
                if !matches!(written, Ok(Ok(()))) {
                    tracing::debug!(service = %name, "the judge's memory can't be written");
                }
            }));
        }
        let service = &self.services[index];
        let found = service.incident();
        // The numbers in the text change each second. The state hears of the beginning and of the end.
        if found.is_some() != service.state.incident.is_some() {
            self.apply_fact(index, Event::Incident(found)).await;
        }
    }

    /// Writes every memory before the process ends. The window of the active color goes into it, since it is
    /// lost with the process.
    pub(crate) async fn save_memories(&mut self) {
        for service in &mut self.services {
            let active = service.state.active;
            if service.state.stretch() == Stretch::Final {
                service.recall.leave(&mut service.windows[active]);
            }
            let Some(json) = service.recall.json() else { continue };
            let written = self.store.keep_memory(service.name(), json);
            if !matches!(tokio::time::timeout(WRITE_TIMEOUT, written).await, Ok(Ok(()))) {
                tracing::warn!(service = %service.name(), "the judge's memory can't be written");
            }
        }
    }

    /// Clears a service's memory, in the store first.
    pub(crate) async fn forget(&mut self, index: usize) -> Result<Done, Rejection> {
        let name = self.services[index].name().clone();
        let unwritable = |why: String| Rejection::Unavailable { code: RefusalCode::StoreUnwritable, why };
        let write = self.store.keep_memory(&name, "{}".to_owned());
        match tokio::time::timeout(WRITE_TIMEOUT, write).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(unwritable(why.to_string())),
            Err(_) => return Err(unwritable("the store does not answer: try again later".to_owned())),
        }
        self.services[index].recall.forget();
        let message = "the judge has forgotten how the service usually is; next: it learns again from now on, \
                       and a release in the meantime is judged by the last minutes alone";
        Ok(Done { release: None, noop: false, accepted: false, message: message.to_owned() })
    }
}
