//! Errands as data. An errand is work that is done outside greenlight for a release: a hook, or the
//! moving of tags in the registry. The rules are in [`crate::release::rules::errands`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Color, ReleaseId, Tick, Version};

/// The kind of an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// The hook that the switch waits for.
    PrePromote,
    /// The hook that runs when the bake begins, or when a first release succeeds.
    PostPromote,
    /// The hook that runs when the traffic goes back.
    OnRevert,
    /// The tags `stable` and `previous` are moved in the registry.
    Tags,
}

impl Errand {
    /// The configuration key that asks for the errand.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrePromote => "pre_promote",
            Self::PostPromote => "post_promote",
            Self::OnRevert => "on_revert",
            Self::Tags => "tags",
        }
    }

    /// The errand's name in a sentence.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::PrePromote => "the pre_promote hook",
            Self::PostPromote => "the post_promote hook",
            Self::OnRevert => "the on_revert hook",
            Self::Tags => "the moving of tags",
        }
    }
}

/// How long each errand may take. `None` means that the configuration does not ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errands {
    pub pre_promote: Option<Duration>,
    pub post_promote: Option<Duration>,
    pub on_revert: Option<Duration>,
    pub tags: Option<Duration>,
}

impl Errands {
    /// The longest time for this errand, or `None` if the configuration does not ask for it.
    #[must_use]
    pub const fn timeout(&self, errand: Errand) -> Option<Duration> {
        match errand {
            Errand::PrePromote => self.pre_promote,
            Errand::PostPromote => self.post_promote,
            Errand::OnRevert => self.on_revert,
            Errand::Tags => self.tags,
        }
    }
}

/// An errand that has begun and whose result has not been acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub errand: Errand,
    pub release: ReleaseId,
    pub color: Color,
    pub version: Version,
    /// The version of the other color, if it is known.
    pub other: Option<Version>,
    /// When the errand counts as failed if it has not reported. The shell keeps the errand's own timeout.
    pub deadline: Tick,
    /// The result, once the errand has reported. The error is a sentence for people.
    pub outcome: Option<Result<(), String>>,
}

/// The most errands at a time. Past that the oldest is dropped, so that the list is bounded. A service
/// has one release under way, and its errands take seconds.
pub(crate) const RUNS_MAX: usize = 8;
