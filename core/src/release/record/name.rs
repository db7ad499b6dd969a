//! The names of the states that a service and its releases can be in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A state's name as it is stored, sent, counted and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// Only a service has this state. No release runs and none is queued.
    Stable,
    Queued,
    Pulling,
    Starting,
    Checking,
    AwaitingPromotion,
    Promoting,
    Baking,
    Reverting,
    Degraded,
    Succeeded,
    Failed,
    Cancelled,
    Reverted,
    RolledBack,
}

impl StateName {
    /// Every name.
    pub const ALL: [Self; 15] = [
        Self::Stable,
        Self::Queued,
        Self::Pulling,
        Self::Starting,
        Self::Checking,
        Self::AwaitingPromotion,
        Self::Promoting,
        Self::Baking,
        Self::Reverting,
        Self::Degraded,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Reverted,
        Self::RolledBack,
    ];

    /// The name as it is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Queued => "queued",
            Self::Pulling => "pulling",
            Self::Starting => "starting",
            Self::Checking => "checking",
            Self::AwaitingPromotion => "awaiting_promotion",
            Self::Promoting => "promoting",
            Self::Baking => "baking",
            Self::Reverting => "reverting",
            Self::Degraded => "degraded",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Reverted => "reverted",
            Self::RolledBack => "rolled_back",
        }
    }

    /// The state with this name; `None` if there is no such state.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }

    /// Whether the state ends a release.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Reverted | Self::RolledBack)
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
