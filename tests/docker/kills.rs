//! `kill -9` of the front door, and of dockerd, in each state of a release: afterwards exactly the right containers
//! run, and the release is finished, or failed with a reason.
//!
//! The apps are on the host's network: published ports die with the daemon. `moments` has the states, and how a release
//! is held in each; `GREENLIGHT_DOCKER_KILLS` says how many of them a run meets, drawn by `GREENLIGHT_SEED`.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::gatekeeper::Gatekeeper;
use crate::moments::{MOMENTS, Moment, Stage};
use crate::site::{PATIENCE, Setup, Site, started};
use crate::stuck::StuckWorker;
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::engine::{self, Engine};
use greenlight_testkit::docker::image::Recipe;
use greenlight_testkit::house::START;
use greenlight_testkit::setting::setting;

const RELEASE: &str = "debounce = \"0s\"\nbake_time = \"2s\"\nstandby_ttl = \"2s\"\ndrain_timeout = \"1s\"\nprogress_deadline = \"1m\"";
/// How long dockerd is away.
const AWAY: Duration = Duration::from_secs(1);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Door,
    Engine,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_front_door_leaves_no_container_astray() {
    every_state(Victim::Door).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_engine_leaves_no_container_astray() {
    every_state(Victim::Engine).await;
}

/// The kills of this run: as many as are asked for, each once before any comes again.
fn drawn(victim: Victim, goes_back: bool) -> Vec<&'static Moment> {
    static DRAWN: OnceLock<Vec<(Victim, &'static Moment)>> = OnceLock::new();
    let drawn = DRAWN.get_or_init(|| {
        let count: usize = setting("GREENLIGHT_DOCKER_KILLS", 8);
        let seed: u64 = setting("GREENLIGHT_SEED", fastrand::u64(..));
        println!("GREENLIGHT_SEED={seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let of = |victim| MOMENTS.iter().map(move |moment| (victim, moment));
        let mut all: Vec<_> = of(Victim::Door).chain(of(Victim::Engine)).collect();
        let mut drawn = Vec::new();
        while drawn.len() < count {
            rng.shuffle(&mut all);
            drawn.extend(all.iter().copied().take(count - drawn.len()));
        }
        drawn
    });
    let mine = drawn.iter().filter(|(of, moment)| *of == victim && moment.goes_back == goes_back);
    mine.map(|(_, moment)| *moment).collect()
}

/// Two services at the same time: one whose releases go through, one whose releases go back.
async fn every_state(victim: Victim) {
    if !available() {
        return;
    }
    let live = engine::Options { live_restore: true, ..engine::Options::default() };
    let first_port = if victim == Victim::Door { 18_100 } else { 18_200 };
    let one = async |goes_back: bool| {
        let moments = drawn(victim, goes_back);
        if moments.is_empty() {
            return;
        }
        let engine = started(live.clone()).await;
        // Ports of its own, from here on: a few sets of two.
        let port = first_port + if goes_back { 50 } else { 0 };
        Box::pin(meet(victim, &engine, port, goes_back, &moments)).await;
    };
    tokio::join!(one(false), one(true));
}

async fn meet(victim: Victim, engine: &Engine, port: u16, goes_back: bool, moments: &[&Moment]) {
    let gate = Gatekeeper::start().await;
    let service = format!("{victim:?}-{}", if goes_back { "back" } else { "on" }).to_lowercase();
    let upstream = format!("network = \"host\"\nstop_timeout = \"2s\"\nport = {port}");
    let more =
        format!("[services.{service}.hooks]\npre_promote = {{ url = \"{}\", timeout = \"5m\" }}\n", gate.url);
    let setup = Setup {
        upstream: &upstream,
        release: RELEASE,
        more: &more,
        relayed: true,
        ..Setup::new(&service, engine)
    };
    let site = Site::open(&setup).await;
    site.push("v0", &plain("v0")).await;
    let first = site.release(&site.image("v0")).await;
    let ended = site.until_final(&first).await;
    assert_eq!(ended.state.as_str(), "succeeded", "{ended:?}");
    if goes_back {
        // What goes back does so before its bake is over, however long that takes here.
        site.reload("bake_time = \"2s\"", "bake_time = \"1h\"").await;
    }
    let mut stage = Stage { site, gate, serving: first };
    let mut met = Vec::new();
    for (number, moment) in moments.iter().enumerate() {
        let ended = one_kill(&mut stage, victim, engine, moment, number + 1).await;
        met.push(format!("{} -> {ended}", moment.state));
    }
    println!("RESULT {victim:?} killed: {}", met.join(", "));
}

pub(crate) fn plain(version: &str) -> Recipe {
    Recipe { on_loopback: true, ..Recipe::new(version) }
}

/// One kill and what becomes of it; the release's last state.
async fn one_kill(
    stage: &mut Stage,
    victim: Victim,
    engine: &Engine,
    moment: &Moment,
    number: usize,
) -> String {
    let version = format!("v{number}");
    let before = stage.site.view().await;
    let load = stage.site.load(4, 100.0);
    let held = stage.hold(moment.state, &version).await;
    match victim {
        Victim::Door => kill_door(&mut stage.site, held.stuck).await,
        Victim::Engine => tokio::task::block_in_place(|| {
            engine.kill();
            drop(held.stuck);
            std::thread::sleep(AWAY);
            engine.start_again();
        }),
    }
    stage.go_on(moment.state).await;
    let mut ended = "stable".to_owned();
    if let Some(id) = &held.release {
        let last = stage.site.until_final(id).await;
        assert!(
            moment.ends.contains(&last.state.as_str()),
            "{victim:?} killed in {}: {last:?}",
            moment.state
        );
        assert!(!last.reason.is_empty(), "{last:?}");
        ended = last.state.to_string();
        if ended == "succeeded" {
            stage.serving.clone_from(id);
        }
    }
    stage.site.until_only(&stage.serving).await;
    if let Some(id) = held.release.filter(|_| matches!(ended.as_str(), "failed" | "cancelled")) {
        // Nothing that was only created either.
        let gone = |all: &[crate::site::Seen]| all.iter().all(|one| one.release != id);
        stage.site.until_containers(&format!("nothing is left of {id}"), gone).await;
    }
    let view = stage.site.view().await;
    assert!(view.epoch >= before.epoch && view.state.as_str() == "stable", "{view:?}");
    let counts = load.stop().await;
    if victim == Victim::Engine {
        let failed = counts.failed_by(&version);
        assert_eq!(
            counts.lost(),
            failed,
            "the data path stood still in {}: {:?}",
            moment.state,
            counts.losses
        );
    }
    ended
}

/// SIGKILL, and a new one on the same store.
async fn kill_door(site: &mut Site, stuck: Option<StuckWorker>) {
    let pid = site.door.pid().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed())).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // A thread that is held by us is gone only when we let it go.
    tokio::task::block_in_place(|| drop(stuck));
    let status = site.door.wait().await.unwrap();
    assert!(!status.success(), "{status}");
    site.start_again();
    let begun = Instant::now();
    site.door.ready(START).await.unwrap();
    assert!(begun.elapsed() < PATIENCE);
}
