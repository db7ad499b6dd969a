//! `greenlight analyze --replay` as people run it, with the real binary and a log of many lines. One test
//! measures its speed and its memory; `benches/replay/run` measures them at full size.
//!
//! `GREENLIGHT_REPLAY_LINES` is the number of lines. It is 100 000 by default, and `benches/replay/run` asks
//! for the full ten million.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use greenlight::clock;
use greenlight_testkit::house::{MACHINE, exe};
use serde_json::Value;

/// The required speed, in lines a second. Ten million lines must take under 30 s.
const LINES_PER_SECOND_MIN: f64 = 10_000_000.0 / 30.0;
/// The most memory that the program may use, in bytes. It is far less than a long log needs, and far more
/// than the program needs.
const PEAK_BYTES_MAX: u64 = 96 << 20;
/// The hours that the log covers, for any number of lines.
const HOURS: u64 = 12;

fn greenlight() -> Command {
    Command::new(exe())
}

/// The random generator splitmix64 with a fixed seed, so that the log is the same every time.
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

/// Writes a log in HAProxy's format. It has 0.2 % of errors, and one incident of three minutes with 20 % of
/// errors from 07:01 on.
fn write_haproxy(path: &Path, lines: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    let mut random = Random(7);
    let mut line = String::new();
    for number in 0..lines {
        // The last answer comes one second before the last hour is full.
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

/// The peak of a running process's resident memory, in bytes, as the kernel counts it (`VmHWM`). `None` if
/// the process has ended.
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
        // The pause between two looks at the memory. It delays the end of the measurement by 20 ms at most.
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
    // If the program refuses the log early, it does not read all of it and the write fails.
    let _ = child.stdin.take().unwrap().write_all(log.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A log of two hours with one request a second. All requests from 01:00:30 on fail. `line` gets the last
/// number of the client's address, the time of day, and the status.
fn story(line: impl Fn(u64, &str, u16) -> String) -> String {
    let mut log = String::new();
    for second in 0..7200_u64 {
        let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let status = if second >= 3630 { 500 } else { 200 };
        writeln!(log, "{}", line(second % 50, &clock, status)).unwrap();
    }
    log
}

/// The log in nginx's format `combined`.
fn combined() -> String {
    story(|client, clock, status| {
        format!(
            "10.0.0.{client} - - [24/Nov/2026:{clock} +0000] \"GET / HTTP/1.1\" {status} 5 \"-\" \"curl\" 0.012"
        )
    })
}

/// The same log in each format that `analyze --replay` reads.
fn every_format() -> Vec<(&'static str, String)> {
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
    let httpslog =
        haproxy.replace("HTTP/1.1\"", "HTTP/1.1\" 0/0/0/0/0 shop.example.org/TLSv1.3/TLS_AES_128_GCM_SHA256");
    let traefik = story(|client, clock, status| {
        format!(
            r#"{{"ClientHost":"10.0.0.{client}","DownstreamStatus":{status},"Duration":12000000,"OriginDuration":12000000,"OriginStatus":{status},"RequestMethod":"GET","RequestPath":"/","ServiceName":"shop@docker","time":"2026-11-24T{clock}Z"}}"#
        )
    });
    let envoy = story(|client, clock, status| {
        format!(
            r#"{{"start_time":"2026-11-24T{clock}.000Z","method":"GET","path":"/","response_code":{status},"response_flags":"-","duration":12,"upstream_service_time":"12","x_forwarded_for":"10.0.0.{client}"}}"#
        )
    });
    let nginx = story(|client, clock, status| {
        format!(
            r#"{{"time_local":"24/Nov/2026:{clock} +0000","remote_addr":"10.0.0.{client}","request":"GET / HTTP/1.1","status":"{status}","request_time":"0.012"}}"#
        )
    });
    let apache = combined().replace("10.0.0.", "shop.example.org:443 10.0.0.").replace("0.012", "12000");
    vec![
        ("combined", combined()),
        ("combined", apache),
        ("haproxy", haproxy),
        ("haproxy", httpslog),
        ("caddy", caddy),
        ("greenlight", ours),
        ("traefik", traefik),
        ("envoy", envoy),
        ("nginx-json", nginx),
    ]
}

/// In every format, an imagined release at each hour or at a given time ends in the same way in the same
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
    // The service fails from 30 s after the full hour on.
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
fn a_text_that_is_no_log_is_a_usage_fault() {
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

fn gzip(log: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(log.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// Two compressed files that were put together are one log. A damaged one is a usage fault.
#[test]
fn a_compressed_log_is_read_as_it_is() {
    let log = combined();
    let (first, second) = log.split_at(log.find("\n10.0.0.7 ").unwrap() + 1);
    let packed = [gzip(first), gzip(second)].concat();
    let folder = tempfile::tempdir().unwrap();
    let replay = |bytes: &[u8]| {
        let path = folder.path().join("access.log");
        std::fs::write(&path, bytes).unwrap();
        greenlight().args(["analyze", "-o", "json", "--replay"]).arg(&path).output().unwrap()
    };
    let whole = replay(&packed);
    let report: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!((&report["requests"], &report["tripped"]), (&7200.into(), &1.into()), "{report}");
    let cut = replay(&packed[..packed.len() / 2]);
    assert_eq!(cut.status.code(), Some(2), "{}", text(&cut));
    let zstd = replay(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
    assert_eq!(zstd.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&zstd.stderr).contains("zstdcat"), "{zstd:?}");
}

/// A log in the wrong order is refused, because its lines would be judged at wrong times. A few lines out of
/// order are left out.
#[test]
fn a_log_that_is_out_of_order_is_refused() {
    let log = combined();
    let backward: String = log.lines().rev().flat_map(|line| [line, "\n"]).collect();
    let refused = analyze(&backward, &[]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("out of order") && why.contains("sort"), "{why}");
    let first = log.lines().next().unwrap();
    let output = analyze(&format!("{log}{first}\n"), &["-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["requests"], &report["lines"]["late"]), (&7200.into(), &1.into()), "{report}");
}

/// A judge that sees nothing reverts nothing, and so the report says first that it sees nothing.
#[test]
fn the_report_begins_with_the_blindness_of_the_judge() {
    let begins = |log: &str, more: &[&str]| {
        let output = analyze(log, more);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let text = text(&output);
        text.lines()
            .skip(1)
            .take_while(|line| line.contains("the judge "))
            .map(str::to_owned)
            .collect::<String>()
    };
    let nothing = combined().replace("\"GET / HTTP/1.1\"", "\"-\"");
    assert!(begins(&nothing, &[]).contains("blind here to everything"));
    let thin: String = combined().lines().step_by(20).flat_map(|line| [line, "\n"]).collect();
    assert!(begins(&thin, &[]).contains("too little traffic to judge"), "{}", begins(&thin, &[]));
    let untimed = combined().replace(" 0.012", "");
    assert!(begins(&untimed, &[]).contains("to slowness"));
    let one = combined()
        .lines()
        .flat_map(|line| ["10.0.0.1 ", line.split_once(' ').unwrap().1, "\n"])
        .collect::<String>();
    assert!(begins(&one, &[]).contains("to which client fails"));
    let busy: String =
        combined().lines().flat_map(|line| std::iter::repeat_n(format!("{line}\n"), 30)).collect();
    assert!(begins(&busy, &[]).contains("the judge sees well here"), "{}", begins(&busy, &[]));
}
