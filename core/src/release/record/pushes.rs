//! The memory of the pushes that were taken, so that the same message releases nothing twice.

use serde::{Deserialize, Serialize};

use crate::model::{Tick, Version};

/// What tells one delivery of a webhook from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The sender's own id of it, which a redelivery has too.
    Id(String),
    /// A hash of the message, where the sender tells no id. Two pushes may have the same message.
    Body(String),
}

/// A push that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTaken {
    pub version: Version,
    /// Its time by the sender's clock (Unix seconds).
    pub at: Option<u64>,
    pub delivery: Option<Delivery>,
}

impl PushTaken {
    pub(crate) fn new(version: &Version, at: Option<u64>, delivery: Option<&Delivery>) -> Self {
        Self { version: version.clone(), at, delivery: delivery.cloned() }
    }
}

/// The pushes of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pushes {
    /// The last pushes that were taken, newest last; at most [`Self::TAKEN_MAX`].
    pub taken: Vec<PushTaken>,
    /// The last version that a regular question for a tag has found.
    pub found: Option<Version>,
    /// The versions that machines have released lately, newest last, each with its time; at most
    /// [`Self::RECENT_MAX`].
    pub recent: Vec<(Version, Tick)>,
}

impl Pushes {
    const TAKEN_MAX: usize = 16;
    /// Two versions that have replaced each other three times.
    pub(crate) const RECENT_MAX: usize = 6;

    /// Whether this push was taken already. An id of the sender's is known for as long as it is kept. A
    /// message without one is the same only if no other push was taken since, and a time is compared with the
    /// last push too.
    pub(crate) fn knows(&self, push: &PushTaken) -> bool {
        let same_id = |old: &PushTaken| {
            matches!(&push.delivery, Some(Delivery::Id(_))) && old.delivery == push.delivery
        };
        let same_message = |old: &PushTaken| {
            let time = push.at.is_some() && old.at == push.at;
            let message = push.delivery.is_some() && old.delivery == push.delivery;
            time || (message && old.at == push.at)
        };
        let same_version = |old: &&PushTaken| old.version == push.version;
        self.taken.iter().filter(same_version).any(same_id)
            || self.taken.last().filter(same_version).is_some_and(same_message)
    }

    pub(crate) fn take(&mut self, push: PushTaken) {
        self.taken.push(push);
        let over = self.taken.len().saturating_sub(Self::TAKEN_MAX);
        self.taken.drain(..over);
    }
}
