//! The states of a release that something is killed in, and how a release is brought there and held: by a hook that
//! does not answer, a relay before the engine or the registry, a worker that stands still, a pin, a person.

use std::time::Duration;

use greenlight::cli::demo::door::Admin;
use greenlight::control_plane::controller::ReleaseView;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::gatekeeper::{Answer, Gatekeeper};
use crate::kills::plain;
use crate::site::{PATIENCE, Site};
use crate::stuck::StuckWorker;
use greenlight_testkit::docker::image::Recipe;

/// A state, and what may become of a release in it.
#[derive(Debug)]
pub(crate) struct Moment {
    pub state: &'static str,
    /// Whether it is met on the way back, in a bake that does not end by itself.
    pub goes_back: bool,
    pub ends: &'static [&'static str],
}

const fn on(state: &'static str, ends: &'static [&'static str]) -> Moment {
    Moment { state, goes_back: false, ends }
}

const fn back(state: &'static str, ends: &'static [&'static str]) -> Moment {
    Moment { state, goes_back: true, ends }
}

pub(crate) const MOMENTS: &[Moment] = &[
    on("stable", &[]),
    on("queued", &["succeeded"]),
    // What an engine makes of a pull or a start that was cut is its own to say.
    on("pulling", &["succeeded", "failed"]),
    on("starting", &["succeeded", "failed"]),
    on("checking", &["succeeded"]),
    on("awaiting_promotion", &["succeeded"]),
    on("promoting", &["succeeded"]),
    on("succeeded", &["succeeded"]),
    on("failed", &["failed"]),
    on("cancelled", &["cancelled"]),
    back("baking", &["rolled_back"]),
    back("reverting", &["rolled_back"]),
    back("degraded", &["reverted"]),
    back("reverted", &["reverted"]),
    back("rolled_back", &["rolled_back"]),
];

/// A service, and all that can hold its releases.
#[derive(Debug)]
pub(crate) struct Stage {
    pub site: Site,
    pub gate: Gatekeeper,
    /// The release that has the traffic.
    pub serving: String,
}

/// A release that is where it was wanted.
#[derive(Debug)]
pub(crate) struct Held {
    /// None: nothing is released.
    pub release: Option<String>,
    pub stuck: Option<StuckWorker>,
}

impl Stage {
    /// Brings a release to this state, where it stays until something is done about it.
    pub(crate) async fn hold(&self, state: &str, version: &str) -> Held {
        let mut stuck = None;
        let release = match state {
            "stable" => None,
            "queued" => Some(self.queued(version).await),
            "pulling" => {
                let relay = &self.relays().registry;
                let digest = self.site.push(version, &plain(version)).await;
                // To ask for a tag's digest a blob is read too; a digest is not asked for.
                let image = format!("{}@{digest}", self.site.image(version));
                relay.hold(&["GET /v2/", "/blobs/"]);
                let id = self.site.release(&image).await;
                relay.until_held(PATIENCE).await;
                Some(id)
            }
            "starting" => {
                let relay = &self.relays().engine;
                let image = self.pushed(plain(version)).await;
                relay.hold(&["POST ", "/start"]);
                let id = self.site.release(&image).await;
                relay.until_held(PATIENCE).await;
                Some(id)
            }
            "checking" => Some(self.at_the_gate(version).await),
            "awaiting_promotion" | "cancelled" => {
                let id = self.deploy(plain(version), false).await;
                self.until(&id, "awaiting_promotion").await;
                if state == "cancelled" {
                    self.site.say("POST", "abort").await;
                }
                Some(id)
            }
            "promoting" => {
                let id = self.at_the_gate(version).await;
                stuck = Some(self.stick());
                self.gate.set(Answer::Pass);
                Some(id)
            }
            "failed" => {
                self.gate.set(Answer::Refuse);
                Some(self.deploy(plain(version), true).await)
            }
            "reverted" => Some(self.deploy(plain(version).with(&["--error-rate", "0.5"]), true).await),
            _ => Some(self.deploy(plain(version), true).await),
        };
        if let Some(id) = &release {
            match state {
                "reverting" | "rolled_back" | "degraded" => self.until(id, "baking").await,
                _ => {}
            }
            match state {
                "reverting" => {
                    stuck = Some(self.stick());
                    self.ask_back();
                }
                "rolled_back" => self.site.say("POST", "rollback").await,
                "degraded" => self.fail_under_a_pin().await,
                _ => {}
            }
            self.until(id, state).await;
        }
        Held { release, stuck }
    }

    /// What was killed is back: nothing is held any more, and who is waited for does what is waited for.
    pub(crate) async fn go_on(&self, state: &str) {
        self.gate.set(Answer::Pass);
        self.relays().engine.let_go();
        self.relays().registry.let_go();
        match state {
            "queued" | "degraded" => self.site.say("DELETE", "pin").await,
            "awaiting_promotion" => self.insist("promote").await,
            "baking" => self.insist("rollback").await,
            _ => {}
        }
    }

    fn relays(&self) -> &crate::site::Relays {
        self.site.relays.as_ref().expect("relays")
    }

    /// The image's name.
    async fn pushed(&self, recipe: Recipe) -> String {
        let version = recipe.version.clone();
        self.site.push(&version, &recipe).await;
        self.site.image(&version)
    }

    async fn deploy(&self, recipe: Recipe, auto_promote: bool) -> String {
        let image = self.pushed(recipe).await;
        let path = format!("/v1/services/{}/releases", self.site.service);
        let body = json!({ "image": image, "auto_promote": auto_promote });
        let answer: Value = self.site.admin().json("POST", &path, Some(&body)).await.unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Of a push that comes under a pin.
    async fn queued(&self, version: &str) -> String {
        self.site.say("PUT", "pin").await;
        let digest = self.site.push("prod", &plain(version)).await;
        let waits = |release: &Option<ReleaseView>| {
            let release = release.as_ref().filter(|release| release.version.contains(&digest))?;
            Some(release.id.clone())
        };
        let found = |service: &greenlight::control_plane::controller::ServiceView| {
            waits(&service.queued).or_else(|| waits(&service.release))
        };
        found(&self.site.until("the push is in the queue", |service| found(service).is_some()).await).unwrap()
    }

    /// A release whose hook before the switch does not answer.
    async fn at_the_gate(&self, version: &str) -> String {
        self.gate.set(Answer::Hold);
        let id = self.deploy(plain(version), true).await;
        self.gate.until_called(PATIENCE).await;
        id
    }

    /// A switch is acknowledged when this is over, or after ten seconds.
    fn stick(&self) -> StuckWorker {
        let pid = self.site.door.pid().unwrap();
        tokio::task::block_in_place(|| StuckWorker::stop(pid))
    }

    /// Asks for a rollback and does not wait for its answer, which comes with the last acknowledgement, if at all.
    fn ask_back(&self) {
        let (admin, service) = (self.site.admin().clone(), self.site.service.clone());
        tokio::spawn(async move {
            let path = format!("/v1/services/{service}/rollback");
            let _ = admin.ask("POST", &path, Some(&json!({}))).await;
        });
    }

    /// Pins what bakes, and makes its apps fail.
    async fn fail_under_a_pin(&self) {
        self.site.say("PUT", "pin").await;
        let view = self.site.view().await;
        for endpoint in view.endpoints.iter().filter(|one| one.color == view.active) {
            let app = Admin { address: endpoint.address.parse().unwrap() };
            let change = json!({ "error_rate": 1.0 });
            let answer = app.ask("POST", "/__app", Some(&change)).await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Waits until a release is in this state.
    async fn until(&self, id: &str, state: &str) {
        let begun = Instant::now();
        loop {
            let release: ReleaseView = self.site.admin().release(id).await.unwrap();
            if release.state.as_str() == state {
                return;
            }
            let tail = || self.site.door.tail();
            assert!(!release.state.is_final(), "{id} was to be {state}: {release:?}\n{}", tail());
            assert!(begun.elapsed() < PATIENCE, "{id} is not {state}: {release:?}\n{}", tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A person's word, again for as long as it is refused: what was killed knows its endpoints only when it has asked.
    async fn insist(&self, word: &str) {
        let path = format!("/v1/services/{}/{word}", self.site.service);
        let begun = Instant::now();
        loop {
            let answer = self.site.admin().ask("POST", &path, Some(&json!({}))).await.unwrap();
            if answer.status < 300 {
                return;
            }
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(answer.status == 409 && begun.elapsed() < PATIENCE, "{word}: {}: {said}", answer.status);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
