//! The trait of every store. SQLite implements it; etcd is to implement it later.

use std::future::Future;
use std::pin::Pin;

use crate::model::{ReleaseId, Revision, ServiceName};

use super::StoreFault;

/// A boxed future, which the trait needs because it is used as a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A service's record as it was written last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// How often the record was written.
    pub revision: Revision,
    /// The record, as the controller wrote it.
    pub json: String,
}

/// A release's record, in the API's JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRelease {
    /// The id, such as `backend-7`.
    pub id: ReleaseId,
    pub service: ServiceName,
    pub json: String,
}

/// One line of a release's story. The store assigns `seq`, which only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The sequence number, counted over all releases.
    pub seq: u64,
    pub release: ReleaseId,
    pub json: String,
}

/// A text that is kept beside a release's record and is read only to explain the release. It is too
/// large, or written too often, to be a part of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredExhibit {
    /// The kind of the exhibit, as the controller calls it.
    pub name: String,
    /// The content; only the controller reads it.
    pub json: String,
}

/// The place where records are kept. Every call may fail, and none may block the caller's thread.
/// The faults are [`StoreFault::Read`] and [`StoreFault::Write`] unless a method names more.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Reads a service's record; `None` if there is none yet.
    fn load<'a>(
        &'a self,
        service: &'a ServiceName,
    ) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreFault>>;

    /// Writes the service's record and, in the same transaction, the records of `releases`, if the
    /// stored revision is `expected` (0 means that there is no record yet). Returns the new
    /// revision. Fails with [`StoreFault::Conflict`] if the stored revision is another one.
    fn compare_and_swap<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Revision,
        json: String,
        releases: Vec<StoredRelease>,
    ) -> BoxFuture<'a, Result<Revision, StoreFault>>;

    /// Waits until the service has a record with a revision above `from`, and returns the latest
    /// one. This is for several processes on one store; a SQLite store sees only its own writes.
    fn watch<'a>(
        &'a self,
        service: &'a ServiceName,
        from: Revision,
    ) -> BoxFuture<'a, Result<StoredRecord, StoreFault>>;

    /// Appends a line to a release's story and returns its sequence number.
    fn append<'a>(&'a self, release: &'a ReleaseId, json: String) -> BoxFuture<'a, Result<u64, StoreFault>>;

    /// Reads the lines of a release's story with a sequence number above `after`, oldest first, at
    /// most `limit` of them.
    fn events<'a>(
        &'a self,
        release: &'a ReleaseId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreFault>>;

    /// Reads the record of one release.
    fn release<'a>(&'a self, id: &'a ReleaseId) -> BoxFuture<'a, Result<Option<StoredRelease>, StoreFault>>;

    /// Reads the records of a service's releases, newest first, at most `limit` of them.
    fn history<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRelease>, StoreFault>>;

    /// Appends a line to the audit log.
    fn audit<'a>(&'a self, service: &'a ServiceName, json: String) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// Reads the audit log of a service, newest first, at most `limit` lines.
    fn audit_log<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreFault>>;

    /// Keeps an exhibit of a release and replaces an earlier one of the same name. The exhibits of
    /// older releases are removed when there are more than [`super::EXHIBITED_PER_SERVICE_MAX`]
    /// releases.
    fn exhibit<'a>(
        &'a self,
        release: &'a ReleaseId,
        name: &'a str,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// Keeps a secret that belongs to no service's record and that no other user may read (an ACME
    /// account, a certificate with its key). It replaces an earlier one of the same name.
    fn keep_credential<'a>(&'a self, name: &'a str, json: String) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// Reads a secret that [`Store::keep_credential`] wrote.
    fn credential<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFault>>;

    /// Keeps the judge's memory of a service and replaces an earlier one. It is a row of its own, so
    /// that the service's record and its revision stay as they are.
    fn keep_memory<'a>(
        &'a self,
        service: &'a ServiceName,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// Reads the memory that [`Store::keep_memory`] wrote; `None` if there is none.
    fn memory<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Result<Option<String>, StoreFault>>;

    /// Reads a release's exhibits, sorted by name.
    fn exhibits<'a>(
        &'a self,
        release: &'a ReleaseId,
    ) -> BoxFuture<'a, Result<Vec<StoredExhibit>, StoreFault>>;
}
