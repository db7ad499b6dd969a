//! A service whose origins speak HTTP/2 alone (`protocol = "h2c"`).

use bytes::Bytes;
use greenlight::model::PerColor;
use http::Response;

use crate::origin;
use greenlight_testkit::h2_origin::H2Origin;
use greenlight_testkit::house::{House, SERVICE, Setup};

/// Names its color, as the sample app does.
fn speaks_http2(name: &'static str) -> H2Origin {
    H2Origin::start(move |mut ask| {
        Box::pin(async move {
            let head = Response::builder().header("x-app", name).body(()).unwrap();
            let Ok(mut send) = ask.respond.send_response(head, false) else { return };
            let _ = send.send_data(Bytes::from_static(b"ok"), true);
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_passes_the_default_check_and_gets_all_traffic() {
    let setup = Setup {
        upstream: "protocol = \"h2c\"",
        health: "interval = \"100ms\"\nmin_healthy_time = \"1s\"",
        release: "bake_time = \"1s\"",
        ..Setup::default()
    };
    let origins = PerColor { blue: speaks_http2("blue"), green: speaks_http2("green") };
    let addresses = PerColor { blue: vec![origins.blue.address], green: vec![origins.green.address] };
    let house = House::open_before(&setup, &addresses).await;
    assert_eq!(house.ask().await.unwrap(), (200, Some("blue".to_owned())));
    let load = house.load(4, Some(100.0));
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "succeeded");
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    assert_eq!(house.ask().await.unwrap(), (200, Some("green".to_owned())));
    let probes = origins.green.heads().into_iter().filter(|head| {
        let agent = head.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
        agent.is_some_and(|agent| agent.starts_with("greenlight-probe/"))
    });
    assert!(probes.count() >= 10, "a second and more of 100 ms each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_of_http1_fails_and_is_told_why() {
    let setup = Setup {
        upstream: "protocol = \"h2c\"",
        health: "interval = \"100ms\"\ntimeout = \"1s\"\nmin_healthy_time = \"0s\"",
        release: "progress_deadline = \"4s\"",
        ..Setup::default()
    };
    let (blue, green) = (speaks_http2("blue"), origin::start("green", 0.0).await);
    let house = House::open_before(&setup, &PerColor { blue: vec![blue.address], green: vec![green] }).await;
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    assert_eq!(house.until_final(&release).await, "failed");
    let reason = house.admin().release(&release).await.unwrap().reason;
    assert!(
        reason.contains("not HTTP/2: it speaks HTTP/1, its answer begins with \"HTTP/1.1 200 OK\""),
        "{reason}"
    );
    assert_eq!(house.ask().await.unwrap(), (200, Some("blue".to_owned())));
}
