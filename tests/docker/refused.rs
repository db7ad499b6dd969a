//! What can't be released fails before the switch, with its own clear cause, and leaves no container.

use greenlight::control_plane::controller::ReleaseView;

use crate::site::{PATIENCE, Setup, Site, shared, started};
use greenlight_testkit::docker::image::Recipe;
use greenlight_testkit::docker::{available, engine};

/// It failed before the switch for this cause, and all of its containers are gone.
async fn failed(site: &Site, release: &ReleaseView, cause: &[&str]) {
    assert_eq!((release.state.as_str(), &release.promoted_at), ("failed", &None), "{release:?}");
    for words in cause {
        assert!(release.reason.contains(words), "{words:?} is not in the reason: {release:?}");
    }
    let id = release.id.clone();
    site.until_containers("no container of it is left", |all| all.iter().all(|one| one.release != id)).await;
    println!("RESULT refused: {}", release.reason);
}

/// An app that is never ready, one that crashes in a loop, a tag that is not there: v1 serves all the while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_that_do_not_come_up() {
    if !available() {
        return;
    }
    let release =
        "debounce = \"300ms\"\nbake_time = \"1s\"\nstandby_ttl = \"3s\"\nprogress_deadline = \"15s\"";
    let site = Site::open(&Setup { release, ..Setup::new("refused", shared().await) }).await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "{first:?}");
    let load = site.load(4, 50.0);

    let missing = site.release(&site.image("nobody-pushed-this")).await;
    failed(&site, &site.until_final(&missing).await, &["there is no image", "nobody-pushed-this"]).await;

    let v5 = site.push("prod", &Recipe::new("v5").with(&["--start-delay", "1h"])).await;
    failed(&site, &site.until_released(&v5).await, &["503"]).await;

    let v6 = site.push("prod", &Recipe::new("v6").with(&["--crash-after", "200ms"])).await;
    let crashed = site.until_released(&v6).await;
    failed(&site, &crashed, &["restart"]).await;
    site.until_explained(&crashed.id, "v6 crashes on purpose", 1).await;

    for id in [&v5, &v6] {
        site.slack.until(&[id, "failed before the switch"], PATIENCE).await;
    }
    let all = site.until_only(&first.id).await;
    assert_eq!(all.len(), 2, "{all:?}");
    let counts = load.stop().await;
    assert_eq!((counts.lost(), counts.of("v1")), (0, counts.total()), "{:?}", counts.losses);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_knows_us_not() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("{{ file = \"{}\" }}", path.display())
    };
    let upstream = format!(
        "publish = \"loopback\"\nregistry_auth = {{ username = {}, password = {} }}",
        secret("user", greenlight_testkit::docker::registry::USER),
        secret("password", "not it")
    );
    let setup = Setup { auth: true, upstream: &upstream, ..Setup::new("unknown", shared().await) };
    let site = Site::open(&setup).await;
    site.push("v1", &Recipe::new("v1")).await;
    let refused = site.release(&site.image("v1")).await;
    failed(&site, &site.until_final(&refused).await, &["the registry does not let us read"]).await;
    // With the right password, read anew for each pull, it goes through.
    secret("password", greenlight_testkit::docker::registry::PASSWORD);
    let taken = site.release(&site.image("v1")).await;
    assert_eq!(site.until_final(&taken).await.state.as_str(), "succeeded");
    assert!(!site.log().contains("not it"), "a password is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_whose_disk_is_full() {
    if !available() {
        return;
    }
    let engine = started(engine::Options { disk: Some("100m"), ..engine::Options::default() }).await;
    // By its own address: two engines on one machine would publish the same ports.
    let upstream = "stop_timeout = \"5s\"";
    let site = Site::open(&Setup { replicas: 1, upstream, ..Setup::new("full", &engine) }).await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "{first:?}");
    let load = site.load(4, 50.0);
    let v2 = site.push("prod", &Recipe { ballast_mib: 64, ..Recipe::new("v2") }).await;
    failed(&site, &site.until_released(&v2).await, &["the disk of the engine", "is full"]).await;
    site.until_only(&first.id).await;
    // What was downloaded of it is gone too: a small image still fits.
    let v3 = site.push("prod", &Recipe::new("v3")).await;
    let third = site.until_released(&v3).await;
    assert_eq!(third.state.as_str(), "succeeded", "{third:?}");
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "{:?}", counts.losses);
}
