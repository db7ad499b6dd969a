//! A small HTTP/1.1 client that sends one request at a time on one kept-alive connection.
//!
//! The client does not use greenlight's own codec. It measures the front door, so it must not share the
//! mistakes of the front door's code.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
const FIELDS_MAX: usize = 100;

/// The reason why the client got no complete answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The connection could not be opened.
    #[error("connect: {0}")]
    Connect(std::io::Error),
    /// The request could not be sent, and no answer arrived.
    #[error("send: {0}")]
    Send(std::io::Error),
    /// The connection failed while the client read.
    #[error("receive: {0}")]
    Receive(std::io::Error),
    /// The peer closed the connection too early; the text names the part of the answer.
    #[error("closed {0}")]
    Closed(&'static str),
    /// The answer breaks the rules of HTTP/1.1 or a limit of this client.
    #[error("not HTTP/1.1: {0}")]
    Malformed(String),
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The header fields in the order in which they arrived. Names are in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the connection can be used for another request.
    pub keep_alive: bool,
}

impl Answer {
    /// The value of the first field with this name. `name` is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// How the end of the body is found (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    ToTheEnd,
}

/// A request as bytes. `body` is JSON.
#[must_use]
pub fn request(method: &str, path: &str, host: &str, body: Option<&str>) -> Vec<u8> {
    let framing = body.map_or_else(String::new, |body| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    });
    let body = body.unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: greenlight-demo\r\n{framing}\r\n{body}")
        .into_bytes()
}

/// One connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Received bytes that are not parsed yet.
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection, with TCP_NODELAY set.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(Failure::Connect)?;
        stream.set_nodelay(true).map_err(Failure::Connect)?;
        Ok(Self::of(stream))
    }

    /// Wraps a stream that is connected already.
    #[must_use]
    pub fn of(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request and waits for its complete answer. The server may answer before it has read the whole
    /// request, so the client also reads after a failed send.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer, Failure> {
        match self.stream.write_all(request).await {
            Ok(()) => self.answer().await,
            Err(why) => self.answer().await.map_err(|_| Failure::Send(why)),
        }
    }

    async fn answer(&mut self) -> Result<Answer, Failure> {
        loop {
            let (mut answer, framing) = self.head().await?;
            if (100..200).contains(&answer.status) && answer.status != 101 {
                continue;
            }
            answer.body = match framing {
                Framing::Length(length) => self.exactly(length).await?,
                Framing::Chunked => self.chunks().await?,
                Framing::ToTheEnd => self.rest().await?,
            };
            answer.keep_alive &= framing != Framing::ToTheEnd;
            return Ok(answer);
        }
    }

    async fn head(&mut self) -> Result<(Answer, Framing), Failure> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
            let mut response = httparse::Response::new(&mut fields);
            let parsed = response
                .parse(&self.buffer)
                .map_err(|error| Failure::Malformed(format!("{error} in a response's head")))?;
            if let httparse::Status::Complete(length) = parsed {
                let outcome = understand(&response)?;
                self.buffer.drain(..length);
                return Ok(outcome);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Failure::Malformed(format!("a head over {HEAD_BYTES_MAX} bytes")));
            }
            let before = if self.buffer.is_empty() { "before an answer" } else { "inside a head" };
            self.more(before).await?;
        }
    }

    /// Reads more bytes. The end of the stream is an error that names `place`, the part of the answer.
    async fn more(&mut self, place: &'static str) -> Result<(), Failure> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(Failure::Closed(place)),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Receive(error)),
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        if length > BODY_BYTES_MAX {
            return Err(Failure::Malformed(format!("a body of {length} bytes")));
        }
        while self.buffer.len() < length {
            self.more("inside a body").await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn line(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let mut line: Vec<u8> = self.buffer.drain(..at + 2).collect();
                line.truncate(at);
                return Ok(line);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Failure::Malformed("an endless line in a chunked body".to_owned()));
            }
            self.more("inside a chunked body").await?;
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let text = String::from_utf8_lossy(&line);
            let digits = text.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16)
                .map_err(|_| Failure::Malformed(format!("a chunk of {digits:?} bytes")))?;
            if length == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(body);
            }
            if body.len().saturating_add(length) > BODY_BYTES_MAX {
                return Err(Failure::Malformed(format!("a body over {BODY_BYTES_MAX} bytes")));
            }
            body.extend(self.exactly(length).await?);
            if !self.line().await?.is_empty() {
                return Err(Failure::Malformed("a chunk that is longer than it says".to_owned()));
            }
        }
    }

    async fn rest(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Ok(std::mem::take(&mut self.buffer)),
                Ok(_) if self.buffer.len() <= BODY_BYTES_MAX => {}
                Ok(_) => return Err(Failure::Malformed(format!("a body over {BODY_BYTES_MAX} bytes"))),
                Err(error) => return Err(Failure::Receive(error)),
            }
        }
    }
}

/// Reads status, fields and framing out of a complete head (RFC 9112 section 6.3). The rule for HEAD is
/// missing, because this client is never used to send HEAD.
fn understand(response: &httparse::Response<'_, '_>) -> Result<(Answer, Framing), Failure> {
    let status = response.code.unwrap_or_default();
    let fields: Vec<(String, String)> = response
        .headers
        .iter()
        .map(|field| {
            (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).trim().to_owned())
        })
        .collect();
    let mut answer = Answer { status, fields, body: Vec::new(), keep_alive: response.version == Some(1) };
    if answer.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        answer.keep_alive = false;
    }
    let framing = if status < 200 || status == 204 || status == 304 {
        Framing::Length(0)
    } else if answer.field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        Framing::Chunked
    } else if let Some(length) = answer.field("content-length") {
        let length = length.parse().map_err(|_| Failure::Malformed(format!("Content-Length: {length}")))?;
        Framing::Length(length)
    } else {
        Framing::ToTheEnd
    };
    Ok((answer, framing))
}
