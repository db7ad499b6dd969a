//! Mutations of docs/http.md's rows through a real data plane. What it forwards is read by three parsers that
//! know nothing of ours: hyper (the origin itself), h11 and Node's. They must see the same requests with the
//! same bodies, as many as the data plane counted: then no request can hide inside another.
//!
//! `GREENLIGHT_MUTATIONS` says how many (5 000 if not told), `GREENLIGHT_SEED` repeats a run.

mod hyper_origin;
mod mutate;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use greenlight::model::Color;

use super::request_rules::{forwarded, refused};
use greenlight_testkit::{client, front::Setup};
use hyper_origin::{Capture, HyperOrigin, Request};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> =
        refused::heads().into_iter().chain(refused::bodies()).map(|row| row.raw).collect();
    seeds.retain(|raw| raw.len() < 1024);
    seeds.extend(forwarded::rows().into_iter().map(|row| row.raw));
    // Two in one connection, so that what is left of the first is the second.
    let twice: Vec<_> =
        forwarded::rows().into_iter().map(|row| [row.raw.as_slice(), &row.raw].concat()).collect();
    seeds.extend(twice);
    seeds
}

/// Sends one mutation, whole, with a FIN behind it, and reads until the front door closes.
fn send(front: std::net::SocketAddr, raw: &[u8]) {
    let mut socket = client::Client::connect(front).socket;
    // A front door that has refused the first bytes may be gone before the last.
    if socket.write_all(raw).is_ok() {
        let _ = socket.shutdown(std::net::Shutdown::Write);
    }
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(why) => panic!("{why}: not closed after {}", raw.escape_ascii()),
    }
}

#[test]
fn three_parsers_see_the_same_requests() {
    let (count, seed) = (number("GREENLIGHT_MUTATIONS", 5_000), number("GREENLIGHT_SEED", fastrand::u64(..)));
    println!("RESULT mutations: {count}, GREENLIGHT_SEED={seed}");
    let origin = HyperOrigin::start();
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.workers = 2;
    let front = setup.start();
    let (seeds, next) = (seeds(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let mut random =
                        fastrand::Rng::with_seed(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    send(front.address, &mutate::mutate(&seeds, &mut random));
                }
            });
        }
    });
    let (attempts, _) = front.evidence(Color::Blue);
    drop(front);
    let captures = origin.finish();
    let seen: usize = captures.iter().map(|capture| capture.requests.len()).sum();
    println!("{} connections, {seen} whole requests, {attempts} attempts", captures.len());
    assert!(seen as u64 <= attempts, "the origin saw {seen} requests where {attempts} were sent");
    assert!(seen as u64 > count / 10, "too few came through to show anything: {seen}");
    let (captures, strange): (Vec<_>, Vec<_>) =
        captures.into_iter().partition(|capture| capture.fault.is_none());
    for capture in &strange {
        let shown = capture.raw.escape_ascii();
        // Visible bytes that no URI may have are left as they are (browsers send them); hyper reads no such target.
        let fault = capture.fault.as_deref();
        let target =
            capture.requests_lines().any(|line| line.iter().any(|byte| b"<>\"\\^`{|}".contains(byte)));
        assert!(fault == Some("invalid URI") && target, "hyper: {fault:?} for {shown}");
    }
    println!("{} connections with a target that hyper does not read", strange.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("captures");
    write(&file, &captures);
    judge("h11", &captures, run(&python(), "parse.py", &file));
    judge("Node", &captures, run(Path::new("node"), "parse.mjs", &file));
}

fn write(path: &Path, captures: &[Capture]) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for capture in captures {
        file.write_all(&u32::try_from(capture.raw.len()).unwrap().to_le_bytes()).unwrap();
        file.write_all(&capture.raw).unwrap();
    }
    file.flush().unwrap();
}

/// A Python that has h11: `GREENLIGHT_PYTHON` (tests/all makes one), or the one on the path.
fn python() -> std::path::PathBuf {
    std::env::var_os("GREENLIGHT_PYTHON").map_or_else(|| "python3".into(), Into::into)
}

/// A parser's word on every capture; `None` if it can't be had here.
fn run(program: &Path, script: &str, file: &Path) -> Option<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data_plane/differential").join(script);
    let output = Command::new(program).arg(&script).arg(file).stderr(Stdio::piped()).output();
    let why = match output {
        Ok(output) if output.status.success() => {
            return Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect());
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(why) => why.to_string(),
    };
    let required = std::env::var("GREENLIGHT_REQUIRE_ENGINES").is_ok_and(|value| value == "1");
    assert!(!required, "{} {}: {why}", program.display(), script.display());
    println!("skipped: {} {}: {why}", program.display(), script.display());
    None
}

fn judge(parser: &str, captures: &[Capture], lines: Option<Vec<String>>) {
    let Some(lines) = lines else { return };
    assert_eq!(lines.len(), captures.len(), "{parser}");
    let mut unknown = 0;
    for (capture, line) in captures.iter().zip(lines) {
        // Node knows a fixed list of methods and reads no others.
        if line.contains("HPE_INVALID_METHOD") && capture.has_unusual_method {
            unknown += 1;
            continue;
        }
        let found: Result<Vec<(String, String, String)>, _> = serde_json::from_str(&line);
        let found = found.unwrap_or_else(|_| panic!("{parser}: {line} for {}", capture.raw.escape_ascii()));
        let expected: Vec<_> = capture.requests.iter().map(Request::shown).collect();
        assert_eq!(found, expected, "{parser} reads {} otherwise than hyper", capture.raw.escape_ascii());
    }
    println!(
        "RESULT {parser}: {} connections read alike, {unknown} with a method that it does not know",
        captures.len()
    );
}
