//! Follow mode: compose, or a person, brings the containers up; no release is ever asked for.

use std::collections::HashMap;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use tokio::time::Instant;

use crate::site::{PATIENCE, Setup, Site, shared};
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::image::{self, PORT, Recipe};

const RELEASE: &str =
    "trigger = \"on_healthy\"\nbake_time = \"2s\"\nstandby_ttl = \"1h\"\nprogress_deadline = \"1m\"";
const UPSTREAM: &str = "follow = true\npublish = \"loopback\"";
const SETS: usize = 2;

/// Green comes up, is gated, gets the traffic; blue stays warm; blue is brought up anew and takes over in the same way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colors_that_come_up_are_released() {
    if !available() {
        return;
    }
    let engine = shared().await;
    let site =
        Site::open(&Setup { upstream: UPSTREAM, release: RELEASE, ..Setup::new("followed", engine) }).await;
    for version in ["one", "two", "three"] {
        image::make(&site.api, &format!("followed:{version}"), &Recipe::new(version)).await;
    }
    up(&site.api, "blue", "one").await;
    site.until("blue's containers are seen and healthy", |service| {
        service
            .endpoints
            .iter()
            .filter(|one| one.color.as_str() == "blue" && one.health.as_str() == "healthy")
            .count()
            == SETS
    })
    .await;
    let load = site.load(8, 100.0);
    assert!(load.until(PATIENCE, |counts| counts.of("one") > 50).await, "{:?}", load.counts());

    // The other color has to have been down for ten seconds while blue was healthy: it has been, once it is up for so long.
    let begun = Instant::now();
    up(&site.api, "green", "two").await;
    let green = released(&site, "green").await;
    println!(
        "RESULT follow: green had the traffic {:.1} s after it was brought up",
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(green.state.as_str(), "succeeded", "{green:?}");
    let enough = load.counts().of("two") + 50;
    assert!(load.until(PATIENCE, |counts| counts.of("two") > enough).await, "{:?}", load.counts());
    // Blue stays warm: nobody has stopped it, and it is still probed.
    let view = site.view().await;
    let warm = |color: &str| {
        view.endpoints
            .iter()
            .filter(|one| one.color.as_str() == color && one.health.as_str() == "healthy")
            .count()
    };
    assert_eq!((warm("blue"), warm("green")), (SETS, SETS), "{view:?}");
    assert_eq!(site.containers().await.iter().filter(|one| one.running).count(), 2 * SETS);

    down(&site, "blue").await;
    up(&site.api, "blue", "three").await;
    let blue = released(&site, "blue").await;
    assert_eq!((blue.state.as_str(), blue.color.as_str()), ("succeeded", "blue"), "{blue:?}");
    let enough = load.counts().of("three") + 50;
    assert!(load.until(PATIENCE, |counts| counts.of("three") > enough).await, "{:?}", load.counts());
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
    for color in ["blue", "green"] {
        down(&site, color).await;
    }
}

/// Waits until this color is the active one and its release has ended.
async fn released(site: &Site, color: &str) -> greenlight::control_plane::controller::ReleaseView {
    let view = site.until(&format!("{color} is active"), |service| service.active.as_str() == color).await;
    let id = view.release.expect("a release moved the traffic").id;
    site.until_final(&id).await
}

/// What compose does: containers with labels, made and started.
async fn up(api: &Docker, color: &str, version: &str) {
    for number in 1..=SETS {
        let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None };
        let body = ContainerCreateBody {
            image: Some(format!("followed:{version}")),
            labels: Some(HashMap::from([
                ("greenlight.service".to_owned(), "followed".to_owned()),
                ("greenlight.color".to_owned(), color.to_owned()),
            ])),
            host_config: Some(HostConfig {
                port_bindings: Some(HashMap::from([(format!("{PORT}/tcp"), Some(vec![binding]))])),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let name = format!("followed-{color}-{number}");
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let made = api.create_container(Some(options), body).await.unwrap();
        api.start_container(&made.id, None::<StartContainerOptions>).await.unwrap();
    }
}

async fn down(site: &Site, color: &str) {
    for one in site.containers().await.iter().filter(|one| one.color == color) {
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        site.api.remove_container(&one.id, Some(options)).await.unwrap();
    }
}
