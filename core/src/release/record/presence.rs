//! How many containers of a color's set run, and the memory of their supervision.

use crate::model::{ReleaseId, Tick};

/// A set of managed containers, as the engines last reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    pub set: ReleaseId,
    /// How many of its containers run.
    pub running: u32,
    /// A person has stopped a container of it, by an observed `stop`. A container that has crashed or was
    /// killed does not count.
    pub stopped: bool,
    /// How often the engines have restarted its containers, in total.
    pub restarts: u32,
}

/// What supervision remembers of one set. It is not stored, since it is known anew within seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervision {
    /// The set that the other fields are about.
    pub set: Option<ReleaseId>,
    /// Since when fewer containers than wanted run.
    pub short_since: Option<Tick>,
    /// Since when all wanted containers run.
    pub whole_since: Option<Tick>,
    /// How often the set was started since it was last whole for a minute.
    pub tries: u32,
    /// The earliest time of the next start.
    pub next: Tick,
    /// The engines' restarts up to which the set counts as quiet.
    pub restarts: u32,
    /// How a container of the set ended last, with its last line. A failed start is told here too.
    pub end: Option<String>,
}
