//! The faults of a store.

/// A fault of the store, in words for the person who runs greenlight.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// Another writer changed the record first. The caller has to read the record and decide again.
    #[error("the record of {service} is at revision {found}, not {expected}")]
    Conflict { service: String, expected: u64, found: u64 },
    /// A later version of greenlight wrote the store, and this one can't read it.
    #[error("the store in {path} was written by a newer greenlight (format {found}, this one knows {known})")]
    NewerFormat { path: String, found: u32, known: u32 },
    /// Another process holds the lock of the folder.
    #[error("another greenlight uses the store in {0}: stop it, or give this one a [store] path of its own")]
    Locked(String),
    /// The folder or the file can't be made, locked, opened or used.
    #[error("the store in {path} can't be opened: {why}")]
    Open { path: String, why: String },
    /// The content of the file is damaged. There may be a previous copy.
    #[error("the store in {path} is damaged: {why}")]
    Damaged { path: String, why: String },
    /// A write failed, was too long, or got no answer from the disk in time.
    #[error("the store can't be written: {0}")]
    Write(String),
    /// A read failed or got no answer from the disk in time.
    #[error("the store can't be read: {0}")]
    Read(String),
}
