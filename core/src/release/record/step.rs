//! The result of an event, as data.

use crate::judge::Numbers;
use crate::model::{ReleaseId, Tick};

use crate::release::{Effect, Release, State};

/// How soon the new state must be in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Persist {
    /// No stored part of the state has changed.
    No,
    /// Only counters have changed. They are stored with the next write, at the latest after a second.
    /// While the store can't be written every change is of this kind and is stored as soon as it can be.
    Soon,
    /// The state must be in the store before `after_persist` may go.
    Now,
}

/// A line of a release's story. There is one for each state that was entered, and there are notes between
/// them.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The release that the line is about; `None` if the service never had one.
    pub release: Option<ReleaseId>,
    /// The name of the state that was entered, or `note`.
    pub word: &'static str,
    pub reason: String,
    /// The judge's numbers, if the judge has counted something.
    pub numbers: Option<Numbers>,
}

/// The result of an event.
///
/// If the write that [`Persist::Now`] asks for fails, this step did not happen. The caller keeps the old
/// state, gives it [`crate::release::Event::StoreWritable`]`(false)`, and then gives the same event once
/// more. A revert needs no store. It then comes with all its effects in `now`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub state: State,
    /// Effects that may go at once.
    pub now: Vec<Effect>,
    /// Effects that may go only after `state` is persisted. The list is empty unless `persist` is
    /// [`Persist::Now`].
    pub after_persist: Vec<Effect>,
    pub persist: Persist,
    /// When the caller gives the next [`crate::release::Event::Deadline`].
    pub deadline: Option<Tick>,
    /// The reasons of all notes in one line, for the record and for people. It is empty if there is no
    /// note.
    pub reason: String,
    pub notes: Vec<Note>,
    /// Releases that reached a final state in this step, as they ended. A release that was replaced, in
    /// the queue or by a newer one, is found nowhere else.
    pub ended: Vec<Release>,
    /// The release that a command started or concerned.
    pub release: Option<ReleaseId>,
}
