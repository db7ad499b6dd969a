//! The states of a release, each with the data that only this state needs.
//!
//! Every state that waits holds the tick at which the wait ends. So no restart can lose a timer, and an
//! invariant checks that the tick is there ([`crate::release::State::check`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::{Bucket, Control, Judge, Trip};
use crate::model::Tick;
use crate::release::StateName;

/// How long a switch waits for the acknowledgments of the workers.
pub(crate) const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(10);

/// Why a release is degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DegradedCause {
    /// A rule tripped under a pin.
    Pinned,
    /// There is no healthy color to go back to.
    OldSick,
    /// A rule tripped with `on_trip = "hold"`.
    Hold,
    /// The bake ended without a verdict, with `on_inconclusive = "hold"`.
    Inconclusive,
}

impl DegradedCause {
    /// The cause's name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::OldSick => "old_sick",
            Self::Hold => "hold",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// The state of a release (docs/releases.md, "The states"). A service is stable if it has no release or a
/// final one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Queued(Queued),
    Pulling {
        deadline: Tick,
    },
    Starting(Starting),
    Checking(Checking),
    AwaitingPromotion(Awaiting),
    /// A stage of checking. The gate is open and the candidate has a share of the traffic.
    Canary(Box<Canary>),
    Promoting(Promoting),
    Baking(Box<Bake>),
    Reverting(Reverting),
    Degraded(Degradation),
    Succeeded,
    Failed,
    Cancelled,
    Reverted,
    RolledBack,
}

/// The release waits for its debounce, for the release before it, or for the end of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// When the debounce is over.
    pub due: Tick,
    /// The end of `promote_timeout`. The release is canceled then.
    pub expires: Tick,
}

/// The managed containers come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starting {
    pub deadline: Tick,
    /// Whether the color is free of an older release's containers and the start of this release's own is
    /// ordered.
    pub cleared: bool,
}

/// The candidate's endpoints are probed and the gate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checking {
    /// When the checks began. Evidence from before does not count.
    pub since: Tick,
    /// The end of `progress_deadline`. Progress does not move it.
    pub deadline: Tick,
}

/// The gate was open. The release waits for a person's `promote` or for the end of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaiting {
    /// As in [`Checking`]: the gate is asked again before the switch.
    pub since: Tick,
    /// The time that was left of the progress deadline when the wait began.
    pub progress_left: Duration,
    /// The end of `promote_timeout`. The release is canceled then.
    pub expires: Tick,
}

/// The gate was open, and the candidate has a share of the traffic, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// As in [`Checking`]. The gate is asked again after a restart, a pin or the last step.
    pub since: Tick,
    /// The candidate's percentage of the traffic in each step, rising, as configured when the canary
    /// began.
    pub steps: Vec<u8>,
    /// The index of the step that runs or comes next. It is `steps.len()` when all steps are over.
    pub step: usize,
    /// Whether the candidate has its share now. If not, all traffic is on the old color and the canary
    /// waits for the gate.
    pub open: bool,
    /// The end of the step, while it is open.
    pub until: Tick,
    /// The time that is left of the step, while it is not open.
    pub step_left: Duration,
    /// The end of all steps and of the rest of the progress deadline. Progress does not move it.
    pub deadline: Tick,
    /// The judge. It is `None` until the first closed second has brought the old color's past.
    pub judge: Option<Judge>,
    /// The old color's last seconds, as a live control.
    #[serde(default)]
    pub control: Control,
    /// Whether the next step waits because the old color fails as well.
    #[serde(default)]
    pub held: bool,
}

/// The record says that the candidate is active, and the workers are asked to acknowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promoting {
    /// When the wait for acknowledgments ends.
    pub deadline: Tick,
    /// Seconds that closed before the baseline was there, at most `EARLY_MAX`. They are judged as soon as
    /// the bake begins.
    pub early: Vec<Bucket>,
    /// Whether this is a first release, which has no old color to go back to.
    pub alone: bool,
    /// The number of endpoints when the gate was asked.
    pub endpoints: u32,
}

/// Limits of the wait for a baseline.
impl Promoting {
    /// Closed seconds that are kept. The wait for acknowledgments is 10 s, and one bucket closes in each
    /// second.
    pub(crate) const EARLY_MAX: usize = 16;
}

/// The judge watches the candidate, and the old color stays warm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and is stored")]
pub struct Bake {
    /// When the bake began.
    pub began: Tick,
    /// The end of the bake, as planned now.
    pub deadline: Tick,
    /// The latest end of the bake: three bake times, and the time that a restart grants.
    pub limit: Tick,
    /// How often the bake was extended because its verdict was inconclusive.
    pub extensions: u32,
    pub judge: Judge,
    /// The last trip of a rule.
    pub trip: Option<Trip>,
    /// Both colors are sick or fail, so the cause is outside. While this is set nothing is moved.
    pub outside: Option<ExternalCause>,
    /// The old color is sick, and has been so since a second that `before` holds. The seconds counted
    /// meanwhile say nothing about the candidate.
    pub tainted: bool,
    /// The judge as it was when the old color became sick. It goes on from there when the old color has
    /// recovered, so that the seconds between are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Judge>>,
    /// The bake goes on past its time because a score stood over a quarter of its bound at the end.
    #[serde(default)]
    pub suspected: bool,
    /// The old color's seconds with synthetic requests ([`crate::release::Event::Control`]).
    #[serde(default)]
    pub control: Control,
    /// Whether every worker has acknowledged the switch.
    pub acknowledged: bool,
    /// How many endpoints the candidate had at the switch. Builds before this one took it for the wanted
    /// number, so it is still written for them.
    pub endpoints: Option<u32>,
    /// Until when a trip waits, because the containers of both colors may be about to end together. `None`
    /// while no such trip waits.
    #[serde(default)]
    pub held_until: Option<Tick>,
    /// A trip has waited for long enough in the present absence of an engine.
    #[serde(default)]
    pub excused: bool,
}

/// How an outside cause shows itself, which decides when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalCause {
    /// The candidate's endpoints are down. The cause is over when one of the two colors is fit again.
    Down,
    /// The candidate's requests fail. The cause is over when the old color is fit and does not fail the
    /// synthetic requests.
    Errors,
    /// An engine does not answer, so the containers of both colors may be ending. The cause is over when the
    /// engine answers and the candidate is fit, or when the old color is still fit after a while.
    Engine,
}

/// Who moves the traffic back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Judge,
    Person,
}

/// The traffic is on its way back to the old color.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reverting {
    pub by: By,
    /// The reason, for the record and the quarantine.
    pub why: String,
    pub stage: Stage,
}

/// The two stages of going back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The old color's health is not known yet, as after a restart. The wait ends at `until`.
    Waiting { until: Tick, bake: Box<Bake> },
    /// The record says that the old color is active, and the workers are asked to acknowledge.
    Swapped { deadline: Tick },
}

/// A person is to decide about the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Degradation {
    pub cause: DegradedCause,
    /// The end of `promote_timeout`. The release then succeeds, unless its verdict is fail. With that it
    /// stays, and this is when people are told again.
    pub expires: Tick,
    pub bake: Box<Bake>,
}

impl Phase {
    /// The name of the state. A canary is a part of checking.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Queued(_) => StateName::Queued,
            Self::Pulling { .. } => StateName::Pulling,
            Self::Starting(_) => StateName::Starting,
            Self::Checking(_) | Self::Canary(_) => StateName::Checking,
            Self::AwaitingPromotion(_) => StateName::AwaitingPromotion,
            Self::Promoting(_) => StateName::Promoting,
            Self::Baking(_) => StateName::Baking,
            Self::Reverting(_) => StateName::Reverting,
            Self::Degraded(_) => StateName::Degraded,
            Self::Succeeded => StateName::Succeeded,
            Self::Failed => StateName::Failed,
            Self::Cancelled => StateName::Cancelled,
            Self::Reverted => StateName::Reverted,
            Self::RolledBack => StateName::RolledBack,
        }
    }

    /// The name of the state as text.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.name().as_str()
    }

    /// The stretch of the release's life that the state belongs to.
    #[must_use]
    pub const fn stretch(&self) -> Stretch {
        match self {
            Self::Queued(_)
            | Self::Pulling { .. }
            | Self::Starting(_)
            | Self::Checking(_)
            | Self::AwaitingPromotion(_)
            | Self::Canary(_) => Stretch::Before,
            Self::Promoting(_) | Self::Baking(_) | Self::Reverting(_) | Self::Degraded(_) => Stretch::After,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Reverted | Self::RolledBack => {
                Stretch::Final
            }
        }
    }

    /// Whether the release has ended.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.stretch(), Stretch::Final)
    }

    /// When the state ends by itself at the latest. It is `None` only for final states.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        match self {
            Self::Queued(queued) => Some(queued.expires),
            Self::Pulling { deadline } => Some(*deadline),
            Self::Starting(starting) => Some(starting.deadline),
            Self::Checking(checking) => Some(checking.deadline),
            Self::AwaitingPromotion(awaiting) => Some(awaiting.expires),
            Self::Canary(canary) => Some(canary.deadline),
            Self::Promoting(promoting) => Some(promoting.deadline),
            Self::Baking(bake) => Some(if bake.outside.is_some() { bake.limit } else { bake.deadline }),
            Self::Reverting(reverting) => match &reverting.stage {
                Stage::Waiting { until, .. } => Some(*until),
                Stage::Swapped { deadline } => Some(*deadline),
            },
            Self::Degraded(degradation) => Some(degradation.expires),
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Reverted | Self::RolledBack => None,
        }
    }

    /// The cause of a degraded release; `None` in every other state.
    #[must_use]
    pub const fn cause(&self) -> Option<&'static str> {
        match self {
            Self::Degraded(degradation) => Some(degradation.cause.as_str()),
            Self::Queued(_)
            | Self::Pulling { .. }
            | Self::Starting(_)
            | Self::Checking(_)
            | Self::AwaitingPromotion(_)
            | Self::Canary(_)
            | Self::Promoting(_)
            | Self::Baking(_)
            | Self::Reverting(_)
            | Self::Succeeded
            | Self::Failed
            | Self::Cancelled
            | Self::Reverted
            | Self::RolledBack => None,
        }
    }

    /// The judge that watches the candidate now, in a bake or in the open step of a canary.
    #[must_use]
    pub fn judge(&self) -> Option<&crate::judge::Judge> {
        match self {
            Self::Canary(canary) if canary.open => canary.judge.as_ref(),
            _ => self.bake().map(|bake| &bake.judge),
        }
    }

    /// The bake, if the state has one. A degraded release and one that waits to go back keep theirs.
    #[must_use]
    pub fn bake(&self) -> Option<&Bake> {
        match self {
            Self::Baking(bake) => Some(bake),
            Self::Degraded(degradation) => Some(&degradation.bake),
            Self::Reverting(reverting) => match &reverting.stage {
                Stage::Waiting { bake, .. } => Some(bake),
                Stage::Swapped { .. } => None,
            },
            Self::Queued(_)
            | Self::Pulling { .. }
            | Self::Starting(_)
            | Self::Checking(_)
            | Self::AwaitingPromotion(_)
            | Self::Canary(_)
            | Self::Promoting(_)
            | Self::Succeeded
            | Self::Failed
            | Self::Cancelled
            | Self::Reverted
            | Self::RolledBack => None,
        }
    }

    /// The bake of [`Phase::bake`], to be changed.
    pub(crate) fn bake_mut(&mut self) -> Option<&mut Bake> {
        match self {
            Self::Baking(bake) => Some(bake),
            Self::Degraded(degradation) => Some(&mut degradation.bake),
            Self::Reverting(reverting) => match &mut reverting.stage {
                Stage::Waiting { bake, .. } => Some(bake),
                Stage::Swapped { .. } => None,
            },
            Self::Queued(_)
            | Self::Pulling { .. }
            | Self::Starting(_)
            | Self::Checking(_)
            | Self::AwaitingPromotion(_)
            | Self::Canary(_)
            | Self::Promoting(_)
            | Self::Succeeded
            | Self::Failed
            | Self::Cancelled
            | Self::Reverted
            | Self::RolledBack => None,
        }
    }
}

/// The three stretches of a release's life. A newer release, an abort and a rollback go by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// The release has not switched and can be canceled.
    Before,
    /// The release has switched. A newer release waits until it has ended.
    After,
    /// The release has ended.
    Final,
}
