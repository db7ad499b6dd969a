//! The state with which every message is received.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::book::Book;
use super::credential::Signing;
use super::intake::Intake;
use super::watch::Watch;

/// The webhooks in force. A reload replaces the book.
pub type Shelf = Arc<ArcSwap<Book>>;

/// The state that every request can use.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) book: Shelf,
    pub(crate) watch: Watch,
    pub(crate) intake: Intake,
    /// A key that no sender has. It is used for names that are no webhook's, so that their answer takes as
    /// long.
    pub(crate) decoy: Signing,
}
