//! L3: what must survive: service records with compare-and-swap, release records, events, audit.
//!
//! Records are opaque JSON texts to this room; the controller writes and reads them. SQLite is the
//! embedded default; etcd takes its place later, behind the same trait.

mod fault;
mod sqlite;
mod store;

pub use fault::StoreFault;
pub use sqlite::SqliteStore;
pub use store::{BoxFuture, Store, StoredEvent, StoredRecord, StoredRelease};
