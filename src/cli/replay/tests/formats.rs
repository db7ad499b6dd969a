//! Tests of single lines. The samples come from the documents of the programs, or the programs wrote them.

use crate::judge::Outcome;

use super::super::line::{Line, Parsed, ServiceFilter, client};
use super::super::{Format, rfc3339_millis, stamp};

pub(super) fn counted(format: Format, line: &str) -> Line {
    assert_eq!(Format::of(line.as_bytes()), Some(format), "{line}");
    match format.parse(line.as_bytes(), &mut ServiceFilter::default()) {
        Some(Parsed::Counted(line)) => line,
        other => panic!("{line}: {other:?}"),
    }
}

pub(super) fn not_counted(format: Format, line: &str) {
    assert_eq!(Format::of(line.as_bytes()), Some(format), "{line}");
    assert_eq!(
        format.parse(line.as_bytes(), &mut ServiceFilter::default()),
        Some(Parsed::NotCounted),
        "{line}"
    );
}

pub(super) fn millis(time: &str) -> i64 {
    rfc3339_millis(time.as_bytes()).unwrap()
}

#[test]
fn times_are_those_of_the_calendar() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T23:59:59.999Z", 951_868_799_999),
        ("2026-11-24T13:00:01.5+01:00", 1_795_521_601_500),
        ("2026-11-24T12:00:01.5-00:00", 1_795_521_601_500),
    ] {
        assert_eq!(rfc3339_millis(text.as_bytes()), Some(expected), "{text}");
    }
    for text in ["2026-13-01T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T12:00:01", "2026-11-24", ""] {
        assert_eq!(rfc3339_millis(text.as_bytes()), None, "{text}");
    }
    let noon = millis("2026-11-24T12:00:01Z");
    assert_eq!(stamp::common_millis(b"24/Nov/2026:12:00:01"), Some(noon));
    assert_eq!(stamp::common_millis(b"24/Nov/2026:12:00:01.250"), Some(noon + 250));
    assert_eq!(stamp::common_millis(b"24/Nov/2026:14:30:01 +0230"), Some(noon));
    assert_eq!(stamp::common_millis(b"24/Nix/2026:12:00:01"), None);
}

/// Compares with the calendar of `humantime`, day by day.
#[test]
fn each_day_of_two_centuries_matches_humantime() {
    for day in 0..73_000_u64 {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(day * 86_400);
        let text = humantime::format_rfc3339_seconds(at).to_string();
        assert_eq!(rfc3339_millis(text.as_bytes()), Some(i64::try_from(day * 86_400_000).unwrap()), "{text}");
    }
}

#[test]
fn haproxy_with_and_without_syslog() {
    // HAProxy's configuration manual, section 8.2.3.
    let manual = "Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] \
                  http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} \
                  \"GET /index.html HTTP/1.1\"";
    let line = counted(Format::Haproxy, manual);
    assert_eq!(line.ended_ms, millis("2009-02-06T12:14:14.764Z"));
    assert_eq!(line.took_ms, Some(99));
    assert_eq!((line.client, line.outcome), (client(b"10.0.1.2"), Outcome::Success));
    assert_eq!(line.route.as_str(), "GET /index.html");

    let plain = manual.split_once(": ").unwrap().1;
    assert_eq!(counted(Format::Haproxy, plain), line);
    let six = plain.replace("10.0.1.2", "2001:db8::1");
    assert_eq!(counted(Format::Haproxy, &six).client, client(b"2001:db8::1"));
}

#[test]
fn the_termination_state_of_haproxy_decides_the_outcome() {
    let with = |server: &str, timers: &str, status: &str, state: &str| {
        format!(
            "10.0.1.2:33317 [24/Nov/2026:12:00:01.000] in {server} {timers} {status} 0 - - {state} 1/1/1/1/0 0/0 \
             \"GET / HTTP/1.1\""
        )
    };
    for (server, timers, status, state) in [
        ("shop/s1", "0/0/1/5/6", "500", "----"),
        ("shop/s1", "0/0/-1/-1/3", "503", "SC--"),
        ("shop/<NOSRV>", "0/-1/-1/-1/0", "503", "SC--"),
        ("shop/s1", "0/0/1/-1/30001", "504", "sH--"),
        ("shop/s1", "0/0/1/-1/9", "502", "SH--"),
        ("shop/s1", "0/0/1/4/9", "200", "SD--"),
    ] {
        let line = counted(Format::Haproxy, &with(server, timers, status, state));
        assert_eq!(line.outcome, Outcome::Error, "{status} {state}");
    }
    for (server, timers, status, state) in [
        ("shop/s1", "0/0/1/-1/9", "-1", "CH--"),
        ("in/<NOSRV>", "-1/-1/-1/-1/2", "400", "PR--"),
        ("in/<NOSRV>", "0/-1/-1/-1/0", "301", "LR--"),
        ("shop/s1", "0/0/1/5/+6", "-1", "cD--"),
    ] {
        not_counted(Format::Haproxy, &with(server, timers, status, state));
    }
    for status in ["501", "505", "404"] {
        let line = counted(Format::Haproxy, &with("shop/s1", "0/0/1/5/6", status, "----"));
        assert_eq!(line.outcome, Outcome::Success, "{status}");
    }
}

#[test]
fn combined_with_and_without_a_request_time() {
    let plain = "203.0.113.7 - alice [24/Nov/2026:13:00:01 +0100] \"POST /orders/17?x=1 HTTP/2.0\" 502 157 \
                 \"https://example.org/\" \"Mozilla/5.0 (\\\"quoted\\\")\"";
    let line = counted(Format::Combined, plain);
    assert_eq!(line.ended_ms, millis("2026-11-24T12:00:01Z"));
    assert_eq!((line.took_ms, line.outcome), (None, Outcome::Error));
    assert_eq!(line.route.as_str(), "POST /orders/{id}");
    for (more, expected) in [
        (" 0.109", Some(109)),
        (" rt=1.5 uct=\"0.000\"", Some(1500)),
        (" \"12.003\"", Some(12_003)),
        (" -", None),
    ] {
        assert_eq!(counted(Format::Combined, &format!("{plain}{more}")).took_ms, expected, "{more}");
    }
    not_counted(Format::Combined, &plain.replace(" 502 ", " 499 "));
    not_counted(Format::Combined, &plain.replace("POST /orders/17?x=1 HTTP/2.0", "-"));
    not_counted(Format::Combined, &plain.replace("POST /orders/17?x=1 HTTP/2.0", "\\x16\\x03\\x01"));
}

#[test]
fn caddy_json_lines() {
    let line = r#"{"level":"info","ts":1795521601.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"203.0.113.7","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/a?b=c","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}"#;
    let parsed = counted(Format::Caddy, line);
    assert_eq!(parsed.ended_ms, 1_795_521_601_524);
    assert_eq!((parsed.took_ms, parsed.client), (Some(0), client(b"203.0.113.7")));
    assert_eq!(parsed.route.as_str(), "GET /a");
    let iso = line.replace("1795521601.5241024", "\"2026-11-24T12:00:01.524Z\"");
    assert_eq!(counted(Format::Caddy, &iso), parsed);
    not_counted(Format::Caddy, &line.replace("\"status\":200", "\"status\":0"));
}

fn ours(status: &str, attempts: u32, cause: &str) -> String {
    format!(
        r#"{{"time":"2026-11-24T12:00:01.500Z","client":"203.0.113.7","method":"GET","host":"shop.example.org","path":"/a","status":{status},"bytes":120,"duration_ms":12.5,"service":"shop","color":"green","endpoint":"10.0.0.2:8080","attempts":{attempts},"cause":{cause},"request_id":"x"}}"#
    )
}

#[test]
fn lines_of_greenlight_itself() {
    let line = counted(Format::Greenlight, &ours("200", 1, "null"));
    assert_eq!((line.ended_ms, line.took_ms), (1_795_521_601_500, Some(12)));
    for (status, attempts, cause) in [
        ("500", 1, "null"),
        ("200", 1, "\"the origin's response was cut short\""),
        ("502", 2, "\"the origin can't be reached\""),
        ("504", 1, "\"the origin did not answer in time\""),
    ] {
        let line = ours(status, attempts, cause);
        assert_eq!(counted(Format::Greenlight, &line).outcome, Outcome::Error, "{line}");
    }
    not_counted(Format::Greenlight, &ours("null", 1, "\"the client went away\""));
    not_counted(Format::Greenlight, &ours("404", 0, "\"no service for this host\""));
    not_counted(Format::Greenlight, &ours("503", 0, "\"the service is paused\""));
    not_counted(Format::Greenlight, &ours("503", 1, "\"the request was ended; it may be sent again\""));
}

#[test]
fn a_log_of_several_services_needs_a_chosen_service() {
    let (shop, other) = (ours("200", 1, "null"), ours("200", 1, "null").replace("\"shop\"", "\"blog\""));
    let parse =
        |line: &str, filter: &mut ServiceFilter| Format::Greenlight.parse(line.as_bytes(), filter).unwrap();
    let mut any = ServiceFilter::default();
    assert!(matches!(parse(&shop, &mut any), Parsed::Counted(_)));
    assert_eq!(parse(&other, &mut any), Parsed::Ambiguous("blog".into()));
    let mut one = ServiceFilter::new(Some("blog".into()));
    assert_eq!(parse(&shop, &mut one), Parsed::OtherService);
    assert!(matches!(parse(&other, &mut one), Parsed::Counted(_)));
}

#[test]
fn text_that_is_no_log_line_has_no_format() {
    for line in
        ["", "hello", "{}", "[24/Nov/2026:12:00:01]", "a [06/Feb/2009:12:14:14.655] b", "\"", "{\"ts\":1}"]
    {
        assert_eq!(Format::of(line.as_bytes()), None, "{line}");
    }
}

/// No prefix of a line causes a panic, and no line with one changed byte does.
#[test]
fn damaged_lines_do_no_harm() {
    let samples = [
        ours("200", 1, "null"),
        "10.0.1.2:33317 [24/Nov/2026:12:00:01.000] in a/b 0/0/1/5/6 200 0 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"".into(),
        "::1 - - [24/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" 0.1".into(),
    ];
    for sample in &samples {
        let bytes = sample.as_bytes();
        for at in 0..bytes.len() {
            let _ = Format::of(&bytes[..at]);
            for byte in [0, b' ', b'"', b'[', b'/', b'9', 0xff] {
                let mut damaged = bytes.to_vec();
                damaged[at] = byte;
                let _ = Format::of(&damaged);
            }
        }
    }
}
