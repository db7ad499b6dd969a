//! The reasons why an event is refused, each with a name.

/// A refusal. The state has not changed. The text is for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The version is active already. There is nothing to do, and nothing is wrong.
    #[error("version {version} is active already")]
    SameVersion { version: String },
    /// A release of the version is under way, and no person asks for another. There is nothing to do, and
    /// nothing is wrong.
    #[error("version {version} is under release already, as {release}")]
    UnderWay { version: String, release: String },
    /// The push is older than the newest one. Messages may overtake each other, and the newest push
    /// stays.
    #[error("version {version} was pushed {seconds} s before the one that was pushed last: ignored")]
    OlderPush { version: String, seconds: u64 },
    /// The push was taken before, or the version was found before. The same again is nothing new.
    #[error("version {version} was {how} before: the same again is nothing new; `deploy` releases it")]
    SeenBefore { version: String, how: &'static str },
    /// The service is pinned.
    #[error("the service is pinned{}: unpin it, or use --force", reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    Pinned { reason: Option<String> },
    /// The version was reverted and is in quarantine.
    #[error("version {version} is in quarantine: it was reverted ({why}); use --force, or `quarantine rm`")]
    Quarantined { version: String, why: String },
    /// The command does not fit the state.
    #[error("{command} is not possible in state {state}: {hint}")]
    WrongState { command: &'static str, state: &'static str, hint: &'static str },
    /// There is no color or version to go back to.
    #[error("there is nothing to roll back to: {0}")]
    NoRollback(&'static str),
    /// The named release is not kept.
    #[error("no release {0} is kept")]
    UnknownRelease(String),
    /// The version is not in quarantine.
    #[error("version {0} is not in quarantine")]
    NotQuarantined(String),
    /// The store can't be written. No release begins, ends or changes then, except by a revert. The shell
    /// gives a fact that would end a release again later.
    #[error("the store can't be written: nothing can be asked for until it can")]
    StoreUnwritable,
    /// The fact is about another release, epoch or color than the present one. It is dropped.
    #[error("it belongs to {0}, which is not what runs now")]
    Stale(String),
    /// The fact can't happen in this state.
    #[error("{fact} means nothing in state {state}")]
    Unexpected { fact: &'static str, state: &'static str },
}
