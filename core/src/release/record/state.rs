//! A service's record, as plain data. It holds everything that a decision needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::health::ColorHealth;
use crate::model::{Color, Epoch, PerColor, ReleaseId, ServiceName, Tick, Version};

use super::side::{Fallback, KeptSet, Side};
use crate::release::{Alarm, Policy, Presence, Pushes, Release, Run, Supervision};

/// A person has fixed the active color, so that nothing moves by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub reason: Option<String>,
    pub until: Option<Tick>,
}

/// A version that was reverted. It is not released again without `--force`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    pub version: Version,
    /// Why it was reverted.
    pub reason: String,
    /// The release that was reverted.
    pub release: ReleaseId,
}

/// The observations of `trigger = "on_healthy"` about the other color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Since when nothing has run in the other color, while the active color was healthy all the time.
    pub down_since: Option<Tick>,
    /// The other color was down for long enough. When it comes up, that is the edge.
    pub armed: bool,
    /// The color's last release was reverted, rolled back or failed. The edge starts no release there
    /// until a person deploys.
    pub disarmed: PerColor<bool>,
    /// Where somebody else runs the containers: the ids that the color had when it last had the traffic
    /// or a release. `None` means that greenlight has not looked yet. A color in which none of these ids
    /// is left has come up anew.
    #[serde(default)]
    pub known: PerColor<Option<Vec<String>>>,
}

/// The record of one service. The parts that are not stored are known anew after each start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub service: ServiceName,
    pub active: Color,
    pub epoch: Epoch,
    pub pin: Option<Pin>,
    pub paused: bool,
    /// The release that runs, or the last one that has ended. It is `None` only if there never was a
    /// release.
    pub release: Option<Release>,
    /// The release that waits. The queue has one place.
    pub queued: Option<Release>,
    /// How many releases there were, which is the number of the last one.
    pub numbered: u64,
    pub sides: PerColor<Side>,
    pub fallback: Option<Fallback>,
    /// Stopped sets of managed containers, newest last; at most `keep_releases`.
    pub kept: Vec<KeptSet>,
    /// Versions in quarantine, newest last, at most `QUARANTINE_MAX`.
    pub quarantine: Vec<QuarantineEntry>,
    pub discovery: Discovery,
    /// Hooks and tags that are under way; at most 8.
    #[serde(default)]
    pub errands: Vec<Run>,
    /// The time of the newest push, by the senders' clocks (Unix seconds).
    #[serde(default)]
    pub newest_push: Option<u64>,
    /// What was pushed and found lately.
    #[serde(default)]
    pub pushes: Pushes,
    /// The alarms that are up, each with its reason.
    pub alarms: BTreeMap<Alarm, String>,
    /// Each color's last summary of health. It is `None` after a start until the first summary.
    #[serde(skip)]
    pub health: PerColor<Option<ColorHealth>>,
    /// Why the last probes of each color failed, in words.
    #[serde(skip)]
    pub ailing: PerColor<Option<String>>,
    /// The store can't be written now.
    #[serde(skip)]
    pub unwritable: bool,
    /// The containers of each color that run now, if somebody else runs them.
    #[serde(skip)]
    pub seen: PerColor<Option<Vec<String>>>,
    /// Why an engine does not answer; `None` while every engine does.
    #[serde(skip)]
    pub engine_away: Option<String>,
    /// Which certificate of the service's hosts has ended; `None` while each one is valid.
    #[serde(skip)]
    pub certificate: Option<String>,
    /// How many containers of each color's set run; `None` until every engine has told it.
    /// Why the image of the release that is being pulled is not there yet.
    #[serde(skip)]
    pub pull_trouble: Option<String>,
    #[serde(skip)]
    pub presence: PerColor<Option<Presence>>,
    #[serde(skip)]
    pub supervision: PerColor<Supervision>,
    #[serde(skip)]
    pub policy: Policy,
}

impl State {
    /// The most entries of the quarantine. Past that the oldest entry is dropped, so that the list is
    /// bounded.
    pub(crate) const QUARANTINE_MAX: usize = 100;

    /// The record of the very first start. `initial` is active and takes traffic at once.
    #[must_use]
    pub fn new(service: ServiceName, initial: Color, policy: Policy) -> Self {
        Self {
            service,
            active: initial,
            epoch: Epoch::default(),
            pin: None,
            paused: false,
            release: None,
            queued: None,
            numbered: 0,
            sides: PerColor::default(),
            fallback: None,
            kept: Vec::new(),
            quarantine: Vec::new(),
            discovery: Discovery::default(),
            errands: Vec::new(),
            newest_push: None,
            pushes: Pushes::default(),
            pull_trouble: None,
            alarms: BTreeMap::new(),
            health: PerColor::default(),
            ailing: PerColor::default(),
            unwritable: false,
            seen: PerColor::default(),
            engine_away: None,
            certificate: None,
            presence: PerColor::default(),
            supervision: PerColor::default(),
            policy,
        }
    }

    /// The record of a service whose record was lost or can't be read. The caller has found out which
    /// color is `active`. The service stays pinned until a person confirms.
    #[must_use]
    pub fn rebuilt(service: ServiceName, active: Color, policy: Policy) -> Self {
        let mut state = Self::new(service, active, policy);
        state.pin = Some(Pin { reason: Some("state rebuilt".to_owned()), until: None });
        state.alarms.insert(
            Alarm::StateRebuilt,
            format!("the record was lost; {active} was taken as active: `unpin` confirms it"),
        );
        state
    }
}
