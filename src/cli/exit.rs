//! The exit codes (DESIGN.md section 6).

use std::process::ExitCode;

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
    pub(crate) fn of_state(state: &str) -> Self {
        match state {
            "succeeded" => Self::Done,
            "failed" | "cancelled" => Self::NotReleased,
            "reverted" | "rolled_back" => Self::Reverted,
            "degraded" => Self::Degraded,
            _ => Self::Broken,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
