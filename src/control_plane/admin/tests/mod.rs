//! The API over real connections, on a real store. A fake loop gives the answers that the test wants.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod commands;
mod document;
mod events;
mod guard;
mod keys;
mod reads;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control_plane::controller::{
    Actor, Command, Done, EventView, Inbox, Precondition, RefusalCode, Rejection, ReleaseView, ReloadReport,
    ServiceView, Views, channel,
};
use crate::control_plane::store::{SqliteStore, Store, StoredRelease};
use crate::model::{Color, ReleaseId, Revision, ServiceName};
use crate::release::StateName;

use super::{Options, ServeFault, Token, serve};

/// A command as the loop got it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    service: String,
    command: Command,
    precondition: Option<Precondition>,
    actor: Actor,
}

type Answers = Arc<dyn Fn(&Seen) -> Result<Done, Rejection> + Send + Sync>;

/// An API that is served.
struct Api {
    address: SocketAddr,
    store: Arc<dyn Store>,
    seen: Arc<Mutex<Vec<Seen>>>,
    reload: Arc<Mutex<ReloadReport>>,
    views: Arc<arc_swap::ArcSwap<Views>>,
    broadcast: tokio::sync::broadcast::Sender<Arc<EventView>>,
    ready: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    served: JoinHandle<Result<(), ServeFault>>,
    client: Client,
    folder: TempDir,
}

fn done(message: &str) -> Done {
    Done { release: Some("shop-7".into()), noop: false, accepted: false, message: message.into() }
}

impl Api {
    fn start() -> Self {
        Self::with(None, Arc::new(|_| Ok(done("done"))))
    }

    fn answering(answers: impl Fn(&Seen) -> Result<Done, Rejection> + Send + Sync + 'static) -> Self {
        Self::with(None, Arc::new(answers))
    }

    fn with(token: Option<&str>, answers: Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(open(folder.path()));
        let (handle, inbox) = channel(16);
        let Inbox { requests, reloads, views, events } = inbox;
        views.store(Arc::new(Views { services: vec![Arc::new(service())], quarantine: Vec::new() }));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let reload = Arc::new(Mutex::new(ReloadReport::default()));
        tokio::spawn(fake_loop(requests, reloads, Arc::clone(&seen), Arc::clone(&reload), answers));

        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let ready = Arc::new(AtomicBool::new(true));
        let registry = prometheus::Registry::new();
        let counter = prometheus::IntCounter::new("greenlight_test_total", "A counter").unwrap();
        registry.register(Box::new(counter)).unwrap();
        let options = Options {
            handle,
            store: Arc::clone(&store),
            registry,
            token: token.map(Token::new),
            tls: None,
            ready: Arc::clone(&ready),
        };
        let served = tokio::spawn(serve(listener, options, stopped));
        let client = client();
        Self { address, store, seen, reload, views, broadcast: events, ready, stop, served, client, folder }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path).json(&body).send().await.unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Stores a release, with an event for each word.
    async fn stored(&self, release: &ReleaseView, words: &[&str]) -> Vec<u64> {
        let service = ServiceName::new(release.service.as_str());
        let record = StoredRelease {
            id: ReleaseId::new(release.id.as_str()),
            service: service.clone(),
            json: serde_json::to_string(release).unwrap(),
        };
        let revision = self.store.load(&service).await.unwrap().map_or(Revision(0), |record| record.revision);
        self.store.compare_and_swap(&service, revision, "{}".into(), vec![record]).await.unwrap();
        let mut numbers = Vec::new();
        for word in words {
            numbers.push(self.append(&release.id, word).await);
        }
        numbers
    }

    async fn append(&self, release: &str, word: &str) -> u64 {
        let json = serde_json::to_string(&event(0, release, word)).unwrap();
        self.store.append(&ReleaseId::new(release), json).await.unwrap()
    }

    fn tell(&self, seq: u64, release: &str, word: &str) {
        self.broadcast.send(Arc::new(event(seq, release, word))).unwrap();
    }
}

async fn fake_loop(
    mut requests: tokio::sync::mpsc::Receiver<crate::control_plane::controller::Request>,
    mut reloads: tokio::sync::mpsc::Receiver<(Actor, tokio::sync::oneshot::Sender<ReloadReport>)>,
    seen: Arc<Mutex<Vec<Seen>>>,
    reload: Arc<Mutex<ReloadReport>>,
    answers: Answers,
) {
    loop {
        tokio::select! {
            Some(request) = requests.recv() => {
                let crate::control_plane::controller::Request { service, command, precondition, actor, reply } = request;
                let one = Seen { service, command, precondition, actor };
                seen.lock().unwrap().push(one.clone());
                let answers = Arc::clone(&answers);
                // An answer may wait, but the loop must not.
                tokio::task::spawn_blocking(move || reply.send(answers(&one)));
            }
            Some((_, reply)) = reloads.recv() => { reply.send(reload.lock().unwrap().clone()).unwrap(); }
            else => return,
        }
    }
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open_or_recover(&folder.join("store")).unwrap().0
}

fn client() -> Client {
    // Only the first test of the process can install it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn service() -> ServiceView {
    ServiceView {
        name: "shop".into(),
        hosts: vec!["shop.example.org".into()],
        active: Color::Blue,
        active_version: Some("v41".into()),
        candidate_version: None,
        epoch: 3,
        revision: 12,
        state: StateName::Stable,
        pinned: false,
        pin: None,
        paused: false,
        rollback_available: true,
        release: None,
        queued: None,
        endpoints: Vec::new(),
        containers: std::collections::BTreeMap::new(),
        alarms: std::collections::BTreeMap::new(),
        deadline_in_seconds: None,
    }
}

fn release(id: &str, state: &str) -> ReleaseView {
    ReleaseView {
        kind: "deploy".into(),
        version: "v42".into(),
        reason: "because".into(),
        started_at: "2026-11-24T14:02:11.000Z".into(),
        ..ReleaseView::new(id, "shop", Color::Green, StateName::from_word(state).unwrap())
    }
}

fn event(seq: u64, release: &str, word: &str) -> EventView {
    EventView {
        seq,
        release: release.into(),
        service: "shop".into(),
        event: word.into(),
        time: "2026-11-24T14:02:11.000Z".into(),
        reason: format!("now {word}"),
        numbers: serde_json::Map::new(),
    }
}

/// Checks that the answer is a problem document of this status and kind. Returns its detail.
async fn problem(response: Response, status: u16, slug: &str) -> String {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], json!(status));
    assert_eq!(problem["type"], json!(format!("urn:greenlight:problem:{slug}")));
    assert!(!problem["title"].as_str().unwrap().is_empty());
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_stops_on_request_and_takes_no_more() {
    let api = Api::start();
    assert_eq!(api.get("/healthz").await.status(), 200);
    api.stop.send(true).unwrap();
    api.served.await.unwrap().unwrap();
    assert!(std::net::TcpStream::connect(api.address).is_err());
    drop(api.folder);
}

#[tokio::test]
async fn readiness_is_what_the_flag_says() {
    let api = Api::start();
    assert_eq!(api.get("/readyz").await.status(), 200);
    api.ready.store(false, Ordering::Release);
    assert_eq!(api.get("/readyz").await.status(), 503);
    assert_eq!(api.get("/healthz").await.status(), 200);
}
