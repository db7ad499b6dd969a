//! Signals to the whole program. Some reopen the access log, some stop the program, and no other one ends it
//! by mistake.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use greenlight_testkit::house::{House, Setup};

/// The time after which a test gives up.
const LIMIT: Duration = Duration::from_secs(30);

fn send(house: &House, signal: &str) {
    let pid = house.door.pid().expect("the door runs").to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success(), "{signal}");
}

/// Waits until `seen` is true.
async fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let waiting = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

fn lines(log: &Path) -> usize {
    std::fs::read_to_string(log).map_or(0, |text| text.lines().count())
}

#[tokio::test]
async fn signals_without_a_meaning_end_nothing() {
    let mut house = House::open(&Setup { processes: 1, ..Setup::default() }).await;
    let names = ["USR1", "USR2", "PIPE", "ALRM", "VTALRM", "PROF", "IO", "PWR", "XFSZ", "STKFLT", "HUP"];
    for name in names.into_iter().chain(["WINCH", "CHLD", "URG", "CONT", "34", "50", "64"]) {
        send(&house, name);
        assert_eq!(house.ask().await.unwrap().0, 200, "{name}");
        assert!(house.door.ended().is_none(), "{name}");
    }
    let status = house.door.terminate(LIMIT).await.unwrap();
    assert_eq!(status.code(), Some(0), "{}", house.door.tail());
}

#[tokio::test]
async fn a_rotated_access_log_is_opened_anew_by_a_signal_and_by_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let more = format!("[log]\naccess = \"{}\"\n", log.display());
    let house = House::open(&Setup { processes: 1, more, ..Setup::default() }).await;
    for (number, how) in ["USR1", "HUP", "reload"].into_iter().enumerate() {
        house.ask().await.unwrap();
        until(how, || lines(&log) == 1).await;
        let old = folder.path().join(format!("access.log.{number}"));
        std::fs::rename(&log, &old).unwrap();
        match how {
            "reload" => drop(house.admin().ask("POST", "/v1/reload", None).await.unwrap()),
            signal => send(&house, signal),
        }
        until(how, || log.exists()).await;
        assert_eq!(lines(&old), 1, "{how}");
    }
}

/// A stop that would take as long as the request in flight.
#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    for (first, second) in [("TERM", "TERM"), ("INT", "TERM"), ("TERM", "INT")] {
        let mut house = House::open(&Setup { processes: 1, ..Setup::default() }).await;
        let slow = greenlight::cli::sample_app::Change { latency_ms: Some(60_000), ..Default::default() };
        house.upstreams.blue[0].change(&slow).await.unwrap();
        let asked = house.load(1, None);
        let upstream = &house.upstreams.blue[0];
        let begun = upstream.report().await.unwrap().requests;
        while upstream.report().await.unwrap().requests <= begun {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        send(&house, first);
        until("a stop", || house.door.tail().contains(": stopping")).await;
        send(&house, second);
        let status = tokio::time::timeout(Duration::from_secs(10), house.door.wait()).await;
        assert_eq!(status.expect("no wait for the request").unwrap().code(), Some(1), "{first} {second}");
        drop(asked);
    }
}
