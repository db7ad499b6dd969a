//! `greenlight analyze --replay` as people run it: the real binary on a log of many lines. How fast
//! it is and how much memory it takes is measured; `benches/replay/run` does it at full size.
//!
//! `GREENLIGHT_REPLAY_LINES` is the number of lines (100 000; a tenth of the full ten million in
//! `tests/all`).

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use greenlight::clock;
use greenlight_testkit::house::{MACHINE, exe};
use serde_json::Value;

/// What the issue asks for: ten million lines in under 30 s.
const LINES_PER_SECOND_MIN: f64 = 10_000_000.0 / 30.0;
/// Far under what a log of any length could be held in, and far over what is needed.
const PEAK_BYTES_MAX: u64 = 96 << 20;
/// Twelve hours, whatever the number of lines.
const HOURS: u64 = 12;

fn greenlight() -> Command {
    Command::new(exe())
}

/// splitmix64: the same log every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// HAProxy's format: 0.2 % errors, and one incident of 20 % of three minutes from 07:01 on.
fn write_haproxy(path: &Path, lines: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let mut random = Random(7);
    let mut line = String::new();
    for number in 0..lines {
        // The last answers come before the hour is full.
        let millis = number * (HOURS * 3_600_000 - 1000) / lines;
        let second = millis / 1000;
        let incident = (7 * 3600 + 60..7 * 3600 + 240).contains(&second);
        let bits = random.next();
        let failed = if incident { bits.is_multiple_of(5) } else { bits.is_multiple_of(500) };
        let status = if failed { 502 } else { 200 };
        let client = (bits >> 16) % 4000;
        let took = 5 + (bits >> 32) % 60;
        line.clear();
        writeln!(
            line,
            "Nov 24 {:02}:{:02}:{:02} lb haproxy[712]: 10.2.{}.{}:{} [24/Nov/2026:{:02}:{:02}:{:02}.{:03}] \
             https~ shop/s{} 0/0/1/{took}/{} {status} {} - - ---- 212/210/3/1/0 0/0 \
             \"GET /orders/{}/lines?page=2 HTTP/1.1\"",
            second / 3600,
            second / 60 % 60,
            second % 60,
            client / 250,
            client % 250,
            20_000 + bits % 40_000,
            second / 3600,
            second / 60 % 60,
            second % 60,
            millis % 1000,
            1 + bits % 4,
            took + 1,
            500 + bits % 9000,
            bits % 100_000
        )
        .unwrap();
        out.write_all(line.as_bytes()).unwrap();
    }
    out.flush().unwrap();
}

/// The most memory that a running process has had resident, as the kernel counts it.
fn peak_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[test]
fn a_long_log_is_read_in_constant_memory_and_soon() {
    let _alone = MACHINE.blocking_write();
    let lines = std::env::var("GREENLIGHT_REPLAY_LINES").map_or(100_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    write_haproxy(&log, lines);
    let bytes = std::fs::metadata(&log).unwrap().len();
    let begun = clock::instant();
    let mut child = greenlight()
        .args(["analyze", "-o", "json", "--replay"])
        .arg(&log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_bytes(child.id()).unwrap_or(0));
        // Between two looks at its memory; the end is seen whenever it comes.
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = begun.elapsed();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!(
        "RESULT replay: {lines} lines, {} MB: {:.1} s, {:.0} lines/s, peak {:.1} MB",
        bytes / 1_000_000,
        took.as_secs_f64(),
        lines as f64 / took.as_secs_f64(),
        peak as f64 / 1e6
    );
    assert_eq!(report["format"], "haproxy");
    assert_eq!(report["requests"], lines);
    assert_eq!(report["lines"]["unreadable"], 0);
    assert_eq!(report["tried"], HOURS - 1, "{report}");
    assert_eq!(report["tripped"], 1, "the incident, and nothing else: {report}");
    assert_eq!(report["trips"][0]["at"], "2026-11-24T07:00:00Z");
    assert!(peak < PEAK_BYTES_MAX, "{peak} bytes");
    if !cfg!(debug_assertions) {
        let per_second = lines as f64 / took.as_secs_f64();
        assert!(per_second > LINES_PER_SECOND_MIN, "{per_second:.0} lines a second");
    }
}

fn analyze(log: &str, more: &[&str]) -> Output {
    let mut child = greenlight()
        .args(["analyze", "--replay", "-"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that refuses early does not read all of it.
    let _ = child.stdin.take().unwrap().write_all(log.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Two hours, one request a second, all failing from 01:00:30 on. `line` is given the client's last
/// number, the time of day, and the status.
fn story(line: impl Fn(u64, &str, u16) -> String) -> String {
    let mut log = String::new();
    for second in 0..7200_u64 {
        let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let status = if second >= 3630 { 500 } else { 200 };
        writeln!(log, "{}", line(second % 50, &clock, status)).unwrap();
    }
    log
}

/// nginx's combined.
fn combined() -> String {
    story(|client, clock, status| {
        format!(
            "10.0.0.{client} - - [24/Nov/2026:{clock} +0000] \"GET / HTTP/1.1\" {status} 5 \"-\" \"curl\" 0.012"
        )
    })
}

/// The same story as each of those who can tell it.
fn every_format() -> [(&'static str, String); 4] {
    let haproxy = story(|client, clock, status| {
        format!(
            "10.0.0.{client}:4711 [24/Nov/2026:{clock}.000] https~ shop/s1 0/0/1/11/12 {status} 5 - - ---- \
             1/1/1/1/0 0/0 \"GET / HTTP/1.1\""
        )
    });
    let caddy = story(|client, clock, status| {
        format!(
            r#"{{"level":"info","ts":"2026-11-24T{clock}.000Z","logger":"http.log.access","msg":"handled request","request":{{"remote_ip":"10.0.0.{client}","client_ip":"10.0.0.{client}","proto":"HTTP/2.0","method":"GET","host":"shop.example.org","uri":"/"}},"duration":0.012,"size":5,"status":{status}}}"#
        )
    });
    let ours = story(|client, clock, status| {
        format!(
            r#"{{"time":"2026-11-24T{clock}.000Z","client":"10.0.0.{client}","method":"GET","host":"shop.example.org","path":"/","status":{status},"bytes":5,"duration_ms":12.0,"service":"shop","color":"green","endpoint":"10.0.1.1:8080","attempts":1,"cause":null,"request_id":"x"}}"#
        )
    });
    [("combined", combined()), ("haproxy", haproxy), ("caddy", caddy), ("greenlight", ours)]
}

/// Whoever wrote the log: a release at every hour, or at a time, comes to the same end in the same
/// second.
#[test]
fn every_format_tells_the_same_story() {
    let mut ends = Vec::new();
    for (format, log) in every_format() {
        let report = |more: &[&str]| -> Value {
            let output = analyze(&log, &[&["-o", "json"], more].concat());
            assert_eq!(
                output.status.code(),
                Some(0),
                "{format}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let hourly = report(&[]);
        assert_eq!(hourly["format"], format);
        assert_eq!(
            (&hourly["requests"], &hourly["lines"]["unreadable"]),
            (&7200.into(), &0.into()),
            "{format}"
        );
        assert_eq!((&hourly["tried"], &hourly["tripped"]), (&1.into(), &1.into()), "{format}: {hourly}");
        assert_eq!(hourly["trips"][0]["at"], "2026-11-24T01:00:00Z", "{format}");
        let before = report(&["--at", "2026-11-24T00:30:00Z"]);
        assert_eq!((&before["tried"], &before["tripped"]), (&1.into(), &0.into()), "{format}: {before}");
        let within = report(&["--at", "2026-11-24T01:00:20Z"]);
        assert_eq!((&within["tried"], &within["tripped"]), (&1.into(), &1.into()), "{format}: {within}");
        assert_eq!(within["trips"][0]["at"], "2026-11-24T01:00:20Z", "{format}");
        ends.push((hourly["trips"].clone(), within["trips"].clone()));
    }
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:#?}");
}

#[test]
fn a_log_on_the_standard_input_is_told_about_in_words() {
    let log = combined().replacen("GET / ", "G\"T / \\", 1) + "not a line of a log\n";
    let output = analyze(&log, &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("format combined"), "{text}");
    assert!(text.contains("releases tried: 1, one at every hour"), "{text}");
    assert!(text.contains("would have been reverted: 1 (100.00 %)"), "{text}");
    // The service fails from 30 s after the hour on.
    let after = text.split("2026-11-24T01:00:00Z  after ").nth(1).and_then(|rest| rest.split(' ').next());
    let after: i64 = after.unwrap().parse().unwrap();
    assert!((34..=60).contains(&after), "{text}");
    assert!(text.contains("not a line of a log") || text.contains("not readable"), "{text}");
    assert!(text.contains("ratio = 5.0"), "{text}");
}

#[test]
fn a_time_and_settings_can_be_given() {
    let log = combined();
    let early = analyze(&log, &["--at", "2026-11-24T00:30:00Z"]);
    assert!(text(&early).contains("would have been reverted: 0 (0.00 %)"), "{}", text(&early));
    let late = analyze(&log, &["--at", "2026-11-24T01:00:00Z", "--bake-time", "20s", "--latency", "off"]);
    assert!(text(&late).contains("would have been reverted: 0 (0.00 %)"), "{}", text(&late));
    let nowhere = analyze(&log, &["--at", "2026-11-25T01:00:00Z"]);
    assert!(text(&nowhere).contains("none of the times given with --at lies in it"), "{}", text(&nowhere));
}

#[test]
fn what_is_no_log_is_a_usage_fault() {
    for log in ["", "hello\nworld\n", &"x".repeat(400_000)] {
        let output = analyze(log, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let missing = greenlight().args(["analyze", "--replay", "/nonexistent/access.log"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nonexistent/access.log"));
    let wrong = analyze(&combined(), &["--ratio", "0.5"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn settings_come_from_a_service_of_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greenlight.toml");
    let config = "[[listeners]]\nbind = \"127.0.0.1:8080\"\n[services.shop]\nhosts = [\"shop.example.org\"]\n\
                  [services.shop.upstream]\nblue = [\"127.0.0.1:8001\"]\ngreen = [\"127.0.0.1:8002\"]\n\
                  [services.shop.release]\nbake_time = \"25s\"\n";
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap();
    let short = analyze(&combined(), &["-c", file, "--service", "shop"]);
    assert!(text(&short).contains("would have been reverted: 0 "), "{}", text(&short));
    let long = analyze(&combined(), &["-c", file, "--service", "shop", "--bake-time", "5m"]);
    assert!(text(&long).contains("would have been reverted: 1 "), "{}", text(&long));
    let unknown = analyze(&combined(), &["-c", file, "--service", "blog"]);
    assert_eq!(unknown.status.code(), Some(2));
}
