//! An origin that speaks HTTP/2: the `h2` crate as a server, with a script for each stream.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{HeaderMap, Request, Response};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::flow::{rest, send_all};

/// What a script may do to the connection below its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// GOAWAY; what has begun goes on.
    Goaway,
    /// The socket is closed as it is.
    Drop,
}

/// One request at the origin.
#[derive(Debug)]
pub struct Ask {
    /// Counts the origin's connections from 0.
    pub connection: usize,
    /// Counts the origin's requests from 0.
    pub number: usize,
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
    /// Ends the connection.
    pub end: mpsc::Sender<End>,
}

pub type Served = Pin<Box<dyn Future<Output = ()> + Send>>;
type Script = dyn Fn(Ask) -> Served + Send + Sync;
/// Serves a connection whose client has agreed on HTTP/1.1.
pub type Old = fn(Box<dyn Socket>) -> Served;

pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// A handshake: the name that was asked for, and what was agreed on.
#[derive(Clone, Debug)]
pub struct Agreed {
    pub name: Option<String>,
    pub protocol: Option<String>,
    pub kind: rustls::HandshakeKind,
}

/// How connections are secured.
#[derive(Clone, Debug)]
pub struct Secured {
    pub config: Arc<ServerConfig>,
    pub old: Old,
}

#[derive(Debug)]
pub struct H2Origin {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    heads: Mutex<Vec<Request<()>>>,
    agreed: Mutex<Vec<Agreed>>,
}

impl H2Origin {
    pub fn start(script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> Self {
        Self::start_as(&Builder::new(), script)
    }

    pub fn start_as(builder: &Builder, script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> Self {
        Self::start_on(builder, None, script)
    }

    /// `secured`: its clients speak TLS.
    pub fn start_on(
        builder: &Builder,
        secured: Option<Secured>,
        script: impl Fn(Ask) -> Served + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let seen = Arc::<Seen>::default();
        let (noted, builder) = (Arc::clone(&seen), builder.clone());
        let script: Arc<Script> = Arc::new(script);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    socket.set_nodelay(true).unwrap();
                    let connection = noted.connections.fetch_add(1, Ordering::SeqCst);
                    let (noted, builder, script, secured) =
                        (Arc::clone(&noted), builder.clone(), Arc::clone(&script), secured.clone());
                    tokio::spawn(async move {
                        let Some(socket) = secure(socket, secured, &noted).await else { return };
                        serve(socket, connection, &builder, &*script, &noted).await;
                    });
                }
            });
        });
        Self { address, seen }
    }

    /// Answers every request with its own body.
    pub fn echo() -> Self {
        Self::start(|ask| Box::pin(echo(ask)))
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> Vec<Request<()>> {
        std::mem::take(&mut self.seen.heads.lock().unwrap())
    }

    /// The handshakes that were done.
    pub fn agreed(&self) -> Vec<Agreed> {
        self.seen.agreed.lock().unwrap().clone()
    }
}

/// The handshake, if there is one; none if the connection is not HTTP/2's.
async fn secure(socket: TcpStream, secured: Option<Secured>, seen: &Seen) -> Option<Box<dyn Socket>> {
    let Some(secured) = secured else { return Some(Box::new(socket)) };
    let socket = TlsAcceptor::from(secured.config).accept(socket).await.ok()?;
    let session = socket.get_ref().1;
    let protocol = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let agreed = Agreed {
        name: session.server_name().map(str::to_owned),
        protocol,
        kind: session.handshake_kind().unwrap(),
    };
    let speaks_h2 = agreed.protocol.as_deref() == Some("h2");
    seen.agreed.lock().unwrap().push(agreed);
    if speaks_h2 {
        return Some(Box::new(socket));
    }
    (secured.old)(Box::new(socket)).await;
    None
}

/// Serves a connection's streams, until it ends or a script ends it.
async fn serve(socket: Box<dyn Socket>, connection: usize, builder: &Builder, script: &Script, seen: &Seen) {
    let Ok(mut served) = builder.handshake::<_, Bytes>(socket).await else { return };
    let (end, mut ends) = mpsc::channel(4);
    loop {
        let accepted = tokio::select! {
            accepted = served.accept() => accepted,
            Some(end) = ends.recv() => match end {
                End::Goaway => {
                    served.graceful_shutdown();
                    continue;
                }
                End::Drop => return,
            },
        };
        let Some(Ok((request, respond))) = accepted else { return };
        let mut head = Request::builder().method(request.method()).uri(request.uri());
        *head.headers_mut().unwrap() = request.headers().clone();
        seen.heads.lock().unwrap().push(head.body(()).unwrap());
        let number = seen.requests.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(script(Ask { connection, number, request, respond, end: end.clone() }));
    }
}

/// Answers with the request's body, as it comes.
pub async fn echo(mut ask: Ask) {
    let mut body = ask.request.into_body();
    let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
    while let Some(Ok(data)) = body.data().await {
        let count = data.len();
        if send_all(&mut send, data, false).await.is_err() {
            return;
        }
        let _ = body.flow_control().release_capacity(count);
    }
    let _ = send.send_data(Bytes::new(), true);
}

/// Answers with this text once the request is read.
pub async fn text(mut ask: Ask, text: &'static str) {
    let _ = rest(ask.request.body_mut()).await;
    let mut send = ask.respond.send_response(Response::new(()), false).unwrap();
    let _ = send.send_data(Bytes::from_static(text.as_bytes()), true);
}

/// Answers as a server of gRPC: a message, then the status.
pub async fn grpc(mut ask: Ask, status: &'static str) {
    let _ = rest(ask.request.body_mut()).await;
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut send = ask.respond.send_response(head, false).unwrap();
    let _ = send.send_data(Bytes::from_static(&[0, 0, 0, 0, 2, 8, 1]), false);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    let _ = send.send_trailers(trailers);
}
