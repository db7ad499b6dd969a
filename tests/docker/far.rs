//! Several engines, one of them on the network: TCP with TLS, where both sides show certificates.

use std::path::{Path, PathBuf};
use std::time::Duration;

use greenlight::config::{self, EngineTls};
use greenlight::control_plane::provider::docker::{DockerFault, ServiceEngines};
use greenlight::model::ImageReference;
use greenlight::model::ServiceName;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::site::{PATIENCE, Setup, Site, seen, shared, started};
use greenlight_testkit::docker::image::Recipe;
use greenlight_testkit::docker::{available, engine};
use greenlight_testkit::house::address;

/// Containers are reached by their own addresses: two engines on one machine would publish the same ports.
const UPSTREAM: &str = "stop_timeout = \"5s\"";

/// An authority of our own, what it has issued, and one that nobody trusts.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for authority in ["ours", "others"] {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, authority);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            let write = |name: &str, text: String| {
                std::fs::write(folder.path().join(format!("{authority}-{name}")), text).unwrap();
            };
            write("ca.pem", ca.pem());
            for name in ["engine", "front-door"] {
                let key = KeyPair::generate().unwrap();
                let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
                params.distinguished_name.push(DnType::CommonName, name);
                write(&format!("{name}.pem"), params.signed_by(&key, &ca).unwrap().pem());
                write(&format!("{name}.key"), key.serialize_pem());
            }
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Trusts who `ca` has issued, and shows what `own` has.
    fn client(&self, ca: &str, own: &str) -> EngineTls {
        EngineTls {
            ca: self.path(&format!("{ca}-ca.pem")),
            cert: self.path(&format!("{own}-front-door.pem")),
            key: self.path(&format!("{own}-front-door.key")),
        }
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Three containers over two engines; the far one is asked under TLS alone. While it is dead its container goes on,
/// and no request is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_over_two_engines_one_of_them_by_tls() {
    if !available() {
        return;
    }
    let (certificates, at) = (Certificates::new(), address());
    let options = [
        ("--host", format!("tcp://{at}")),
        ("--tlscacert", text(&certificates.path("ours-ca.pem"))),
        ("--tlscert", text(&certificates.path("ours-engine.pem"))),
        ("--tlskey", text(&certificates.path("ours-engine.key"))),
    ];
    let more = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    let more = more.chain(["--tlsverify".to_owned()]).collect();
    let far = started(engine::Options { more, live_restore: true, ..engine::Options::default() }).await;
    let tls = certificates.client("ours", "ours");
    let row = format!(
        "{{ url = \"tcp://{at}\", tls = {{ ca = \"{}\", cert = \"{}\", key = \"{}\" }} }}",
        text(&tls.ca),
        text(&tls.cert),
        text(&tls.key)
    );
    let near = shared().await;
    let site =
        Site::open(&Setup { replicas: 3, engines: &[row], upstream: UPSTREAM, ..Setup::new("spread", near) })
            .await;
    let v1 = site.push("prod", &Recipe::new("v1")).await;
    let first = site.until_released(&v1).await;
    assert_eq!(first.state.as_str(), "succeeded", "{first:?}");
    let (far_api, label) = (far.api().await, ["greenlight.service=spread".to_owned()]);
    let here = site.containers().await;
    let there = seen(&far_api, &label).await;
    assert_eq!((here.len(), there.len()), (2, 1), "{here:?} {there:?}");
    assert!(
        here.iter().chain(&there).all(|one| one.running && one.release == first.id),
        "{here:?} {there:?}"
    );

    let load = site.load(4, 100.0);
    let v2 = site.push("prod", &Recipe::new("v2")).await;
    let second = site.until_released(&v2).await;
    assert_eq!(second.state.as_str(), "succeeded", "{second:?}");
    let healthy = |service: &greenlight::control_plane::controller::ServiceView, wanted: usize| {
        let serving = service.endpoints.iter().filter(|one| one.color == service.active);
        serving.filter(|one| one.health.as_str() == "healthy").count() == wanted
    };
    site.until("three of v2 are healthy", |service| healthy(service, 3)).await;
    assert!(load.until(PATIENCE, |counts| counts.of("v2") > 100).await, "{:?}", load.counts());
    tokio::task::block_in_place(|| far.kill());
    site.until("the far one is away", |service| service.alarms.keys().any(|name| name.contains("engine")))
        .await;
    let enough = load.counts().of("v2") + 100;
    assert!(load.until(PATIENCE, |counts| counts.of("v2") > enough).await, "{:?}", load.counts());
    tokio::task::block_in_place(|| far.start_again());
    site.until("all three again", |service| service.alarms.is_empty() && healthy(service, 3)).await;
    let counts = load.stop().await;
    assert_eq!(counts.lost(), 0, "the data path needs no engine: {:?}", counts.losses);
    strangers(&certificates, &format!("tcp://{at}"), &site.image("prod")).await;
    println!(
        "RESULT two engines, one by TLS: 2 + 1 containers, {} requests, none lost as an engine was killed",
        counts.total()
    );
}

/// An engine whose authority we do not trust is not asked, and one that does not trust ours does not answer.
async fn strangers(certificates: &Certificates, url: &str, image: &str) {
    let image = ImageReference::parse(image).unwrap();
    for (ca, own) in [("others", "ours"), ("ours", "others")] {
        let tls = Some(certificates.client(ca, own));
        let engines = vec![config::Engine { url: url.to_owned(), tls }];
        let config = config::Docker { engines, ..config::Docker::default() };
        let upstream = ServiceEngines::new(ServiceName::from("strangers"), config, 1);
        let asked = tokio::time::timeout(Duration::from_mins(1), upstream.resolve(&image)).await;
        match asked.expect("an answer") {
            Err(DockerFault::Away { why, .. } | DockerFault::Refused(why)) => {
                assert!(why.to_lowercase().contains("certificate"), "{ca} {own}: {why}");
            }
            other => panic!("{ca} {own}: {other:?}"),
        }
    }
}
