#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod disk;
mod records;

use std::path::Path;

use tempfile::TempDir;

use crate::model::{ReleaseId, Revision, ServiceName};

use super::{SqliteStore, Store, StoredRelease};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn service() -> ServiceName {
    ServiceName::from("backend")
}

fn release(number: u64, json: &str) -> StoredRelease {
    StoredRelease { id: ReleaseId::numbered(&service(), number), service: service(), json: json.into() }
}

/// Writes a store with one record at revision 1, and closes it.
async fn seeded(folder: &Path, json: &str) {
    let store = SqliteStore::open(folder).unwrap();
    store.compare_and_swap(&service(), Revision(0), json.into(), Vec::new()).await.unwrap();
}

async fn record(store: &SqliteStore) -> Option<(u64, String)> {
    store.load(&service()).await.unwrap().map(|record| (record.revision.0, record.json))
}
