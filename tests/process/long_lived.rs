//! What lasts longer than a switch: WebSocket connections, uploads, downloads, events, over HTTP/1.1 and HTTP/2. They end
//! where they began, and at a drain they get their grace.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use greenlight::model::{Color, PerColor};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::lasting::{chat, download, round};
use crate::origin::{self, CHUNK_BYTES, CHUNKS};
use crate::traffic::Traffic;
use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup};
use greenlight_testkit::setting::setting;

async fn upstreams() -> PerColor<Vec<std::net::SocketAddr>> {
    let (blue, green) = (origin::start("blue", 0.0).await, origin::start("green", 0.0).await);
    PerColor { blue: vec![blue], green: vec![green] }
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch")]
fn now() -> Instant {
    Instant::now()
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
    let begun = now();
    let mut traffic = Traffic::start(house.listener);
    let load = house.load(16, None);
    let mut active = Color::Blue;
    for number in 1..=switches() {
        let enough = load.counts().of(active.as_str()) + 64;
        assert!(load.until(PATIENCE, |counts| counts.of(active.as_str()) >= enough).await);
        let release = house.admin().deploy(SERVICE, &format!("v{number}"), true).await.unwrap();
        active = active.other();
        assert_eq!(house.until_final(&release).await, "succeeded", "switch {number}");
        traffic.check();
    }
    let told = traffic.stop().await;
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    // Nobody was told to go, or cut: both colors stayed warm.
    let metrics = house.admin().ask("GET", "/metrics", None).await.unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("greenlight_cut_total 0"), "{metrics}");
    assert!(metrics.contains("greenlight_farewells_total 0"), "{metrics}");
    println!(
        "RESULT long-lived: {} switches in {:.0} s under {told}, {} requests; 0 failed, 0 cut",
        switches(),
        begun.elapsed().as_secs_f64(),
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
        chats.push(chat(address).await);
    }
    let mut stubborn = chat(address).await;
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
