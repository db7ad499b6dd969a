//! An HTTP/2 client with a runtime of its own, for tests that are not async.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::client::PATIENCE;
use crate::flow::rest;
use crate::front::HOST;

/// A client on one HTTP/2 connection.
#[derive(Debug)]
pub struct Peer {
    pub runtime: Runtime,
    pub sender: SendRequest<Bytes>,
    /// The task that drives the connection. It returns when the connection ends.
    pub driver: JoinHandle<Result<(), h2::Error>>,
}

/// A complete response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    /// The value of the first field with this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request to [`HOST`].
pub fn request(method: &str, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://{HOST}{path}")).body(()).unwrap()
}

impl Peer {
    /// Connects with prior knowledge and the default settings of `h2`.
    pub fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, &Builder::new())
    }

    /// Connects with prior knowledge and these settings.
    pub fn connect_as(address: SocketAddr, builder: &Builder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (sender, driver) = runtime.block_on(async {
            let socket = TcpStream::connect(address).await.unwrap();
            socket.set_nodelay(true).unwrap();
            let (sender, connection) = builder.handshake(socket).await.unwrap();
            (sender, tokio::spawn(connection))
        });
        Self { runtime, sender, driver }
    }

    /// Runs a future and returns its output. Panics if that takes longer than [`PATIENCE`].
    pub fn wait<F: Future>(&self, what: F) -> F::Output {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, what).await.expect("it happens in time") })
    }

    /// Sends a head. With `ends` the request has no body.
    pub fn send(&mut self, request: Request<()>, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let ready = self.sender.clone().ready();
        self.sender = self.wait(ready).unwrap();
        self.sender.send_request(request, ends).unwrap()
    }

    /// Sends a request without a body and waits for the response. The error says how the stream or the
    /// connection ended.
    pub fn ask(&mut self, request: Request<()>) -> Result<Answer, h2::Error> {
        let (response, _) = self.send(request, true);
        self.answer(response)
    }

    /// Sends a GET and waits for the response. Panics if the stream is reset.
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(request("GET", path)).unwrap()
    }

    /// Sends a request with a body and waits for the response. The error says how the stream or the
    /// connection ended.
    pub fn post(&mut self, request: Request<()>, body: impl Into<Bytes>) -> Result<Answer, h2::Error> {
        let (response, mut send) = self.send(request, false);
        // If the answer comes before the body is sent, this call may fail. The answer shows the outcome.
        let _ = send.send_data(body.into(), true);
        self.answer(response)
    }

    /// Waits for a response. The error says how the stream or the connection ended.
    pub fn answer(&self, response: ResponseFuture) -> Result<Answer, h2::Error> {
        self.wait(whole(response))
    }
}

/// Reads a complete response. The error says how the stream or the connection ended.
pub async fn whole(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let bytes = rest(&mut body).await?;
    let trailers = body.trailers().await?;
    Ok(Answer { status: head.status, headers: head.headers, body: bytes, trailers })
}
