//! A front door of a service whose containers a real engine runs: registry, Slack, load and all.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::ListContainersOptionsBuilder;
use greenlight::cli::demo::door::{Admin, Door};
use greenlight::cli::demo::load::{Load, Plan};
use greenlight::control_plane::controller::{ReleaseView, ServiceView};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::relay::Relay;
use crate::slack::Slack;
use greenlight_testkit::docker::engine::{self, Engine};
use greenlight_testkit::docker::image::{self, Recipe};
use greenlight_testkit::docker::registry::{self, Registry};
use greenlight_testkit::house::{START, address, exe};

/// Where a test gives up waiting for a step: these share two cores with each other.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at something that is awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// 128 bits, as the registry has it in its configuration.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The engine that most tests run their containers on.
pub(crate) async fn shared() -> &'static Engine {
    static ENGINE: OnceCell<Engine> = OnceCell::const_new();
    ENGINE.get_or_init(|| started(engine::Options::default())).await
}

/// The engine that images are made on: another one, so that they really are pulled.
pub(crate) async fn builder() -> Docker {
    static ENGINE: OnceCell<Engine> = OnceCell::const_new();
    ENGINE.get_or_init(|| started(engine::Options::default())).await.api().await
}

pub(crate) async fn started(options: engine::Options) -> Engine {
    tokio::task::spawn_blocking(move || Engine::start(options)).await.unwrap()
}

/// What differs between tests.
#[derive(Clone, Debug)]
pub(crate) struct Setup<'a> {
    /// Also the host, `NAME.example.org`; tests share an engine, so each has its own.
    pub service: &'a str,
    pub engine: &'a Engine,
    pub replicas: usize,
    /// Lines of `[services.NAME.upstream]` beside image, replicas and engines.
    pub upstream: &'a str,
    pub health: &'a str,
    pub release: &'a str,
    /// More of the file: hooks, or whole sections.
    pub more: &'a str,
    /// The registry asks for a password.
    pub auth: bool,
    /// The registry tells of pushes.
    pub told: bool,
    /// More patterns of the webhook's allow list.
    pub allow: &'a [String],
    /// More engines, each an inline table of the file.
    pub engines: &'a [String],
    /// More of the front door's environment.
    pub env: &'a [(String, String)],
    /// Relays before the engine and the registry can hold what the front door and the engine ask for.
    pub relayed: bool,
}

/// Checks that take two seconds or so at least, and a bake of four.
pub(crate) const HEALTH: &str =
    "interval = \"250ms\"\ntimeout = \"1s\"\nrise = 2\nfall = 2\nmin_healthy_time = \"1s\"";
pub(crate) const RELEASE: &str = "debounce = \"300ms\"\nbake_time = \"4s\"\nstandby_ttl = \"3s\"\ndrain_timeout = \"2s\"\nprogress_deadline = \"1m\"";

impl<'a> Setup<'a> {
    pub(crate) fn new(service: &'a str, engine: &'a Engine) -> Self {
        Self {
            service,
            engine,
            replicas: 2,
            upstream: "publish = \"loopback\"\nstop_timeout = \"5s\"",
            health: HEALTH,
            release: RELEASE,
            more: "",
            auth: false,
            told: true,
            allow: &[],
            engines: &[],
            env: &[],
            relayed: false,
        }
    }
}

/// One container of ours, as the engine shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub id: String,
    pub name: String,
    /// As it was created: by digest.
    pub image: String,
    pub release: String,
    pub color: String,
    pub running: bool,
}

#[derive(Debug)]
pub(crate) struct Site {
    pub service: String,
    pub api: Docker,
    pub registry: Registry,
    pub slack: Slack,
    pub door: Door,
    pub listener: SocketAddr,
    pub hooks: SocketAddr,
    pub replicas: usize,
    pub relays: Option<Relays>,
    pub folder: TempDir,
    program: PathBuf,
}

/// What stands before the engine and the registry.
#[derive(Debug)]
pub(crate) struct Relays {
    pub engine: Relay,
    pub registry: Relay,
    registry_address: SocketAddr,
}

impl Site {
    /// Starts all of it. Nothing is released yet.
    pub(crate) async fn open(setup: &Setup<'_>) -> Self {
        let (listener, admin, hooks) = (address(), address(), address());
        let notify = setup.told.then(|| format!("http://{hooks}/hooks/registry/{TOKEN}"));
        let registry = Registry::start(address(), &registry::Options { auth: setup.auth, notify }).await;
        let slack = Slack::start().await;
        let folder = tempfile::Builder::new().prefix("greenlight-site.").tempdir().unwrap();
        let file = folder.path().join("greenlight.toml");
        std::fs::write(folder.path().join("hook.token"), TOKEN).unwrap();
        std::fs::write(folder.path().join("slack.url"), slack.url()).unwrap();
        let mut addresses =
            Addresses { listener, admin, hooks, registry: registry.address, engine: setup.engine.url() };
        let mut relays = None;
        if setup.relayed {
            let socket = folder.path().join("engine.sock");
            addresses.engine = format!("unix://{}", socket.display());
            let engine = Relay::unix(&socket, setup.engine.socket());
            let (relay, registry_address) = Relay::tcp(registry.address).await;
            addresses.registry = registry_address;
            relays = Some(Relays { engine, registry: relay, registry_address });
        }
        std::fs::write(&file, config(setup, &folder, &addresses)).unwrap();
        let program = program(setup, folder.path());
        let log = folder.path().join("greenlight.log");
        let mut door = Door::start(&program, &file, &log, admin).unwrap();
        door.ready(START).await.unwrap();
        Self {
            service: setup.service.to_owned(),
            api: setup.engine.api().await,
            registry,
            slack,
            door,
            listener,
            hooks,
            replicas: setup.replicas,
            relays,
            folder,
            program,
        }
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.door.admin
    }

    pub(crate) fn host(&self) -> String {
        format!("{}.example.org", self.service)
    }

    /// `ADDRESS/org/SERVICE:TAG`, as the front door knows it. One repository a test: engines are shared.
    pub(crate) fn image(&self, tag: &str) -> String {
        let address = self.relays.as_ref().map_or(self.registry.address, |relays| relays.registry_address);
        format!("{address}/org/{}:{tag}", self.service)
    }

    /// As it is pushed: to the registry itself.
    fn pushed_image(&self, tag: &str) -> String {
        self.registry.image(&format!("org/{}:{tag}", self.service))
    }

    /// Makes an image and pushes it; the registry tells of it. Its digest.
    pub(crate) async fn push(&self, tag: &str, recipe: &Recipe) -> String {
        let builder = builder().await;
        let name = self.pushed_image(tag);
        image::make(&builder, &name, recipe).await;
        image::push(&builder, &name, self.registry.credentials()).await
    }

    /// Pushes once more what was pushed last under this tag.
    pub(crate) async fn push_again(&self, tag: &str) -> String {
        image::push(&builder().await, &self.pushed_image(tag), self.registry.credentials()).await
    }

    /// Asks for a release of an image; the answer whatever it is.
    pub(crate) async fn deploy(&self, image: &str) -> (u16, Value) {
        let path = format!("/v1/services/{}/releases", self.service);
        let answer = self.admin().ask("POST", &path, Some(&json!({ "image": image }))).await.unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// Asks for a release that has to be accepted; its id.
    pub(crate) async fn release(&self, image: &str) -> String {
        let (status, body) = self.deploy(image).await;
        assert_eq!(status, 202, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn view(&self) -> ServiceView {
        self.admin().service(&self.service).await.unwrap()
    }

    /// Waits until the service is as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&ServiceView) -> bool) -> ServiceView {
        let until = self.admin().until(&self.service, what, PATIENCE, wanted).await;
        until.unwrap_or_else(|trouble| panic!("{trouble}\n{}", self.door.tail()))
    }

    /// Waits until the release of this digest is final.
    pub(crate) async fn until_released(&self, digest: &str) -> ReleaseView {
        self.until_end(digest, |release| release.version.contains(digest)).await
    }

    /// Waits until the release of this id is final.
    pub(crate) async fn until_final(&self, id: &str) -> ReleaseView {
        self.until_end(id, |release| release.id == id).await
    }

    async fn until_end(&self, what: &str, which: impl Fn(&ReleaseView) -> bool) -> ReleaseView {
        let ended = |release: &ReleaseView| which(release) && release.state.is_final();
        let view = self
            .until(&format!("the end of {what}"), |service| service.release.as_ref().is_some_and(&ended))
            .await;
        view.release.unwrap()
    }

    /// A load through the front door.
    pub(crate) fn load(&self, connections: u32, rate: f64) -> Load {
        Load::start(&Plan {
            target: self.listener,
            host: self.host(),
            path: "/".to_owned(),
            connections,
            rate: Some(rate),
            timeout: Duration::from_secs(10),
        })
    }

    /// All containers that carry our label with this service, running or not, by name.
    pub(crate) async fn containers(&self) -> Vec<Seen> {
        seen(&self.api, &[format!("greenlight.service={}", self.service)]).await
    }

    /// Waits until our containers are as wanted.
    pub(crate) async fn until_containers(&self, what: &str, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let begun = tokio::time::Instant::now();
        loop {
            let found = self.containers().await;
            if wanted(&found) {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{what}: not within {PATIENCE:?}: {found:#?}\n{}",
                self.door.tail()
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until exactly `replicas` containers run, all of this release.
    pub(crate) async fn until_only(&self, release: &str) -> Vec<Seen> {
        let replicas = self.replicas;
        self.until_containers(&format!("only {release} runs"), |all| {
            let running: Vec<_> = all.iter().filter(|one| one.running).collect();
            running.len() == replicas && running.iter().all(|one| one.release == release)
        })
        .await
    }

    /// Starts the front door again on the same file and store; does not wait for it.
    pub(crate) fn start_again(&mut self) {
        let log = self.folder.path().join("greenlight.log");
        self.door = Door::start(&self.program, &self.door.config, &log, self.door.admin.address).unwrap();
    }

    /// Changes the file and has it read again.
    pub(crate) async fn reload(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.door.config).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(&self.door.config, text.replace(from, to)).unwrap();
        let answer = self.admin().ask("POST", "/v1/reload", None).await.unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// `METHOD /v1/services/SERVICE/WHAT`, which has to be taken.
    pub(crate) async fn say(&self, method: &str, what: &str) {
        let path = format!("/v1/services/{}/{what}", self.service);
        let body = (method != "DELETE").then(|| json!({}));
        let answer = self.admin().ask(method, &path, body.as_ref()).await.unwrap();
        let said = String::from_utf8_lossy(&answer.body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {said}", answer.status);
    }

    /// Waits until these words are so many times in what is kept of a release (JSON). Containers' last words are saved
    /// before they are stopped, not before the release ends.
    pub(crate) async fn until_explained(&self, release: &str, words: &str, times: usize) {
        let path = format!("/v1/releases/{release}/explain");
        let begun = tokio::time::Instant::now();
        loop {
            let answer = self.admin().ask("GET", &path, None).await.unwrap();
            assert_eq!(answer.status, 200);
            let kept = String::from_utf8_lossy(&answer.body);
            if kept.matches(words).count() >= times {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{words:?} is not {times} times in {kept}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The front door's whole log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.door.log).unwrap_or_default()
    }
}

/// Containers that carry all of these labels.
pub(crate) async fn seen(api: &Docker, labels: &[String]) -> Vec<Seen> {
    let filters = HashMap::from([("label".to_owned(), labels.to_vec())]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let mut found: Vec<Seen> = api
        .list_containers(Some(options))
        .await
        .unwrap()
        .into_iter()
        .map(|one| {
            let labels: BTreeMap<_, _> = one.labels.unwrap_or_default().into_iter().collect();
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            Seen {
                id: one.id.unwrap_or_default(),
                name: one.names.unwrap_or_default().join(",").trim_start_matches('/').to_owned(),
                image: one.image.unwrap_or_default(),
                release: label("greenlight.release"),
                color: label("greenlight.color"),
                running: one.state.is_some_and(|state| state.to_string() == "running"),
            }
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The front door's program: with an environment of its own where one is asked for.
fn program(setup: &Setup<'_>, folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    if setup.env.is_empty() {
        return exe().to_owned();
    }
    let mut text = "#!/bin/sh\n".to_owned();
    for (name, value) in setup.env {
        let _ = writeln!(text, "export {name}='{value}'");
    }
    let _ = writeln!(text, "exec '{}' \"$@\"", exe().display());
    let path = folder.join("greenlight");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

struct Addresses {
    listener: SocketAddr,
    admin: SocketAddr,
    hooks: SocketAddr,
    registry: SocketAddr,
    /// A URL.
    engine: String,
}

fn config(setup: &Setup<'_>, folder: &TempDir, addresses: &Addresses) -> String {
    let Addresses { listener, admin, hooks, registry, engine } = addresses;
    let Setup { service, replicas, upstream, health, release, more, .. } = setup;
    let folder = folder.path().display();
    let image = format!("{registry}/org/{service}:prod");
    let own = format!("org/{service}:prod");
    let allow: Vec<&String> = std::iter::once(&own).chain(setup.allow).collect();
    let own = format!("{{ url = \"{engine}\" }}");
    let engines: Vec<&str> =
        std::iter::once(own.as_str()).chain(setup.engines.iter().map(String::as_str)).collect();
    let mut text = format!(
        "[runtime]\nworkers = 2\n[[listeners]]\nbind = \"{listener}\"\n[admin]\nbind = \"{admin}\"\n\
         [store]\npath = \"{folder}/store\"\n[hooks]\nbind = \"{hooks}\"\n\
         [[webhooks]]\nname = \"registry\"\nkind = \"registry\"\nservice = \"{service}\"\n\
         token = {{ file = \"{folder}/hook.token\" }}\nallow = {allow:?}\n\
         [[notifiers]]\nkind = \"slack\"\nurl = {{ file = \"{folder}/slack.url\" }}\n"
    );
    let _ = write!(
        text,
        "[services.{service}]\nhosts = [\"{service}.example.org\"]\n\
         [services.{service}.upstream]\nkind = \"docker\"\nengines = [{}]\n",
        engines.join(", ")
    );
    if !upstream.contains("follow") {
        let _ = write!(text, "image = \"{image}\"\nreplicas = {replicas}\n");
    }
    for (section, lines) in [("", *upstream), ("health", *health), ("release", *release)] {
        if !section.is_empty() {
            let _ = writeln!(text, "[services.{service}.{section}]");
        }
        let _ = writeln!(text, "{lines}");
    }
    text + more
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the front door's log\n{}", self.log());
        }
    }
}
