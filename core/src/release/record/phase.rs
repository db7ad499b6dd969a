//! The states of a release, each with the data that only it needs.
//!
//! Every state that waits holds the tick at which it stops waiting: there is no timer that a
//! restart could lose, and an invariant asks for it ([`crate::release::State::check`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::{Bucket, Control, Judge, Trip};
use crate::model::Tick;

/// How long the workers' acknowledgements of a switch are waited for.
pub(crate) const ACKNOWLEDGE_WAIT: Duration = Duration::from_secs(10);

/// Why a release is degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DegradedCause {
    /// It tripped under a pin.
    Pinned,
    /// There is no healthy color to go back to.
    OldSick,
    /// It tripped with `on_trip = hold`.
    Hold,
    /// No verdict, with `on_inconclusive = hold`.
    Inconclusive,
}

impl DegradedCause {
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

/// Where a release has got to (docs/releases.md). A service without a release, or with a final one, is stable.
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
    /// A stage of checking: the gate is open and the candidate has a share of the traffic.
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

/// Waits for its debounce, or for the release before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The debounce is over then.
    pub due: Tick,
    /// `promote_timeout`: cancelled then.
    pub expires: Tick,
}

/// Managed containers come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starting {
    pub deadline: Tick,
    /// Whether the color is free of an older release's containers, and ours are asked for.
    pub cleared: bool,
}

/// Probes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checking {
    /// No evidence from before counts.
    pub since: Tick,
    /// `progress_deadline`, not reset by progress.
    pub deadline: Tick,
}

/// The gate was open; a person's word, or the end of a pin, is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaiting {
    /// As in [`Checking`]: the gate is asked again before the switch.
    pub since: Tick,
    /// What was left of the progress deadline when it stopped.
    pub progress_left: Duration,
    /// `promote_timeout`: cancelled then.
    pub expires: Tick,
}

/// The gate was open and the candidate has a share of the traffic, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// As in [`Checking`]: the gate is asked again where it has to be.
    pub since: Tick,
    /// Percent of the traffic in each step, rising; as configured when it began.
    pub steps: Vec<u8>,
    /// The step that runs or comes next; `steps.len()` when all are over.
    pub step: usize,
    /// Whether the candidate has its share now; else all traffic is on the old color and the gate
    /// is waited for.
    pub open: bool,
    /// The step's end, while it is open.
    pub until: Tick,
    /// What is left of the step, while it is not.
    pub step_left: Duration,
    /// All steps and what was left of the progress deadline: not reset by anything.
    pub deadline: Tick,
    /// `None` until the first closed second has brought the old color's past.
    pub judge: Option<Judge>,
    /// The old color, live.
    #[serde(default)]
    pub control: Control,
}

/// The record says that the candidate is active; the workers are asked to acknowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promoting {
    /// Not waited for longer than this.
    pub deadline: Tick,
    /// Seconds that closed before the baseline was there: judged as soon as it is. At most
    /// `EARLY_MAX`.
    pub early: Vec<Bucket>,
    /// There is no old color to go back to: a first release.
    pub alone: bool,
    /// How many endpoints the gate saw.
    pub endpoints: u32,
}

impl Reverting {
    /// The state's word.
    pub(crate) const WORD: &str = "reverting";
}

impl Promoting {
    /// The wait for acknowledgements is 10 s; a bucket closes each second.
    pub(crate) const EARLY_MAX: usize = 16;
}

/// The judge watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bake {
    pub began: Tick,
    /// The bake's end as things are.
    pub deadline: Tick,
    /// The bake's end whatever happens: three bake times, and what a restart grants.
    pub limit: Tick,
    pub extensions: u32,
    pub judge: Judge,
    /// The last trip of a rule.
    pub trip: Option<Trip>,
    /// Both colors are sick: the cause is outside.
    pub outside: Option<ExternalCause>,
    /// The old color has been sick since the score was last 0: what was counted then says
    /// nothing about the candidate.
    pub tainted: bool,
    /// The old color, where something is still asked of it: see [`crate::release::Event::Control`].
    #[serde(default)]
    pub control: Control,
    /// Whether every worker has acknowledged the switch.
    pub acknowledged: bool,
    /// How many endpoints the candidate had; fewer are gone. `None`: to be read from the next summary.
    pub endpoints: Option<u32>,
}

/// What both colors suffer from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalCause {
    /// The candidate's endpoints are down: over when they, or the old ones, are up again.
    Down,
    /// The candidate's requests fail: over when the old color is up again.
    Errors,
}

/// Who moves the traffic back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Judge,
    Person,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reverting {
    pub by: By,
    /// What was wrong, for the record and the quarantine.
    pub why: String,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The old color's health is not known yet (a restart): not waited for longer than `until`.
    Waiting { until: Tick, bake: Box<Bake> },
    /// The record says that the old color is active; the workers are asked to acknowledge.
    Swapped { deadline: Tick },
}

/// A person is needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Degradation {
    pub cause: DegradedCause,
    /// `promote_timeout`: succeeded then, with its verdict.
    pub expires: Tick,
    pub bake: Box<Bake>,
}

impl Phase {
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queued(_) => "queued",
            Self::Pulling { .. } => "pulling",
            Self::Starting(_) => "starting",
            Self::Checking(_) | Self::Canary(_) => "checking",
            Self::AwaitingPromotion(_) => "awaiting_promotion",
            Self::Promoting(_) => "promoting",
            Self::Baking(_) => "baking",
            Self::Reverting(_) => Reverting::WORD,
            Self::Degraded(_) => "degraded",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Reverted => "reverted",
            Self::RolledBack => "rolled_back",
        }
    }

    /// Where it stands towards the switch.
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

    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.stretch(), Stretch::Final)
    }

    /// When the state ends by itself at the latest; `None` only for final ones.
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

    /// The bake, where there is one.
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

    /// The bake, to be changed: where [`Phase::bake`] has one.
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

/// The three stretches of a release's life: what a newer release, an abort and a rollback go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Not switched yet: it can be cancelled.
    Before,
    /// Switched: it is waited for.
    After,
    Final,
}
