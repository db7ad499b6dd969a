#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::client::{Connection, Failure, request};
use super::load::{Load, Plan};
use super::moment::{EVENTS_SHOWN, Moment};
use super::rundown::changes;
use super::stage::Stage;
use crate::control_plane::controller::{ReleaseView, ServiceView};
use crate::model::Color;
use crate::release::StateName;

const CONFIG: &str = r#"
[[listeners]]
bind = "127.0.0.1:LISTENER"
[admin]
bind = "127.0.0.1:ADMIN"
[store]
path = "/nowhere"
[services.backend]
hosts = ["backend.example.org"]
[services.backend.upstream]
kind = "fixed"
blue = ["127.0.0.1:ADMIN"]
green = ["127.0.0.1:GREEN"]
"#;

fn view(state: &str, active: &str) -> ServiceView {
    ServiceView {
        name: "backend".into(),
        hosts: vec![],
        active: active.parse().unwrap(),
        active_version: None,
        candidate_version: None,
        containers: std::collections::BTreeMap::new(),
        epoch: 3,
        revision: 9,
        state: StateName::from_word(state).unwrap(),
        pinned: false,
        pin: None,
        paused: false,
        rollback_available: false,
        release: Some(ReleaseView {
            version: "v3".into(),
            reason: "the judge tripped".into(),
            numbers: serde_json::json!({"s": 9.0, "h": 18.0, "n": 200, "e": 30, "p0": 0.005, "p1": 0.025})
                .as_object()
                .unwrap()
                .clone(),
            ..ReleaseView::new("backend-2", "backend", Color::Blue, StateName::from_word(state).unwrap())
        }),
        queued: None,
        endpoints: vec![],
        alarms: std::collections::BTreeMap::new(),
        deadline_in_seconds: Some(4.0),
    }
}

/// A server that answers each request, on any connection, with the next of `answers`, byte by byte. It ends
/// when it has no more answers. It closes the connection after an answer that contains "close" and does not
/// end with `#`.
async fn origin(answers: Vec<&'static [u8]>) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0_u8; 4096];
            while let Ok(1..) = stream.read(&mut buffer).await {
                let Some(answer) = answers.next() else { return };
                for byte in answer {
                    stream.write_all(&[*byte]).await.unwrap();
                }
                if !answer.ends_with(b"#") && answer.windows(5).any(|window| window == b"close") {
                    break;
                }
            }
        }
    });
    address
}

async fn ask(answer: &'static [u8]) -> Result<super::client::Answer, Failure> {
    let address = origin(vec![answer]).await;
    Connection::open(address).await?.ask(&request("GET", "/", "a", None)).await
}

#[test]
fn taken_ports_are_replaced_and_noted() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let free = super::ports::free_address(&[]).unwrap().port();
    let other = super::ports::free_address(&[SocketAddr::from(([127, 0, 0, 1], free))]).unwrap().port();
    let text = CONFIG
        .replace("LISTENER", &port.to_string())
        .replace("ADMIN", &free.to_string())
        .replace("GREEN", &other.to_string());
    let (stage, written) = Stage::plan(&text, Path::new("/tmp/here")).unwrap();
    assert_ne!(stage.listener.port(), port);
    assert_eq!(stage.admin.port(), free);
    assert_ne!(stage.upstreams.blue[0].port(), free, "one address is not given out twice");
    assert_eq!(stage.upstreams.green[0].port(), other);
    assert_eq!(stage.notes.len(), 2, "{:?}", stage.notes);
    let again: toml::Table = toml::from_str(&written).unwrap();
    assert_eq!(again["listeners"][0]["bind"].as_str(), Some(stage.listener.to_string().as_str()));
    assert_eq!(again["store"]["path"].as_str(), Some("/tmp/here/store"));
}

#[test]
fn a_faulty_file_is_named() {
    let trouble = Stage::plan("[admin]\nbind = 3\n", Path::new("/tmp")).unwrap_err();
    assert!(trouble.to_string().contains("listeners is missing"), "{trouble}");
}

#[test]
fn every_frame_has_as_many_lines() {
    let empty = Moment::default();
    let mut full = Moment { service: Some(view("baking", "blue")), ..Moment::default() };
    full.counts.answers.insert("blue".into(), 12);
    assert_eq!(empty.frame().len(), full.frame().len());
    assert!(empty.frame().len() >= EVENTS_SHOWN);
    let text: String = full.frame().concat().into_iter().map(|(_, text)| text).collect();
    assert!(text.contains("############............"), "half of the bar: {text}");
    assert!(full.summary().contains("judge S 9.0 of 18.0"), "{}", full.summary());
}

#[test]
fn each_change_is_shown_once() {
    let baking = view("baking", "blue");
    let reverted = view("reverted", "green");
    assert_eq!(changes(Some(&baking), &baking), Vec::<String>::new());
    assert_eq!(
        changes(Some(&baking), &reverted),
        ["all traffic moved from blue to green (epoch 3)", "backend-2 (v3) reverted: the judge tripped"]
    );
}

#[tokio::test]
async fn bodies_end_where_their_framing_says() {
    let answer = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: blue\r\n\r\nhello").await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice(), answer.field("x-app")),
        (200, &b"hello"[..], Some("blue"))
    );
    assert!(answer.keep_alive);
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nabcd\r\n1\r\ne\r\n0\r\nT: v\r\n\r\n";
    assert_eq!(ask(chunked).await.unwrap().body, b"abcde");
    let to_the_end = ask(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil").await.unwrap();
    assert_eq!((to_the_end.body.as_slice(), to_the_end.keep_alive), (&b"until"[..], false));
    let after_continue = ask(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n").await.unwrap();
    assert_eq!(after_continue.status, 204);
}

#[tokio::test]
async fn an_incomplete_or_malformed_answer_is_a_failure() {
    let cut = ask(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhell").await;
    assert!(matches!(cut, Err(Failure::Closed("inside a body"))), "{cut:?}");
    let nothing = ask(b"close").await;
    assert!(matches!(nothing, Err(Failure::Malformed(_))), "{nothing:?}");
    let chunk = ask(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert!(matches!(chunk, Err(Failure::Malformed(_))), "{chunk:?}");
}

#[tokio::test]
async fn a_load_counts_answers_failures_and_broken_promises() {
    let blue = b"HTTP/1.1 200 OK\r\nX-App: blue\r\nContent-Length: 0\r\n\r\n";
    let bad = b"HTTP/1.1 500 No\r\nX-App: blue\r\nContent-Length: 0\r\n\r\n";
    let target = origin(vec![blue, bad, blue, blue]).await;
    let plan = Plan {
        target,
        host: "a".into(),
        path: "/".into(),
        connections: 1,
        rate: Some(50.0),
        timeout: Duration::from_secs(5),
    };
    let load = Load::start(&plan);
    load.promise(Some(Color::Green));
    // The origin ends after four answers, so every later request is lost.
    assert!(load.until(Duration::from_secs(10), |counts| counts.unanswered > 0).await);
    let counts = load.stop().await;
    assert_eq!((counts.of("blue"), counts.failed_by("blue")), (3, 1));
    assert_eq!(counts.promises_broken, 3, "{counts:?}");
    assert!(counts.lost() >= 2 && counts.losses.len() >= 2, "{counts:?}");
}
