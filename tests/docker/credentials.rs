//! Who we are to registries: the Docker config file, credential helpers, `registry_auth`; and to whom each is told.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use greenlight::cli::demo::door::Admin;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::site::{PATIENCE, Setup, Site, TOKEN, builder, shared};
use greenlight_testkit::docker::available;
use greenlight_testkit::docker::image::Recipe;
use greenlight_testkit::docker::registry::{PASSWORD, USER};

/// A folder for `DOCKER_CONFIG`, with a `bin` that is first on the `PATH`.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        Self(folder)
    }

    fn env(&self) -> [(String, String); 2] {
        let folder = self.0.path().display();
        let path = std::env::var("PATH").unwrap_or_default();
        [
            ("DOCKER_CONFIG".to_owned(), folder.to_string()),
            ("PATH".to_owned(), format!("{folder}/bin:{path}")),
        ]
    }

    fn write_config(&self, config: &Value) {
        // Read by the front door at any moment: there is always a whole one.
        let new = self.0.path().join("new");
        std::fs::write(&new, config.to_string()).unwrap();
        std::fs::rename(new, self.0.path().join("config.json")).unwrap();
    }

    /// A credential helper that knows one registry, and writes down what it was asked.
    fn write_helper(&self, name: &str, registry: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let answer = json!({ "ServerURL": registry, "Username": USER, "Secret": PASSWORD });
        let text = format!(
            "#!/bin/sh\nkey=$(cat)\necho \"$1 $key\" >>'{}'\nif [ \"$key\" = '{registry}' ]; then echo '{answer}'; \
             else echo 'credentials not found in native keychain'; exit 1; fi\n",
            self.asked().display()
        );
        let path = self.0.path().join("bin").join(format!("docker-credential-{name}"));
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn asked(&self) -> std::path::PathBuf {
        self.0.path().join("asked")
    }
}

/// No webhook and no `registry_auth`: `poll_interval` finds what is pushed, and the Docker config file says who we are,
/// at first itself, then by a helper, then by a store that knows nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_docker_config_file_and_its_helpers() {
    if !available() {
        return;
    }
    let home = Home::new();
    let setup = Setup {
        auth: true,
        told: false,
        env: &home.env(),
        upstream: "publish = \"loopback\"\nstop_timeout = \"5s\"\npoll_interval = \"500ms\"\ntags = { stable = \"stable\" }",
        ..Setup::new("polled", shared().await)
    };
    let site = Site::open(&setup).await;
    let registry = site.registry.address.to_string();
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    home.write_config(&json!({ "auths": { &registry: { "auth": auth } } }));
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "{first:?}");
    until_tagged(&site, "stable", &v1).await;

    home.write_helper("known", &registry);
    home.write_config(&json!({ "credHelpers": { &registry: "known" } }));
    let v2 = site.push("prod", &Recipe::new("v2")).await;
    let second = site.until_released(&v2).await;
    assert_eq!(second.state.as_str(), "succeeded", "{second:?}");
    until_tagged(&site, "stable", &v2).await;
    let asked = std::fs::read_to_string(home.asked()).unwrap();
    assert!(asked.lines().all(|line| line == format!("get {registry}")), "{asked}");
    // It goes on asking, and what it finds is what serves: no release.
    let asks = asked.lines().count();
    let more = |_: &_| std::fs::read_to_string(home.asked()).unwrap().lines().count() > asks + 3;
    site.until("the registry is polled again", more).await;
    assert_eq!(site.admin().history("polled").await.unwrap().len(), 2);

    home.write_helper("strange", "registry.example.org");
    home.write_config(&json!({ "credsStore": "strange" }));
    let refused = site.release(&site.image("prod")).await;
    let refused = site.until_final(&refused).await;
    assert_eq!(refused.state.as_str(), "failed", "{refused:?}");
    assert!(refused.reason.contains("the registry does not let us read"), "{refused:?}");
    assert!(!site.log().contains(&auth), "credentials are in the log");
}

/// Waits until a tag of the service's repository has this digest.
async fn until_tagged(site: &Site, tag: &str, digest: &str) {
    let (builder, name) = (builder().await, site.image(tag));
    let begun = tokio::time::Instant::now();
    loop {
        let found = builder.inspect_registry_image(&name, site.registry.credentials()).await;
        if found.as_ref().is_ok_and(|found| found.descriptor.digest.as_deref() == Some(digest)) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{name} is not {digest}: {found:?}\n{}", site.door.tail());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// `registry_auth` is told to the registry of the service's own image, and to no other one: not when a webhook names an
/// image there that its allow list has, and not when a person does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_registry_is_told_nothing() {
    if !available() {
        return;
    }
    let (other, heads) = other_registry().await;
    let home = Home::new();
    let secret = |name: &str, text: &str| {
        let path = home.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("{{ file = \"{}\" }}", path.display())
    };
    let (user, password) = (secret("user", USER), secret("password", PASSWORD));
    let upstream = format!(
        "publish = \"loopback\"\nstop_timeout = \"5s\"\nregistry_auth = {{ username = {user}, password = {password} }}"
    );
    let setup = Setup {
        auth: true,
        env: &home.env(),
        upstream: &upstream,
        allow: &[format!("{other}/elsewhere/app:*")],
        ..Setup::new("told-apart", shared().await)
    };
    let site = Site::open(&setup).await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "its own registry knows us: {first:?}");

    // As a registry there tells of a push.
    let event = json!({ "events": [{ "action": "push", "request": { "host": other }, "target": {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "repository": "elsewhere/app", "tag": "v9",
        "digest": format!("sha256:{}", "0".repeat(64)),
    } }] });
    let hooks = Admin { address: site.hooks };
    let answer = hooks.ask("POST", &format!("/hooks/registry/{TOKEN}"), Some(&event)).await.unwrap();
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    let refused = |service: &greenlight::control_plane::controller::ServiceView| {
        service.release.as_ref().is_some_and(|last| {
            last.state.as_str() == "failed" && last.reason.contains(&format!("{other}/elsewhere/app:v9"))
        })
    };
    site.until("the webhook's release fails", refused).await;
    let asked = heads.lock().unwrap().len();
    assert!(asked > 0, "the other registry was not asked");
    let by_person = site.release(&format!("{other}/elsewhere/app:v9")).await;
    assert_eq!(site.until_final(&by_person).await.state.as_str(), "failed");
    let told = heads.lock().unwrap().clone();
    assert!(
        told.len() > asked && told.iter().all(|head| !head.to_lowercase().contains("authorization")),
        "{told:#?}"
    );

    // What the Docker config file has for it is another matter.
    let theirs = STANDARD.encode("they:know");
    home.write_config(&json!({ "auths": { &other: { "auth": theirs } } }));
    let known = site.release(&format!("{other}/elsewhere/app:v9")).await;
    assert_eq!(site.until_final(&known).await.state.as_str(), "failed");
    let told = heads.lock().unwrap().clone();
    assert!(told.iter().any(|head| head.contains(&format!("Authorization: Basic {theirs}"))), "{told:#?}");
    let ours = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    assert!(told.iter().all(|head| !head.contains(&ours)), "{told:#?}");
}

/// A registry that asks everybody for a password, and keeps the heads of all that it gets.
async fn other_registry() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut head = Vec::new();
                // 22: a TLS hello, which is tried first.
                while !head.ends_with(b"\r\n\r\n") && head.first() != Some(&22) {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                if head.first() == Some(&22) {
                    return;
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"other\"\r\nConnection: close\r\n\
                              Docker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (address, heads)
}
