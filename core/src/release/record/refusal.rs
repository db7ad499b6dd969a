//! Why an event was not taken, each by name.

/// A refusal; nothing has changed. The text is for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing to do and nothing wrong: the version is active already.
    #[error("version {version} is active already")]
    SameVersion { version: String },
    /// Nothing to do and nothing wrong: a release of it is under way, and no person asks for another.
    #[error("version {version} is under release already, as {release}")]
    UnderWay { version: String, release: String },
    /// Messages overtake each other: what was pushed last stays.
    #[error("version {version} was pushed {seconds} s before the one that was pushed last: ignored")]
    OlderPush { version: String, seconds: u64 },
    #[error("the service is pinned{}: unpin it, or use --force", reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    Pinned { reason: Option<String> },
    #[error("version {version} is in quarantine: it was reverted ({why}); use --force, or `quarantine rm`")]
    Quarantined { version: String, why: String },
    /// The command does not fit the state.
    #[error("{command} is not possible in state {state}: {hint}")]
    WrongState { command: &'static str, state: &'static str, hint: &'static str },
    #[error("there is nothing to roll back to: {0}")]
    NoRollback(&'static str),
    #[error("no release {0} is kept")]
    UnknownRelease(String),
    #[error("version {0} is not in quarantine")]
    NotQuarantined(String),
    /// No release begins, ends or is changed but by a revert; a fact that would end one is to be
    /// given again.
    #[error("the store can't be written: nothing can be asked for until it can")]
    StoreUnwritable,
    /// A fact about another release, epoch or color than the one that runs: dropped.
    #[error("it belongs to {0}, which is not what runs now")]
    Stale(String),
    /// A fact that can't happen in this state.
    #[error("{fact} means nothing in state {state}")]
    Unexpected { fact: &'static str, state: &'static str },
}
