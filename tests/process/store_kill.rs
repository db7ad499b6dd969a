//! What the store has answered survives `kill -9`.
//!
//! A child process (this test's own executable) writes without pause and says each answered
//! revision on its standard output; it is killed at a random one; the store is opened again.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use greenlight::control_plane::store::{Opened, SqliteStore, Store, StoredRelease};
use greenlight::model::{ReleaseId, Revision, ServiceName};
use greenlight_testkit::house::MACHINE;

const FOLDER: &str = "GREENLIGHT_TEST_STORE";
const ROUNDS: u32 = 15;

fn service() -> ServiceName {
    ServiceName::from("backend")
}

fn story() -> ReleaseId {
    ReleaseId::from("backend-story")
}

#[test]
#[ignore = "the child of answered_writes_survive_a_kill: does nothing alone"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (store, _) = SqliteStore::open_or_recover(Path::new(&folder)).unwrap();
    runtime.block_on(async {
        let mut revision =
            store.load(&service()).await.unwrap().map_or(Revision(0), |record| record.revision);
        loop {
            let next = revision.0 + 1;
            let id = ReleaseId::numbered(&service(), next / 10);
            let release = StoredRelease { id, service: service(), json: next.to_string() };
            revision = store
                .compare_and_swap(&service(), revision, format!("record {next}"), vec![release])
                .await
                .unwrap();
            store.append(&story(), revision.to_string()).await.unwrap();
            // On a line of its own: the harness has left one unfinished.
            println!("\nanswered {revision}");
            std::io::stdout().flush().unwrap();
        }
    });
}

/// Runs the child until it has said `count` revisions, kills it; the last revision that it said.
fn kill_after(folder: &Path, count: u32) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_kill::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut said = 0;
    let mut last = 0;
    // To the end of what it wrote: what was still in the pipe had been answered too.
    for line in output.lines() {
        let Some(revision) = line.unwrap().strip_prefix("answered ").and_then(|text| text.parse().ok())
        else {
            continue;
        };
        last = revision;
        said += 1;
        if said == count {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success() && said >= count, "it ended by itself after {said}");
    last
}

#[tokio::test]
async fn answered_writes_survive_a_kill() {
    let _machine = MACHINE.read().await;
    let folder = tempfile::tempdir().unwrap();
    let seed = fastrand::get_seed();
    println!("seed {seed}");
    for round in 0..ROUNDS {
        let answered = kill_after(folder.path(), fastrand::u32(1..40));
        let (store, opened) = SqliteStore::open_or_recover(folder.path()).unwrap();
        assert_eq!(opened, Opened::Existing, "round {round}");
        let record = store.load(&service()).await.unwrap().expect("a record");
        let revision = record.revision.0;
        // The one that was under way may be there too, whole.
        assert!((answered..=answered + 1).contains(&revision), "answered {answered}, found {revision}");
        assert_eq!(record.json, format!("record {revision}"));
        let release = store.history(&service(), 1).await.unwrap().remove(0);
        assert_eq!(release.json, revision.to_string(), "the release is of the same transaction");
        let story = store.events(&story(), 0, 10_000).await.unwrap();
        let told: Vec<u64> = story.iter().map(|event| event.json.parse().unwrap()).collect();
        assert!(told.last().is_some_and(|&last| last >= answered), "round {round}: {:?}", told.last());
        assert!(told.is_sorted());
    }
}
