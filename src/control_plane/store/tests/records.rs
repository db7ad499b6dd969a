//! Reads return what was written, in order and within the limits.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::control_plane::store::schema;
use crate::control_plane::store::schema::Format;
use crate::control_plane::store::{
    AUDIT_ROWS_MAX, EVENTS_MAX, EVENTS_PER_RELEASE_MAX, RECORD_BYTES_MAX, RELEASES_PER_SERVICE_MAX,
    SqliteStore, Store, StoreFault, StoredRecord, rows,
};
use crate::model::{ReleaseId, Revision, ServiceName};

use super::{folder, record, release, service};

#[tokio::test]
async fn a_record_is_written_only_over_the_revision_that_was_read() {
    let folder = folder();
    let store: Box<dyn Store> = Box::new(SqliteStore::open(folder.path()).unwrap());
    assert_eq!(store.load(&service()).await.unwrap(), None);
    assert_eq!(
        store.compare_and_swap(&service(), Revision(0), "a".into(), Vec::new()).await.unwrap(),
        Revision(1)
    );
    assert_eq!(
        store.compare_and_swap(&service(), Revision(1), "b".into(), Vec::new()).await.unwrap(),
        Revision(2)
    );
    for stale in [0, 1, 3] {
        let release = Some(release(1, "never"));
        match store
            .compare_and_swap(&service(), Revision(stale), "c".into(), release.into_iter().collect())
            .await
        {
            Err(StoreFault::Conflict { service, expected, found }) => {
                assert_eq!((service.as_str(), expected, found), ("backend", stale, 2));
            }
            other => panic!("{other:?}"),
        }
    }
    let record = store.load(&service()).await.unwrap();
    assert_eq!(record, Some(StoredRecord { revision: Revision(2), json: "b".into() }));
    assert_eq!(
        store.release(&ReleaseId::from("backend-1")).await.unwrap(),
        None,
        "no half of a refused write"
    );
    let other = ServiceName::from("other");
    assert_eq!(store.load(&other).await.unwrap(), None);
}

#[tokio::test]
async fn a_release_is_written_with_its_record_and_its_place_in_history_stays() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    for (revision, (number, json)) in [(1, "one"), (2, "two"), (1, "one, again")].into_iter().enumerate() {
        let expected = Revision(revision as u64);
        store.compare_and_swap(&service(), expected, "x".into(), vec![release(number, json)]).await.unwrap();
    }
    let history = store.history(&service(), 10).await.unwrap();
    assert_eq!(history, [release(2, "two"), release(1, "one, again")]);
    assert_eq!(store.history(&service(), 1).await.unwrap().len(), 1);
    let one = ReleaseId::from("backend-1");
    assert_eq!(store.release(&one).await.unwrap(), Some(release(1, "one, again")));
}

#[tokio::test]
async fn a_story_is_read_on_after_a_sequence_number() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (one, two) = (ReleaseId::from("backend-1"), ReleaseId::from("backend-2"));
    let mut given = Vec::new();
    for line in ["a", "b", "c"] {
        given.push(store.append(&one, line.into()).await.unwrap());
        store.append(&two, "other".into()).await.unwrap();
    }
    assert!(given.is_sorted() && given[0] > 0);
    let lines = |events: Vec<crate::control_plane::store::StoredEvent>| -> Vec<(u64, String)> {
        events.into_iter().map(|event| (event.seq, event.json)).collect()
    };
    let all = lines(store.events(&one, 0, 10).await.unwrap());
    assert_eq!(all, [(given[0], "a".into()), (given[1], "b".into()), (given[2], "c".into())]);
    assert_eq!(lines(store.events(&one, given[0], 1).await.unwrap()), [(given[1], "b".into())]);
    assert_eq!(store.events(&one, given[2], 10).await.unwrap(), []);
}

#[tokio::test]
async fn the_audit_log_is_newest_first_and_a_services_own() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    for line in ["first", "second"] {
        store.audit(&service(), line.into()).await.unwrap();
    }
    store.audit(&ServiceName::from("other"), "foreign".into()).await.unwrap();
    assert_eq!(store.audit_log(&service(), 10).await.unwrap(), ["second", "first"]);
    assert_eq!(store.audit_log(&service(), 1).await.unwrap(), ["second"]);
}

/// Makes an empty database with the tables in memory, since the limits need many rows and no disk.
fn tables() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    schema::migrate(&mut connection, schema::STEPS, 0).unwrap();
    connection
}

fn count(db: &Connection, table: &str) -> u32 {
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn the_oldest_releases_go_and_their_stories_with_them() {
    let mut db = tables();
    let over = u64::from(RELEASES_PER_SERVICE_MAX) + 3;
    for number in 1..=over {
        let release = release(number, "r");
        rows::append(&mut db, &release.id, "e").unwrap();
        rows::compare_and_swap(
            &mut db,
            &service(),
            Revision(number - 1),
            "s",
            std::slice::from_ref(&release),
        )
        .unwrap();
    }
    assert_eq!(count(&db, "releases"), RELEASES_PER_SERVICE_MAX);
    assert_eq!(count(&db, "events"), RELEASES_PER_SERVICE_MAX);
    let kept = |number| rows::release(&db, &ReleaseId::numbered(&service(), number)).unwrap().is_some();
    assert!(!kept(3) && kept(4) && kept(over));
    assert_eq!(rows::history(&db, &service(), usize::MAX).unwrap()[0], release(over, "r"));
}

#[test]
fn a_story_and_the_audit_log_have_an_end() {
    let mut db = tables();
    let one = ReleaseId::from("backend-1");
    let over = u64::from(EVENTS_PER_RELEASE_MAX) + 2;
    for line in 1..=over {
        rows::append(&mut db, &one, &line.to_string()).unwrap();
    }
    let story = rows::events(&db, &one, 0, usize::MAX).unwrap();
    assert_eq!(story.len(), EVENTS_PER_RELEASE_MAX as usize);
    assert_eq!((story[0].json.as_str(), story.last().unwrap().json.clone()), ("3", over.to_string()));

    // All rows but one are inserted at once, to save time. The last ones go through the ordinary
    // functions.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO";
    let fill = |table, column, rows| {
        let sql = format!("{many} {table} ({column}, record) SELECT 'filler' || i, 'x' FROM n");
        db.execute(&sql, [rows]).unwrap();
    };
    fill("audit", "service", AUDIT_ROWS_MAX + 5);
    fill("events", "release", EVENTS_MAX);
    rows::audit(&mut db, &service(), "last").unwrap();
    rows::append(&mut db, &one, "last").unwrap();
    assert_eq!(count(&db, "audit"), AUDIT_ROWS_MAX);
    assert_eq!(count(&db, "events"), EVENTS_MAX);
    assert_eq!(rows::audit_log(&db, &service(), 5).unwrap(), ["last"]);
    assert_eq!(rows::events(&db, &one, 0, 5).unwrap().last().unwrap().json, "last");
}

#[tokio::test]
async fn a_record_that_is_too_long_is_refused_with_its_size() {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    let long = "x".repeat(RECORD_BYTES_MAX + 1);
    let fault = store.compare_and_swap(&service(), Revision(0), long, Vec::new()).await.unwrap_err();
    assert!(fault.to_string().contains("4194305 bytes"), "{fault}");
    assert_eq!(record(&store).await, None);
}

#[test]
fn an_older_format_is_brought_to_the_present_one_step_by_step() {
    let steps =
        ["CREATE TABLE a (x INTEGER)", "ALTER TABLE a ADD COLUMN y INTEGER", "INSERT INTO a VALUES (1, 2)"];
    let mut db = Connection::open_in_memory().unwrap();
    assert_eq!(schema::format(&db).unwrap(), Format::Empty);
    schema::migrate(&mut db, &steps[..1], 0).unwrap();
    assert_eq!(schema::format(&db).unwrap(), Format::Greenlight(1));
    schema::migrate(&mut db, &steps, 1).unwrap();
    assert_eq!(schema::format(&db).unwrap(), Format::Greenlight(3));
    schema::migrate(&mut db, &steps, 3).unwrap();
    assert_eq!(count(&db, "a"), 1, "no step is taken twice");
    // A step that fails undoes the whole migration.
    let broken = ["", "", "", "CREATE TABLE b (x INTEGER)", "CREATE TABLE a (x INTEGER)"];
    schema::migrate(&mut db, &broken, 3).unwrap_err();
    assert_eq!(schema::format(&db).unwrap(), Format::Greenlight(3));
    db.query_row("SELECT count(*) FROM b", [], |_| Ok(())).unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_one_of_many_simultaneous_swaps_wins_each_round() {
    let folder = folder();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    for round in 0..20 {
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let json = format!("{round}/{racer}");
                    store.compare_and_swap(&service(), Revision(round), json, Vec::new()).await.map(|_| racer)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for racer in racers {
            match racer.await.unwrap() {
                Ok(racer) => winners.push(racer),
                Err(StoreFault::Conflict { found, .. }) => assert_eq!(found, round + 1),
                Err(fault) => panic!("{fault}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(record(&store).await, Some((round + 1, format!("{round}/{}", winners[0]))));
    }
}

#[tokio::test]
async fn a_watch_waits_for_a_newer_record_and_returns_it() {
    let folder = folder();
    let store = Arc::new(SqliteStore::open(folder.path()).unwrap());
    store.compare_and_swap(&service(), Revision(0), "a".into(), Vec::new()).await.unwrap();
    let (name, other) = (service(), ServiceName::from("other"));
    assert_eq!(store.watch(&name, Revision(0)).await.unwrap().json, "a");
    let watched = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.watch(&service(), Revision(1)).await }
    });
    store.compare_and_swap(&other, Revision(0), "not this one".into(), Vec::new()).await.unwrap();
    assert!(!watched.is_finished());
    store.compare_and_swap(&name, Revision(1), "b".into(), Vec::new()).await.unwrap();
    let seen = tokio::time::timeout(Duration::from_secs(30), watched).await.unwrap().unwrap().unwrap();
    assert_eq!((seen.revision, seen.json.as_str()), (Revision(2), "b"));
}
