//! The exit codes (docs/cli.md).

use std::process::ExitCode;

use crate::release::StateName;

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Succeeded, or nothing to do.
    Done = 0,
    /// Internal, or unreachable.
    Broken = 1,
    /// Usage, or bad configuration.
    Usage = 2,
    /// Failed or cancelled before the switch.
    NotReleased = 3,
    /// Reverted or rolled back.
    Reverted = 4,
    /// The wait timed out; the release goes on.
    TimedOut = 5,
    /// Wrong state, pinned, quarantined.
    Refused = 6,
    Degraded = 7,
}

impl Exit {
    /// The code for the state that a wait ended with.
    pub(crate) const fn of_state(state: StateName) -> Self {
        match state {
            StateName::Succeeded => Self::Done,
            StateName::Failed | StateName::Cancelled => Self::NotReleased,
            StateName::Reverted | StateName::RolledBack => Self::Reverted,
            StateName::Degraded => Self::Degraded,
            StateName::Stable
            | StateName::Queued
            | StateName::Pulling
            | StateName::Starting
            | StateName::Checking
            | StateName::AwaitingPromotion
            | StateName::Promoting
            | StateName::Baking
            | StateName::Reverting => Self::Broken,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
