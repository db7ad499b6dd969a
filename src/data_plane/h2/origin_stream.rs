//! One request to an origin that speaks HTTP/2, in the shape of an HTTP/1.1 connection. The bytes that
//! are written to it become a stream. The origin's answer is read from it as HTTP/1.1.
//!
//! If it is dropped before its end, the stream is reset with CANCEL. In this way the origin learns that
//! the client has gone.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::Response;

use crate::data_plane::request::answer::Own;
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::state::Worker;
use crate::http1::{Framing, Method, parse_request};

use super::client_stream::OWN_HEAD;
use super::inlet::{Form, Inlet, as_io};
use super::link::Lease;
use super::outlet::Outlet;
use super::request_head::{self, Outgoing};
use super::response_head::{self, BodyFraming};

/// A tunnel that the request asks for.
#[derive(Debug)]
struct Tunnel {
    protocol: Box<str>,
    key: Option<Vec<u8>>,
}

/// A stream to an origin.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct OriginStream {
    worker: Rc<Worker>,
    lease: Lease,
    /// The client takes trailers.
    trailers: bool,
    method: Method,
    tunnel: Option<Tunnel>,
    outlet: Option<Outlet>,
    response: Option<ResponseFuture>,
    inlet: Option<Inlet>,
    unprocessed: bool,
    /// The whole connection ended, and not this stream alone.
    lost: bool,
    /// The stream could not be opened.
    failed: bool,
    /// The request was not even sent. This is the answer for the client.
    refusal: Option<Own>,
}

impl fmt::Debug for OriginStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OriginStream").field("method", &self.method).finish_non_exhaustive()
    }
}

impl OriginStream {
    pub(crate) fn new(worker: Rc<Worker>, lease: Lease, trailers: bool) -> Self {
        Self {
            worker,
            lease,
            trailers,
            method: Method::Get,
            tunnel: None,
            outlet: None,
            response: None,
            inlet: None,
            unprocessed: false,
            lost: false,
            failed: false,
            refusal: None,
        }
    }

    /// Whether the origin did nothing with the request. It refused the stream, or was going away before
    /// the request came (RFC 9113, 8.7).
    pub(crate) fn is_unprocessed(&self) -> bool {
        self.unprocessed
    }

    /// Whether the whole connection ended. (An origin that resets a stream has seen the request.)
    pub(crate) fn was_lost(&self) -> bool {
        self.lost
    }

    /// The answer to a request that has no shape in HTTP/2, or that asks for a tunnel the origin does
    /// not take. It says nothing about the origin.
    pub(crate) fn refusal(&self) -> Option<Own> {
        self.refusal
    }

    /// Takes the request's head, then its body.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| part);
        let head_bytes = if self.outlet.is_none() && !first.is_empty() {
            self.ask(first).inspect_err(|_| self.failed = true)?
        } else {
            0
        };
        let Some(outlet) = &mut self.outlet else { return Poll::Ready(Ok(0)) };
        outlet.poll_send_behind(context, parts, head_bytes)
    }

    /// Ends a tunnel: nothing more will be sent into it.
    pub(crate) fn finish(&mut self) {
        if let Some(outlet) = &mut self.outlet {
            outlet.finish();
        }
    }

    /// Opens the stream with the head that `bytes` begins with.
    fn ask(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let worker = Rc::clone(&self.worker);
        let mut head = worker.request_head.borrow_mut();
        head.clear();
        let Ok(Some(head_bytes)) = parse_request(bytes, &OWN_HEAD, &mut head) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        self.trailers |= head.is_grpc;
        let outgoing =
            request_head::read(&head, bytes, self.lease.scheme(), self.trailers).map_err(|why| {
                self.refusal = Some(Own::SHAPELESS);
                io::Error::other(why)
            })?;
        self.method = head.method;
        drop(head);
        let Outgoing { request, tunnel, key, framing } = outgoing;
        if tunnel.is_some() && !self.lease.takes_tunnels() {
            self.refusal = Some(Own::NOT_SWITCHED);
            return Err(io::Error::other("the origin does not take extended CONNECT"));
        }
        let ends = tunnel.is_none() && matches!(framing, Framing::None | Framing::Length(0));
        let (response, send) = self.lease.send(request, ends).map_err(|why| self.note(why))?;
        self.outlet = Some(match (ends, &tunnel) {
            (true, _) => Outlet::ended(send, self.lease.held()),
            (false, Some(_)) => Outlet::new(send, self.lease.held(), None),
            (false, None) => Outlet::new(send, self.lease.held(), Some(framing)),
        });
        self.tunnel = tunnel.map(|protocol| Tunnel { protocol, key });
        self.response = Some(response);
        Ok(head_bytes)
    }

    /// Reads the response: heads, then the body.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        if let Some(inlet) = &mut self.inlet {
            return inlet.poll_fill(context, chunk, bytes_max).map_err(|why| self.note(why));
        }
        if self.failed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        // The request was not sent yet. The task that sends it looks here next.
        let Some(response) = &mut self.response else { return Poll::Pending };
        let mut out = Vec::with_capacity(512);
        match response.poll_informational(context) {
            Poll::Ready(Some(Ok(interim))) => {
                response_head::write_interim(interim.status(), interim.headers(), &mut out);
                return Poll::Ready(give(chunk, &out));
            }
            Poll::Ready(Some(Err(why))) => return Poll::Ready(Err(self.note(why))),
            Poll::Ready(None) | Poll::Pending => {}
        }
        let response = ready!(Pin::new(response).poll(context)).map_err(|why| self.note(why))?;
        self.answer(response, &mut out);
        Poll::Ready(give(chunk, &out))
    }

    fn answer(&mut self, response: Response<RecvStream>, out: &mut Vec<u8>) {
        let (head, body) = response.into_parts();
        let form = match &self.tunnel {
            Some(tunnel) if head.status.is_success() => {
                response_head::write_switch(&head.headers, &tunnel.protocol, tunnel.key.as_deref(), out);
                Form::Raw
            }
            tunnel => {
                let asked = (self.method, self.trailers, tunnel.is_some());
                match response_head::write(&head, asked, body.is_end_stream(), out) {
                    BodyFraming::None | BodyFraming::Length => Form::Raw,
                    BodyFraming::Chunked => Form::Chunked,
                }
            }
        };
        self.inlet = Some(Inlet::new(body, form));
        self.response = None;
    }

    /// Remembers whether an error allows a second attempt.
    fn note(&mut self, why: h2::Error) -> io::Error {
        let refused = why.is_reset() && why.reason() == Some(Reason::REFUSED_STREAM);
        self.unprocessed |= why.is_remote() && (refused || why.is_go_away());
        self.lost |= why.is_io() || why.is_go_away();
        as_io(why)
    }
}

impl Drop for OriginStream {
    fn drop(&mut self) {
        if self.response.is_some() {
            self.lease.unanswered();
        }
    }
}

fn give(chunk: &mut Chunk, bytes: &[u8]) -> io::Result<usize> {
    let count = chunk.append(bytes);
    if count == bytes.len() { Ok(count) } else { Err(io::ErrorKind::InvalidData.into()) }
}
