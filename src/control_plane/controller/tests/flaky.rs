//! A real store whose writes can be made to fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::control_plane::store::{
    BoxFuture, SqliteStore, Store, StoreFault, StoredEvent, StoredExhibit, StoredRecord, StoredRelease,
};
use crate::model::{ReleaseId, Revision, ServiceName};

#[derive(Clone, Debug)]
pub(crate) struct Flaky {
    store: Arc<SqliteStore>,
    failing: Arc<AtomicBool>,
    /// How long each write takes, in milliseconds. Writes wait for each other, as on a real disk.
    delay: Arc<AtomicU64>,
    disk: Arc<Mutex<()>>,
}

impl Flaky {
    pub(crate) fn open(folder: &Path) -> Self {
        Self {
            store: Arc::new(SqliteStore::open(folder).unwrap()),
            failing: Arc::default(),
            delay: Arc::default(),
            disk: Arc::default(),
        }
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// Makes each write take this long.
    pub(crate) fn slow(&self, delay: Duration) {
        self.delay.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Waits for the disk, if it is slow. The wait goes on in a task of its own, since a write that
    /// the loop has given up occupies the disk all the same.
    async fn fsync(&self) {
        let delay = Duration::from_millis(self.delay.load(Ordering::SeqCst));
        if delay.is_zero() {
            return;
        }
        let disk = Arc::clone(&self.disk);
        let waiting = crate::tasks::spawn("disk", async move {
            let _turn = disk.lock().await;
            tokio::time::sleep(delay).await;
        });
        waiting.await.unwrap();
    }

    /// A write that fails while the store is failing, and waits while the disk is slow.
    fn write<'a, T: Send + 'a>(
        &'a self,
        write: BoxFuture<'a, Result<T, StoreFault>>,
    ) -> BoxFuture<'a, Result<T, StoreFault>> {
        self.refused().unwrap_or_else(|| {
            Box::pin(async move {
                self.fsync().await;
                write.await
            })
        })
    }

    /// Writes a record without the loop.
    pub(crate) async fn overwrite(&self, service: &str, json: &str) {
        let service = ServiceName::from(service);
        let revision = self.store.load(&service).await.unwrap().map_or(Revision(0), |stored| stored.revision);
        self.store.compare_and_swap(&service, revision, json.to_owned(), Vec::new()).await.unwrap();
    }

    fn refused<'a, T: Send + 'a>(&self) -> Option<BoxFuture<'a, Result<T, StoreFault>>> {
        let failing = self.failing.load(Ordering::SeqCst);
        failing.then(|| -> BoxFuture<'a, Result<T, StoreFault>> {
            Box::pin(async { Err(StoreFault::Write("the disk is full".to_owned())) })
        })
    }
}

impl Store for Flaky {
    fn load<'a>(
        &'a self,
        service: &'a ServiceName,
    ) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreFault>> {
        self.store.load(service)
    }

    fn compare_and_swap<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Revision,
        json: String,
        releases: Vec<StoredRelease>,
    ) -> BoxFuture<'a, Result<Revision, StoreFault>> {
        self.write(self.store.compare_and_swap(service, expected, json, releases))
    }

    fn watch<'a>(
        &'a self,
        service: &'a ServiceName,
        from: Revision,
    ) -> BoxFuture<'a, Result<StoredRecord, StoreFault>> {
        self.store.watch(service, from)
    }

    fn append<'a>(&'a self, release: &'a ReleaseId, json: String) -> BoxFuture<'a, Result<u64, StoreFault>> {
        self.write(self.store.append(release, json))
    }

    fn events<'a>(
        &'a self,
        release: &'a ReleaseId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreFault>> {
        self.store.events(release, after, limit)
    }

    fn release<'a>(&'a self, id: &'a ReleaseId) -> BoxFuture<'a, Result<Option<StoredRelease>, StoreFault>> {
        self.store.release(id)
    }

    fn history<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRelease>, StoreFault>> {
        self.store.history(service, limit)
    }

    fn audit<'a>(&'a self, service: &'a ServiceName, json: String) -> BoxFuture<'a, Result<(), StoreFault>> {
        self.write(self.store.audit(service, json))
    }

    fn audit_log<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreFault>> {
        self.store.audit_log(service, limit)
    }

    fn exhibit<'a>(
        &'a self,
        release: &'a ReleaseId,
        name: &'a str,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>> {
        self.write(self.store.exhibit(release, name, json))
    }

    fn keep_credential<'a>(&'a self, name: &'a str, json: String) -> BoxFuture<'a, Result<(), StoreFault>> {
        self.write(self.store.keep_credential(name, json))
    }

    fn credential<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFault>> {
        self.store.credential(name)
    }

    fn exhibits<'a>(
        &'a self,
        release: &'a ReleaseId,
    ) -> BoxFuture<'a, Result<Vec<StoredExhibit>, StoreFault>> {
        self.store.exhibits(release)
    }
}
