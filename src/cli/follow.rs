//! Follows a release to its end.
//!
//! The stream of events is opened anew after the last event that came, for as long as it takes: a
//! restart of greenlight in the middle of a release is not the release's end. Only when nothing
//! was heard from it for 30 s is it given up.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::control_plane::controller::{EventView, ReleaseView, ServiceView};
use crate::release::StateName;

use super::client::{Admin, Events};
use super::fault::Fault;
use super::output::{self, Format};
use super::rundown;
use super::sse::EventStream;

/// How long greenlight may be out of reach.
pub(super) const UNREACHABLE_MAX: Duration = Duration::from_secs(30);
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// Between two looks at where it is: on a terminal (one line, replaced), and in a log.
const LOOK_TERMINAL: Duration = Duration::from_secs(1);
const LOOK_LOG: Duration = Duration::from_secs(30);

/// How a wait ended.
#[derive(Debug)]
pub(super) enum End {
    /// In a final state, or degraded.
    Ended(Box<ReleaseView>),
    /// The time was over; the release goes on.
    TimedOut(Option<Box<ReleaseView>>),
}

/// Prints a line a step until the release has ended, is degraded, or the time is over.
/// It is given up when greenlight is out of reach for longer than `patience`.
pub(super) async fn follow(
    admin: &Admin,
    release: &str,
    timeout: Option<Duration>,
    patience: Duration,
    format: Format,
) -> Result<End, Fault> {
    let mut follower = Follower {
        admin,
        release,
        last: None,
        start: None,
        service: None,
        heard: tokio::time::Instant::now(),
        format,
        terminal: output::is_terminal() && format == Format::Text,
        patience,
    };
    let ended = match timeout {
        None => follower.until_the_end().await,
        Some(timeout) => {
            let Ok(ended) = tokio::time::timeout(timeout, follower.until_the_end()).await else {
                follower.clear_hint();
                let last = follower.release().await.ok().map(Box::new);
                return Ok(End::TimedOut(last));
            };
            ended
        }
    };
    follower.clear_hint();
    ended.map(|release| End::Ended(Box::new(release)))
}

struct Follower<'a> {
    admin: &'a Admin,
    release: &'a str,
    /// The last event that came.
    last: Option<u64>,
    /// When the first event was, RFC 3339.
    start: Option<String>,
    service: Option<String>,
    /// When greenlight was last heard.
    heard: Instant,
    format: Format,
    /// Whether a line may be replaced.
    terminal: bool,
    patience: Duration,
}

impl Follower<'_> {
    async fn until_the_end(&mut self) -> Result<ReleaseView, Fault> {
        loop {
            match self.admin.events(self.release, self.last).await {
                Ok(Events::Stream(stream)) => {
                    self.heard = tokio::time::Instant::now();
                    if self.listen(stream).await {
                        return self.ended().await;
                    }
                }
                Ok(Events::NoMore) => return self.ended().await,
                Err(fault) if fault.passes() => self.check_patience(fault)?,
                Err(fault) => return Err(fault),
            }
            match self.release().await {
                Ok(release) if is_end(release.state) => return Ok(release),
                Ok(_) => self.heard = tokio::time::Instant::now(),
                Err(fault) if fault.passes() => self.check_patience(fault)?,
                Err(fault) => return Err(fault),
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    fn check_patience(&self, fault: Fault) -> Result<(), Fault> {
        if self.heard.elapsed() < self.patience { Ok(()) } else { Err(fault) }
    }

    /// Prints events as they come. True when the last one was an end; false when the stream broke.
    async fn listen(&mut self, mut stream: Box<EventStream>) -> bool {
        let mut look = look_interval(self.terminal);
        loop {
            tokio::select! {
                event = stream.next() => match event {
                    Ok(Some(event)) => {
                        self.heard = tokio::time::Instant::now();
                        self.print(&event);
                        if event.state().is_some_and(is_end) {
                            return true;
                        }
                    }
                    Ok(None) | Err(_) => return false,
                },
                _ = look.tick() => self.look().await,
            }
        }
    }

    fn print(&mut self, event: &EventView) {
        // Events that were not stored when they were told have no number.
        self.last = Some(event.seq).filter(|seq| *seq > 0).or(self.last);
        self.service.get_or_insert_with(|| event.service.clone());
        let start = self.start.get_or_insert_with(|| event.time.clone());
        let line = rundown::line(start, event);
        self.clear_hint();
        match self.format {
            Format::Json => output::say_json(event),
            Format::Text => output::say(&line),
        }
    }

    async fn look(&self) {
        let Some(service) = self.service.as_ref().filter(|_| self.format == Format::Text) else { return };
        // Only a hint: what can't be had is left out.
        let Ok(view) = self.admin.get::<ServiceView>(&["v1", "services", service], None).await else {
            return;
        };
        let text = rundown::progress(&view, self.release);
        if self.terminal {
            output::hint(&format!("          {text}"));
        } else if !text.is_empty() {
            output::say(&format!("                    {text}"));
        }
    }

    fn clear_hint(&self) {
        if self.terminal {
            output::hint("");
        }
    }

    /// The record of a release whose last event came. The record is written before the event is
    /// told, but for a store that could not be written: then it is asked again for a while.
    async fn ended(&self) -> Result<ReleaseView, Fault> {
        loop {
            match self.release().await {
                Ok(release) if is_end(release.state) => return Ok(release),
                Ok(release) if self.heard.elapsed() >= self.patience => return Ok(release),
                Ok(_) => {}
                Err(fault) if fault.passes() => self.check_patience(fault)?,
                Err(fault) => return Err(fault),
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn release(&self) -> Result<ReleaseView, Fault> {
        self.admin.get(&["v1", "releases", self.release], None).await
    }
}

/// A final state, or one in which only a person can go on.
const fn is_end(state: StateName) -> bool {
    state.is_final() || matches!(state, StateName::Degraded)
}

fn look_interval(terminal: bool) -> Interval {
    let period = if terminal { LOOK_TERMINAL } else { LOOK_LOG };
    let mut interval = interval_at(tokio::time::Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
