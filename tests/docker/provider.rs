//! `provider::docker` by itself against a real engine: sets, commands, and what is heard of containers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, RestartContainerOptions, StartContainerOptions,
};
use greenlight::config::{self, Engine as Configured, Publish};
use greenlight::control_plane::provider::docker::{
    CommandRun, Container, DockerFault, EngineReport, EngineWatch, ServiceEngines, Set, call_off, run_command,
};
use greenlight::model::{Color, ImageReference, ReleaseId, ServiceName, Version};
use tokio::sync::mpsc;

use crate::site::{PATIENCE, shared, started};
use greenlight_testkit::docker::image::{self, Recipe};
use greenlight_testkit::docker::registry::{self, Registry};
use greenlight_testkit::docker::{available, engine};
use greenlight_testkit::house::address;

/// A registry with one image, and the ways to it.
struct Ground {
    api: Docker,
    url: String,
    image: ImageReference,
    version: Version,
    _registry: Registry,
}

impl Ground {
    async fn new(on: &engine::Engine, recipe: &Recipe) -> Self {
        let registry = Registry::start(address(), &registry::Options::default()).await;
        let api = on.api().await;
        let name = registry.image(&format!("org/app:{}", recipe.version));
        image::make(&api, &name, recipe).await;
        let digest = image::push(&api, &name, None).await;
        let image = ImageReference::parse(&name).unwrap();
        Self { api, url: on.url(), image, version: Version(digest), _registry: registry }
    }

    fn config(&self) -> config::Docker {
        config::Docker {
            engines: vec![Configured { url: self.url.clone(), tls: None }],
            publish: Publish::Loopback,
            stop_timeout: Duration::from_secs(5),
            ..config::Docker::default()
        }
    }

    #[expect(clippy::unused_self, reason = "asked of the engine, as the rest is")]
    fn upstream(&self, service: &str, config: config::Docker) -> ServiceEngines {
        ServiceEngines::new(ServiceName::from(service), config, 2)
    }

    fn set(&self, release: &str, color: Color) -> Set {
        Set {
            release: ReleaseId::from(release),
            color,
            version: self.version.clone(),
            image: self.image.clone(),
            replicas: 2,
        }
    }

    /// Name -> state of the containers whose name begins so.
    async fn states(&self, prefix: &str) -> HashMap<String, String> {
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let all = self.api.list_containers(Some(options)).await.unwrap();
        let named = all.into_iter().filter_map(|one| {
            let name = one.names?.first()?.trim_start_matches('/').to_owned();
            name.starts_with(prefix)
                .then(|| (name, one.state.map(|state| state.to_string()).unwrap_or_default()))
        });
        named.collect()
    }
}

async fn start(upstream: &ServiceEngines, set: &Set) -> Result<(), DockerFault> {
    let (_kept, off) = call_off();
    upstream.start(set, &off).await
}

/// A set is brought up once however often it is asked for, is stopped, started again as it is, saved
/// and removed; what is not ours by its labels is never touched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_lives_and_ends_and_nothing_else_does() {
    if !available() {
        return;
    }
    let ground = Ground::new(shared().await, &Recipe::new("s1")).await;
    let upstream = ground.upstream("sets", ground.config());
    assert_eq!(upstream.resolve(&ground.image).await.unwrap(), ground.version);
    let (_kept, off) = call_off();
    upstream.pull(&ground.image, &ground.version, off, &|_| ()).await.unwrap();

    let (one, two) = (ground.set("sets-1", Color::Blue), ground.set("sets-2", Color::Green));
    start(&upstream, &one).await.unwrap();
    let ids = |states: &HashMap<String, String>| states.len();
    assert_eq!(ids(&ground.states("greenlight-sets-1-blue-").await), 2);
    start(&upstream, &one).await.unwrap();
    start(&upstream, &two).await.unwrap();
    // Another service can't take their names over; one that only names a service and a color stays.
    let neighbor = ground.upstream("sets-x", ground.config());
    start(&neighbor, &ground.set("sets-1", Color::Blue)).await.unwrap_err();
    let followed = ContainerCreateBody {
        image: Some(ground.image.to_string()),
        labels: Some(
            [("greenlight.service", "sets"), ("greenlight.color", "blue")]
                .map(|(k, v)| (k.into(), v.into()))
                .into(),
        ),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::default().name("followed-of-sets").build();
    let followed = ground.api.create_container(Some(options), followed).await.unwrap().id;
    ground.api.start_container(&followed, None::<StartContainerOptions>).await.unwrap();

    let witnesses = upstream.witnesses(&one.release).await.unwrap();
    assert_eq!(witnesses.len(), 2);
    assert_eq!(witnesses[0].inspect["labels"]["greenlight.release"], "sets-1");
    upstream.stop(&one.release).await.unwrap();
    let stopped = ground.states("greenlight-sets-").await;
    assert_eq!(stopped["greenlight-sets-1-blue-1"], "exited", "{stopped:?}");
    assert_eq!(stopped["greenlight-sets-2-green-2"], "running", "{stopped:?}");
    // As a person would see to it: one of the kept ones is gone.
    let force = RemoveContainerOptionsBuilder::default().force(true).build();
    ground.api.remove_container("greenlight-sets-1-blue-2", Some(force.clone())).await.unwrap();
    start(&upstream, &one).await.unwrap();
    let again = ground.states("greenlight-sets-1-").await;
    assert!(again.len() == 2 && again.values().all(|state| state == "running"), "{again:?}");

    upstream.remove(&one.release).await.unwrap();
    upstream.remove(&one.release).await.unwrap();
    assert!(ground.states("greenlight-sets-1-").await.is_empty());
    assert_eq!(ground.states("greenlight-sets-2-").await.len(), 2);
    assert_eq!(ground.states("followed-of-sets").await["followed-of-sets"], "running");
    // The image is in use by the other set, and stays; with it gone it goes.
    upstream.remove_image(&ground.image, &ground.version).await.unwrap();
    let by_digest = ground.image.at(&ground.version.0);
    assert!(ground.api.inspect_image(&by_digest).await.is_ok());
    upstream.remove(&two.release).await.unwrap();
    ground.api.remove_container(&followed, Some(force)).await.unwrap();
    upstream.remove_image(&ground.image, &ground.version).await.unwrap();
    let remove = None::<bollard::query_parameters::RemoveImageOptions>;
    ground.api.remove_image(&ground.image.to_string(), remove, None).await.unwrap();
    assert!(ground.api.inspect_image(&by_digest).await.is_err());
    assert!(matches!(start(&upstream, &one).await, Err(DockerFault::NoImage { .. })));
}

/// What can't be done is said with what would help.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named() {
    if !available() {
        return;
    }
    let recipe = Recipe { changes: vec!["EXPOSE 9000".to_owned()], ..Recipe::new("w1") };
    let ground = Ground::new(shared().await, &recipe).await;
    let said = |outcome: Result<(), DockerFault>| match outcome {
        Err(DockerFault::Refused(text)) => text,
        other => panic!("{other:?}"),
    };
    let set = ground.set("wrong-1", Color::Blue);
    let text = said(start(&ground.upstream("wrong", ground.config()), &set).await);
    assert!(text.contains("2 ports (8080, 9000)") && text.contains("upstream.port"), "{text}");
    let with_port = config::Docker { port: Some(8080), ..ground.config() };
    let no_network =
        config::Docker { network: "nowhere".to_owned(), publish: Publish::None, ..with_port.clone() };
    let text = said(start(&ground.upstream("wrong", no_network), &set).await);
    assert!(text.contains("network") && text.contains("upstream.network"), "{text}");
    let no_file = config::Docker { env_file: vec!["/nowhere/app.env".into()], ..with_port.clone() };
    let text = said(start(&ground.upstream("wrong", no_file), &set).await);
    assert!(text.contains("/nowhere/app.env"), "{text}");
    ground.upstream("wrong", ground.config()).remove(&set.release).await.unwrap();
    // The name of one of its containers belongs to somebody else.
    let body =
        ContainerCreateBody { image: Some(ground.image.to_string()), ..ContainerCreateBody::default() };
    let options = CreateContainerOptionsBuilder::default().name("greenlight-wrong-1-blue-1").build();
    ground.api.create_container(Some(options), body).await.unwrap();
    let upstream = ground.upstream("wrong", with_port);
    let text = said(start(&upstream, &set).await);
    assert!(text.contains("greenlight-wrong-1-blue-1") && text.contains("not ours"), "{text}");
    upstream.remove(&set.release).await.unwrap();
    assert_eq!(ground.states("greenlight-wrong-1-").await.len(), 1, "the other one's is still there");
    let nobody = ImageReference::parse(&format!("{}/org/app:v1", address())).unwrap();
    assert!(matches!(upstream.resolve(&nobody).await, Err(DockerFault::RegistryAway { .. })));
}

/// A hook's command has the application's image and environment; its end and its output are told, and
/// its container is gone whatever happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_run_in_containers_of_their_own() {
    if !available() {
        return;
    }
    let ground = Ground::new(shared().await, &Recipe::new("c1")).await;
    let run = |command: &[&str], timeout: u64| {
        let config = config::Docker {
            env: [("GREENLIGHT_ADMIN".to_owned(), "http://127.0.0.1:1".to_owned())].into(),
            ..ground.config()
        };
        run_command(CommandRun {
            service: ServiceName::from("commands"),
            config,
            image: ground.image.to_string(),
            version: ground.version.0.clone(),
            command: command.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
            timeout: Duration::from_secs(timeout),
        })
    };
    let version = run(&["/greenlight", "--version"], 60).await.unwrap();
    assert_eq!(version.code, Some(0));
    assert!(version.log[0].starts_with("greenlight "), "{version:?}");
    let failed = run(&["/greenlight", "status"], 60).await.unwrap();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.log.concat().contains("127.0.0.1:1"), "the environment is not there: {failed:?}");
    let endless = run(&["/greenlight", "sample-app", "--no-stdin-exit"], 1).await.unwrap();
    assert_eq!(endless.code, None, "{endless:?}");
    let none = run(&["/no-such-program"], 60).await.unwrap_err();
    assert!(none.to_string().contains("no such program"), "{none}");
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&HashMap::from([("label", vec!["greenlight.command=commands"])]))
        .build();
    let left = ground.api.list_containers(Some(options)).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

/// Hears news until they are so.
async fn until(
    news: &mut mpsc::Receiver<EngineReport>,
    what: &str,
    so: impl Fn(&EngineReport) -> bool,
) -> EngineReport {
    let waiting = async {
        loop {
            let heard = news.recv().await.expect("the watch goes on");
            if so(&heard) {
                return heard;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never heard: {what}"))
}

fn named<'a>(news: &'a EngineReport, name: &str) -> Option<&'a Container> {
    news.containers.values().find(|container| container.name == name)
}

/// A container that ends is heard of at once, one that its engine starts again as another life; an
/// engine that dies is away, what it had is kept, and it is found again with what changed meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_to_containers_is_heard() {
    if !available() {
        return;
    }
    let engine =
        Arc::new(started(engine::Options { live_restore: true, ..engine::Options::default() }).await);
    let ground = Ground::new(&engine, &Recipe::new("n1")).await;
    let config =
        config::Docker { network: "host".to_owned(), port: Some(address().port()), ..ground.config() };
    let upstream = ground.upstream("news", config);
    let (sender, mut news) = mpsc::channel(16);
    let watched = Configured { url: ground.url.clone(), tls: None };
    let _watch = EngineWatch::start(watched.clone(), false, sender);
    start(&upstream, &ground.set("news-1", Color::Green)).await.unwrap();
    let (one, two) = ("greenlight-news-1-green-1", "greenlight-news-1-green-2");
    let runs = |news: &EngineReport, name: &str| named(news, name).is_some_and(|container| container.running);
    let both = until(&mut news, "both run", |news| runs(news, one) && runs(news, two)).await;
    let ports: Vec<_> =
        [one, two].map(|name| named(&both, name).unwrap().marks.as_ref().unwrap().port.unwrap()).into();
    assert_eq!(ports[1], ports[0] + 1, "each on the host's network has a port of its own");

    let first = named(&both, one).unwrap().clone();
    ground.api.kill_container(one, None::<KillContainerOptions>).await.unwrap();
    until(&mut news, "one is killed", |news| !runs(news, one) && runs(news, two)).await;
    ground.api.start_container(one, None::<StartContainerOptions>).await.unwrap();
    let again = until(&mut news, "one is started again", |news| runs(news, one)).await;
    assert_ne!(named(&again, one).unwrap().started_at, first.started_at);
    ground.api.restart_container(two, None::<RestartContainerOptions>).await.unwrap();
    until(&mut news, "two is down in its restart", |news| !runs(news, two)).await;
    until(&mut news, "two is up again", |news| runs(news, two)).await;

    let dying = Arc::clone(&engine);
    tokio::task::spawn_blocking(move || dying.kill()).await.unwrap();
    let away = until(&mut news, "the engine is away", |news| news.away.is_some()).await;
    assert!(runs(&away, one) && runs(&away, two), "what it had is kept: {away:?}");
    let look = EngineWatch::look(watched, false).await;
    assert!(look.away.is_some() && look.containers.is_empty());
    assert!(matches!(upstream.stop(&ReleaseId::from("news-1")).await, Err(DockerFault::Away { .. })));
    let back = Arc::clone(&engine);
    tokio::task::spawn_blocking(move || back.start_again()).await.unwrap();
    until(&mut news, "the engine is back", |news| news.away.is_none() && runs(news, one)).await;
    upstream.remove(&ReleaseId::from("news-1")).await.unwrap();
    until(&mut news, "all are gone", |news| news.containers.is_empty()).await;
}
