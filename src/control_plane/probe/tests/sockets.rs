//! Real probes of real sockets. The tests wait for reports; the deadline only ends a test that
//! fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::clock;
use crate::control_plane::probe::{ProbeReport, ProbeTarget, Prober};
use crate::health::{Check, CheckKind, ProbeFailure, ProbeOutcome, Speech};
use crate::model::{Endpoint, EndpointId, ReleaseId};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const INTERVAL: Duration = Duration::from_millis(50);
/// Longer than any test, so that no second probe comes on schedule.
const NEVER: Duration = Duration::from_hours(1);

pub(crate) fn http(expect_body: Option<&str>) -> Check {
    let kind = CheckKind::Http {
        path: "/health?deep=1".into(),
        host: "backend.example.org".into(),
        expect_status: vec![200],
        expect_body: expect_body.map(str::to_owned),
    };
    Check { kind, speech: Speech::Http1, port: None, interval: INTERVAL, timeout: PATIENCE, fall: 3 }
}

fn tcp() -> Check {
    Check { kind: CheckKind::Tcp, ..http(None) }
}

pub(crate) fn target(address: SocketAddr, check: Check) -> ProbeTarget {
    let id = EndpointId::new(format!("backend/green/{address}"));
    ProbeTarget { endpoint: Endpoint { id, address, probe: None }, owner: None, check: Arc::new(check) }
}

fn owned(mut target: ProbeTarget, owner: &str) -> ProbeTarget {
    target.owner = Some(ReleaseId::from(owner));
    target
}

pub(crate) fn start() -> (Prober, mpsc::Receiver<ProbeReport>) {
    let (reports, received) = mpsc::channel(16);
    (Prober::start(reports, Arc::default()), received)
}

pub(crate) async fn next(reports: &mut mpsc::Receiver<ProbeReport>) -> ProbeReport {
    tokio::time::timeout(PATIENCE, reports.recv()).await.expect("a report in time").expect("a prober")
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts a connection, reads the head of the request, and returns both.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, String) {
    let round = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        (stream, String::from_utf8(head).unwrap())
    };
    tokio::time::timeout(PATIENCE, round).await.expect("a probe in time")
}

pub(crate) async fn answer(listener: &TcpListener, bytes: &[u8]) -> String {
    let (mut stream, head) = accept(listener).await;
    stream.write_all(bytes).await.unwrap();
    head
}

/// Returns an address with a free port, so that nothing listens there.
async fn vacant() -> SocketAddr {
    listen().await.1
}

pub(crate) fn failure(report: ProbeReport) -> ProbeFailure {
    match report.outcome {
        ProbeOutcome::Fail(failure) => failure,
        ProbeOutcome::Pass => panic!("it passed"),
    }
}

#[tokio::test]
async fn it_asks_as_configured_on_a_fresh_connection_each_time() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, http(None))]);
    for _ in 0..3 {
        let head = answer(&listener, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        assert!(head.starts_with("GET /health?deep=1 HTTP/1.1\r\nHost: backend.example.org\r\n"), "{head}");
        assert!(head.contains("\r\nUser-Agent: greenlight-probe/"), "{head}");
        assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
        let report = next(&mut reports).await;
        assert_eq!(report.outcome, ProbeOutcome::Pass);
        assert_eq!(report.endpoint.as_str(), format!("backend/green/{address}"));
    }
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, http(Some("ready")))]);
    answer(&listener, b"HTTP/1.1 503 No\r\n\r\n").await;
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Status(503));
    answer(&listener, b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n").await;
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Status(302));
    answer(&listener, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwait").await;
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Body);
    answer(&listener, b"220 smtp.example.org ESMTP\r\n").await;
    assert!(matches!(failure(next(&mut reports).await), ProbeFailure::Malformed(_)));
    answer(&listener, b"").await;
    assert!(matches!(failure(next(&mut reports).await), ProbeFailure::Malformed(_)));
    let (stream, _) = accept(&listener).await;
    stream.set_zero_linger().unwrap();
    drop(stream);
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Reset);
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\nI am ready").await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
}

#[tokio::test]
async fn silence_is_a_timeout_within_its_limit() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    let timeout = Duration::from_millis(80);
    let before = clock::instant();
    prober.set_targets(vec![target(address, Check { timeout, ..http(None) })]);
    let (mut stream, _) = accept(&listener).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\nServer").await.unwrap();
    let report = next(&mut reports).await;
    assert!(before.elapsed() >= timeout, "{:?}", before.elapsed());
    assert_eq!(failure(report), ProbeFailure::Timeout);
}

#[tokio::test]
async fn tcp_asks_nothing_and_closes_in_order() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, Check { interval: NEVER, ..tcp() })]);
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "an orderly close, without a byte");
}

#[tokio::test]
async fn another_port_may_be_probed() {
    let (listener, health) = listen().await;
    let (prober, mut reports) = start();
    let check = Check { port: Some(health.port()), ..http(None) };
    prober.set_targets(vec![target(vacant().await, check)]);
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
}

#[tokio::test]
async fn probes_of_one_endpoint_keep_their_interval() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    let before = clock::instant();
    prober.set_targets(vec![target(address, http(None))]);
    for probe in 0..6 {
        answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
        next(&mut reports).await;
        assert!(before.elapsed() >= INTERVAL * probe, "probe {probe} after {:?}", before.elapsed());
    }
}

#[tokio::test]
async fn a_refused_connect_is_asked_again_fall_times_and_suspecting_it_brings_one_more_burst() {
    let address = vacant().await;
    let (prober, mut reports) = start();
    let lonely = target(address, Check { interval: NEVER, ..http(None) });
    let id = lonely.endpoint.id.clone();
    let mut before = clock::instant();
    prober.set_targets(vec![lonely]);
    for round in 0..2 {
        for probe in 0..3 {
            assert_eq!(failure(next(&mut reports).await), ProbeFailure::Refused);
            let least = Duration::from_millis(200) * probe;
            assert!(before.elapsed() >= least, "round {round}, probe {probe}: {:?}", before.elapsed());
        }
        before = clock::instant();
        // On schedule the next probe is an hour away. Of the many bursts that the test asks for,
        // only one comes.
        for _ in 0..100 {
            prober.suspect(&id);
        }
    }
    for _ in 0..3 {
        next(&mut reports).await;
    }
    let quiet = tokio::time::timeout(Duration::from_millis(500), reports.recv()).await;
    assert!(quiet.is_err(), "a burst too many: {quiet:?}");
}

#[tokio::test]
async fn a_suspect_that_answers_is_probed_once() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    let target = target(address, Check { interval: NEVER, ..http(None) });
    let id = target.endpoint.id.clone();
    prober.set_targets(vec![target]);
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    next(&mut reports).await;
    for _ in 0..100 {
        prober.suspect(&id);
    }
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
    let quiet = tokio::time::timeout(Duration::from_millis(500), listener.accept()).await;
    assert!(quiet.is_err(), "a burst of suspects is one");
    prober.suspect(&EndpointId::from("nobody"));
}

#[tokio::test]
async fn a_new_owner_gets_a_probe_at_once_and_a_probe_under_way_belongs_to_the_old_owner() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    let target = target(address, Check { interval: NEVER, ..http(None) });
    prober.set_targets(vec![owned(target.clone(), "backend-1")]);
    let (mut under_way, _) = accept(&listener).await;
    prober.set_targets(vec![owned(target.clone(), "backend-2")]);
    under_way.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    assert_eq!(next(&mut reports).await.owner, Some(ReleaseId::from("backend-1")));
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.owner, Some(ReleaseId::from("backend-2")));
    // Setting the same target again changes nothing.
    prober.set_targets(vec![owned(target, "backend-2")]);
    let quiet = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(quiet.is_err(), "it was probed again without a reason");
}

#[tokio::test]
async fn removed_targets_are_probed_no_more_and_kept_targets_keep_their_schedule() {
    let (stays, stays_at) = listen().await;
    let (goes, goes_at) = listen().await;
    let (prober, mut reports) = start();
    let slow = Check { interval: NEVER, ..http(None) };
    prober.set_targets(vec![target(stays_at, slow.clone()), target(goes_at, slow.clone())]);
    answer(&stays, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.endpoint, target(stays_at, slow.clone()).endpoint.id);
    let (mut under_way, _) = accept(&goes).await;
    let (comes, comes_at) = listen().await;
    prober.set_targets(vec![target(comes_at, slow.clone()), target(stays_at, slow.clone())]);
    assert_eq!(under_way.read(&mut [0; 8]).await.unwrap_or(0), 0, "its probe is given up");
    answer(&comes, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.endpoint, target(comes_at, slow).endpoint.id);
    let quiet = tokio::time::timeout(Duration::from_millis(300), stays.accept()).await;
    assert!(quiet.is_err(), "the one that stayed was probed again");
    drop(prober);
    assert!(reports.recv().await.is_none(), "dropping the prober ends all of its tasks");
}

#[tokio::test]
async fn a_full_channel_holds_probes_back_and_loses_none() {
    let (listener, address) = listen().await;
    let (sender, mut reports) = mpsc::channel(1);
    let prober = Prober::start(sender, Arc::default());
    prober.set_targets(vec![target(address, http(None))]);
    // One report waits in the channel and one for its place. No third probe begins.
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    answer(&listener, b"HTTP/1.1 500 Oh\r\n\r\n").await;
    let quiet = tokio::time::timeout(INTERVAL * 5, listener.accept()).await;
    assert!(quiet.is_err(), "probing ran ahead of its reader");
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
    assert_eq!(failure(next(&mut reports).await), ProbeFailure::Status(500));
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
}

#[tokio::test]
async fn a_shorter_interval_takes_effect_at_once() {
    let (listener, address) = listen().await;
    let (prober, mut reports) = start();
    prober.set_targets(vec![target(address, Check { interval: NEVER, ..http(None) })]);
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    next(&mut reports).await;
    prober.set_targets(vec![target(address, http(None))]);
    answer(&listener, b"HTTP/1.1 200 OK\r\n\r\n").await;
    assert_eq!(next(&mut reports).await.outcome, ProbeOutcome::Pass);
}
