//! Certificates from a real ACME server: Debian's `pebble` (Let's Encrypt's own, for tests), which
//! validates for real, rejects one nonce in twenty, and is asked through its own authority.
//!
//! `apt-get install pebble`; without it the tests say so and pass, unless `GREENLIGHT_REQUIRE_ENGINES=1`.

mod pebble;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use greenlight::config::{Access, Acme, Limits, ListenerTls, Log, LogFormat};
use greenlight::control_plane::acme::{Keeper, Options};
use greenlight::control_plane::store::{SqliteStore, Store};
use greenlight::data_plane::{DataPlane, DataPlaneOptions, ListenerFacts, bind_shared};
use greenlight::routing::RouteTable;
use greenlight::tls::{Challenges, Entrance, HTTP1_ALPN, Said, client_config, names_of};
use greenlight_testkit::seeing::Seeing;
use pebble::Pebble;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use tokio::sync::{mpsc, watch};

/// A front door with a plain and a TLS listener, the latter without a certificate.
struct Door {
    plane: DataPlane,
    entrance: Arc<Entrance>,
    challenges: Arc<Challenges>,
    plain: SocketAddr,
    secure: SocketAddr,
}

fn bind() -> TcpListener {
    bind_shared("127.0.0.1:0".parse().unwrap(), false, 1).unwrap().remove(0)
}

impl Door {
    fn open() -> Self {
        let none = ListenerTls {
            certificates: Vec::new(),
            client_ca: None,
            acme: None,
            hsts: Duration::ZERO,
            ocsp: None,
        };
        let entrance = Arc::new(Entrance::open(&none, vec![HTTP1_ALPN.to_vec()]).unwrap());
        let challenges = Arc::<Challenges>::default();
        let sockets = vec![bind(), bind()];
        let [plain, secure] = [0, 1].map(|index: usize| sockets[index].local_addr().unwrap());
        let redirects = ListenerFacts { redirect_to_https: true, ..ListenerFacts::default() };
        let secured = ListenerFacts { tls: Some(Arc::clone(&entrance)), ..ListenerFacts::default() };
        let plane = DataPlane::start(DataPlaneOptions {
            workers: 1,
            listeners: vec![sockets],
            facts: vec![redirects, secured],
            challenges: Arc::clone(&challenges),
            origins: Arc::default(),
            limits: Limits { shutdown_timeout: Duration::from_secs(1), ..Limits::default() },
            trusted_proxies: Vec::new(),
            log: Log { level: "info".into(), format: LogFormat::Text, access: Access::Off },
            table: Arc::new(ArcSwap::from_pointee(RouteTable::default())),
            suspects: mpsc::channel(1).0,
            registry: prometheus::Registry::new(),
        });
        Self { plane: plane.unwrap(), entrance, challenges, plain, secure }
    }

    /// Keeps certificates for `hosts` until the sender is dropped.
    async fn keep(
        &self,
        pebble: &Pebble,
        store: Arc<dyn Store>,
        hosts: &[&str],
        has_plain: bool,
    ) -> watch::Sender<bool> {
        let acme = Acme {
            email: "ops@example.org".into(),
            directory: pebble.directory(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ca: Some(pebble.ca()),
        };
        let options = Options {
            entrances: vec![(acme, Arc::clone(&self.entrance))],
            has_plain,
            challenges: Arc::clone(&self.challenges),
            store,
        };
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(Keeper::new(options).await.run(stopped));
        stop
    }

    /// What the certificate says that is shown for `host`; `None`: the handshake is refused.
    fn shown(&self, host: &str) -> Option<Said> {
        let mut socket = TcpStream::connect(self.secure).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut config = rustls::ClientConfig::builder_with_provider(greenlight::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            // Pebble's certificates are of an authority that is made at its start: what is served is looked at.
            .with_custom_certificate_verifier(Arc::new(Seeing(Box::new(|_, _, _, _| Ok(())))))
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket).ok()?;
        }
        Some(names_of(&session.peer_certificates().unwrap()[0]))
    }

    /// Asks again until the answer is what is waited for.
    async fn until(&self, host: &str, wanted: impl Fn(&Said) -> bool) -> Said {
        let deadline = greenlight::clock::instant() + Duration::from_mins(1);
        loop {
            if let Some(said) = self.shown(host).filter(&wanted) {
                return said;
            }
            assert!(
                greenlight::clock::instant() < deadline,
                "no such certificate for {host} within a minute"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&folder.path().join("store")).unwrap())
}

/// A port where nobody listens.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn issued_and_renewed(has_plain: bool) {
    const LIFE: i64 = 9;
    if !pebble::is_installed() {
        return;
    }
    let door = Door::open();
    // Only one of the two ways is open: what is issued was proved in that way.
    let (http, tls) = if has_plain { (door.plain.port(), closed()) } else { (closed(), door.secure.port()) };
    let pebble = Pebble::start(http, tls, LIFE);
    let folder = tempfile::tempdir().unwrap();
    let hosts = ["one.test", "two.test"];
    assert_eq!(door.shown("one.test"), None, "no placeholder before the first certificate");
    let stop = door.keep(&pebble, store(&folder), &hosts, has_plain).await;
    for host in hosts {
        let first = door.until(host, |said| said.names == [host]).await;
        assert_eq!((first.ends - first.begins + 1) / LIFE, 1, "{first:?}");
        let second = door.until(host, |said| said.names == [host] && said.begins > first.begins).await;
        // At two thirds of its life, not at its end: nobody ever saw one that was over.
        let due = first.begins + LIFE * 2 / 3;
        assert!(second.begins >= due - 1 && second.begins < first.ends, "{first:?}, then {second:?}");
    }
    assert!(!door.challenges.has_tls() || stop.send(true).is_ok());
    door.plane.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_01_issues_and_renews() {
    issued_and_renewed(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_alpn_01_issues_and_renews() {
    issued_and_renewed(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_issued_is_served_after_a_restart_without_the_server() {
    if !pebble::is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let door = Door::open();
        let pebble = Pebble::start(door.plain.port(), closed(), 90 * 86_400);
        let kept = store(&folder);
        let stop = door.keep(&pebble, Arc::clone(&kept), &["one.test"], true).await;
        let said = door.until("one.test", |said| said.names == ["one.test"]).await;
        assert!(client_config(Some(&pebble.ca())).is_ok());
        stop.send(true).unwrap();
        door.plane.shutdown().await;
        // Served only once it is kept, so it is there whenever the process ends.
        drop(kept);
        (said, pebble.directory(), pebble.ca(), pebble)
    };
    let (said, _directory, _ca, pebble) = first;
    let door = Door::open();
    let kept = reopened(&folder).await;
    let stop = door.keep(&pebble.stopped(), kept, &["one.test"], true).await;
    assert_eq!(door.shown("one.test"), Some(said), "at once, from the store");
    stop.send(true).unwrap();
    door.plane.shutdown().await;
}

/// The store of a run that has ended: its tasks may hold it a moment longer.
async fn reopened(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    let deadline = greenlight::clock::instant() + Duration::from_secs(10);
    loop {
        match SqliteStore::open(&folder.path().join("store")) {
            Ok(store) => return Arc::new(store),
            Err(why) => assert!(greenlight::clock::instant() < deadline, "{why}"),
        }
        tokio::task::yield_now().await;
    }
}
