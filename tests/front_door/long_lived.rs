//! What lasts longer than a switch: WebSocket connections, uploads, downloads. They end where they
//! began, and at a drain they get their grace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use greenlight::cli::demo::client::{Answer, Connection, Failure, request};
use greenlight::model::{Color, PerColor};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::origin::{self, CHUNK_BYTES, CHUNKS};
use crate::support::{HOST, House, PATIENCE, SERVICE, Setup, setting};

const UPLOAD_PIECES: usize = 25;
const PIECE_BYTES: usize = 4096;
const PIECE_GAP: Duration = Duration::from_millis(20);

async fn upstreams() -> PerColor<Vec<std::net::SocketAddr>> {
    let (blue, green) = (origin::start("blue", 0.0).await, origin::start("green", 0.0).await);
    PerColor { blue: vec![blue], green: vec![green] }
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
}

async fn chat(house: &House) -> WebSocketStream<TcpStream> {
    chat_at(house.listener).await
}

async fn chat_at(address: std::net::SocketAddr) -> WebSocketStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let (socket, answer) =
        tokio_tungstenite::client_async(format!("ws://{HOST}/chat"), socket).await.expect("an upgrade");
    assert_eq!(answer.status(), 101);
    socket
}

/// One round trip.
async fn round(socket: &mut WebSocketStream<TcpStream>, text: &str) -> Result<(), String> {
    socket.send(Message::text(text)).await.map_err(|why| why.to_string())?;
    match socket.next().await {
        Some(Ok(Message::Text(answer))) if answer.as_str() == text => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A body that takes half a second to send.
async fn upload(address: std::net::SocketAddr) -> Result<Answer, Failure> {
    let length = UPLOAD_PIECES * PIECE_BYTES;
    let head = format!("POST /upload HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n");
    let mut socket = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    socket.write_all(head.as_bytes()).await.map_err(Failure::Send)?;
    for _ in 0..UPLOAD_PIECES {
        socket.write_all(&[b'x'; PIECE_BYTES]).await.map_err(Failure::Send)?;
        tokio::time::sleep(PIECE_GAP).await;
    }
    Connection::of(socket).ask(b"").await
}

async fn download(address: std::net::SocketAddr, path: &str) -> Result<Answer, Failure> {
    Connection::open(address).await?.ask(&request("GET", path, HOST, None)).await
}

/// Counts what ended well, and keeps the first failure.
#[derive(Debug, Default)]
struct Tally {
    rounds: AtomicU64,
    uploads: AtomicU64,
    downloads: AtomicU64,
    stop: AtomicBool,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

/// Clients of all three kinds; each panics at its first failure.
fn traffic(address: std::net::SocketAddr, tally: &Arc<Tally>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for number in 0..16 {
        let tally = Arc::clone(tally);
        clients.spawn(async move {
            let mut socket = chat_at(address).await;
            while tally.goes_on() {
                round(&mut socket, &format!("{number}")).await.expect("an echo");
                tally.rounds.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            socket.close(None).await.expect("a good end");
        });
    }
    for _ in 0..8 {
        let tally = Arc::clone(tally);
        clients.spawn(async move {
            while tally.goes_on() {
                let answer = upload(address).await.expect("an upload");
                let whole = (UPLOAD_PIECES * PIECE_BYTES).to_string();
                assert_eq!((answer.status, answer.body), (200, whole.into_bytes()));
                tally.uploads.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    for _ in 0..8 {
        let tally = Arc::clone(tally);
        clients.spawn(async move {
            while tally.goes_on() {
                let answer = download(address, "/download").await.expect("a download");
                assert_eq!((answer.status, answer.body.len()), (200, CHUNKS * CHUNK_BYTES));
                tally.downloads.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    clients
}

/// The share of switches that is done under long-lived traffic: a tenth, and all of them by night.
fn switches() -> u64 {
    setting("GREENLIGHT_LONG_SWITCHES", 100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switches_end_nothing_that_lasts_longer() {
    let setup = Setup {
        health: "interval = \"50ms\"\ntimeout = \"2s\"\nrise = 1\nmin_healthy_time = \"0s\"",
        release: "bake_time = \"0s\"\nstandby_ttl = \"1h\"",
        ..Setup::default()
    };
    let house = House::open_before(&setup, &upstreams().await).await;
    let tally = Arc::new(Tally::default());
    let mut clients = traffic(house.listener, &tally);
    let load = house.load(16, None);
    let mut active = Color::Blue;
    for number in 1..=switches() {
        let enough = load.counts().of(active.as_str()) + 64;
        assert!(load.until(PATIENCE, |counts| counts.of(active.as_str()) >= enough).await);
        let release = house.admin().deploy(SERVICE, &format!("v{number}"), true).await.unwrap();
        active = active.other();
        assert_eq!(house.until_final(&release).await, "succeeded", "switch {number}");
        // A client that has failed has ended.
        if let Some(ended) = clients.try_join_next() {
            ended.expect("no client fails");
        }
    }
    tally.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client fails");
    }
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    let sum = |count: &AtomicU64| count.load(Ordering::SeqCst);
    assert!(sum(&tally.uploads) > 0 && sum(&tally.downloads) > 0);
    println!(
        "RESULT long-lived: {} switches, {} WebSocket round trips on 16 connections, {} uploads, {} downloads, \
         {} requests, 0 failed, 0 cut",
        switches(),
        sum(&tally.rounds),
        sum(&tally.uploads),
        sum(&tally.downloads),
        counts.total()
    );
}

/// At a drain of 8 s: WebSocket connections hear of it within 2 s, a download ends by itself, and
/// what does not end is cut at 8 s and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_gives_its_grace() {
    const DRAIN: Duration = Duration::from_secs(8);
    let setup = Setup {
        health: "interval = \"50ms\"\ntimeout = \"2s\"\nrise = 1\nmin_healthy_time = \"0s\"",
        release: "bake_time = \"0s\"\nstandby_ttl = \"0s\"\ndrain_timeout = \"8s\"",
        ..Setup::default()
    };
    let house = House::open_before(&setup, &upstreams().await).await;
    let address = house.listener;
    let mut chats = Vec::new();
    for _ in 0..8 {
        chats.push(chat(&house).await);
    }
    let mut stubborn = chat(&house).await;
    round(&mut stubborn, "here").await.unwrap();
    let stuck = tokio::spawn(async move {
        let end = download(address, "/stuck").await;
        (end, now())
    });
    let whole = tokio::spawn(download(address, "/download"));
    house
        .admin()
        .until(SERVICE, "all in flight", PATIENCE, |service| {
            service.endpoints.iter().map(|one| one.inflight).sum::<u64>() >= 10
        })
        .await
        .unwrap();
    let begun = now();
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "succeeded");
    let drained = now();

    for chat in &mut chats {
        let close = loop {
            match chat.next().await {
                Some(Ok(Message::Close(Some(close)))) => break close,
                Some(Ok(_)) => {}
                other => panic!("{other:?} in place of a Close"),
            }
        };
        assert_eq!(close.code, CloseCode::Away);
        // The library answers when it is asked for more; then both have ended in good order.
        while let Some(Ok(_)) = chat.next().await {}
    }
    assert!(drained.elapsed() < DRAIN / 4 + Duration::from_secs(2), "{:?}", drained.elapsed());
    assert_eq!(whole.await.unwrap().unwrap().body.len(), CHUNKS * CHUNK_BYTES);
    let (end, at) = stuck.await.unwrap();
    assert!(end.is_err(), "cut, not ended");
    assert!(at.duration_since(begun) >= DRAIN, "cut after {:?}", at.duration_since(begun));
    assert!(at.duration_since(drained) < DRAIN + Duration::from_secs(2));
    drop(stubborn);
    let metrics = house.admin().ask("GET", "/metrics", None).await.unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    // The download and the connection that did not answer its Close.
    assert!(metrics.contains("greenlight_cut_total 2"), "{metrics}");
    assert!(metrics.contains("greenlight_farewells_total 9"), "{metrics}");
}
