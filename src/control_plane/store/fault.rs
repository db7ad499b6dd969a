//! What can go wrong with a store.

/// A store's failure, in words for the person who runs it.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// Somebody else wrote first: read again and decide again.
    #[error("the record of {service} is at revision {found}, not {expected}")]
    Conflict { service: String, expected: u64, found: u64 },
    #[error("the store in {path} was written by a newer greenlight (format {found}, this one knows {known})")]
    NewerFormat { path: String, found: u32, known: u32 },
    #[error("another greenlight uses the store in {0}: stop it, or give this one a [store] path of its own")]
    Locked(String),
    #[error("the store in {path} can't be opened: {why}")]
    Open { path: String, why: String },
    /// The file is damaged; there may be a previous copy.
    #[error("the store in {path} is damaged: {why}")]
    Damaged { path: String, why: String },
    #[error("the store can't be written: {0}")]
    Write(String),
    #[error("the store can't be read: {0}")]
    Read(String),
}
