//! What every message is received with.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::book::Book;
use super::credential::Signing;
use super::intake::Intake;
use super::watch::Watch;

/// The webhooks in force; a reload puts another book there.
pub type Shelf = Arc<ArcSwap<Book>>;

/// What every request has.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) book: Shelf,
    pub(crate) watch: Watch,
    pub(crate) intake: Intake,
    /// A key that signs nothing: for names that are no webhook's, so that they take as long.
    pub(crate) nobody: Signing,
}
