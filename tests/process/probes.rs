//! What probing costs: two thousand endpoints, each on an address of its own, once a second.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use greenlight::cli::demo::door::Door;
use greenlight::cli::demo::origin::DemoOrigin;
use greenlight::model::{Color, PerColor};

use greenlight_testkit::house::{MACHINE, SERVICE, START, Setup, address, exe, write_config};

/// Of each color.
const ENDPOINTS: usize = 1000;
const SECONDS: u64 = 10;
/// A clock tick of `/proc/PID/stat` (`sysconf(_SC_CLK_TCK)`, 100 on every Linux we build for).
const TICKS_A_SECOND: f64 = 100.0;

/// User and system time of a process so far, in seconds (proc(5): fields 14 and 15).
fn cpu_seconds(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = text.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / TICKS_A_SECOND
}

/// `127.A.x.y` on one port: all of them are the one upstream that listens on every address.
fn addresses(color: Color, port: u16) -> Vec<SocketAddr> {
    let net = if color == Color::Blue { 10 } else { 11 };
    (0..ENDPOINTS)
        .map(|number| {
            let (high, low) = (u8::try_from(number / 250).unwrap(), u8::try_from(number % 250 + 1).unwrap());
            SocketAddr::from((Ipv4Addr::new(127, net, high, low), port))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_endpoints_cost_less_than_a_core() {
    let _alone = MACHINE.write().await;
    let folder = tempfile::tempdir().unwrap();
    let port = address().port();
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let upstream = DemoOrigin::start(exe(), "blue", everywhere, &[]).await.unwrap();
    let upstreams = PerColor::from_fn(|color| addresses(color, port));
    let endpoints = upstreams.blue.len() + upstreams.green.len();
    let written = write_config(folder.path(), &Setup::default(), &upstreams);
    let mut door = Door::start(exe(), &written.file, &folder.path().join("log"), written.admin).unwrap();
    door.ready(START).await.unwrap();

    // All of them are well before anything is measured.
    let all_healthy = |view: &greenlight::control_plane::controller::ServiceView| {
        view.endpoints.iter().filter(|endpoint| endpoint.health.as_str() == "healthy").count() == endpoints
    };
    door.admin.until(SERVICE, "every endpoint healthy", Duration::from_mins(1), all_healthy).await.unwrap();

    let (cpu, begun) = (cpu_seconds(door.pid().unwrap()), upstream.report().await.unwrap());
    let enough = begun.probes + endpoints as u64 * SECONDS;
    let ended = loop {
        let report = upstream.report().await.unwrap();
        if report.probes >= enough {
            break report;
        }
        assert!(report.uptime_ms < begun.uptime_ms + 3 * SECONDS * 1000, "{begun:?} {report:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let spent = cpu_seconds(door.pid().unwrap()) - cpu;
    let elapsed = (ended.uptime_ms - begun.uptime_ms) as f64 / 1000.0;
    let probes = ended.probes - begun.probes;
    println!(
        "RESULT probes: {endpoints} endpoints, {:.0} probes a second, {:.2} cores, {:.0} us a probe",
        probes as f64 / elapsed,
        spent / elapsed,
        spent * 1e6 / probes as f64
    );
    assert!(spent < elapsed, "{spent:.1} s of CPU in {elapsed:.1} s");
    // On time as well: each endpoint once a second, with jitter.
    assert!(elapsed < SECONDS as f64 * 1.5, "{probes} probes took {elapsed:.1} s");
}
