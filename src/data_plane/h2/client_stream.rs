//! One request of a client that speaks HTTP/2, in the shape of an HTTP/1.1 connection. The body of the
//! request is read from it, framed. Heads and a body are written to it, and leave as frames.
//!
//! So routing, retries, the shield, limits, timers, drains, evidence and the access log have the same
//! code for both protocols. The cost is one parse of a head that greenlight wrote, about a microsecond.

use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Response, StatusCode};

use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use crate::http1::{Framing, HeadLimits, Method, RequestContext, ResponseClass, parse_response};

use super::inlet::{Form, Inlet, as_io};
use super::outlet::Outlet;
use super::parting;
use super::payload::{Held, Payload};
use super::response_head;

/// The limits of heads that greenlight wrote. An origin's head was within its own limits, and
/// greenlight has added to it.
pub(super) const OWN_HEAD: HeadLimits =
    HeadLimits { block_bytes_max: 256 * 1024, fields_max: 512, target_bytes_max: 64 * 1024 };

/// The sending half of the stream.
enum Half {
    /// The final head was not sent yet.
    Head(SendResponse<Payload>),
    Body(Outlet),
    /// The stream was taken over by [`ClientStream::part`].
    Parted,
}

/// A client's stream.
pub(crate) struct ClientStream {
    worker: Rc<Worker>,
    half: Half,
    /// `None` only after [`ClientStream::part`].
    inlet: Option<Inlet>,
    /// The bytes of the connection that h2 holds.
    held: Rc<Held>,
    method: Method,
    /// The protocol that an extended CONNECT asks for; `None` for every other request.
    protocol: Option<Box<str>>,
    /// The tunnel is open.
    tunnel: bool,
}

impl fmt::Debug for ClientStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientStream").field("method", &self.method).finish_non_exhaustive()
    }
}

impl ClientStream {
    /// Makes the stream of a request. `form` says how its head frames the body. `protocol` is that of
    /// an extended CONNECT.
    pub(super) fn new(
        worker: Rc<Worker>,
        held: Rc<Held>,
        (body, respond): (RecvStream, SendResponse<Payload>),
        form: Form,
        method: Method,
        protocol: Option<Box<str>>,
    ) -> Self {
        let inlet = Some(Inlet::new(body, form));
        Self { worker, half: Half::Head(respond), inlet, held, method, protocol, tunnel: false }
    }

    /// Ends the stream when its request is over. A response that was cut gets to the client as far as it
    /// has come, before the stream is reset. A request that is not complete may go on for a moment
    /// behind its answer.
    pub(super) async fn part(&mut self, handle: &ConnectionHandle) {
        let worker = Rc::clone(&self.worker);
        match std::mem::replace(&mut self.half, Half::Parted) {
            Half::Body(outlet) if !outlet.is_ended() => parting::cut_behind(&worker, handle, outlet).await,
            Half::Body(outlet) => {
                if let Some(body) = self.inlet.take().and_then(Inlet::into_rest) {
                    parting::end_behind(&worker, handle, body, outlet.into_send()).await;
                }
            }
            // No answer has begun.
            other => self.half = other,
        }
    }

    /// Reads the request's body. The end of a request is not the end of its connection, so behind the
    /// body the read waits until the client gives up.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        chunk: &mut Chunk,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        // Bytes that a client sends before its tunnel is open wait in its window.
        let waits = self.protocol.is_some() && !self.tunnel;
        if let (false, Some(inlet)) = (waits, &mut self.inlet) {
            match inlet.poll_fill(context, chunk, bytes_max) {
                Poll::Ready(Ok(0)) if !self.tunnel => {}
                other => return other.map_err(as_io),
            }
        }
        self.poll_given_up(context).map(|()| Err(io::ErrorKind::ConnectionReset.into()))
    }

    /// Whether the client takes any 2xx for an open tunnel (RFC 8441, 5).
    pub(crate) fn asks_for_tunnel(&self) -> bool {
        self.protocol.is_some()
    }

    /// Ready when the client has reset the stream, or its connection has gone.
    pub(crate) fn poll_given_up(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.half {
            Half::Head(respond) => respond.poll_reset(context).map(drop),
            Half::Body(outlet) if !outlet.is_ended() => outlet.poll_reset(context),
            Half::Body(_) | Half::Parted => Poll::Pending,
        }
    }

    /// Takes the response's heads, then its body.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| part);
        let head_bytes = self.take_heads(first)?;
        if head_bytes > 0 && self.tunnel {
            // The client's bytes are read from now on, and no task is woken for them yet.
            context.waker().wake_by_ref();
        }
        let Half::Body(outlet) = &mut self.half else { return Poll::Ready(Ok(head_bytes)) };
        outlet.poll_send_behind(context, parts, head_bytes)
    }

    /// Ends a tunnel: nothing more will be sent into it.
    pub(crate) fn finish(&mut self) {
        if let Half::Body(outlet) = &mut self.half {
            outlet.finish();
        }
    }

    /// Sends the heads that `bytes` begins with, if the final head was not sent yet. A head is always
    /// written in one piece. Returns the number of bytes of these heads.
    fn take_heads(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while let Half::Head(respond) = &mut self.half {
            let bytes = &bytes[taken..];
            if bytes.is_empty() {
                break;
            }
            let worker = Rc::clone(&self.worker);
            let mut head = worker.response_head.borrow_mut();
            head.clear();
            let request =
                RequestContext { method: self.method, upgrade: self.protocol.as_deref().map(str::as_bytes) };
            let read = parse_response(bytes, &request, &OWN_HEAD, &mut head);
            let Ok(Some(head_bytes)) = read else { return Err(io::ErrorKind::InvalidData.into()) };
            taken += head_bytes;
            if head.class == ResponseClass::Informational {
                let mut response = response_head::read(&head, bytes, head_bytes).map_err(io::Error::other)?;
                *response.status_mut() = StatusCode::from_u16(head.status).map_err(io::Error::other)?;
                respond.send_informational(response).map_err(as_io)?;
                continue;
            }
            let response = response_head::read(&head, bytes, head_bytes).map_err(io::Error::other)?;
            let framing = (head.class != ResponseClass::Switching).then_some(head.framing);
            drop(head);
            self.begin(response, framing)?;
        }
        Ok(taken)
    }

    /// Sends the final head. If `framing` is `None`, a tunnel follows.
    fn begin(&mut self, response: Response<()>, framing: Option<Framing>) -> io::Result<()> {
        let Half::Head(respond) = &mut self.half else { return Ok(()) };
        let ends = matches!(framing, Some(Framing::None | Framing::Length(0)));
        let send = respond.send_response(response, ends).map_err(as_io)?;
        let outlet =
            if ends { Outlet::ended(send, &self.held) } else { Outlet::new(send, &self.held, framing) };
        self.half = Half::Body(outlet);
        self.tunnel = framing.is_none();
        Ok(())
    }
}

impl Drop for ClientStream {
    /// This is for a stream that did not [`ClientStream::part`]. An incomplete response ends abnormally. A
    /// request that was answered before its end is reset with
    /// NO_ERROR (RFC 9113, 8.1); h2 does this when the receiving half is dropped.
    fn drop(&mut self) {
        match &mut self.half {
            Half::Head(respond) => respond.send_reset(Reason::INTERNAL_ERROR),
            Half::Body(outlet) if !outlet.is_ended() => outlet.reset(Reason::INTERNAL_ERROR),
            Half::Body(_) | Half::Parted => {}
        }
    }
}
