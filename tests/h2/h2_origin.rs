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

use super::peer::{rest, send_all};

/// One request at the origin.
#[derive(Debug)]
pub struct Ask {
    /// Counts the origin's connections from 0.
    pub connection: usize,
    /// Counts the origin's requests from 0.
    pub number: usize,
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
}

pub type Served = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Debug)]
pub struct H2Origin {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<Request<()>>>>,
}

impl H2Origin {
    pub fn start(script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> Self {
        Self::start_as(&Builder::new(), script)
    }

    pub fn start_as(builder: &Builder, script: impl Fn(Ask) -> Served + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (count, seen, builder, script) =
            (Arc::clone(&connections), Arc::clone(&heads), builder.clone(), Arc::new(script));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let numbers = Arc::new(AtomicUsize::new(0));
                while let Ok((socket, _)) = listener.accept().await {
                    socket.set_nodelay(true).unwrap();
                    let connection = count.fetch_add(1, Ordering::SeqCst);
                    let (seen, builder, script, numbers) =
                        (Arc::clone(&seen), builder.clone(), Arc::clone(&script), Arc::clone(&numbers));
                    tokio::spawn(async move {
                        let Ok(mut served) = builder.handshake::<_, Bytes>(socket).await else { return };
                        while let Some(Ok((request, respond))) = served.accept().await {
                            let mut head = Request::builder().method(request.method()).uri(request.uri());
                            *head.headers_mut().unwrap() = request.headers().clone();
                            seen.lock().unwrap().push(head.body(()).unwrap());
                            let number = numbers.fetch_add(1, Ordering::SeqCst);
                            tokio::spawn(script(Ask { connection, number, request, respond }));
                        }
                    });
                }
            });
        });
        Self { address, connections, heads }
    }

    /// Answers every request with its own body.
    pub fn echo() -> Self {
        Self::start(|ask| Box::pin(echo(ask)))
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> Vec<Request<()>> {
        std::mem::take(&mut self.heads.lock().unwrap())
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
