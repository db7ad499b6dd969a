//! The trait that SQLite implements now and etcd later.

use std::future::Future;
use std::pin::Pin;

use crate::model::{ReleaseId, Revision, ServiceName};

use super::StoreFault;

/// A future behind a pointer: the trait is used as an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A service's record as it was last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub revision: Revision,
    pub json: String,
}

/// A release's record: the API's JSON of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRelease {
    pub id: ReleaseId,
    pub service: ServiceName,
    pub json: String,
}

/// One line of a release's story; `seq` is given by the store and only grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub seq: u64,
    pub release: ReleaseId,
    pub json: String,
}

/// Something that is kept beside a release's record and is read only to explain it: too large, or
/// written too often, to be a part of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredExhibit {
    /// What it is; the controller's words.
    pub name: String,
    pub json: String,
}

/// Where records live. Every call may fail; none may block the caller's thread.
pub trait Store: Send + Sync + std::fmt::Debug {
    fn load<'a>(
        &'a self,
        service: &'a ServiceName,
    ) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreFault>>;

    /// Writes the service's record, and in the same transaction the release records beside it, if
    /// the stored revision is `expected` (0: there is none yet). Returns the new revision.
    fn compare_and_swap<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Revision,
        json: String,
        releases: Vec<StoredRelease>,
    ) -> BoxFuture<'a, Result<Revision, StoreFault>>;

    /// The last records written after `from`, as they come (for a fleet; one process sees only
    /// its own writes).
    fn watch<'a>(
        &'a self,
        service: &'a ServiceName,
        from: Revision,
    ) -> BoxFuture<'a, Result<StoredRecord, StoreFault>>;

    /// Appends a line to a release's story; returns its sequence number.
    fn append<'a>(&'a self, release: &'a ReleaseId, json: String) -> BoxFuture<'a, Result<u64, StoreFault>>;

    /// A release's story from `after` on (exclusive), oldest first, at most `limit` lines.
    fn events<'a>(
        &'a self,
        release: &'a ReleaseId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreFault>>;

    fn release<'a>(&'a self, id: &'a ReleaseId) -> BoxFuture<'a, Result<Option<StoredRelease>, StoreFault>>;

    /// A service's releases, newest first, at most `limit`.
    fn history<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRelease>, StoreFault>>;

    /// Appends to the audit log.
    fn audit<'a>(&'a self, service: &'a ServiceName, json: String) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// The audit log of a service, newest first, at most `limit` lines.
    fn audit_log<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreFault>>;

    /// Keeps an exhibit of a release, in place of the one of that name. Those of older releases go
    /// when there are many: see [`super::EXHIBITED_PER_SERVICE_MAX`].
    fn exhibit<'a>(
        &'a self,
        release: &'a ReleaseId,
        name: &'a str,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>>;

    /// Keeps something that is no record of a service and nobody else may read (an ACME account, a
    /// certificate with its key), in place of the one of that name.
    fn keep_credential<'a>(&'a self, name: &'a str, json: String) -> BoxFuture<'a, Result<(), StoreFault>>;

    fn credential<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFault>>;

    /// A release's exhibits, by name.
    fn exhibits<'a>(
        &'a self,
        release: &'a ReleaseId,
    ) -> BoxFuture<'a, Result<Vec<StoredExhibit>, StoreFault>>;
}
