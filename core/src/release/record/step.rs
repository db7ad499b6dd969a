//! What an event leads to, as data.

use crate::judge::Numbers;
use crate::model::{ReleaseId, Tick};

use crate::release::{Effect, Release, State};

/// How soon the new state must be in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Persist {
    /// Nothing that is stored has changed.
    No,
    /// Counters only: with the next write, at the latest after a second. Everything while the
    /// store can't be written: as soon as it can.
    Soon,
    /// Before `after_persist` may go.
    Now,
}

/// A line of a release's story, one for each state that was entered, plus `note`s.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// `None` where a service never had a release.
    pub release: Option<ReleaseId>,
    /// The state's word, or `note`.
    pub word: &'static str,
    pub reason: String,
    /// The judge's, where it had a say.
    pub numbers: Option<Numbers>,
}

/// What an event leads to.
///
/// If the write that [`Persist::Now`] asks for fails, this step did not happen: keep the old state,
/// give it [`crate::release::Event::StoreWritable`]`(false)`, then the same event once more. What may go on without a
/// store (a revert) then comes with all its effects in `now`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub state: State,
    /// May go at once.
    pub now: Vec<Effect>,
    /// Only after `state` is persisted; empty unless `persist` is [`Persist::Now`].
    pub after_persist: Vec<Effect>,
    pub persist: Persist,
    /// The next time that [`crate::release::Event::Deadline`] is due.
    pub deadline: Option<Tick>,
    /// What happened, for the record and for people; empty when nothing worth a line did.
    pub reason: String,
    pub notes: Vec<Note>,
    /// Releases that reached a final state in this step, as they ended: those that were replaced
    /// in the queue or by a newer one are nowhere else.
    pub ended: Vec<Release>,
    /// The release that a command started or concerned.
    pub release: Option<ReleaseId>,
}
