//! A client's HTTP/2 connection. It accepts streams, and a task of its own serves each. The
//! connection's own times are kept here, and its end is decided here.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use h2::server::{self, Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;

use crate::config::Limits;
use crate::data_plane::client::connection::{Connection, ConnectionFacts};
use crate::data_plane::worker::chunk::Chunk;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::ticks::passed;
use crate::data_plane::worker::wait::unless_interrupted;
use crate::http1::HeadLimits;

use super::guard::{Guard, Offense};
use super::payload::{self, Held, Payload};
use super::pulse::Pulse;
use super::socket::{Socket, Vitals};
use super::streams::{StreamCount, Streams};
use super::task;

/// The most streams that the client has reset before greenlight has looked at them (rapid reset). One
/// more is a flood.
const PENDING_RESETS_MAX: usize = 20;
/// The most streams that greenlight has reset for faults of the client, over the life of a connection.
const FAULTY_STREAMS_MAX: usize = 256;
/// How long a connection may take to send its GOAWAY.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(1);

/// Serves an HTTP/2 connection until it ends. `first` holds the bytes that were already read of it. The
/// deadline of `handle` runs until the preface is complete.
pub(crate) async fn serve(connection: Connection, first: Chunk) {
    let Connection { worker, handle, stream, listener, peer, secured, counted, .. } = connection;
    let facts = Rc::new(ConnectionFacts { listener, peer, secured });
    let now = worker.ticks.now();
    let vitals = Vitals::new(Guard::for_client(now), None, now);
    let socket = Socket::new(stream, Some(first), Rc::clone(&worker), Rc::clone(&vitals));
    let shaken = unless_interrupted(&handle, builder(&worker).handshake::<_, Payload>(socket)).await;
    let Ok(Ok(mut connection)) = shaken else { return };
    let streams = Streams::new(worker.ticks.now());
    let pulse = Pulse::new(Rc::clone(&vitals), connection.ping_pong());
    let mut served = ClientConnection {
        worker,
        handle,
        facts,
        vitals,
        streams,
        held: Rc::default(),
        pulse,
        connection,
        closing: false,
        ends_by: None,
    };
    poll_fn(|context| served.poll(context)).await;
    drop(counted);
}

fn builder(worker: &Worker) -> Builder {
    let limits = &worker.parts.limits;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.h2_streams_max)
        .initial_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_header_list_size(header_list_bytes(&worker.head_limits))
        .max_send_buffer_size(payload::STREAM_BYTES_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(Some(FAULTY_STREAMS_MAX))
        .enable_connect_protocol();
    builder
}

/// The limit of a head as HPACK counts it (RFC 9113, 6.5.2: 32 bytes for each field beside its name and
/// value). So a head that is over the limits by greenlight's own count gets its 431 from greenlight.
fn header_list_bytes(limits: &HeadLimits) -> u32 {
    let pseudo = 4 * 64;
    let bytes = limits.block_bytes_max + 32 * limits.fields_max + limits.target_bytes_max + pseudo;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// A connection that is being served.
struct ClientConnection {
    worker: Rc<Worker>,
    handle: ConnectionHandle,
    facts: Rc<ConnectionFacts>,
    vitals: Rc<Vitals>,
    streams: Rc<Streams>,
    /// The bytes of the responses that h2 holds.
    held: Rc<Held>,
    pulse: Pulse,
    connection: server::Connection<Socket, Payload>,
    /// The client has been sent greenlight's GOAWAY.
    closing: bool,
    /// The tick by which a connection that must end is dropped.
    ends_by: Option<u32>,
}

impl ClientConnection {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.connection.poll_accept(context) {
                Poll::Ready(Some(Ok((request, respond)))) => self.accept(request, respond),
                Poll::Ready(Some(Err(why))) => {
                    tracing::debug!(%why, "an HTTP/2 connection ended in an error");
                    return Poll::Ready(());
                }
                Poll::Ready(None) => return Poll::Ready(()),
                // `Look::Again` says that a frame was queued just now. It leaves in another round.
                Poll::Pending => match self.look(context) {
                    Look::Again => {}
                    Look::Wait => return Poll::Pending,
                    Look::Over => return Poll::Ready(()),
                },
            }
        }
    }

    /// Starts a task for a stream that the client has opened.
    fn accept(&self, request: Request<RecvStream>, mut respond: SendResponse<Payload>) {
        // The client has opened the stream and reset it at once, so there is nothing to do.
        if task::is_given_up(&mut respond) {
            self.vitals.given_up();
            return;
        }
        // Streams that the client has reset take a moment to end.
        if self.streams.count() >= self.tasks_max() {
            respond.send_reset(Reason::REFUSED_STREAM);
            return;
        }
        let count = StreamCount::new(&self.streams, &self.worker);
        let shared = (Rc::clone(&self.facts), Rc::clone(&self.held));
        let served = task::serve(Rc::clone(&self.worker), shared, (request, respond), count);
        tokio::task::spawn_local(served);
    }

    /// The most streams that are served at once, including those that the client has reset.
    fn tasks_max(&self) -> usize {
        usize::try_from(self.worker.parts.limits.h2_streams_max).unwrap_or(usize::MAX).saturating_mul(2)
    }

    /// Looks at signals and times when nothing else can be done now.
    fn look(&mut self, context: &mut Context<'_>) -> Look {
        let signals = self.handle.signals();
        let now = self.worker.ticks.now();
        if signals.cut() || self.ends_by.is_some_and(|by| by <= now) {
            return Look::Over;
        }
        if let Some(by) = self.ends_by {
            self.handle.arm(by);
            return Look::Wait;
        }
        if let Some(offense) = self.vitals.offense() {
            return self.end(code(offense));
        }
        if signals.closing() && !std::mem::replace(&mut self.closing, true) {
            self.connection.graceful_shutdown();
            return Look::Again;
        }
        let limits: &Limits = &self.worker.parts.limits;
        let pings = Some((0, limits.h2_ping_interval));
        let Ok(mut next) = self.pulse.poll(context, &self.worker.ticks, limits, pings) else {
            return Look::Over;
        };
        if let Some(since) = self.vitals.head_since() {
            let by = passed(since, limits.request_head_timeout);
            if by <= now {
                return self.end(Reason::ENHANCE_YOUR_CALM);
            }
            next = next.min(by);
        }
        if self.streams.count() == 0 {
            let by = passed(self.streams.idle_since(), limits.keep_alive_timeout);
            if by <= now {
                return self.end(Reason::NO_ERROR);
            }
            next = next.min(by);
        }
        self.streams.wake_when_idle(context);
        self.handle.arm(next);
        Look::Wait
    }

    /// Sends a GOAWAY with this reason. Requests in flight end.
    fn end(&mut self, reason: Reason) -> Look {
        self.connection.abrupt_shutdown(reason);
        self.ends_by = Some(self.worker.ticks.after(LAST_WORDS));
        Look::Again
    }
}

/// The error code for an offense (RFC 9113, 7).
fn code(offense: Offense) -> Reason {
    match offense {
        Offense::Flood(_) => Reason::ENHANCE_YOUR_CALM,
        Offense::FrameSize(_) => Reason::FRAME_SIZE_ERROR,
        Offense::Window => Reason::FLOW_CONTROL_ERROR,
        Offense::StreamClosed(_) => Reason::STREAM_CLOSED,
        Offense::Push => Reason::PROTOCOL_ERROR,
    }
}

/// The result of a look at signals and times.
enum Look {
    /// A frame must be sent.
    Again,
    Wait,
    Over,
}
