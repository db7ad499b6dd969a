//! What is kept beside a release's record, for whoever asks afterwards why it went as it did: the
//! judge's course second by second, and what its containers had to say before they were stopped.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;
use crate::control_plane::store::{Store, StoreFault, StoredExhibit};
use crate::judge::{Bucket, Series};
use crate::model::{PerColor, ReleaseId};
use crate::release::{Phase, Stretch};
use crate::tasks;

use super::record::WRITE_TIMEOUT;
use super::run::Controller;
use super::service::course::Course;
use super::story::judged;

const SERIES: &str = "series";
const CONTAINERS: &str = "containers";
/// Closed seconds between two writes of a course.
const WRITE_EVERY: u32 = 5;
/// Closed seconds that are kept after a release has ended: whether it got better shows there.
const TAIL: u32 = 10;

/// What was saved of one container of a release before it was stopped or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContainerEvidence {
    /// Its name or id.
    pub container: String,
    /// The image, with its digest where that is known.
    pub image: String,
    /// What the engine said of it: `running`, `exited (137)`, `oom-killed`, ...
    pub state: String,
    /// The last lines of its log, oldest first.
    pub log_lines: Vec<String>,
    /// What the engine says of it: how it ended, its limits, its own health check.
    #[schema(value_type = Object)]
    pub inspect: serde_json::Value,
}

impl ContainerEvidence {
    /// Containers of one release that are saved.
    pub const CONTAINERS_MAX: usize = 16;
    /// Log lines of one container.
    pub const LOG_LINES_MAX: usize = 200;
    /// Bytes of one line; the rest is cut off.
    pub const LINE_BYTES_MAX: usize = 1024;

    /// Cuts what is over the limits: the oldest lines, and ends of long ones.
    fn bound(&mut self) {
        let over = self.log_lines.len().saturating_sub(Self::LOG_LINES_MAX);
        self.log_lines.drain(..over);
        for line in &mut self.log_lines {
            line.truncate(line.floor_char_boundary(Self::LINE_BYTES_MAX));
        }
    }
}

/// Keeps what a release's containers said. Replaces what was kept of them before; what is over the
/// limits of [`ContainerEvidence`] is cut.
pub async fn keep_containers(
    store: &dyn Store,
    release: &ReleaseId,
    mut containers: Vec<ContainerEvidence>,
) -> Result<(), StoreFault> {
    containers.truncate(ContainerEvidence::CONTAINERS_MAX);
    containers.iter_mut().for_each(ContainerEvidence::bound);
    let json = serde_json::to_string(&containers).map_err(|why| StoreFault::Write(why.to_string()))?;
    store.exhibit(release, CONTAINERS, json).await
}

/// A release's exhibits, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exhibits {
    /// `None` when it never came so far that there was something to see.
    pub series: Option<Series>,
    pub containers: Vec<ContainerEvidence>,
}

impl Exhibits {
    /// Reads what is kept of a release. One that can't be understood counts as not there: it only
    /// explains.
    pub async fn read(store: &dyn Store, release: &ReleaseId) -> Result<Self, StoreFault> {
        let mut found = Self::default();
        for StoredExhibit { name, json } in store.exhibits(release).await? {
            match name.as_str() {
                SERIES => found.series = serde_json::from_str(&json).ok().filter(Series::is_sound),
                CONTAINERS => found.containers = serde_json::from_str(&json).unwrap_or_default(),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Controller {
    /// Adds a closed second to the course of the service's release, and writes it now and then.
    pub(crate) fn follow_course(&mut self, index: usize, closed: &PerColor<Bucket>) {
        let service = &mut self.services[index];
        let Some(release) = &service.state.release else { return };
        if matches!(release.phase, Phase::Queued(_)) {
            return;
        }
        // A release that waits for a person may wait for a day. How it came to that is to be seen.
        let waits = matches!(release.phase, Phase::Degraded(_));
        let ended = release.phase.stretch() == Stretch::Final;
        let course = match &mut service.course {
            Some(course) if course.release == release.id => course,
            _ if ended => return,
            other => other.insert(Course::new(release.id.clone(), Series::default())),
        };
        course.after += u32::from(ended);
        let waited = std::mem::replace(&mut course.waits, waits);
        if course.after > TAIL || (waits && waited) {
            return;
        }
        let at = clock::wall().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        // What a verdict keeps is no longer the judge's score of this second.
        let numbers = if ended { None } else { judged(release) };
        let (candidate, old) = (&closed[release.color], &closed[release.color.other()]);
        course.series.push(i64::try_from(at).unwrap_or(i64::MAX), candidate, old, numbers.as_ref());
        course.unwritten += 1;
        let turned = waits || (ended && (course.after == 1 || course.after == TAIL));
        let due = course.unwritten >= WRITE_EVERY || turned;
        if due {
            course.unwritten = 0;
            self.write_course(index);
        }
    }

    /// Writes the course, in a task of its own: nothing waits for it.
    fn write_course(&mut self, index: usize) {
        let Some(course) = &self.services[index].course else { return };
        let Ok(json) = serde_json::to_string(&course.series) else { return };
        let (release, store) = (course.release.clone(), Arc::clone(&self.store));
        self.tasks.spawn(tasks::named("course", async move {
            let written = tokio::time::timeout(WRITE_TIMEOUT, store.exhibit(&release, SERIES, json)).await;
            if !matches!(written, Ok(Ok(()))) {
                tracing::debug!(%release, "its course can't be written");
            }
        }));
    }
}
