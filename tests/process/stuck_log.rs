//! The front door's log is a pipe whose reader is stuck.

use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::time::Duration;

use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The flag that opens a pipe without waiting for its other end.
const O_NONBLOCK: i32 = 0o4000;

/// A client that makes its worker log: an HTTP/2 connection that ends at once.
async fn client_that_makes_lines(listener: SocketAddr) {
    let mut socket = TcpStream::connect(listener).await.unwrap();
    // The preface, empty SETTINGS, and a frame that is malformed (a PING of no length).
    let opening = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x06\0\0\0\0\0";
    socket.write_all(opening).await.unwrap();
    let mut answer = Vec::new();
    let reading = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), reading).await.expect("the worker answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_reader_of_the_log_holds_no_traffic_no_command_and_no_revert() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("log");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // The test holds both ends, so that nothing is refused and nothing is read.
    let mut reader =
        std::fs::OpenOptions::new().read(true).write(true).custom_flags(O_NONBLOCK).open(&pipe).unwrap();
    let setup = Setup {
        health: "min_healthy_time = \"1s\"",
        // At this level a worker writes many lines for each HTTP/2 connection.
        more: "[log]\nlevel = \"debug,h2=trace\"\n".to_owned(),
        log: Some(pipe),
        ..Setup::default()
    };
    let house = House::open(&setup).await;
    let load = house.load(10, Some(200.0));
    // The pipe takes 64 KiB. The queue behind it takes 8192 lines.
    let dropped = async || house.metric("greenlight_log_dropped_total").await.unwrap_or(0.0) > 0.0;
    house.admin().deploy(SERVICE, "bad", true).await.unwrap();
    house.until_state("baking").await;
    let begun = tokio::time::Instant::now();
    while !dropped().await {
        assert!(begun.elapsed() < PATIENCE, "the queue was never full");
        for _ in 0..20 {
            client_that_makes_lines(house.listener).await;
        }
        let before = load.counts().total();
        assert!(load.until(Duration::from_secs(5), |counts| counts.total() > before).await, "no traffic");
    }
    for upstream in &house.upstreams.green {
        upstream.fail(1.0).await.unwrap();
    }
    let reverted = house.admin().until(SERVICE, "the revert", Duration::from_secs(15), |service| {
        service.release.as_ref().is_some_and(|last| last.state.as_str() == "reverted")
    });
    assert_eq!(reverted.await.unwrap().active.as_str(), "blue");

    // Once the reader reads, the log says what is missing.
    let mut text = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let begun = tokio::time::Instant::now();
    while !String::from_utf8_lossy(&text).contains("log lines were dropped") {
        assert!(begun.elapsed() < PATIENCE, "not a word about the dropped lines");
        match reader.read(&mut buffer) {
            Ok(read) => text.extend_from_slice(&buffer[..read]),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    load.stop().await;
}
