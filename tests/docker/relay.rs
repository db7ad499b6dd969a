//! A relay before an engine or a registry. It can hold requests of one kind until the test lets them go, so
//! that a release stays in a state for as long as the test needs.

use std::io::Result;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Decides which requests are held, and counts them.
#[derive(Clone, Debug)]
struct Valve {
    /// A request whose bytes contain all of these words is held. With `None` no request is held.
    words: watch::Sender<Option<&'static [&'static str]>>,
    /// The requests that were held since [`Relay::hold`].
    held: watch::Sender<usize>,
}

/// A relay. It and all of its connections end when this value is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    gate: Valve,
    task: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay before a registry, and returns its address too.
    pub(crate) async fn tcp(target: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Valve::new();
        let task = tokio::spawn({
            let gate = gate.clone();
            async move {
                let mut carried = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let gate = gate.clone();
                    carried.spawn(async move { gate.carry(client, TcpStream::connect(target).await?).await });
                }
            }
        });
        (Self { gate, task }, address)
    }

    /// Starts a relay before an engine. It listens on the socket `path` and connects to the engine's socket
    /// `target`.
    pub(crate) fn unix(path: &PathBuf, target: PathBuf) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let gate = Valve::new();
        let task = tokio::spawn({
            let gate = gate.clone();
            async move {
                let mut carried = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let (gate, target) = (gate.clone(), target.clone());
                    carried
                        .spawn(async move { gate.carry(client, UnixStream::connect(target).await?).await });
                }
            }
        });
        Self { gate, task }
    }

    /// Holds requests that contain all of these words, from now on.
    pub(crate) fn hold(&self, words: &'static [&'static str]) {
        self.gate.held.send_replace(0);
        self.gate.words.send_replace(Some(words));
    }

    /// Waits until a request is held. Panics after `limit`.
    pub(crate) async fn until_held(&self, limit: Duration) {
        let mut held = self.gate.held.subscribe();
        let waited = tokio::time::timeout(limit, held.wait_for(|held| *held > 0)).await;
        waited.expect("a request is held").unwrap();
    }

    pub(crate) fn let_go(&self) {
        self.gate.words.send_replace(None);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Valve {
    fn new() -> Self {
        Self { words: watch::Sender::new(None), held: watch::Sender::new(0) }
    }

    /// Carries one connection until either side ends it.
    async fn carry<S>(&self, client: S, target: S) -> Result<()>
    where
        S: AsyncRead + AsyncWrite,
    {
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_target, mut to_target) = tokio::io::split(target);
        let requests = async {
            let mut buffer = vec![0; 64 << 10];
            loop {
                let length = from_client.read(&mut buffer).await?;
                if length == 0 {
                    return Ok(());
                }
                self.pass(&buffer[..length]).await;
                to_target.write_all(&buffer[..length]).await?;
            }
        };
        tokio::select! {
            ended = requests => ended,
            ended = copy(&mut from_target, &mut to_client) => ended.map(drop),
        }
    }

    /// Waits for as long as these bytes are to be held. This sees a head only if the client writes it in one
    /// piece, as Docker's clients and greenlight do.
    async fn pass(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let is_held = |words: Option<&'static [&'static str]>| {
            words.is_some_and(|words| words.iter().all(|word| text.contains(word)))
        };
        let mut words = self.words.subscribe();
        let now = *words.borrow_and_update();
        if is_held(now) {
            self.held.send_modify(|held| *held += 1);
            // The sender lives as long as this gate.
            let _ = words.wait_for(|words| !is_held(*words)).await;
        }
    }
}
