//! Containers that have ended are started again, whoever ended them.

use bollard::query_parameters::{KillContainerOptions, RemoveContainerOptionsBuilder, StopContainerOptions};
use tokio::time::Instant;

use crate::site::{PATIENCE, Setup, Site, shared, started};
use greenlight::control_plane::controller::ServiceView;
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::engine::{self, Engine};
use greenlight_testkit::docker::image::Recipe;
use greenlight_testkit::setting::setting;

const RELEASE: &str = "debounce = \"0s\"\nbake_time = \"1s\"\nstandby_ttl = \"1s\"\ndrain_timeout = \"1s\"\nprogress_deadline = \"1m\"";
/// How soon all containers serve again after their engine is back, in seconds.
const BACK: u64 = 15;

/// A service whose v1 serves.
async fn served(service: &str, engine: &Engine) -> Site {
    let site = Site::open(&Setup { release: RELEASE, told: false, ..Setup::new(service, engine) }).await;
    site.push("v1", &Recipe::new("v1")).await;
    let first = site.release(&site.image("v1")).await;
    assert_eq!(site.until_final(&first).await.state.as_str(), "succeeded");
    site.until("both containers are known to run", whole).await;
    site
}

/// Whether as many containers of the active color run and are healthy as are wanted.
fn whole(service: &ServiceView) -> bool {
    service
        .containers
        .get(service.active.as_str())
        .is_some_and(|found| found.running == Some(found.wanted) && found.healthy >= found.wanted)
}

fn short(service: &ServiceView) -> bool {
    service.containers.get(service.active.as_str()).is_some_and(|found| found.running < Some(found.wanted))
}

async fn kill(site: &Site, count: usize) {
    for one in site.containers().await.iter().filter(|one| one.running).take(count) {
        site.api.kill_container(&one.id, None::<KillContainerOptions>).await.unwrap();
    }
    site.until("it is seen", short).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_removed_containers_come_back() {
    if !available() {
        return;
    }
    let site = served("supervised", shared().await).await;
    for count in [1, 2] {
        kill(&site, count).await;
        let alarmed = |service: &ServiceView| service.alarms.contains_key("containers-down");
        let view = site.until("there is an alarm", alarmed).await;
        assert!(view.alarms["containers-down"].contains("are started again"), "{view:?}");
        site.until("all of them are back", whole).await;
    }
    for one in site.containers().await {
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        site.api.remove_container(&one.id, Some(options)).await.unwrap();
    }
    site.until("it is seen", short).await;
    // The version that is active is something to deploy, and what runs meanwhile is made anew as well.
    let release = site.release(&site.image("v1")).await;
    assert_eq!(site.until_final(&release).await.state.as_str(), "succeeded");
    site.until("all of them are back", whole).await;
    let load = site.load(2, 50.0);
    assert!(load.until(PATIENCE, |counts| counts.of("v1") > 20).await, "{:?}", load.counts());
    assert_eq!(load.stop().await.lost(), 0);
}

/// Nothing is started while the service is pinned and a person has stopped a container. After the unpin the
/// person's stop has been respected for half a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_stop_is_respected_under_a_pin() {
    if !available() {
        return;
    }
    let site = served("stopped", shared().await).await;
    site.say("PUT", "pin").await;
    let one = site.containers().await.into_iter().find(|one| one.running).unwrap();
    site.api.stop_container(&one.id, None::<StopContainerOptions>).await.unwrap();
    let told = |service: &ServiceView| {
        service.alarms.get("containers-down").is_some_and(|why| why.contains("a person has stopped them"))
    };
    site.until("the alarm says so", told).await;
    site.say("DELETE", "pin").await;
    site.until("it is started again", whole).await;
    assert!(site.containers().await.iter().any(|now| now.id == one.id && now.running));
}

/// dockerd ends by SIGTERM or SIGKILL. Once it answers again, everything is as before within 15 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_back_soon_after_the_engine_is() {
    if !available() {
        return;
    }
    let engine = started(engine::Options::default()).await;
    let site = served("engine-back", &engine).await;
    let mut slowest = std::time::Duration::ZERO;
    for round in 0..3 {
        if round == 2 {
            // The containers were killed by hand before, so the engine does not start them itself.
            kill(&site, 2).await;
        }
        if round == 1 {
            engine.stop();
        } else {
            engine.kill();
        }
        site.until("the engine is missed", |service| service.alarms.contains_key("engine-away")).await;
        engine.start_again();
        let back = Instant::now();
        let answers = |service: &ServiceView| !service.alarms.contains_key("engine-away");
        site.until("the engine answers and all is back", |service| answers(service) && whole(service)).await;
        slowest = slowest.max(back.elapsed());
    }
    println!(
        "RESULT supervised: all containers serve {:.1} s after their engine is back",
        slowest.as_secs_f64()
    );
    assert!(slowest.as_secs() < BACK, "{slowest:?}");
    let load = site.load(2, 50.0);
    assert!(load.until(PATIENCE, |counts| counts.of("v1") > 20).await, "{:?}", load.counts());
    load.stop().await;
}

/// The engine of both colors is restarted while a good release bakes, under traffic. The version is not to
/// blame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_engine_in_a_bake_reverts_nothing() {
    if !available() {
        return;
    }
    let engine = started(engine::Options::default()).await;
    let site = served("restarted", &engine).await;
    let restarts: usize = setting("GREENLIGHT_DOCKER_RESTARTS", 2);
    site.push("v2", &Recipe::new("v2")).await;
    site.reload("bake_time = \"1s\"", "bake_time = \"1h\"").await;
    let second = site.release(&site.image("v2")).await;
    let baking = |service: &ServiceView| service.state.as_str() == "baking";
    site.until("v2 bakes", baking).await;
    let load = site.load(4, 100.0);
    assert!(load.until(PATIENCE, |counts| counts.of("v2") > 100).await, "{:?}", load.counts());
    for round in 0..restarts {
        if round % 2 == 0 {
            engine.stop();
        } else {
            engine.kill();
        }
        engine.start_again();
        let back = |service: &ServiceView| whole(service) && !service.alarms.contains_key("external-cause");
        let view = site.until("v2 serves again", back).await;
        let release = view.release.as_ref().unwrap();
        assert_eq!((release.id.as_str(), release.state.as_str()), (second.as_str(), "baking"), "{view:?}");
        let enough = load.counts().of("v2") + 100;
        assert!(load.until(PATIENCE, |counts| counts.of("v2") > enough).await, "{:?}", load.counts());
    }
    load.stop().await;
    println!("RESULT supervised: {restarts} restarts of the engine in a bake, 0 reverts");
}
