//! Everything that lasts longer than a switch, at once: each client panics at its first failure.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::lasting::{Events, PIECE_BYTES, UPLOAD_PIECES, chat, download, round, upload};
use crate::multiplexed::Multiplexed;
use crate::origin::{CHUNK_BYTES, CHUNKS};

/// Clients of each kind; over HTTP/2 they share two connections.
const CHATS: usize = 16;
const TRANSFERS: usize = 8;
const STREAMS: usize = 4;
/// Between two round trips of one client.
const PAUSE: Duration = Duration::from_millis(20);

/// Counts what ended well.
#[derive(Debug, Default)]
struct Tally {
    rounds: AtomicU64,
    uploads: AtomicU64,
    downloads: AtomicU64,
    events: AtomicU64,
    requests_h2: AtomicU64,
    rounds_h2: AtomicU64,
    uploads_h2: AtomicU64,
    downloads_h2: AtomicU64,
    stop: AtomicBool,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::SeqCst);
}

/// Clients that go on until they are told to stop.
#[derive(Debug)]
pub(crate) struct Traffic {
    clients: JoinSet<()>,
    tally: Arc<Tally>,
}

impl Traffic {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let mut traffic = Self { clients: JoinSet::new(), tally: Arc::default() };
        traffic.http1(address);
        for _ in 0..2 {
            traffic.http2(address);
        }
        traffic
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        client: impl Fn(Arc<Tally>) -> F,
        count: usize,
    ) {
        for _ in 0..count {
            self.clients.spawn(client(Arc::clone(&self.tally)));
        }
    }

    fn http1(&mut self, address: SocketAddr) {
        let chats = move |tally: Arc<Tally>| async move {
            let mut socket = chat(address).await;
            while tally.goes_on() {
                round(&mut socket, "here").await.expect("an echo");
                add(&tally.rounds);
                tokio::time::sleep(PAUSE).await;
            }
            socket.close(None).await.expect("a good end");
        };
        self.spawn(chats, CHATS);
        let uploads = move |tally: Arc<Tally>| async move {
            while tally.goes_on() {
                let answer = upload(address).await.expect("an upload");
                assert_eq!((answer.status, answer.body), (200, uploaded()));
                add(&tally.uploads);
            }
        };
        self.spawn(uploads, TRANSFERS);
        let downloads = move |tally: Arc<Tally>| async move {
            while tally.goes_on() {
                let answer = download(address, "/download").await.expect("a download");
                assert_eq!((answer.status, answer.body.len()), (200, CHUNKS * CHUNK_BYTES));
                add(&tally.downloads);
            }
        };
        self.spawn(downloads, TRANSFERS);
        // Each is one response, from the first switch to the last.
        let events = move |tally: Arc<Tally>| async move {
            let mut events = Events::open(address).await;
            while tally.goes_on() {
                events.next().await.expect("the next event");
                add(&tally.events);
            }
        };
        self.spawn(events, TRANSFERS);
    }

    fn http2(&mut self, address: SocketAddr) {
        let all = move |tally: Arc<Tally>| async move {
            let connection = Multiplexed::open(address).await;
            assert!(connection.takes_tunnels().await);
            let mut streams = JoinSet::new();
            for _ in 0..STREAMS {
                streams.spawn(requests(connection.clone(), Arc::clone(&tally)));
                streams.spawn(uploads(connection.clone(), Arc::clone(&tally)));
                streams.spawn(downloads(connection.clone(), Arc::clone(&tally)));
                streams.spawn(chats(connection.clone(), Arc::clone(&tally)));
            }
            while let Some(ended) = streams.join_next().await {
                ended.expect("no stream fails");
            }
        };
        self.spawn(all, 1);
    }

    /// Panics if a client has failed.
    pub(crate) fn check(&mut self) {
        if let Some(ended) = self.clients.try_join_next() {
            ended.expect("no client fails");
        }
    }

    /// Ends all of it in good order; tells what was done, of each kind at least once.
    pub(crate) async fn stop(mut self) -> String {
        self.tally.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("no client fails");
        }
        let tally = &self.tally;
        let kinds = [
            ("WebSocket round trips", &tally.rounds),
            ("uploads", &tally.uploads),
            ("downloads", &tally.downloads),
            ("events (SSE)", &tally.events),
            ("requests over h2", &tally.requests_h2),
            ("WebSocket round trips over h2", &tally.rounds_h2),
            ("uploads over h2", &tally.uploads_h2),
            ("downloads over h2", &tally.downloads_h2),
        ];
        let told = kinds.map(|(kind, count)| {
            let count = count.load(Ordering::SeqCst);
            assert!(count > 0, "no {kind}");
            format!("{count} {kind}")
        });
        told.join(", ")
    }
}

/// What the origin says of an upload: its length.
fn uploaded() -> Vec<u8> {
    (UPLOAD_PIECES * PIECE_BYTES).to_string().into_bytes()
}

async fn requests(connection: Multiplexed, tally: Arc<Tally>) {
    while tally.goes_on() {
        assert_eq!(connection.get("/").await.expect("an answer"), (200, 2));
        add(&tally.requests_h2);
        tokio::time::sleep(PAUSE / 4).await;
    }
}

async fn uploads(connection: Multiplexed, tally: Arc<Tally>) {
    while tally.goes_on() {
        assert_eq!(connection.upload().await.expect("an upload"), (200, uploaded()));
        add(&tally.uploads_h2);
    }
}

async fn downloads(connection: Multiplexed, tally: Arc<Tally>) {
    while tally.goes_on() {
        assert_eq!(connection.get("/download").await.expect("a download"), (200, CHUNKS * CHUNK_BYTES));
        add(&tally.downloads_h2);
    }
}

async fn chats(connection: Multiplexed, tally: Arc<Tally>) {
    let mut chat = connection.chat().await.expect("a tunnel");
    while tally.goes_on() {
        chat.round("here").await.expect("an echo");
        add(&tally.rounds_h2);
        tokio::time::sleep(PAUSE).await;
    }
    chat.close().await.expect("a good end");
}
