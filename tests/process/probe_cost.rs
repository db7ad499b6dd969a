//! The cost of the prober alone, with 2 000 endpoints at an interval of 1 s. Each endpoint has an address of
//! its own.
//!
//! `cargo test --release --test process two_thousand -- --ignored --nocapture` prints the CPU seconds that
//! this process uses per second. The origin is another process, which runs this executable again, so its CPU
//! time does not count. The kernel's work for the sockets of the prober counts.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use greenlight::clock;
use greenlight::control_plane::probe::{ProbeReport, ProbeTarget, Prober};
use greenlight::health::{Check, CheckKind, ProbeOutcome, Speech};
use greenlight::model::{Endpoint, EndpointId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

const ENDPOINTS: u16 = 2_000;
const INTERVAL: Duration = Duration::from_secs(1);
/// The time before the measurement begins.
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// The environment variable that tells the child process to be the origin.
const ORIGIN: &str = "GREENLIGHT_TEST_ORIGIN";

#[test]
#[ignore = "the child of two_thousand_endpoints_cost_less_than_a_core: does nothing alone"]
fn origin() {
    if std::env::var_os(ORIGIN).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        println!("\nlistens {}", listener.local_addr().unwrap().port());
        std::io::stdout().flush().unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            });
        }
    });
}

/// The process of the origin, and its port.
struct Origin(Child, u16);

impl Origin {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "probe_cost::origin", "--ignored", "--nocapture"])
            .env(ORIGIN, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| line.unwrap().strip_prefix("listens ").and_then(|text| text.parse().ok()))
            .expect("the origin's port");
        Self(child, port)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The user time and the system time of this process so far, in seconds (proc(5), fields 14 and 15, which
/// count ticks of 1/100 s on every Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u32 = fields[11..=12].iter().map(|field| field.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / 100.0
}

/// Counts the passed and the failed probes of this time.
async fn count(reports: &mut mpsc::Receiver<ProbeReport>, time: Duration) -> (u32, u32) {
    let (mut passed, mut failed) = (0, 0);
    let counted = async {
        while let Some(report) = reports.recv().await {
            match report.outcome {
                ProbeOutcome::Pass => passed += 1,
                ProbeOutcome::Fail(_) => failed += 1,
            }
        }
    };
    let _ = tokio::time::timeout(time, counted).await;
    (passed, failed)
}

fn targets(port: u16, kind: &CheckKind) -> Vec<ProbeTarget> {
    let check = Check {
        kind: kind.clone(),
        speech: Speech::Http1,
        port: None,
        interval: INTERVAL,
        timeout: INTERVAL * 2,
        fall: 3,
    };
    let check = Arc::new(check);
    (0..ENDPOINTS)
        .map(|number| {
            let [high, low] = number.to_be_bytes();
            let address = SocketAddr::from((Ipv4Addr::new(127, 1, high, low), port));
            let id = EndpointId::new(format!("backend/blue/{address}"));
            ProbeTarget {
                endpoint: Endpoint { id, address, probe: None },
                owner: None,
                check: Arc::clone(&check),
            }
        })
        .collect()
}

#[test]
#[ignore = "a measurement of 26 s"]
fn two_thousand_endpoints_cost_less_than_a_core() {
    let origin = Origin::start();
    let http = |body: Option<&str>| CheckKind::Http {
        path: "/".into(),
        host: "backend.example.org".into(),
        expect_status: vec![200],
        expect_body: body.map(str::to_owned),
    };
    for (name, kind) in [("http, status and body", http(Some("ok"))), ("tcp", CheckKind::Tcp)] {
        // The control plane also has a small runtime of its own.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (sender, mut reports) = mpsc::channel(1024);
            let prober = Prober::start(sender, Arc::default());
            prober.set_targets(targets(origin.1, &kind));
            count(&mut reports, WARM_UP).await;
            let (began, before) = (clock::instant(), cpu_seconds());
            let (passed, failed) = count(&mut reports, MEASURED).await;
            let seconds = clock::instant().duration_since(began).as_secs_f64();
            let cores = (cpu_seconds() - before) / seconds;
            let rate = f64::from(passed + failed) / seconds;
            let each = cores / rate * 1e6;
            println!("{name}: {rate:.0} probes/s, {failed} failed, {cores:.3} CPU s/s, {each:.0} us a probe");
            assert_eq!(failed, 0);
            assert!(rate > 0.9 * f64::from(ENDPOINTS), "it fell behind: {rate:.0} probes/s");
            assert!(cores < 1.0, "{cores:.3} cores");
        });
    }
}
