//! The exhibits beside a release's record, for people who ask later why the release went as it did.
//! They are the judge's course second by second, and the last output of containers before they were
//! stopped.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;
use crate::control_plane::store::{ANSWER_MAX, Store, StoreFault, StoredExhibit};
use crate::judge::{Bucket, Series};
use crate::model::{PerColor, ReleaseId};
use crate::release::{Phase, Stretch};
use crate::tasks;

use super::run::Controller;
use super::service::course::Course;
use super::story::judged;

const SERIES: &str = "series";
const CONTAINERS: &str = "containers";
/// Closed seconds between two writes of a course.
const WRITE_EVERY: u32 = 5;
/// Closed seconds that the course goes on after a release has ended. They show whether the service
/// recovered.
const TAIL: u32 = 10;

/// The last output and state of one container of a release, saved before it was stopped or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContainerEvidence {
    /// The container's name or id.
    pub container: String,
    /// The image, with its digest if that is known.
    pub image: String,
    /// The engine's word for its state: `running`, `exited (137)`, `oom-killed`, ...
    pub state: String,
    /// The last lines of its log, oldest first.
    pub log_lines: Vec<String>,
    /// The engine's inspection: how the container ended, its limits, its own health check.
    #[schema(value_type = Object)]
    pub inspect: serde_json::Value,
}

impl ContainerEvidence {
    /// The most containers of one release that are saved.
    pub const CONTAINERS_MAX: usize = 16;
    /// The most log lines of one container.
    pub const LOG_LINES_MAX: usize = 200;
    /// The most bytes of one line. The rest of a longer line is cut off.
    pub const LINE_BYTES_MAX: usize = 1024;

    /// Cuts everything over the limits: the oldest lines, and the ends of long ones.
    fn bound(&mut self) {
        let over = self.log_lines.len().saturating_sub(Self::LOG_LINES_MAX);
        self.log_lines.drain(..over);
        for line in &mut self.log_lines {
            line.truncate(line.floor_char_boundary(Self::LINE_BYTES_MAX));
        }
    }
}

/// Keeps the output of a release's containers and replaces the output that was kept before.
/// Everything over the limits of [`ContainerEvidence`] is cut. Fails if the store can't be written.
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

/// The exhibits of a release, read from the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exhibits {
    /// The judge's course; `None` if the release ended before there was anything to draw.
    pub series: Option<Series>,
    /// The saved output of its containers.
    pub containers: Vec<ContainerEvidence>,
}

impl Exhibits {
    /// Reads the exhibits of a release. An exhibit that can't be parsed counts as missing, since it
    /// only explains. Fails if the store can't be read.
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
    /// Adds a closed second to the course of the service's release, and writes the course every few
    /// seconds.
    pub(crate) fn follow_course(&mut self, index: usize, closed: &PerColor<Bucket>) {
        let service = &mut self.services[index];
        let Some(release) = &service.state.release else { return };
        if matches!(release.phase, Phase::Queued(_)) {
            return;
        }
        // A degraded release may wait for a person for a day. Only the first second of the wait is
        // kept, so that the course shows how the release came to wait.
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
        let at = clock::unix_seconds();
        // After the end, the numbers of the verdict are not the judge's scores of this second.
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

    /// Writes the course in a task of its own, so that nothing waits for the write.
    fn write_course(&mut self, index: usize) {
        let Some(course) = &self.services[index].course else { return };
        let Ok(json) = serde_json::to_string(&course.series) else { return };
        let (release, store) = (course.release.clone(), Arc::clone(&self.store));
        let turns = Arc::clone(&self.turns);
        self.tasks.spawn(tasks::named("course", async move {
            let _turn = turns.acquire().await;
            let written = tokio::time::timeout(ANSWER_MAX, store.exhibit(&release, SERIES, json)).await;
            if !matches!(written, Ok(Ok(()))) {
                tracing::debug!(%release, "its course can't be written");
            }
        }));
    }
}
