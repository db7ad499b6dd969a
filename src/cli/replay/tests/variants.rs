//! Lines of the variants of each format that people write.

use crate::judge::Outcome;

use super::super::line::{Parsed, ServiceFilter, client};
use super::super::{Format, rfc3339_millis};
use super::formats::{counted, millis, not_counted};

const HTTPSLOG: &str = "lb haproxy[9]: 10.0.1.2:33317 [24/Nov/2026:12:00:01.000] https~ shop/s1 10/0/30/69/109 200 2750 - - \
                        ---- 1/1/1/1/0 0/0 {shop.example.org} \"GET /a HTTP/1.1\" 0/0/0/0/0 shop.example.org/TLSv1.3/TLS_AES_128_GCM_SHA256";

#[test]
fn haproxy_httpslog_is_judged() {
    let line = counted(Format::Haproxy, HTTPSLOG);
    assert_eq!((line.route.as_str(), line.took_ms, line.outcome), ("GET /a", Some(99), Outcome::Success));
    assert_eq!(line.client, client(b"10.0.1.2"));
    not_counted(Format::Haproxy, &HTTPSLOG.replace("GET /a HTTP/1.1", "<BADREQ>"));
}

#[test]
fn the_client_is_found_behind_a_virtual_host_or_syslog() {
    let rest = "[24/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5\"";
    for (before, expected) in [
        ("203.0.113.7 - -", "203.0.113.7"),
        ("shop.example.org:443 203.0.113.7 - -", "203.0.113.7"),
        ("shop.example.org 203.0.113.7 - alice", "203.0.113.7"),
        ("192.0.2.1:80 203.0.113.7 - -", "203.0.113.7"),
        ("192.0.2.1 203.0.113.7 - -", "203.0.113.7"),
        ("- 203.0.113.7 - -", "203.0.113.7"),
        ("203.0.113.7 - alice smith", "203.0.113.7"),
        ("2001:db8::7 - -", "2001:db8::7"),
        ("shop.example.org 2001:db8::7 - -", "2001:db8::7"),
        ("host.example.net - -", "host.example.net"),
        ("shop.example.org 203.0.113.7 ident -", "203.0.113.7"),
        ("Nov 24 12:00:01 web nginx: 203.0.113.7 - -", "203.0.113.7"),
        ("<190>Nov 24 12:00:01 web nginx[71]: 203.0.113.7 - -", "203.0.113.7"),
    ] {
        let line = counted(Format::Combined, &format!("{before} {rest}"));
        assert_eq!(line.client, client(expected.as_bytes()), "{before}");
    }
}

#[test]
fn the_request_time_is_found_wherever_people_put_it() {
    let plain = "203.0.113.7 - - [24/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 5";
    for (more, expected) in [
        (" \"-\" \"curl/8.5\" \"-\" 0.109", Some(109)),
        (" \"-\" \"curl/8.5\" \"10.1.2.3, 10.1.2.4\" 0.109 0.101 .", Some(109)),
        (" \"-\" \"curl/8.5\" \"10.1.2.3\" rt=0.109 uct=\"0.000\" uht=\"0.101\"", Some(109)),
        (" \"-\" \"curl/8.5\" uct=\"0.000\" rt=\"0.109\"", Some(109)),
        (" \"-\" \"curl/8.5\" 412 0.109 [shop-web-80] [] 10.0.0.9:80 5 0.108 200 6f1c", Some(109)),
        (" \"-\" \"curl/8.5\" 109364", Some(109)),
        (" \"-\" \"curl/8.5\" 0/109364", Some(109)),
        (" 109364", Some(109)),
        (" \"-\" \"curl/8.5\" 109364us", Some(109)),
        (" \"-\" \"-\" 17 \"web@docker\" \"http://10.0.0.9:80\" 109ms", Some(109)),
        (" \"-\" \"curl/8.5\" \"-\"", None),
        (" \"-\" \"curl/8.5 (1.5)\"", None),
        ("", None),
    ] {
        assert_eq!(counted(Format::Combined, &format!("{plain}{more}")).took_ms, expected, "{more}");
    }
}

/// nginx writes when a request ended, and Apache when it came.
#[test]
fn a_time_in_microseconds_is_added_to_the_time_of_the_line() {
    let at = |more: &str| {
        let line = format!(
            "203.0.113.7 - - [24/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\" {more}"
        );
        counted(Format::Combined, &line).ended_ms
    };
    assert_eq!(at("30000000"), millis("2026-11-24T12:00:31Z"));
    assert_eq!(at("30.000"), millis("2026-11-24T12:00:01Z"));
}

#[test]
fn the_client_behind_a_private_proxy_is_the_one_that_it_forwarded() {
    let with = |peer: &str, forwarded: &str| {
        let line = format!(
            "{peer} - - [24/Nov/2026:12:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\" \"{forwarded}\" 0.1"
        );
        counted(Format::Combined, &line).client
    };
    assert_eq!(with("10.0.0.1", "198.51.100.1, 203.0.113.7"), client(b"203.0.113.7"));
    assert_eq!(with("10.0.0.1", "-"), client(b"10.0.0.1"));
    assert_eq!(with("198.51.100.9", "203.0.113.7"), client(b"198.51.100.9"));
}

const TRAEFIK: &str = r#"{"ClientAddr":"203.0.113.7:50412","ClientHost":"203.0.113.7","ClientPort":"50412","DownstreamContentSize":5,"DownstreamStatus":200,"Duration":109364000,"OriginDuration":108000000,"OriginStatus":200,"Overhead":1364000,"RequestHost":"shop.example.org","RequestMethod":"GET","RequestPath":"/orders/17?x=1","RequestProtocol":"HTTP/2.0","RouterName":"shop@docker","ServiceName":"shop@docker","ServiceURL":"http://10.0.0.9:80","StartLocal":"2026-11-24T12:00:01.5Z","StartUTC":"2026-11-24T12:00:01.5Z","entryPointName":"websecure","level":"info","msg":"","time":"2026-11-24T12:00:01Z"}"#;

#[test]
fn traefik_json_lines() {
    let line = counted(Format::Traefik, TRAEFIK);
    assert_eq!(line.ended_ms, millis("2026-11-24T12:00:01.609Z"));
    assert_eq!((line.took_ms, line.client), (Some(108), client(b"203.0.113.7")));
    assert_eq!((line.route.as_str(), line.outcome), ("GET /orders/{id}", Outcome::Success));
    let failed = TRAEFIK.replace("Status\":200", "Status\":502");
    assert_eq!(counted(Format::Traefik, &failed).outcome, Outcome::Error);
    let unreached = failed.replace("\"OriginStatus\":502,", "");
    assert_eq!(counted(Format::Traefik, &unreached).outcome, Outcome::Error);
    not_counted(Format::Traefik, &TRAEFIK.replace("\"ServiceName\":\"shop@docker\",", ""));
    not_counted(Format::Traefik, &TRAEFIK.replace("DownstreamStatus\":200", "DownstreamStatus\":499"));
    not_counted(Format::Traefik, &unreached.replace("502", "401"));
    let old = TRAEFIK.replace("\"StartUTC\":\"2026-11-24T12:00:01.5Z\",", "");
    assert_eq!(counted(Format::Traefik, &old).ended_ms, millis("2026-11-24T12:00:01Z"));
    for name in ["shop", "shop@docker"] {
        let mut filter = ServiceFilter::new(Some(name.into()));
        assert!(
            matches!(Format::Traefik.parse(TRAEFIK.as_bytes(), &mut filter), Some(Parsed::Counted(_))),
            "{name}"
        );
    }
    let mut other = ServiceFilter::new(Some("blog".into()));
    assert_eq!(Format::Traefik.parse(TRAEFIK.as_bytes(), &mut other), Some(Parsed::OtherService));
}

const ENVOY: &str = r#"{"start_time":"2026-11-24T12:00:01.500Z","method":"GET","path":"/orders/17?x=1","protocol":"HTTP/1.1","response_code":200,"response_flags":"-","bytes_received":0,"bytes_sent":5,"duration":109,"upstream_service_time":"101","x_forwarded_for":"198.51.100.1,203.0.113.7","user_agent":"curl/8.5","request_id":"6f1c","authority":"shop.example.org","upstream_host":"10.0.0.9:80","downstream_remote_address":"10.0.0.1:50412"}"#;

#[test]
fn envoy_json_lines() {
    let line = counted(Format::Envoy, ENVOY);
    assert_eq!(line.ended_ms, millis("2026-11-24T12:00:01.609Z"));
    assert_eq!((line.took_ms, line.client), (Some(101), client(b"203.0.113.7")));
    assert_eq!((line.route.as_str(), line.outcome), ("GET /orders/{id}", Outcome::Success));
    let text = ENVOY.replace("\"response_code\":200", "\"response_code\":\"200\"");
    assert_eq!(counted(Format::Envoy, &text), line);
    let gateway = ENVOY
        .replace("\"path\"", "\"x-envoy-origin-path\"")
        .replace("\"upstream_service_time\"", "\"x-envoy-upstream-service-time\"")
        .replace("\"x_forwarded_for\"", "\"x-forwarded-for\"");
    assert_eq!(counted(Format::Envoy, &gateway), line);
    let peer = ENVOY.replace("\"198.51.100.1,203.0.113.7\"", "null");
    assert_eq!(counted(Format::Envoy, &peer).client, client(b"10.0.0.1"));
    let with = |code: &str, flags: &str| {
        ENVOY
            .replace("\"response_code\":200", &format!("\"response_code\":{code}"))
            .replace("\"response_flags\":\"-\"", &format!("\"response_flags\":\"{flags}\""))
    };
    for (code, flags) in [("500", "-"), ("503", "UF,URX"), ("504", "UT"), ("200", "UC"), ("0", "UPE")] {
        assert_eq!(counted(Format::Envoy, &with(code, flags)).outcome, Outcome::Error, "{code} {flags}");
    }
    for (code, flags) in [("0", "DC"), ("404", "NR"), ("429", "RL"), ("400", "DPE"), ("0", "-")] {
        not_counted(Format::Envoy, &with(code, flags));
    }
}

#[test]
fn nginx_json_lines_with_the_names_that_people_use() {
    let line = r#"{"time_local":"24/Nov/2026:12:00:01 +0000","remote_addr":"203.0.113.7","request":"GET /orders/17?x=1 HTTP/1.1","status":"200","body_bytes_sent":"5","request_time":"0.109","http_user_agent":"curl/8.5"}"#;
    let parsed = counted(Format::NginxJson, line);
    assert_eq!((parsed.ended_ms, parsed.took_ms), (millis("2026-11-24T12:00:01Z"), Some(109)));
    assert_eq!((parsed.route.as_str(), parsed.client), ("GET /orders/{id}", client(b"203.0.113.7")));
    let several = r#"{"time_local":"24/Nov/2026:12:00:01 +0000","time_iso8601":"2026-11-24T12:00:01+00:00","msec":1795521601.250,"remote_addr":"10.0.0.1","http_x_forwarded_for":"203.0.113.7","request_method":"GET","request_uri":"/orders/17?x=1","uri":"/index.php","request":"GET /orders/17?x=1 HTTP/1.1","status":502,"request_time":0.109,"upstream_header_time":"-","upstream":{"addr":["a",1]}}"#;
    let parsed = counted(Format::NginxJson, several);
    assert_eq!((parsed.ended_ms, parsed.took_ms), (millis("2026-11-24T12:00:01.25Z"), Some(109)));
    assert_eq!((parsed.route.as_str(), parsed.client), ("GET /orders/{id}", client(b"203.0.113.7")));
    assert_eq!(parsed.outcome, Outcome::Error);
    let short = r#"{"time":"2026-11-24T12:00:01Z","client":"203.0.113.7","method":"GET","path":"/a","status":200,"uht":0.05}"#;
    assert_eq!(counted(Format::NginxJson, short).took_ms, Some(50));
    not_counted(Format::NginxJson, &short.replace("200", "499"));
    assert_eq!(rfc3339_millis(b"2026-11-24T12:00:01Z"), Some(1_795_521_601_000));
}

#[test]
fn damaged_json_does_no_harm() {
    for sample in [TRAEFIK, ENVOY, HTTPSLOG] {
        for at in 0..sample.len() {
            let _ = Format::of(&sample.as_bytes()[..at]);
            for byte in [0, b'"', b'{', b'-', b'9', 0xff] {
                let mut damaged = sample.as_bytes().to_vec();
                damaged[at] = byte;
                let _ = Format::of(&damaged);
            }
        }
    }
}
