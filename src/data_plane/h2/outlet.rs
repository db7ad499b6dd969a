//! The outgoing bytes of a stream of HTTP/2, given as the bytes of an HTTP/1.1 body.
//!
//! It takes only bytes that the peer's windows (RFC 9113, 5.2) have room for.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::http1::{BodyReader, Framing, HeadLimits, Trailers};

use super::inlet::as_io;
use super::payload::{Held, Payload, Queue};

/// The sending half of a stream.
#[derive(Debug)]
pub(super) struct Outlet {
    send: SendStream<Payload>,
    queue: Rc<Queue>,
    /// How the body is framed; `None` for a tunnel.
    reader: Option<BodyReader>,
    gathered: Vec<u8>,
    /// Whether a frame has been sent behind the head.
    begun: bool,
    ended: bool,
}

impl Outlet {
    /// An outlet for a body with this framing; `None` stands for a tunnel.
    pub(super) fn new(send: SendStream<Payload>, held: &Rc<Held>, framing: Option<Framing>) -> Self {
        let reader = framing.map(|framing| BodyReader::new(framing, &HeadLimits::RESPONSE));
        Self { reader, ended: false, ..Self::ended(send, held) }
    }

    /// A half that has nothing more to send.
    pub(super) fn ended(send: SendStream<Payload>, held: &Rc<Held>) -> Self {
        let queue = Queue::new(held);
        Self { send, queue, reader: None, gathered: Vec::new(), begun: false, ended: true }
    }

    /// The sending half alone.
    pub(super) fn into_send(self) -> SendStream<Payload> {
        self.send
    }

    /// Sends an empty frame behind a head that has none, so that [`Self::poll_empty`] knows when the
    /// head has left.
    pub(super) fn mark_head(&mut self) {
        if !self.begun {
            // A peer that is gone needs no mark.
            let _ = self.send_data(false);
        }
    }

    /// Ready when h2 has written everything.
    pub(super) fn poll_empty(&self, context: &Context<'_>) -> Poll<()> {
        self.queue.poll_empty(context)
    }

    /// Hands the gathered bytes to h2.
    fn send_data(&mut self, last: bool) -> Result<(), h2::Error> {
        self.begun = true;
        let data = Bytes::from(std::mem::take(&mut self.gathered));
        self.send.send_data(Payload::new(data, &self.queue), last)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Takes as much of the parts of one write as there is room for. The first `head_bytes` of the first
    /// part are heads that have left already. They count as sent, so an error behind them shows at the
    /// next call.
    pub(super) fn poll_send_behind(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        head_bytes: usize,
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| &part[head_bytes..]);
        let behind = parts.get(1..).unwrap_or_default().iter().map(|part| &**part);
        match self.poll_send(context, std::iter::once(first).chain(behind)) {
            Poll::Ready(Ok(count)) => Poll::Ready(Ok(head_bytes + count)),
            Poll::Pending | Poll::Ready(Err(_)) if head_bytes > 0 => Poll::Ready(Ok(head_bytes)),
            other => other,
        }
    }

    /// Takes as much of the parts as there is room for.
    fn poll_send<'p>(
        &mut self,
        context: &mut Context<'_>,
        parts: impl Iterator<Item = &'p [u8]> + Clone,
    ) -> Poll<io::Result<usize>> {
        let wanted: usize = parts.clone().map(<[u8]>::len).sum();
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        if self.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut room = match self.poll_room(context, wanted) {
            Poll::Ready(Err(why)) => return Poll::Ready(Err(why)),
            Poll::Ready(Ok(room)) => room,
            // Bytes that are no payload need no room.
            Poll::Pending => 0,
        };
        let mut taken = 0;
        for mut part in parts {
            while !part.is_empty() && !self.is_read() && (room > 0 || !self.is_at_payload()) {
                let (count, payload) = self.take(part, room)?;
                taken += count;
                room -= payload;
                part = &part[count..];
            }
            if !part.is_empty() {
                break;
            }
        }
        self.pass()?;
        // Room was asked for the framing too, which is no payload of HTTP/2. Whatever is left of it goes
        // back, because it counts against the window of the whole connection. If payload waits, the next
        // call asks again.
        if taken > 0 {
            self.send.reserve_capacity(0);
        }
        if taken > 0 { Poll::Ready(Ok(taken)) } else { Poll::Pending }
    }

    /// Ends a tunnel.
    pub(super) fn finish(&mut self) {
        if !self.ended {
            self.ended = true;
            // A peer that is gone needs no end.
            let _ = self.send_data(true);
        }
    }

    pub(super) fn reset(&mut self, reason: Reason) {
        self.send.send_reset(reason);
    }

    /// Whether the peer has reset the stream, or its connection has gone.
    pub(super) fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.send.poll_reset(context).map(drop)
    }

    /// The number of bytes of payload that may be sent now.
    fn poll_room(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        let held_room = self.queue.room(context);
        // Nothing is reserved that can't be used, because that would take it from the other streams.
        let wanted = wanted.min(held_room);
        self.send.reserve_capacity(wanted);
        if wanted == 0 {
            return Poll::Pending;
        }
        let room = self.send.capacity().min(wanted);
        if room > 0 {
            return Poll::Ready(Ok(room));
        }
        match self.send.poll_capacity(context) {
            Poll::Ready(Some(Ok(room))) => Poll::Ready(Ok(room.min(wanted))),
            Poll::Ready(Some(Err(why))) => Poll::Ready(Err(as_io(why))),
            Poll::Ready(None) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_read(&self) -> bool {
        self.reader.as_ref().is_some_and(BodyReader::is_done)
    }

    fn is_at_payload(&self) -> bool {
        self.reader.as_ref().is_none_or(BodyReader::is_at_payload)
    }

    /// Takes some of `part`. Returns the number of bytes, and how many of them were payload.
    fn take(&mut self, part: &[u8], room: usize) -> io::Result<(usize, usize)> {
        let part = &part[..part.len().min(room.max(1))];
        let Some(reader) = &mut self.reader else {
            self.gathered.extend_from_slice(part);
            return Ok((part.len(), part.len()));
        };
        let piece = reader.read(part).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
        let payload = &part[piece.data];
        self.gathered.extend_from_slice(payload);
        Ok((piece.consumed, payload.len()))
    }

    /// Hands the gathered bytes to h2, and the end.
    fn pass(&mut self) -> io::Result<()> {
        let done = self.is_read();
        let trailers =
            if done { self.reader.as_ref().and_then(BodyReader::trailers).map(fields) } else { None };
        let last = done && trailers.is_none();
        self.ended = done;
        if last || !self.gathered.is_empty() {
            self.send_data(last).map_err(as_io)?;
        }
        match trailers {
            Some(trailers) => self.send.send_trailers(trailers).map_err(as_io),
            None => Ok(()),
        }
    }
}

fn fields(trailers: &Trailers) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in trailers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            // Trailers with more fields than a map holds have been refused before.
            let _ = fields.try_append(name, value);
        }
    }
    fields
}
