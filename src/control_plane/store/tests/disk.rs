//! A disk fails while the store is in use, and comes back.

use std::fs;
use std::sync::mpsc as blocking;
use std::time::Duration;

use crate::clock;
use crate::control_plane::store::{SqliteStore, Store, StoreFault};
use crate::model::Revision;

use super::{folder, record, seeded, service};

async fn swap(store: &SqliteStore, expected: u64, json: &str) -> Result<Revision, StoreFault> {
    store.compare_and_swap(&service(), Revision(expected), json.into(), Vec::new()).await
}

#[tokio::test]
async fn a_full_disk_is_reported_at_once_and_over_when_there_is_room() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    swap(&store, 0, "small").await.unwrap();
    let pages = store.limit_pages(0).await.unwrap();
    store.limit_pages(pages).await.unwrap();
    let large = "x".repeat(1 << 20);
    let began = clock::instant();
    for _ in 0..3 {
        let fault = swap(&store, 1, &large).await.unwrap_err();
        assert!(matches!(&fault, StoreFault::Write(why) if why.contains("full")), "{fault}");
    }
    assert!(clock::instant().duration_since(began) < Duration::from_secs(3));
    assert_eq!(record(&store).await, Some((1, "small".into())), "reads go on, and nothing was half written");
    swap(&store, 1, "tiny").await.expect("what fits is written");
    store.limit_pages(pages + 1000).await.unwrap();
    swap(&store, 2, &large).await.expect("the next call tries again");
    drop(store);
    assert_eq!(record(&SqliteStore::open(folder.path()).unwrap()).await, Some((3, large)));
}

#[tokio::test]
async fn a_folder_removed_while_in_use_is_made_again_with_all_its_content() {
    let parent = folder();
    let folder = parent.path().join("store");
    let store = SqliteStore::open(&folder).unwrap();
    swap(&store, 0, "a").await.unwrap();
    store.audit(&service(), "line".into()).await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
    // A file is in the place of the folder, so the folder can't be made.
    fs::write(&folder, "in the way").unwrap();
    for _ in 0..2 {
        let fault = swap(&store, 1, "b").await.unwrap_err();
        assert!(matches!(fault, StoreFault::Write(_)), "{fault}");
    }
    assert_eq!(record(&store).await, Some((1, "a".into())), "reads go on");
    fs::remove_file(&folder).unwrap();
    assert_eq!(swap(&store, 1, "b").await.unwrap(), Revision(2));
    assert!(matches!(SqliteStore::open(&folder), Err(StoreFault::Locked(_))), "and it is locked again");
    drop(store);
    let store = SqliteStore::open(&folder).unwrap();
    assert_eq!(record(&store).await, Some((2, "b".into())));
    assert_eq!(store.audit_log(&service(), 9).await.unwrap(), ["line"]);
}

#[tokio::test]
async fn a_removed_log_loses_nothing() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    swap(&store, 0, "a").await.unwrap();
    fs::remove_file(folder.path().join("store.db-wal")).unwrap();
    swap(&store, 1, "b").await.unwrap();
    // The files are copied without a close, as a crash would leave them.
    let copy = super::folder();
    for file in ["store.db", "store.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    assert_eq!(record(&SqliteStore::open(copy.path()).unwrap()).await, Some((2, "b".into())));
    drop(store);
    assert_eq!(record(&SqliteStore::open(folder.path()).unwrap()).await, Some((2, "b".into())));
}

#[tokio::test]
async fn a_file_that_a_person_put_in_its_place_is_not_written_over() {
    let folder = folder();
    seeded(folder.path(), "mine").await;
    let theirs = super::folder();
    seeded(theirs.path(), "theirs").await;
    let store = SqliteStore::open(folder.path()).unwrap();
    let main = folder.path().join("store.db");
    fs::rename(&main, folder.path().join("moved.db")).unwrap();
    fs::create_dir(&main).unwrap();
    let fault = swap(&store, 1, "b").await.unwrap_err();
    assert!(matches!(&fault, StoreFault::Write(why) if why.contains("replaced")), "{fault}");
    fs::remove_dir(&main).unwrap();
    assert_eq!(swap(&store, 1, "b").await.unwrap(), Revision(2), "out of the way again");

    fs::rename(theirs.path().join("store.db"), &main).unwrap();
    for _ in 0..2 {
        let fault = swap(&store, 2, "c").await.unwrap_err();
        assert!(matches!(&fault, StoreFault::Write(why) if why.contains("restart")), "{fault}");
    }
}

#[tokio::test]
async fn a_disk_that_hangs_is_reported_after_a_while_and_then_at_once() {
    let folder = folder();
    let mut store = SqliteStore::open(folder.path()).unwrap();
    store.set_patience(Duration::from_millis(50));
    swap(&store, 0, "a").await.unwrap();
    let (wake, hangs) = blocking::sync_channel::<()>(1);
    let hung = store.occupy(move || {
        let _ = hangs.recv();
    });
    assert!(matches!(hung.await, Err(StoreFault::Write(_))));
    let fault = swap(&store, 1, "given up").await.unwrap_err();
    assert!(matches!(&fault, StoreFault::Write(why) if why.contains("no answer from the disk")), "{fault}");
    let fault = store.load(&service()).await.unwrap_err();
    assert!(matches!(fault, StoreFault::Read(_)), "{fault}");
    store.set_patience(Duration::from_secs(30));
    wake.send(()).unwrap();
    // A call that its caller gave up was not carried out later.
    assert_eq!(record(&store).await, Some((1, "a".into())));
    assert_eq!(swap(&store, 1, "b").await.unwrap(), Revision(2));
}
