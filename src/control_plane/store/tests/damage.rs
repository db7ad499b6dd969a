//! Stores that can't be opened as they are, and how the store recovers from them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use crate::control_plane::store::{Opened, SqliteStore, Store, StoreFault};
use crate::model::Revision;

use super::{folder, record, seeded, service};

fn overwrite_the_middle(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    assert!(bytes.len() > 8192, "{}", bytes.len());
    bytes[100..8192].fill(0xA5);
    fs::write(file, bytes).unwrap();
}

/// Makes a store that holds "new" and whose previous copy holds "old".
async fn with_a_copy(folder: &Path) {
    seeded(folder, "old").await;
    let store = SqliteStore::open(folder).unwrap();
    // The copy is made while the store is in use. Closing the store waits for the copy.
    drop(store);
    // A folder at the path of the next copy prevents it, so the previous copy stays.
    fs::create_dir(folder.join("store.previous.db.new")).unwrap();
    let store = SqliteStore::open(folder).unwrap();
    store.compare_and_swap(&service(), Revision(1), "new".into(), Vec::new()).await.unwrap();
    drop(store);
    let copy = Connection::open(folder.join("store.previous.db")).unwrap();
    let kept: String = copy.query_row("SELECT record FROM services", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "old");
}

#[tokio::test]
async fn the_first_start_differs_from_the_next_ones() {
    let folder = folder();
    let inside = folder.path().join("deep/store");
    let (store, opened) = SqliteStore::open_or_recover(&inside).unwrap();
    assert_eq!(opened, Opened::Fresh);
    drop(store);
    let (store, opened) = SqliteStore::open_or_recover(&inside).unwrap();
    assert_eq!(opened, Opened::Existing);
    drop(store);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    for file in ["store.db", "store.previous.db", "lock"] {
        assert_eq!(mode(&inside.join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn one_folder_serves_one_greenlight() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    for _ in 0..2 {
        let fault = SqliteStore::open(folder.path()).unwrap_err();
        assert!(matches!(&fault, StoreFault::Locked(path) if *path == folder.path().display().to_string()));
        assert!(matches!(SqliteStore::open_or_recover(folder.path()), Err(StoreFault::Locked(_))));
    }
    store.compare_and_swap(&service(), Revision(0), "a".into(), Vec::new()).await.unwrap();
    drop(store);
    assert_eq!(record(&SqliteStore::open(folder.path()).unwrap()).await, Some((1, "a".into())));
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let folder = folder();
    seeded(folder.path(), "a").await;
    Connection::open(folder.path().join("store.db"))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    for _ in 0..2 {
        match SqliteStore::open_or_recover(folder.path()) {
            Err(StoreFault::NewerFormat { found: 99, known, .. }) => assert!(known < 99),
            other => panic!("{other:?}"),
        }
    }
    assert!(!folder.path().join("store.damaged.db").exists());
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let folder = folder();
    let file = folder.path().join("store.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&file).unwrap();
    match SqliteStore::open_or_recover(folder.path()) {
        Err(StoreFault::Open { why, .. }) => assert!(why.contains("another program's"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_damaged_store_is_reported_and_kept_and_its_copy_takes_its_place() {
    let folder = folder();
    with_a_copy(folder.path()).await;
    let main = folder.path().join("store.db");
    overwrite_the_middle(&main);
    let damaged = fs::read(&main).unwrap();
    match SqliteStore::open(folder.path()) {
        Err(StoreFault::Damaged { .. }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&main).unwrap(), damaged, "looking at it changes nothing");

    let (store, opened) = SqliteStore::open_or_recover(folder.path()).unwrap();
    assert!(matches!(opened, Opened::FromPrevious { .. }), "{opened:?}");
    assert_eq!(record(&store).await, Some((1, "old".into())));
    assert_eq!(fs::read(folder.path().join("store.damaged.db")).unwrap(), damaged);
    drop(store);
    // A crash before the first decision must not hide that the store was restored.
    let (store, again) = SqliteStore::open_or_recover(folder.path()).unwrap();
    assert_eq!(again, opened);
    store.compare_and_swap(&service(), Revision(1), "decided".into(), Vec::new()).await.unwrap();
    drop(store);
    assert_eq!(SqliteStore::open_or_recover(folder.path()).unwrap().1, Opened::Existing);
}

#[tokio::test]
async fn a_store_that_is_gone_or_emptied_is_no_first_start() {
    for emptied in [false, true] {
        let folder = folder();
        with_a_copy(folder.path()).await;
        let main = folder.path().join("store.db");
        let spoiled = if emptied { fs::write(&main, b"") } else { fs::remove_file(&main) };
        spoiled.unwrap();
        assert!(matches!(SqliteStore::open(folder.path()), Err(StoreFault::Damaged { .. })));
        let (store, opened) = SqliteStore::open_or_recover(folder.path()).unwrap();
        assert!(matches!(opened, Opened::FromPrevious { .. }), "{opened:?}");
        assert_eq!(record(&store).await, Some((1, "old".into())));
    }
}

#[tokio::test]
async fn without_a_usable_copy_all_is_lost_and_reported_as_lost() {
    for with_copy in [false, true] {
        let folder = folder();
        if with_copy {
            with_a_copy(folder.path()).await;
            overwrite_the_middle(&folder.path().join("store.previous.db"));
        } else {
            seeded(folder.path(), "a").await;
        }
        overwrite_the_middle(&folder.path().join("store.db"));
        for _ in 0..2 {
            let (store, opened) = SqliteStore::open_or_recover(folder.path()).unwrap();
            assert!(matches!(opened, Opened::Lost { .. }), "{opened:?}");
            assert_eq!(record(&store).await, None);
        }
        assert!(folder.path().join("store.damaged.db").exists());
    }
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_a_clear_fault() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let fault = SqliteStore::open(&file).unwrap_err();
    assert!(matches!(fault, StoreFault::Open { .. }), "{fault}");
    assert!(fault.to_string().contains("folder can't be made"), "{fault}");
    fs::create_dir(folder.path().join("store.db")).unwrap();
    let fault = SqliteStore::open_or_recover(folder.path()).unwrap_err();
    assert!(matches!(fault, StoreFault::Open { .. }), "{fault}");
}
