//! Watches the front door and the load, shows both, and waits until a condition of the story is met.

use std::time::{Duration, Instant};

use super::door::Admin;
use super::load::Load;
use super::moment::{EVENTS_SHOWN, Happening, Moment};
use super::screen::Screen;
use super::trouble::Trouble;
use crate::clock;
use crate::control_plane::controller::ServiceView;

/// The time between two looks, and so between two frames.
const FRAME: Duration = Duration::from_millis(200);

/// Reads the service and the sums of the load, and shows them on the screen.
#[derive(Debug)]
pub(super) struct Rundown {
    pub load: Load,
    admin: Admin,
    service: String,
    screen: Screen,
    begun: Instant,
    moment: Moment,
}

impl Rundown {
    #[must_use]
    pub(super) fn new(admin: Admin, service: &str, load: Load, screen: Screen) -> Self {
        Self {
            load,
            admin,
            service: service.to_owned(),
            screen,
            begun: clock::instant(),
            moment: Moment::default(),
        }
    }

    /// Shows a sentence about the present act to the person who watches.
    pub(super) fn headline(&mut self, text: &str) {
        text.clone_into(&mut self.moment.headline);
        self.happened(text.to_owned());
    }

    /// Shows something that happened, and keeps it for the next frames.
    pub(super) fn happened(&mut self, text: String) {
        let happening = Happening { at: clock::instant().duration_since(self.begun), text };
        self.screen.happened(&happening);
        if self.moment.happenings.len() == EVENTS_SHOWN {
            self.moment.happenings.pop_front();
        }
        self.moment.happenings.push_back(happening);
    }

    /// Shows one moment after the other until `wanted` returns true for one, and returns that moment. After
    /// `limit` it fails with [`Trouble::Late`], which names `what`.
    pub(super) async fn until(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Moment) -> bool,
    ) -> Result<Moment, Trouble> {
        let begun = clock::instant();
        let mut frames = tokio::time::interval(FRAME);
        loop {
            frames.tick().await;
            self.look().await?;
            if wanted(&self.moment) {
                return Ok(self.moment.clone());
            }
            if clock::instant().duration_since(begun) > limit {
                let detail = format!("; it is: {}", self.moment.summary());
                return Err(Trouble::Late { what: what.to_owned(), limit, detail });
            }
        }
    }

    /// Shows one moment after the other for this time.
    pub(super) async fn during(&mut self, time: Duration) -> Result<Moment, Trouble> {
        let begun = clock::instant();
        self.until("waiting", time * 10, |_| clock::instant().duration_since(begun) >= time).await
    }

    async fn look(&mut self) -> Result<(), Trouble> {
        let service = self.admin.service(&self.service).await?;
        self.moment.elapsed = clock::instant().duration_since(self.begun);
        self.moment.counts = self.load.counts();
        for text in changes(self.moment.service.as_ref(), &service) {
            self.happened(text);
        }
        self.moment.service = Some(service);
        self.screen.show(&self.moment).map_err(Trouble::Terminal)
    }
}

/// The differences between two views of the service, one text each.
pub(super) fn changes(before: Option<&ServiceView>, now: &ServiceView) -> Vec<String> {
    let mut texts = Vec::new();
    let active_before = before.map_or(now.active, |before| before.active);
    if active_before != now.active {
        texts.push(format!("all traffic moved from {active_before} to {} (epoch {})", now.active, now.epoch));
    }
    if let Some(release) = &now.release {
        let state_before =
            before.and_then(|before| before.release.as_ref()).filter(|before| before.id == release.id);
        if state_before.map(|before| before.state) != Some(release.state) {
            let reason =
                if release.reason.is_empty() { String::new() } else { format!(": {}", release.reason) };
            texts.push(format!("{} ({}) {}{reason}", release.id, release.version, release.state));
        }
    }
    for (name, reason) in &now.alarms {
        if before.is_none_or(|before| !before.alarms.contains_key(name)) {
            texts.push(format!("alarm {name}: {reason}"));
        }
    }
    texts
}
