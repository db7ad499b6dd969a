//! One probe: a fresh connection, at most one request, and its outcome.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::health::{Check, CheckKind, ProbeFailure, ProbeOutcome};
use crate::tls::{HTTP2_ALPN, Origins};

use super::answer::Answer;
use super::failure::failure;
use super::http2;
use super::request::{ProbeRequest, Secured};
use super::target::ProbeTarget;

/// The size of the read buffer in bytes, on the stack. A probe's answer mostly fits in one.
const READ_MAX: usize = 4096;

/// A target prepared for probing. The request is written once and not at each probe.
#[derive(Debug)]
pub(crate) struct Plan {
    address: SocketAddr,
    timeout: Duration,
    /// `None` if a connection is enough, as in a TCP check.
    request: Option<Request>,
}

#[derive(Debug)]
struct Request {
    asked: ProbeRequest,
    expect_status: Vec<u16>,
    expect_body: Option<String>,
}

impl Plan {
    pub(crate) fn of(target: &ProbeTarget, origins: &Origins) -> Self {
        let address = target.endpoint.probe.unwrap_or_else(|| {
            let mut address = target.endpoint.address;
            address.set_port(target.check.port.unwrap_or(address.port()));
            address
        });
        Self::at(address, &target.check, origins)
    }

    /// A probe of exactly this address.
    pub(crate) fn at(address: SocketAddr, check: &Check, origins: &Origins) -> Self {
        let request = match &check.kind {
            CheckKind::Tcp => None,
            CheckKind::Http { path, host, expect_status, expect_body } => Some(Request {
                asked: ProbeRequest::new(&check.speech, address, (path, host), origins),
                expect_status: expect_status.clone(),
                expect_body: expect_body.clone(),
            }),
        };
        Self { address, timeout: check.timeout, request }
    }

    /// Probes once. It takes at most `timeout`, no matter how the endpoint behaves.
    pub(crate) async fn run(&self) -> ProbeOutcome {
        match tokio::time::timeout(self.timeout, self.exchange()).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => ProbeOutcome::Fail(failure(&error)),
            Err(_) => ProbeOutcome::Fail(ProbeFailure::Timeout),
        }
    }

    async fn exchange(&self) -> io::Result<ProbeOutcome> {
        let mut stream = TcpStream::connect(self.address).await?;
        // A connect to a free port of this machine can connect to itself, if the system happens to
        // choose that port as the source port too (TCP's simultaneous open). Nothing listens there
        // then.
        if stream.local_addr()? == self.address {
            return Ok(ProbeOutcome::Fail(ProbeFailure::Refused));
        }
        let Some(request) = &self.request else {
            return Ok(ProbeOutcome::Pass);
        };
        let mut answer = Answer::new(&request.expect_status, request.expect_body.as_deref());
        match &request.asked {
            ProbeRequest::Http1(bytes) => {
                stream.write_all(bytes).await?;
                loop {
                    stream.readable().await?;
                    if let Some(outcome) = read(&stream, &mut answer)? {
                        return Ok(outcome);
                    }
                }
            }
            // These futures are boxed, so that plain probes, of which there are many, do not take
            // up their memory.
            ProbeRequest::Http2(request) => {
                let _ = stream.set_nodelay(true);
                Ok(Box::pin(http2::exchange(stream, (**request).clone(), answer)).await)
            }
            ProbeRequest::Tls(secured) => Box::pin(exchange_over_tls(stream, secured, answer)).await,
            ProbeRequest::Unusable(why) => Ok(ProbeOutcome::Fail(ProbeFailure::Network(why.clone()))),
        }
    }
}

/// Makes the exchange over TLS in the protocol that ALPN has agreed on, or in HTTP/1.1 if it has
/// agreed on none. If the connection ends without a `close_notify`, the bytes may be truncated, so
/// that is an error.
async fn exchange_over_tls(
    stream: TcpStream,
    asked: &Secured,
    mut answer: Answer<'_>,
) -> io::Result<ProbeOutcome> {
    let connector = TlsConnector::from(asked.trust.current());
    let mut stream = connector.connect(asked.name.clone(), stream).await?;
    let (socket, session) = stream.get_ref();
    if session.alpn_protocol() == Some(HTTP2_ALPN) {
        let _ = socket.set_nodelay(true);
        return Ok(http2::exchange(stream, asked.http2.clone(), answer).await);
    }
    stream.write_all(&asked.http1).await?;
    let mut buffer = vec![0; READ_MAX];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(answer.end());
        }
        if let Some(outcome) = answer.take(&buffer[..length]) {
            // The endpoint need not wait for the probe's close_notify, but gets one.
            let _ = stream.shutdown().await;
            return Ok(outcome);
        }
    }
}

/// Reads once. This function is not async, so that its buffer is not a part of two thousand
/// sleeping tasks.
fn read(stream: &TcpStream, answer: &mut Answer<'_>) -> io::Result<Option<ProbeOutcome>> {
    let mut buffer = [0; READ_MAX];
    match stream.try_read(&mut buffer) {
        Ok(0) => Ok(Some(answer.end())),
        Ok(length) => Ok(answer.take(&buffer[..length])),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
