//! The store keeps everything that must survive a restart: service records with compare-and-swap,
//! release records, events and the audit log.
//!
//! The store treats records as opaque JSON texts. The controller writes and reads them. SQLite is
//! the embedded implementation; etcd is to become another one, behind the same trait.
//!
//! The embedded store is one folder. Only one process may use it, and [`SqliteStore::open`] locks
//! it.
//!
//! | file | content |
//! |---|---|
//! | `store.db`, `-wal`, `-shm` | the store |
//! | `store.previous.db` | a verified copy of the store, made at the last start that found it whole |
//! | `store.damaged.db` | the damaged store that was replaced, kept for a person to look at |
//! | `lock` | the lock file, held while greenlight runs |
//!
//! When a write has been answered, it is on the disk (WAL with `synchronous = FULL`, so each commit
//! is an fsync). One thread owns the one connection, so a write never waits for a lock of this
//! process. A hanging disk holds up only that thread, and callers get a fault after [`ANSWER_MAX`].

mod database;
mod fault;
mod folder;
mod keeper;
mod previous;
mod records;
mod rows;
mod schema;
mod sqlite;
#[cfg(test)]
mod tests;
mod thread;

pub use fault::StoreFault;
pub use records::{BoxFuture, Store, StoredEvent, StoredExhibit, StoredRecord, StoredRelease};
pub use rows::{
    AUDIT_ROWS_MAX, EVENTS_MAX, EVENTS_PER_RELEASE_MAX, EXHIBITED_PER_SERVICE_MAX, RECORD_BYTES_MAX,
    RELEASES_PER_SERVICE_MAX,
};
pub use sqlite::{Opened, SqliteStore};
pub use thread::ANSWER_MAX;
