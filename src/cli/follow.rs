//! Follows a release to its end.
//!
//! When the stream of events breaks off, the follower opens it again after the last event that it received.
//! It does so as long as the release runs, because a restart of greenlight does not end a release. The
//! follower gives up only after greenlight has not answered for 30 s.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::control_plane::controller::{EventView, ReleaseView, ServiceView};
use crate::release::StateName;

use super::client::{Admin, Events};
use super::fault::Fault;
use super::output::{self, Format};
use super::rundown;
use super::sse::EventStream;

/// The longest time for which greenlight may give no answer before the follower gives up.
pub(super) const UNREACHABLE_MAX: Duration = Duration::from_secs(30);
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// The time between two lines of progress on a terminal, where each line replaces the one before it.
const LOOK_TERMINAL: Duration = Duration::from_secs(1);
/// The same time for a log, where each line stays.
const LOOK_LOG: Duration = Duration::from_secs(30);

/// How the wait for a release ended.
#[derive(Debug)]
pub(super) enum End {
    /// The release is in a final state, or degraded.
    Ended(Box<ReleaseView>),
    /// The timeout is over and the release goes on. The view is absent when the API could not give it.
    TimedOut(Option<Box<ReleaseView>>),
}

/// Prints one line for each step of the release, until the release has ended, is degraded, or `timeout` is
/// over.
///
/// Fails when the API refuses, or when greenlight gives no answer for longer than `patience`.
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
    /// The number of the last event that was received.
    last: Option<u64>,
    /// The time of the first event, as RFC 3339 text.
    start: Option<String>,
    service: Option<String>,
    /// When greenlight last answered or sent an event.
    heard: Instant,
    format: Format,
    /// Whether the output is text on a terminal, so that a line can be replaced.
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

    /// Prints events as they arrive. Returns true after an event that ends the wait, false when the stream
    /// ends or breaks before one.
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
        // An event that the controller could not store has the number 0. A new stream can't start after it,
        // so the follower keeps the last number of a stored event.
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
        // The line is only a hint. If the API does not answer, the follower prints none.
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

    /// Reads the record of the release after its last event. The controller writes the record before it sends
    /// the event, except when the store can't be written. In that case the follower reads the record again,
    /// until it shows the end or `patience` is over.
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

/// Whether a state is final, or degraded, in which a person has to decide.
const fn is_end(state: StateName) -> bool {
    state.is_final() || matches!(state, StateName::Degraded)
}

fn look_interval(terminal: bool) -> Interval {
    let period = if terminal { LOOK_TERMINAL } else { LOOK_LOG };
    let mut interval = interval_at(tokio::time::Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
