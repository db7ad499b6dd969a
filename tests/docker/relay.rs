//! A relay before an engine or a registry that holds requests of one kind until it is told to let them go: so a release
//! stays in a state for as long as a test wants it there.

use std::io::Result;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What is held, and who waits.
#[derive(Clone, Debug)]
struct Gate {
    /// A request whose bytes hold all of these words is held; `None`: nothing is.
    words: watch::Sender<Option<&'static [&'static str]>>,
    /// Requests that were held since it began.
    held: watch::Sender<usize>,
}

/// Ends with this value, and all of its connections with it.
#[derive(Debug)]
pub(crate) struct Relay {
    gate: Gate,
    task: JoinHandle<()>,
}

impl Relay {
    /// Before a registry.
    pub(crate) async fn tcp(target: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Gate::new();
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

    /// Before an engine: at `path`, to the engine's own socket.
    pub(crate) fn unix(path: &PathBuf, target: PathBuf) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let gate = Gate::new();
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

    /// From now on requests with all of these words are held.
    pub(crate) fn hold(&self, words: &'static [&'static str]) {
        self.gate.held.send_replace(0);
        self.gate.words.send_replace(Some(words));
    }

    /// Until one is held.
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

impl Gate {
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

    /// Waits for as long as these bytes are to be held. The head of a request comes in one piece from clients that
    /// write it so: Docker's and ours do.
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
