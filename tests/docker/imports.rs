//! The configuration that `greenlight import` prints works. It is checked and started, and its services are
//! released and get a request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};

use bollard::models::NetworkCreateRequest;
use greenlight::cli::demo::client::{Connection, request};
use greenlight::config::{self, Config, Upstream};
use tokio::process::{Child, Command};

use crate::site::{PATIENCE, builder, shared, started};
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::engine::{self, Engine};
use greenlight_testkit::docker::image::{self, Recipe};
use greenlight_testkit::docker::registry::{self, PASSWORD, Registry, USER};
use greenlight_testkit::house::{address, exe};

/// The environment of the commands, with the variables that the imported script and files use.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("DOCKERHUB_USER", USER),
    ("DOCKERHUB_PASS", PASSWORD),
    ("TAG", "2026.11"),
    ("SMTP_PASSWORD", "letmein"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_that_import_prints_runs() {
    if !available() {
        return;
    }
    let engine = shared().await;
    let options = registry::Options { auth: true, notify: None };
    let registry = Registry::start(address(), &options).await;
    // Two of the files have a service "backend". One engine would not tell the two apart, so each has its own
    // engine.
    let other = started(engine::Options::default()).await;
    let files = [
        (engine, "dockercloud-haproxy.yml"),
        (engine, "stack-file.yml"),
        (engine, "nginx-proxy.yml"),
        (&other, "script.env"),
    ];
    futures_util::future::join_all(files.iter().map(|(engine, file)| runs(engine, &registry, file))).await;
}

/// Imports one file, starts a door with the result, and releases each of its services.
async fn runs(engine: &Engine, registry: &Registry, file: &str) {
    let folder = tempfile::Builder::new().prefix("greenlight-import.").tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import").join(file);
    std::fs::copy(golden, folder.path().join(file)).unwrap();
    std::fs::write(folder.path().join("blog.env"), "A=1\n").unwrap();
    std::fs::create_dir(folder.path().join("themes")).unwrap();
    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let arguments: Vec<&str> = if file == "script.env" {
        vec!["import", "--env-file", file]
    } else {
        vec!["import", file, "--secrets", "secrets"]
    };
    let printed = succeeded(&greenlight(folder.path(), &arguments).output().await.unwrap(), file);
    let listener = address();
    let admin = address();
    let name = file.split('.').next().unwrap();
    let written = Written { name, folder: folder.path(), listener, admin };
    let (text, config) = adapted(&printed, engine, registry, &written).await;
    let path = folder.path().join("greenlight.toml");
    std::fs::write(&path, &text).unwrap();
    succeeded(&greenlight(folder.path(), &["check", "greenlight.toml"]).output().await.unwrap(), &text);

    let _door = door(folder.path());
    let releases = config.services.iter().map(|service| release(folder.path(), admin, service.name.as_str()));
    futures_util::future::join_all(releases).await;
    for service in &config.services {
        let host = service.hosts.first().map_or("anything.example.org", String::as_str);
        let mut connection = Connection::open(listener).await.unwrap();
        let answer = connection.ask(&request("GET", "/", host, None)).await.unwrap();
        let version = answer.field("x-version").map(str::to_owned);
        assert_eq!(
            (answer.status, version),
            (200, Some(service.name.to_string())),
            "{host} of {file}\n{text}"
        );
    }
    println!("RESULT import: {file}: {} services checked, released and asked", config.services.len());
}

/// Asks for one release on the command line, as a person would, and waits for its end.
async fn release(folder: &Path, admin: SocketAddr, service: &str) {
    let url = format!("http://{admin}");
    let arguments = ["--admin", &url, "deploy", service, "--wait", "--timeout", "2m"];
    let begun = tokio::time::Instant::now();
    loop {
        let output = greenlight(folder, &arguments).output().await.unwrap();
        // The door may not be ready yet, because it has only just been started.
        let unreachable = output.status.code() == Some(1) && begun.elapsed() < PATIENCE;
        if !unreachable {
            succeeded(&output, service);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn greenlight(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(exe());
    command.args(arguments).envs(ENVIRONMENT.iter().copied()).current_dir(folder).kill_on_drop(true);
    command
}

/// Starts a door, which ends when this value is dropped.
fn door(folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    greenlight(folder, &["run", "--until-stdin-ends", "-c", "greenlight.toml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::from(log.try_clone().unwrap()))
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap()
}

fn succeeded(output: &Output, what: &str) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}\n{err}\n{what}", output.status);
    out.into_owned()
}

struct Written<'a> {
    name: &'a str,
    folder: &'a Path,
    listener: SocketAddr,
    admin: SocketAddr,
}

/// Adapts the printed configuration to this machine: ports, folders, the engine, the registry's name and its
/// credentials, the command, and a short bake. Makes the images, and the networks that compose would have made.
async fn adapted(printed: &str, engine: &Engine, registry: &Registry, at: &Written<'_>) -> (String, Config) {
    let folder = at.folder.display().to_string();
    let before =
        config::parse(printed, at.folder).unwrap_or_else(|faults| panic!("{faults:?}\n{printed}")).config;
    let mut text = printed.replace("/var/lib/greenlight", &format!("{folder}/store"));
    for (number, listener) in before.listeners.iter().enumerate() {
        let to = if number == 0 { at.listener } else { address() };
        text = text.replace(&format!("bind = \"{}\"", listener.bind), &format!("bind = \"{to}\""));
    }
    text = text.replace(
        "kind = \"docker\"\n",
        &format!("kind = \"docker\"\nengines = [{{ url = \"{}\" }}]\n", engine.url()),
    );
    let auth = "registry_auth = { username = { env = \"DOCKERHUB_USER\" }, password = { env = \"DOCKERHUB_PASS\" } }";
    if !text.contains(auth) {
        text = text.replace("replicas = ", &format!("{auth}\nreplicas = "));
    }
    // The images of this test hold one program, and it is not the one that a compose file names.
    let own = |line: &&str| !line.starts_with("command = ") && !line.starts_with("entrypoint = ");
    text = text.lines().filter(own).fold(String::new(), |text, line| text + line + "\n");
    let api = engine.api().await;
    let mut images = BTreeMap::new();
    let mut networks = BTreeSet::new();
    for service in &before.services {
        let Upstream::Docker { image: Some(image), engine, .. } = &service.upstream else {
            panic!("{} runs no image", service.name)
        };
        // Two of the files have a service "backend" and run at the same time, so the name of the file is in
        // the image.
        let name = registry.image(&format!("{}/{}:v1", at.name, service.name));
        let port = engine.port.unwrap_or(image::PORT).to_string();
        let recipe = Recipe::new(service.name.as_str()).with(&["--port", &port]);
        let builder = builder().await;
        image::make(&builder, &name, &recipe).await;
        image::push(&builder, &name, registry.credentials()).await;
        images.insert(image.clone(), name);
        networks.insert(engine.network.clone());
        let _ = writeln!(text, "\n[services.{}.release]\nbake_time = \"1s\"", service.name);
    }
    for name in networks.into_iter().filter(|name| !matches!(name.as_str(), "bridge" | "host")) {
        api.create_network(NetworkCreateRequest { name, ..NetworkCreateRequest::default() }).await.unwrap();
    }
    for (image, name) in images {
        text = text.replace(&format!("image = \"{image}\""), &format!("image = \"{name}\""));
    }
    let _ = writeln!(text, "\n[admin]\nbind = \"{}\"", at.admin);
    (text, before)
}
