//! A client that speaks HTTP/2, driven from outside of its runtime.

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

#[derive(Debug)]
pub struct Peer {
    pub runtime: Runtime,
    pub sender: SendRequest<Bytes>,
    /// The connection's end.
    pub driver: JoinHandle<Result<(), h2::Error>>,
}

/// A whole response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request to [`HOST`].
pub fn request(method: &str, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://{HOST}{path}")).body(()).unwrap()
}

impl Peer {
    pub fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, &Builder::new())
    }

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

    /// Waits for it, for so long that only a fault takes longer.
    pub fn wait<F: Future>(&self, what: F) -> F::Output {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, what).await.expect("it happens in time") })
    }

    pub fn send(&mut self, request: Request<()>, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let ready = self.sender.clone().ready();
        self.sender = self.wait(ready).unwrap();
        self.sender.send_request(request, ends).unwrap()
    }

    pub fn ask(&mut self, request: Request<()>) -> Result<Answer, h2::Error> {
        let (response, _) = self.send(request, true);
        self.answer(response)
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(request("GET", path)).unwrap()
    }

    pub fn post(&mut self, request: Request<()>, body: impl Into<Bytes>) -> Result<Answer, h2::Error> {
        let (response, mut send) = self.send(request, false);
        // An answer may come before the body has left: it tells.
        let _ = send.send_data(body.into(), true);
        self.answer(response)
    }

    pub fn answer(&self, response: ResponseFuture) -> Result<Answer, h2::Error> {
        self.wait(whole(response))
    }
}

/// The whole response.
pub async fn whole(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let bytes = rest(&mut body).await?;
    let trailers = body.trailers().await?;
    Ok(Answer { status: head.status, headers: head.headers, body: bytes, trailers })
}
