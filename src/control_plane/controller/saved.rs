//! The outcome of a write that went on in the background.

use std::collections::BTreeMap;

use crate::control_plane::store::StoreFault;
use crate::model::{ReleaseId, Revision, ServiceName};

use super::view::ReleaseView;

/// The outcome of a write in the background.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(super) service: ServiceName,
    pub(super) base: Revision,
    pub(super) views: BTreeMap<ReleaseId, ReleaseView>,
    pub(super) outcome: Result<Revision, StoreFault>,
}
