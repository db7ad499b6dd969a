//! What is done outside greenlight for a release, as data: its hooks, and the moving of tags in the
//! registry. The rules are in [`crate::release::rules::errands`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Color, ReleaseId, Tick, Version};

/// What is done outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    PrePromote,
    PostPromote,
    OnRevert,
    /// `stable` and `previous` are moved in the registry.
    Tags,
}

impl Errand {
    /// The key that asks for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PrePromote => "pre_promote",
            Self::PostPromote => "post_promote",
            Self::OnRevert => "on_revert",
            Self::Tags => "tags",
        }
    }

    /// Its name in a sentence.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::PrePromote => "the pre_promote hook",
            Self::PostPromote => "the post_promote hook",
            Self::OnRevert => "the on_revert hook",
            Self::Tags => "the moving of tags",
        }
    }
}

/// How long each errand may take; `None`: it is not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errands {
    pub pre_promote: Option<Duration>,
    pub post_promote: Option<Duration>,
    pub on_revert: Option<Duration>,
    pub tags: Option<Duration>,
}

impl Errands {
    /// The longest that this errand may take.
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

/// An errand that was begun and has not been settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub errand: Errand,
    pub release: ReleaseId,
    pub color: Color,
    pub version: Version,
    /// What the other color runs, where that is known.
    pub other: Option<Version>,
    /// The shell keeps the errand's own timeout; one that never reports is failed then.
    pub deadline: Tick,
    /// How it went, once it has reported.
    pub outcome: Option<Result<(), String>>,
}

/// The oldest gives way: a limit on everything. A service has one release under way, and seconds of
/// errands behind it.
pub(crate) const RUNS_MAX: usize = 8;
