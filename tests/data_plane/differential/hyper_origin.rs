//! An origin on hyper that also keeps the bytes it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A whole request in hyper's reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    method: String,
    target: String,
    body: Vec<u8>,
}

impl Request {
    /// As the other parsers print it.
    pub(super) fn shown(&self) -> (String, String, String) {
        let hex = self.body.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        (self.method.clone(), self.target.clone(), hex)
    }
}

/// Whether every parser knows a method.
fn is_usual(method: &str) -> bool {
    matches!(method, "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH" | "PURGE")
}

/// One connection: its bytes, and what hyper made of them.
#[derive(Debug, Default)]
pub(super) struct Capture {
    pub raw: Vec<u8>,
    pub requests: Vec<Request>,
    /// A request had a method that not every parser knows, whether its body ended or not.
    pub has_unusual_method: bool,
    pub fault: Option<String>,
}

impl Capture {
    /// What may be first lines of requests.
    pub(super) fn requests_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.raw.split(|byte| *byte == b'\n').filter(|line| line.ends_with(b" HTTP/1.1\r"))
    }
}

type Shared = Arc<Mutex<Capture>>;

#[derive(Debug)]
pub(super) struct HyperOrigin {
    pub address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    captures: Arc<Mutex<Vec<Shared>>>,
    open: Open,
}

/// How many connections are open, so that the end can be waited for.
type Open = tokio::sync::watch::Sender<usize>;

impl HyperOrigin {
    pub(super) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let captures = Arc::new(Mutex::new(Vec::<Shared>::new()));
        let open = Open::new(0);
        let (kept, counted) = (Arc::clone(&captures), open.clone());
        runtime.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let capture = Shared::default();
                kept.lock().unwrap().push(Arc::clone(&capture));
                counted.send_modify(|count| *count += 1);
                let counted = counted.clone();
                tokio::spawn(async move {
                    serve(socket, capture).await;
                    counted.send_modify(|count| *count -= 1);
                });
            }
        });
        Self { address, runtime, captures, open }
    }

    /// Waits until every connection has ended.
    pub(super) fn finish(self) -> Vec<Capture> {
        let limit = std::time::Duration::from_secs(20);
        let ended = self.runtime.block_on(async {
            tokio::time::timeout(limit, self.open.subscribe().wait_for(|count| *count == 0)).await.map(|_| ())
        });
        ended.expect("the front door is gone, its connections are not");
        let captures = std::mem::take(&mut *self.captures.lock().unwrap());
        captures.into_iter().map(|capture| std::mem::take(&mut *capture.lock().unwrap())).collect()
    }
}

async fn serve(socket: TcpStream, capture: Shared) {
    let tee = Tee { socket, capture: Arc::clone(&capture) };
    let answer = {
        let capture = Arc::clone(&capture);
        service_fn(move |request: hyper::Request<Incoming>| {
            let capture = Arc::clone(&capture);
            async move {
                let method = request.method().to_string();
                let target = request.uri().to_string();
                capture.lock().unwrap().has_unusual_method |= !is_usual(&method);
                // A body that was aborted makes no request.
                if let Ok(body) = request.into_body().collect().await {
                    let body = body.to_bytes().to_vec();
                    capture.lock().unwrap().requests.push(Request { method, target, body });
                }
                let mut response = Response::new(Empty::<Bytes>::new());
                // A connection holds a few requests, so that a method that a parser does not know hides few.
                if capture.lock().unwrap().requests.len() >= 4 {
                    response
                        .headers_mut()
                        .insert(header::CONNECTION, header::HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        })
    };
    let served = hyper::server::conn::http1::Builder::new()
        .max_buf_size(1 << 20)
        .max_headers(400)
        .serve_connection(TokioIo::new(tee), answer)
        .await;
    if let Err(why) = served
        && why.is_parse()
    {
        capture.lock().unwrap().fault = Some(why.to_string());
    }
}

/// A socket whose read bytes are kept.
struct Tee {
    socket: TcpStream,
    capture: Shared,
}

impl AsyncRead for Tee {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = room.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, room))?;
        self.capture.lock().unwrap().raw.extend_from_slice(&room.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tee {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
