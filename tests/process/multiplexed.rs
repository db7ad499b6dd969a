//! The same over HTTP/2, several on each connection.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Method, Request};
use tokio::net::TcpStream;

use crate::lasting::{PIECE_BYTES, PIECE_GAP, UPLOAD_PIECES};
use greenlight_testkit::flow::{rest, send_all};
use greenlight_testkit::house::HOST;

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Multiplexed(SendRequest<Bytes>);

fn asked(method: Method, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://{HOST}{path}")).body(()).unwrap()
}

impl Multiplexed {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (sender, connection) = h2::client::handshake(socket).await.unwrap();
        // Its end shows in the streams.
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(
        &self,
        request: Request<()>,
        ends: bool,
    ) -> Result<(h2::client::ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.0.clone().ready().await?.send_request(request, ends)
    }

    /// A whole answer: its status and its length.
    pub(crate) async fn get(&self, path: &str) -> Result<(u16, usize), h2::Error> {
        let (response, _) = self.send(asked(Method::GET, path), true).await?;
        let mut response = response.await?;
        Ok((response.status().as_u16(), rest(response.body_mut()).await?.len()))
    }

    /// A body that takes half a second to send, and what the origin says of it.
    pub(crate) async fn upload(&self) -> Result<(u16, Vec<u8>), h2::Error> {
        let mut request = asked(Method::POST, "/upload");
        let length = (UPLOAD_PIECES * PIECE_BYTES).to_string();
        request.headers_mut().insert("content-length", length.parse().unwrap());
        let (response, mut send) = self.send(request, false).await?;
        for number in 1..=UPLOAD_PIECES {
            send_all(&mut send, Bytes::from_static(&[b'x'; PIECE_BYTES]), number == UPLOAD_PIECES).await?;
            tokio::time::sleep(PIECE_GAP).await;
        }
        let mut response = response.await?;
        Ok((response.status().as_u16(), rest(response.body_mut()).await?))
    }

    /// A WebSocket connection in a stream (RFC 8441).
    pub(crate) async fn chat(&self) -> Result<Chat, h2::Error> {
        let mut request = asked(Method::CONNECT, "/chat");
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let (response, send) = self.send(request, false).await?;
        let response = response.await?;
        assert_eq!(response.status(), 200);
        Ok(Chat { send, receive: response.into_body(), buffer: Vec::new() })
    }

    /// Whether the other side takes extended CONNECT yet: it says so in its first frames.
    pub(crate) async fn takes_tunnels(&self) -> bool {
        // The answer to a request is behind them.
        self.get("/").await.is_ok() && self.0.is_extended_connect_protocol_enabled()
    }
}

/// An open tunnel.
#[derive(Debug)]
pub(crate) struct Chat {
    send: SendStream<Bytes>,
    receive: RecvStream,
    buffer: Vec<u8>,
}

impl Chat {
    /// One round trip of a text of 125 bytes at most, which is echoed (RFC 6455, 5.2; the mask is zeros).
    pub(crate) async fn round(&mut self, text: &str) -> Result<(), String> {
        let length = u8::try_from(text.len()).unwrap();
        self.tell(&[&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat(), false).await?;
        let expected = [&[0x81, length], text.as_bytes()].concat();
        self.hear(&expected).await
    }

    /// Ends it in good order: a Close each way, then both sides of the stream.
    pub(crate) async fn close(mut self) -> Result<(), String> {
        self.tell(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8], true).await?;
        self.hear(&[0x88, 2, 0x03, 0xe8]).await?;
        let rest = rest(&mut self.receive).await.map_err(|why| why.to_string())?;
        if rest.is_empty() { Ok(()) } else { Err(format!("{rest:?} behind the Close")) }
    }

    async fn tell(&mut self, frame: &[u8], ends: bool) -> Result<(), String> {
        let frame = Bytes::copy_from_slice(frame);
        send_all(&mut self.send, frame, ends).await.map_err(|why| why.to_string())
    }

    async fn hear(&mut self, expected: &[u8]) -> Result<(), String> {
        while self.buffer.len() < expected.len() {
            let data = self.receive.data().await.ok_or("an end")?.map_err(|why| why.to_string())?;
            self.buffer.extend_from_slice(&data);
            self.receive.flow_control().release_capacity(data.len()).map_err(|why| why.to_string())?;
        }
        let heard: Vec<u8> = self.buffer.drain(..expected.len()).collect();
        if heard == expected { Ok(()) } else { Err(format!("{heard:?} in place of {expected:?}")) }
    }
}
