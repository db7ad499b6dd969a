//! The image of greenlight itself: the Dockerfile around the local static binary, run beside its containers on one
//! Docker network.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::body_full;
use bollard::exec::StartExecResults;
use bollard::models::{ContainerCreateBody, ExecConfig, HostConfig, NetworkCreateRequest, PortBinding};
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptions,
};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use greenlight::cli::demo::client::{Connection, request};
use tokio::time::Instant;

use crate::site::{PATIENCE, builder, started};
use greenlight_testkit::docker::image::{self, Recipe, static_program};
use greenlight_testkit::docker::registry::{self, Registry};
use greenlight_testkit::docker::{available, engine};
use greenlight_testkit::house::address;

const NETWORK: &str = "front";
const NAME: &str = "greenlight-itself";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greenlight_runs_beside_its_containers() {
    if !available() {
        return;
    }
    let engine = started(engine::Options::default()).await;
    let api = engine.api().await;
    build(&api).await;
    let network = NetworkCreateRequest { name: NETWORK.to_owned(), ..NetworkCreateRequest::default() };
    api.create_network(network).await.unwrap();
    let registry = Registry::start(address(), &registry::Options::default()).await;
    let name = registry.image("org/app:v1");
    let builder = builder().await;
    image::make(&builder, &name, &Recipe::new("v1")).await;
    image::push(&builder, &name, None).await;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("greenlight.toml"), config(&name)).unwrap();
    readable(folder.path());
    let port = start(&api, &engine.socket(), folder.path()).await;
    healthy(&api).await;
    let (code, said) = run_inside(&api, &["/greenlight", "deploy", "app", "--wait", "--timeout", "1m"]).await;
    assert_eq!(code, Some(0), "{said}");
    let mut connection = Connection::open(([127, 0, 0, 1], port).into()).await.unwrap();
    let answer = connection.ask(&request("GET", "/", "app.example.org", None)).await.unwrap();
    assert_eq!((answer.status, answer.field("x-version")), (200, Some("v1")), "{answer:?}");
    // Its own health check says no when the admin API is not there.
    let (code, said) = run_inside(&api, &["/greenlight", "--admin", "http://127.0.0.1:1", "health"]).await;
    assert_eq!(code, Some(1), "{said}");

    api.stop_container(NAME, None::<StopContainerOptions>).await.unwrap();
    let inspected = api.inspect_container(NAME, None).await.unwrap();
    let image = api.inspect_image("greenlight:local").await.unwrap();
    let user = inspected.config.unwrap().user.unwrap();
    assert!(!user.is_empty() && !user.starts_with('0'), "it runs as {user}");
    assert_eq!(inspected.state.unwrap().exit_code, Some(0), "after SIGTERM");
    println!("RESULT own image: {} MiB, user {user}", image.size.unwrap_or_default() >> 20);
    api.remove_container(NAME, Some(RemoveContainerOptionsBuilder::new().force(true).build())).await.unwrap();
}

/// As `build-image` does; the static binary is the one that the other tests have too.
async fn build(api: &Docker) {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/build-image"))
        .arg("--context")
        .arg(folder.path())
        .env("GREENLIGHT_STATIC", static_program().await)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let tar =
        std::process::Command::new("tar").arg("-c").arg("-C").arg(folder.path()).arg(".").output().unwrap();
    assert!(tar.status.success(), "{tar:?}");
    let options = BuildImageOptionsBuilder::new().t("greenlight:local").build();
    let context = Some(body_full(Bytes::from(tar.stdout)));
    let steps = image::to_the_end(api.build_image(options, None, context)).await.unwrap();
    assert!(!steps.is_empty());
}

fn config(image: &str) -> String {
    format!(
        "[[listeners]]\nbind = \"0.0.0.0:80\"\n[services.app]\nhosts = [\"app.example.org\"]\n\
         [services.app.upstream]\nkind = \"docker\"\nimage = \"{image}\"\nreplicas = 2\nnetwork = \"{NETWORK}\"\n\
         [services.app.health]\nrise = 1\ninterval = \"250ms\"\nmin_healthy_time = \"1s\"\n\
         [services.app.release]\nbake_time = \"1s\"\n"
    )
}

/// By the user of the image.
fn readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// As the head of the Dockerfile says; the port that its 80 is published at.
async fn start(api: &Docker, socket: &Path, folder: &Path) -> u16 {
    let group = std::fs::metadata(socket).unwrap().gid().to_string();
    // One of ours: two engines on one machine would give out the same.
    let port = address().port();
    let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port.to_string()) };
    let body = ContainerCreateBody {
        image: Some("greenlight:local".to_owned()),
        host_config: Some(HostConfig {
            network_mode: Some(NETWORK.to_owned()),
            group_add: Some(vec![group]),
            binds: Some(vec![
                format!("{}:/var/run/docker.sock", socket.display()),
                format!("{}:/etc/greenlight:ro", folder.display()),
            ]),
            port_bindings: Some(HashMap::from([("80/tcp".to_owned(), Some(vec![binding]))])),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(NAME).build();
    api.create_container(Some(options), body).await.unwrap();
    api.start_container(NAME, None::<StartContainerOptions>).await.unwrap();
    port
}

/// Waits until the engine's health check, which is the binary itself, says so.
async fn healthy(api: &Docker) {
    let begun = Instant::now();
    loop {
        let state = api.inspect_container(NAME, None).await.unwrap().state.unwrap();
        let health = state.health.clone().and_then(|health| health.status).map(|status| status.to_string());
        if health.as_deref() == Some("healthy") {
            return;
        }
        assert!(state.running == Some(true) && begun.elapsed() < PATIENCE, "{state:?}\n{}", logs(api).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn logs(api: &Docker) -> String {
    let options = bollard::query_parameters::LogsOptionsBuilder::new().stdout(true).stderr(true).build();
    let lines: Vec<_> = api.logs(NAME, Some(options)).try_collect().await.unwrap_or_default();
    lines.iter().map(ToString::to_string).collect()
}

/// `docker exec`
async fn run_inside(api: &Docker, command: &[&str]) -> (Option<i64>, String) {
    let config = ExecConfig {
        cmd: Some(command.iter().map(ToString::to_string).collect()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    };
    let exec = api.create_exec(NAME, config).await.unwrap();
    let StartExecResults::Attached { output, .. } = api.start_exec(&exec.id, None).await.unwrap() else {
        panic!("detached")
    };
    let said: Vec<_> = output.try_collect().await.unwrap();
    let code = api.inspect_exec(&exec.id).await.unwrap().exit_code;
    (code, said.iter().map(ToString::to_string).collect())
}
