//! The exit codes (docs/cli.md, "Exit codes").

use std::process::ExitCode;

use crate::release::StateName;

/// The exit code of a command. Scripts read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command succeeded, or there was nothing to do.
    Done = 0,
    /// An internal fault, or the admin API can't be reached.
    Broken = 1,
    /// Wrong arguments, or a configuration with faults.
    Usage = 2,
    /// The release failed or was canceled before the switch.
    NotReleased = 3,
    /// The release was reverted or rolled back.
    Reverted = 4,
    /// The time of `--timeout` is over; the release goes on.
    TimedOut = 5,
    /// The controller refused: the service is in the wrong state or pinned, or the version is in quarantine.
    Refused = 6,
    /// The release is degraded: a person has to decide.
    Degraded = 7,
}

impl Exit {
    /// The exit code for the state in which the release was when the wait ended. A state that is neither
    /// final nor degraded gives [`Exit::Broken`].
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
