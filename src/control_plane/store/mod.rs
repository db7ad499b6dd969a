//! L3: what must survive: service records with compare-and-swap, release records, events, audit.
//!
//! Records are opaque JSON texts to this room; the controller writes and reads them. SQLite is the
//! embedded default; etcd takes its place later, behind the same trait.
//!
//! The embedded store is one folder, and one process may use it ([`SqliteStore::open`] locks it):
//!
//! | file | what |
//! |---|---|
//! | `store.db`, `-wal`, `-shm` | the store |
//! | `store.previous.db` | a verified copy of it, made at the last start that found it whole |
//! | `store.damaged.db` | what was put aside when a damaged store was replaced, for a person to look at |
//! | `lock` | held while greenlight runs |
//!
//! An answered write is on the disk (WAL with `synchronous = FULL`: each commit is an fsync). One
//! thread owns the one connection, so a write never waits for a lock, and a hanging disk holds up
//! that thread and no other: callers get a fault after [`ANSWER_MAX`].

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
