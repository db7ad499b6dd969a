//! The embedded store on SQLite.

use std::path::Path;

use tokio::sync::watch;

use crate::model::{ReleaseId, Revision, ServiceName};

use super::database::{Database, IfEmpty};
use super::folder::Folder;
use super::keeper::Keeper;
use super::rows::{self, RECORD_BYTES_MAX, Swap};
use super::thread::{StoreThread, Way};
use super::{
    BoxFuture, Store, StoreFault, StoredEvent, StoredExhibit, StoredRecord, StoredRelease, previous,
};

/// What kind of store was found when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There was no store. This is the very first start.
    Fresh,
    /// The store is as the last process left it.
    Existing,
    /// The store was damaged. This one is the previous copy, which may be as old as the start
    /// before the last one.
    FromPrevious { why: String },
    /// The store was damaged, and its copy was damaged too or missing. This store is empty, so the
    /// active color has to be found from the running containers.
    Lost { why: String },
}

/// A SQLite store in one folder, locked by this process. Dropping it finishes the calls that are
/// under way, closes the file and releases the lock before it returns.
///
/// A call whose future is dropped before its turn is not carried out. A call that failed with "no
/// answer" may have been carried out, so the caller has to read the record again before it decides
/// anything.
#[derive(Debug)]
pub struct SqliteStore {
    thread: StoreThread,
    /// Counts the written records, to wake the callers of [`Store::watch`].
    written: watch::Sender<u64>,
}

impl SqliteStore {
    /// Opens the store in `folder` and makes both if they are missing.
    ///
    /// A damaged store is [`StoreFault::Damaged`] and left as it is; so is a store that is gone
    /// while its copy is there. The call blocks on the disk, so it is for the start and not for a
    /// thread of a runtime.
    pub fn open(folder: &Path) -> Result<Self, StoreFault> {
        let folder = Folder::claim(folder)?;
        let (database, opened) = open_main(&folder)?;
        Self::run(folder, database, &opened)
    }

    /// Opens the store. If it is damaged, opens its previous copy; without a usable copy, begins an
    /// empty store. Also returns which of these was opened, and returns the same at each start
    /// until the first record is written.
    ///
    /// Some faults remain faults, since no copy helps against them: a lock, a newer format, a
    /// missing permission.
    pub fn open_or_recover(folder: &Path) -> Result<(Self, Opened), StoreFault> {
        let folder = Folder::claim(folder)?;
        let (database, opened) = match open_main(&folder) {
            Err(StoreFault::Damaged { why, .. }) => match previous::restore(&folder, &why) {
                Ok(database) => (database, Opened::FromPrevious { why }),
                Err(StoreFault::Damaged { why, .. }) => {
                    (previous::begin_anew(&folder, &why)?, Opened::Lost { why })
                }
                Err(fault) => return Err(fault),
            },
            opened => opened?,
        };
        Self::run(folder, database, &opened).map(|store| (store, opened))
    }

    fn run(folder: Folder, database: Database, opened: &Opened) -> Result<Self, StoreFault> {
        let refuse = |why: std::io::Error| StoreFault::Open { path: folder.shown(), why: why.to_string() };
        // An empty store has nothing to copy, and a restored copy has nothing new.
        let copier = if *opened == Opened::Existing {
            let (main, kept) = (folder.main(), folder.previous());
            let copy = move || {
                if let Err(fault) = previous::copy_file(&main, &kept) {
                    tracing::warn!(file = %kept.display(), %fault, "the store's previous copy can't be made");
                }
            };
            Some(std::thread::Builder::new().name("store-copy".into()).spawn(copy).map_err(refuse)?)
        } else {
            None
        };
        let thread = StoreThread::start(Keeper::new(folder, database), copier)?;
        Ok(Self { thread, written: watch::Sender::new(0) })
    }

    async fn swap(
        &self,
        service: ServiceName,
        expected: Revision,
        json: String,
        releases: Vec<StoredRelease>,
    ) -> Result<Revision, StoreFault> {
        check_size("the service's record", &json)?;
        for release in &releases {
            check_size("the release's record", &release.json)?;
        }
        let written = self.written.clone();
        self.thread
            .call(Way::Write, move |keeper| {
                let swap =
                    keeper.write(|db| rows::compare_and_swap(db, &service, expected, &json, &releases))?;
                match swap {
                    Swap::Written(revision) => {
                        written.send_modify(|count| *count = count.wrapping_add(1));
                        Ok(revision)
                    }
                    Swap::Conflict { found } => Err(StoreFault::Conflict {
                        service: service.to_string(),
                        expected: expected.0,
                        found,
                    }),
                }
            })
            .await
    }

    async fn await_newer(&self, service: &ServiceName, from: Revision) -> Result<StoredRecord, StoreFault> {
        // This subscribes before the first look, so that no write falls between the two. A write of
        // another service wakes this loop too, which costs one read of one row.
        let mut written = self.written.subscribe();
        loop {
            if let Some(record) = self.load(service).await?
                && record.revision > from
            {
                return Ok(record);
            }
            // The sender lives as long as the store, which this future borrows.
            written.changed().await.map_err(|_| StoreFault::Read("its thread has ended".into()))?;
        }
    }
}

fn open_main(folder: &Folder) -> Result<(Database, Opened), StoreFault> {
    let damaged = |why: &str| StoreFault::Damaged { path: folder.shown(), why: why.into() };
    let if_empty = if previous::has_traces(folder) { IfEmpty::Refuse } else { IfEmpty::Begin };
    let (database, fresh) = Database::open(&folder.main(), folder.path(), if_empty)?;
    let recovery = rows::recovery(&database.connection).map_err(|error| damaged(&error.to_string()))?;
    let opened = match recovery {
        _ if fresh => Opened::Fresh,
        None => Opened::Existing,
        Some((true, why)) => Opened::Lost { why },
        Some((false, why)) => Opened::FromPrevious { why },
    };
    Ok((database, opened))
}

fn check_size(what: &str, json: &str) -> Result<(), StoreFault> {
    if json.len() <= RECORD_BYTES_MAX {
        return Ok(());
    }
    let bytes = json.len();
    Err(StoreFault::Write(format!("{what} has {bytes} bytes; {RECORD_BYTES_MAX} is the most")))
}

#[cfg(test)]
impl SqliteStore {
    /// Lets the file grow to `pages` pages, or no further than its present size (0). Returns the
    /// limit. This simulates a full disk without a mount.
    pub(crate) async fn limit_pages(&self, pages: u32) -> Result<u32, StoreFault> {
        let limit = move |db: &mut rusqlite::Connection| {
            db.pragma_update_and_check(None, "max_page_count", pages.max(1), |row| row.get(0))
        };
        self.thread.call(Way::Write, move |keeper| keeper.write(limit)).await
    }

    pub(crate) fn set_patience(&mut self, patience: std::time::Duration) {
        self.thread.patience = patience;
    }

    /// Occupies the store's thread with `work`, as a disk does that does not answer.
    pub(crate) async fn occupy(&self, work: impl FnOnce() + Send + 'static) -> Result<(), StoreFault> {
        self.thread
            .call(Way::Write, move |_| {
                work();
                Ok(())
            })
            .await
    }
}

impl Store for SqliteStore {
    fn load<'a>(
        &'a self,
        service: &'a ServiceName,
    ) -> BoxFuture<'a, Result<Option<StoredRecord>, StoreFault>> {
        let service = service.clone();
        Box::pin(self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::load(db, &service))))
    }

    fn compare_and_swap<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Revision,
        json: String,
        releases: Vec<StoredRelease>,
    ) -> BoxFuture<'a, Result<Revision, StoreFault>> {
        Box::pin(self.swap(service.clone(), expected, json, releases))
    }

    fn watch<'a>(
        &'a self,
        service: &'a ServiceName,
        from: Revision,
    ) -> BoxFuture<'a, Result<StoredRecord, StoreFault>> {
        Box::pin(self.await_newer(service, from))
    }

    fn append<'a>(&'a self, release: &'a ReleaseId, json: String) -> BoxFuture<'a, Result<u64, StoreFault>> {
        let release = release.clone();
        Box::pin(async move {
            check_size("the event", &json)?;
            self.thread
                .call(Way::Write, move |keeper| keeper.write(|db| rows::append(db, &release, &json)))
                .await
        })
    }

    fn events<'a>(
        &'a self,
        release: &'a ReleaseId,
        after: u64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredEvent>, StoreFault>> {
        let release = release.clone();
        Box::pin(
            self.thread
                .call(Way::Read, move |keeper| keeper.read(|db| rows::events(db, &release, after, limit))),
        )
    }

    fn release<'a>(&'a self, id: &'a ReleaseId) -> BoxFuture<'a, Result<Option<StoredRelease>, StoreFault>> {
        let id = id.clone();
        Box::pin(self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::release(db, &id))))
    }

    fn history<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredRelease>, StoreFault>> {
        let service = service.clone();
        Box::pin(
            self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::history(db, &service, limit))),
        )
    }

    fn audit<'a>(&'a self, service: &'a ServiceName, json: String) -> BoxFuture<'a, Result<(), StoreFault>> {
        let service = service.clone();
        Box::pin(async move {
            check_size("the audit line", &json)?;
            self.thread
                .call(Way::Write, move |keeper| keeper.write(|db| rows::audit(db, &service, &json)))
                .await
        })
    }

    fn audit_log<'a>(
        &'a self,
        service: &'a ServiceName,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreFault>> {
        let service = service.clone();
        Box::pin(
            self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::audit_log(db, &service, limit))),
        )
    }

    fn exhibit<'a>(
        &'a self,
        release: &'a ReleaseId,
        name: &'a str,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>> {
        let (release, name) = (release.clone(), name.to_owned());
        Box::pin(async move {
            check_size("the exhibit", &json)?;
            self.thread
                .call(Way::Write, move |keeper| keeper.write(|db| rows::exhibit(db, &release, &name, &json)))
                .await
        })
    }

    fn keep_credential<'a>(&'a self, name: &'a str, json: String) -> BoxFuture<'a, Result<(), StoreFault>> {
        let name = name.to_owned();
        Box::pin(async move {
            check_size("the credential", &json)?;
            self.thread
                .call(Way::Write, move |keeper| keeper.write(|db| rows::keep_credential(db, &name, &json)))
                .await
        })
    }

    fn credential<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreFault>> {
        let name = name.to_owned();
        Box::pin(self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::credential(db, &name))))
    }

    fn keep_memory<'a>(
        &'a self,
        service: &'a ServiceName,
        json: String,
    ) -> BoxFuture<'a, Result<(), StoreFault>> {
        let service = service.clone();
        Box::pin(async move {
            check_size("the memory", &json)?;
            self.thread
                .call(Way::Write, move |keeper| keeper.write(|db| rows::keep_memory(db, &service, &json)))
                .await
        })
    }

    fn memory<'a>(&'a self, service: &'a ServiceName) -> BoxFuture<'a, Result<Option<String>, StoreFault>> {
        let service = service.clone();
        Box::pin(self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::memory(db, &service))))
    }

    fn exhibits<'a>(
        &'a self,
        release: &'a ReleaseId,
    ) -> BoxFuture<'a, Result<Vec<StoredExhibit>, StoreFault>> {
        let release = release.clone();
        Box::pin(self.thread.call(Way::Read, move |keeper| keeper.read(|db| rows::exhibits(db, &release))))
    }
}
