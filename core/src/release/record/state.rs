//! A service's record: everything a decision needs, plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::health::ColorHealth;
use crate::model::{Color, Epoch, PerColor, ReleaseId, ServiceName, Tick, Version};

use super::side::{Fallback, KeptSet, Side};
use crate::release::{Alarm, Policy, Release, Run};

/// A person has fixed the active color; nothing moves by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    pub reason: Option<String>,
    pub until: Option<Tick>,
}

/// A version that was reverted; it is not released again unforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    pub version: Version,
    /// Why it was reverted.
    pub reason: String,
    /// The release that was.
    pub release: ReleaseId,
}

/// What `trigger = "on_healthy"` has seen of the other color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Since when nothing has run there while the active color was healthy throughout.
    pub down_since: Option<Tick>,
    /// It was down for long enough: its coming up is the edge.
    pub armed: bool,
    /// After a revert, rollback or failure of that color: until a person's deploy.
    pub disarmed: PerColor<bool>,
    /// Containers that somebody else runs: those that the color had when it last had the traffic or
    /// a release. `None`: never looked. A color with none of them left has come up anew.
    #[serde(default)]
    pub known: PerColor<Option<Vec<String>>>,
}

/// The whole record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub service: ServiceName,
    pub active: Color,
    pub epoch: Epoch,
    pub pin: Option<Pin>,
    pub paused: bool,
    /// The release that runs, or the last one once it is final; `None` only if there never was one.
    pub release: Option<Release>,
    /// A release that waits; depth 1.
    pub queued: Option<Release>,
    /// How many releases there were: the last one's number.
    pub numbered: u64,
    pub sides: PerColor<Side>,
    pub fallback: Option<Fallback>,
    /// Stopped sets of managed containers, newest last; at most `keep_releases`.
    pub kept: Vec<KeptSet>,
    /// Newest last; at most `QUARANTINE_MAX`.
    pub quarantine: Vec<QuarantineEntry>,
    pub discovery: Discovery,
    /// Hooks and tags that are under way; at most 8.
    #[serde(default)]
    pub errands: Vec<Run>,
    /// When what was pushed last was pushed, by the senders' clocks (Unix seconds).
    #[serde(default)]
    pub newest_push: Option<u64>,
    /// Alarms raised, with why.
    pub alarms: BTreeMap<Alarm, String>,
    /// Each color's last summary; `None` until there is one (after a restart).
    #[serde(skip)]
    pub health: PerColor<Option<ColorHealth>>,
    /// What each color's last probes failed by.
    #[serde(skip)]
    pub ailing: PerColor<Option<String>>,
    /// The store can't be written now.
    #[serde(skip)]
    pub unwritable: bool,
    /// Which containers of each color run now, where somebody else runs them.
    #[serde(skip)]
    pub seen: PerColor<Option<Vec<String>>>,
    /// Why an engine does not answer, while one does not.
    #[serde(skip)]
    pub engine_away: Option<String>,
    #[serde(skip)]
    pub policy: Policy,
}

impl State {
    /// The oldest entry gives way: a limit on everything.
    pub(crate) const QUARANTINE_MAX: usize = 100;

    /// The very first start: `initial` is active and takes traffic at once.
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
            alarms: BTreeMap::new(),
            health: PerColor::default(),
            ailing: PerColor::default(),
            unwritable: false,
            seen: PerColor::default(),
            engine_away: None,
            policy,
        }
    }

    /// The record was lost or can't be read: `active` is what runs (ambiguous: the color that
    /// has been up longest), and the service stays pinned until a person confirms.
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
