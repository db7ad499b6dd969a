//! The reasons why a command was not carried out: a code for programs and a sentence for people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::release::Refusal;

/// The reason of a refusal, for programs: the member `code` of a problem document. Codes are added, never
/// renamed. The sentence beside it is for people and may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// No service has this name.
    UnknownService,
    /// No release with this identifier is kept.
    UnknownRelease,
    /// The version is active already.
    SameVersion,
    /// A release of the version runs already.
    UnderWay,
    /// A newer push is known already.
    OlderPush,
    /// The same message was taken before.
    SeenBefore,
    /// The service is pinned.
    Pinned,
    /// The version is in quarantine.
    Quarantined,
    /// The version is not in quarantine.
    NotQuarantined,
    /// The command does not fit the state of the service.
    WrongState,
    /// No version is kept that the service could go back to.
    NoRollback,
    /// The store can't be written.
    StoreUnwritable,
    /// The request names a state that has passed: another epoch, revision, release or color is in force.
    Stale,
    /// The fact can't happen in the state of the service.
    Unexpected,
    /// The request makes no sense for this service.
    Invalid,
    /// The image can't be had, and another release is under way.
    ImageUnavailable,
    /// The switch was asked for and begun, but the traffic ended up elsewhere.
    NotSwitched,
    /// Too many registries are asked at the same time.
    Busy,
    /// The process is stopping.
    Stopping,
}

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no service \"{0}\"")]
    UnknownService(String),
    #[error("there is no release \"{0}\"")]
    UnknownRelease(String),
    /// HTTP status 409. The text says how the command could succeed.
    #[error("{why}")]
    Conflict { code: RefusalCode, why: String },
    /// HTTP status 412. The precondition does not hold any more.
    #[error("{0}")]
    Stale(String),
    /// HTTP status 400. The request itself makes no sense for this service.
    #[error("{0}")]
    Invalid(String),
    /// HTTP status 503. The store can't be written, or the controller is busy or stopping.
    #[error("{why}")]
    Unavailable { code: RefusalCode, why: String },
}

impl Rejection {
    /// Returns the reason, for programs.
    #[must_use]
    pub const fn code(&self) -> RefusalCode {
        match self {
            Self::UnknownService(_) => RefusalCode::UnknownService,
            Self::UnknownRelease(_) => RefusalCode::UnknownRelease,
            Self::Stale(_) => RefusalCode::Stale,
            Self::Invalid(_) => RefusalCode::Invalid,
            Self::Conflict { code, .. } | Self::Unavailable { code, .. } => *code,
        }
    }

    pub(crate) fn stopping(why: &str) -> Self {
        Self::Unavailable { code: RefusalCode::Stopping, why: why.to_owned() }
    }
}

impl From<&Refusal> for RefusalCode {
    fn from(refused: &Refusal) -> Self {
        match refused {
            Refusal::SameVersion { .. } => Self::SameVersion,
            Refusal::UnderWay { .. } => Self::UnderWay,
            Refusal::OlderPush { .. } => Self::OlderPush,
            Refusal::SeenBefore { .. } => Self::SeenBefore,
            Refusal::Pinned { .. } => Self::Pinned,
            Refusal::Quarantined { .. } => Self::Quarantined,
            Refusal::WrongState { .. } => Self::WrongState,
            Refusal::NoRollback(_) => Self::NoRollback,
            Refusal::UnknownRelease(_) => Self::UnknownRelease,
            Refusal::NotQuarantined(_) => Self::NotQuarantined,
            Refusal::StoreUnwritable => Self::StoreUnwritable,
            Refusal::Stale(_) => Self::Stale,
            Refusal::Unexpected { .. } => Self::Unexpected,
        }
    }
}

/// Translates the step's refusal to the answer of a command.
impl From<Refusal> for Rejection {
    fn from(refused: Refusal) -> Self {
        let code = RefusalCode::from(&refused);
        match refused {
            Refusal::UnknownRelease(id) => Self::UnknownRelease(id),
            refused => Self::Conflict { code, why: refused.to_string() },
        }
    }
}
