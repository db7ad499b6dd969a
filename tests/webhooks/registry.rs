//! A real registry (Debian's docker-registry) as the sender of webhooks, and as what tags are moved in.
//!
//! Images are written by its own HTTP API: no container engine is needed for that.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use greenlight::cli::demo::child::Child;
use greenlight::control_plane::provider::registry::{Login, Registry, RegistryFault, Retag, retag};
use reqwest::Client;
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::kit::{Secrets, TOKEN, hex, quick, releases, until};
use greenlight_testkit::house::{House, PATIENCE, SERVICE, Setup, address};

const KIND: &str = "application/vnd.docker.distribution.manifest.v2+json";
const PASSWORD: &str = "s3cret-pass";
/// bcrypt of it, as `htpasswd -B` writes it.
const HASH: &str = "ops:$2b$04$QbtdN.0FdVQt8.x89r1JEexdI7qJlx.X7ygKtc5.S6LC4uMvM3m.K\n";

struct Server {
    address: SocketAddr,
    _child: Child,
    _folder: tempfile::TempDir,
}

fn program() -> Option<PathBuf> {
    let found = ["docker-registry", "registry"].into_iter().find_map(|name| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
    });
    assert!(
        found.is_some() || std::env::var("GREENLIGHT_REQUIRE_ENGINES").is_err(),
        "docker-registry is not installed"
    );
    if found.is_none() {
        println!("left out: docker-registry is not installed");
    }
    found
}

impl Server {
    /// Starts one that tells `hook` of its pushes; with a password if `locked`. `None`: not installed.
    async fn start(hook: Option<String>, locked: bool) -> Option<Self> {
        let program = program()?;
        let (folder, address) = (tempfile::tempdir().unwrap(), address());
        let root = folder.path().join("data");
        let mut text = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
             http:\n  addr: {address}\n",
            root.display()
        );
        if locked {
            let users = folder.path().join("users");
            std::fs::write(&users, HASH).unwrap();
            let _ = write!(text, "auth:\n  htpasswd:\n    realm: here\n    path: {}\n", users.display());
        }
        if let Some(url) = hook {
            let _ = write!(
                text,
                "notifications:\n  endpoints:\n    - name: greenlight\n      url: {url}\n      headers:\n        \
                 Authorization: [Bearer {TOKEN}]\n      timeout: 2s\n      threshold: 3\n      backoff: 1s\n"
            );
        }
        let config = folder.path().join("config.yml");
        std::fs::write(&config, text).unwrap();
        let log = folder.path().join("log");
        let child =
            Child::start("docker-registry", &program, ["serve".as_ref(), config.as_os_str()], Some(&log))
                .unwrap();
        let server = Self { address, _child: child, _folder: folder };
        let up = async {
            while client().get(server.url("")).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, up).await.expect("docker-registry answers");
        Some(server)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.address)
    }

    async fn blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = sha256(content);
        let begun = self.ask(client().post(self.url(&format!("{repository}/blobs/uploads/")))).await;
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let joint = if place.contains('?') { '&' } else { '?' };
        let put = client().put(format!("{place}{joint}digest={digest}")).body(content.to_vec());
        assert_eq!(self.ask(put).await.status(), 201);
        digest
    }

    /// Pushes an image whose only content is this text; its digest.
    async fn push(&self, repository: &str, tag: &str, content: &str) -> String {
        let config = self.blob(repository, format!("{{\"text\":\"{content}\"}}").as_bytes()).await;
        let layer = self.blob(repository, content.as_bytes()).await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": KIND,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "size": content.len() + 11, "digest": config },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": content.len(), "digest": layer }]
        })
        .to_string();
        let put = client()
            .put(self.url(&format!("{repository}/manifests/{tag}")))
            .header("content-type", KIND)
            .body(manifest.clone());
        assert_eq!(self.ask(put).await.status(), 201);
        sha256(manifest.as_bytes())
    }

    async fn digest_of(&self, repository: &str, tag: &str) -> Option<String> {
        let head = client().head(self.url(&format!("{repository}/manifests/{tag}"))).header("accept", KIND);
        let answer = self.ask(head).await;
        Some(answer.headers().get("docker-content-digest")?.to_str().unwrap().to_owned())
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> reqwest::Response {
        request.basic_auth("ops", Some(PASSWORD)).send().await.unwrap()
    }

    fn host(&self) -> String {
        self.address.to_string()
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(digest(&SHA256, bytes).as_ref()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_to_the_registry_starts_a_release() {
    let (secrets, hooks) = (Secrets::new(), address());
    let Some(registry) = Server::start(Some(format!("http://{hooks}/hooks/registry")), false).await else {
        return;
    };
    let token = secrets.file("token", TOKEN);
    let more = format!(
        "[hooks]\nbind = \"{hooks}\"\n[[webhooks]]\nname = \"registry\"\nkind = \"registry\"\n\
         service = \"{SERVICE}\"\ntoken = {token}\nallow = [\"{}/org/app:prod\"]\n",
        registry.host()
    );
    let house = House::open(&Setup { more, ..quick() }).await;
    // Other repositories, other tags, layers: the registry tells of all of them.
    registry.push("org/other", "prod", "other").await;
    registry.push("org/app", "test", "one").await;
    let first = registry.push("org/app", "prod", "one").await;
    until(&house, &first, "succeeded").await;
    // The same image again is no release; another one under the same tag is.
    assert_eq!(registry.push("org/app", "prod", "one").await, first);
    let second = registry.push("org/app", "prod", "two").await;
    assert_ne!(first, second);
    until(&house, &second, "succeeded").await;
    assert_eq!(releases(&house).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_moved_by_their_manifests() {
    let Some(registry) = Server::start(None, true).await else { return };
    let one = registry.push("org/app", "v1", "one").await;
    let two = registry.push("org/app", "v2", "two").await;
    let login = || Some(Login::Password { username: "ops".to_owned(), password: PASSWORD.to_owned() });
    let moves = |stable: &str, previous: Option<&str>| Retag {
        host: registry.host(),
        repository: "org/app".to_owned(),
        moves: previous
            .map(|digest| ("previous".to_owned(), digest.to_owned()))
            .into_iter()
            .chain([("stable".to_owned(), stable.to_owned())])
            .collect(),
    };
    retag(&moves(&one, None), login()).await.unwrap();
    assert_eq!(registry.digest_of("org/app", "stable").await.as_ref(), Some(&one));
    assert_eq!(registry.digest_of("org/app", "previous").await, None);
    for _ in 0..2 {
        retag(&moves(&two, Some(&one)), login()).await.unwrap();
        assert_eq!(registry.digest_of("org/app", "stable").await.as_ref(), Some(&two));
        assert_eq!(registry.digest_of("org/app", "previous").await.as_ref(), Some(&one));
    }
    assert_eq!(registry.digest_of("org/app", "v1").await.as_ref(), Some(&one), "other tags stay");

    // What can't be done is said, and what can be done is done all the same.
    let unknown = format!("sha256:{}", "0".repeat(64));
    let fault = retag(&moves(&one, Some(&unknown)), login()).await.unwrap_err();
    assert!(matches!(fault, RegistryFault::NotFound { .. }), "{fault}");
    assert_eq!(registry.digest_of("org/app", "stable").await.as_ref(), Some(&one));
    let wrong = Some(Login::Password { username: "ops".to_owned(), password: "no".to_owned() });
    for login in [wrong, None] {
        let fault = retag(&moves(&two, None), login).await.unwrap_err();
        assert!(matches!(fault, RegistryFault::Unauthorized { .. }), "{fault}");
    }
    let nobody = Registry::open(&address().to_string(), None).await.unwrap();
    let fault = nobody.manifest("org/app", "v1").await.unwrap_err();
    assert!(matches!(fault, RegistryFault::Away { .. }), "{fault}");
}
