//! A worker's HTTP/2 connections to one endpoint, each shared by many requests.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use h2::SendStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use http::Request;
use tokio::sync::Notify;

use crate::config::Limits;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::connection_table::{ConnectionHandle, ConnectionKind};
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::ticks::{NEVER, passed};
use crate::data_plane::worker::wait::{Interrupt, unless_interrupted};
use crate::http1::Scheme;

use super::guard::Guard;
use super::payload::{self, Held, Payload};
use super::pulse::Pulse;
use super::relabel::Relabel;
use super::socket::{Socket, Vitals};

/// The most streams on one connection, whatever the origin would allow. With more, one lost packet
/// would hold up too many requests.
const STREAMS_MAX: usize = 100;
/// The limit of an origin's head, as HPACK counts it: the 64 KiB and 200 fields of HTTP/1.1.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024 + 200 * 32;

/// The number of times that the interval of pings is doubled at most.
const COMPLAINTS_MAX: u32 = 10;

/// One HTTP/2 connection to an endpoint.
#[derive(Debug)]
pub(super) struct Link {
    /// Sends no request itself, because h2 ties a handle to the last request that it has sent, as long
    /// as the origin's limit holds that request back. A look at such a handle takes the place of the
    /// waker with which the request's task waits, and the task sleeps on. So each request is sent by a
    /// clone, which is dropped at once.
    sender: RefCell<SendRequest<Payload>>,
    scheme: Scheme,
    vitals: Rc<Vitals>,
    held: Rc<Held>,
    active: Cell<usize>,
    /// The tick since which the link has streams.
    busy_since: Cell<u32>,
    /// The tick at which the link has been idle for too long; [`NEVER`] while it has streams.
    idle_until: Cell<u32>,
    /// The link has ended, or takes no more requests.
    dead: Cell<bool>,
}

impl Link {
    fn has_room(&self) -> bool {
        let mut sender = self.sender.borrow_mut();
        let streams_max = sender.current_max_send_streams().min(STREAMS_MAX);
        // An error means that the connection is going away. The handle has sent no request, so the call
        // keeps no waker.
        let gone = sender.poll_ready(&mut Context::from_waker(Waker::noop()));
        if matches!(gone, Poll::Ready(Err(_))) {
            self.dead.set(true);
        }
        !self.dead.get() && self.active.get() < streams_max
    }

    /// The tick since which the peer could have been pinged; `None` while it may not be. Without a
    /// stream there is no ping (gRFC A8).
    fn pinged_since(&self) -> Option<u32> {
        (self.active.get() > 0).then(|| self.busy_since.get())
    }
}

/// The right to one stream of a link. The stream counts as active as long as this value lives.
#[derive(Debug)]
pub(crate) struct Lease {
    link: Rc<Link>,
    worker: Rc<Worker>,
    idle_timeout: Duration,
    /// The tick at which the lease began.
    begun: u32,
    /// The stream, if it asks for a tunnel.
    tunnel: Cell<Option<u32>>,
}

impl Lease {
    fn new(link: &Rc<Link>, worker: &Rc<Worker>, idle_timeout: Duration) -> Self {
        if link.active.replace(link.active.get() + 1) == 0 {
            link.busy_since.set(worker.ticks.now());
        }
        link.idle_until.set(NEVER);
        let begun = worker.ticks.now();
        Self {
            link: Rc::clone(link),
            worker: Rc::clone(worker),
            idle_timeout,
            begun,
            tunnel: Cell::new(None),
        }
    }

    /// The bytes of the connection that h2 holds.
    pub(super) fn held(&self) -> &Rc<Held> {
        &self.link.held
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.link.scheme
    }

    /// Whether the origin takes extended CONNECT (RFC 8441, 3).
    pub(crate) fn takes_tunnels(&self) -> bool {
        self.link.sender.borrow().is_extended_connect_protocol_enabled()
    }

    pub(super) fn send(
        &self,
        request: Request<()>,
        ends: bool,
    ) -> Result<(ResponseFuture, SendStream<Payload>), h2::Error> {
        let is_tunnel = request.extensions().get::<Protocol>().is_some();
        // The link is borrowed no longer than for the clone.
        let mut sender = self.link.sender.borrow().clone();
        let (response, send) = sender.send_request(request, ends)?;
        if let (true, Some(relabel)) = (is_tunnel, &self.link.vitals.relabel) {
            relabel.begin(send.stream_id().as_u32());
            self.tunnel.set(Some(send.stream_id().as_u32()));
        }
        Ok((response, send))
    }

    /// Records that the request was given up without a response. If nothing at all came on the link
    /// since the request began, and that is longer ago than `h2_ping_timeout`, the peer may be gone
    /// without a word. Then no further request is put on the link.
    pub(crate) fn unanswered(&self) {
        let silent = self.link.vitals.read_at.get() <= self.begun;
        let by = passed(self.begun, self.worker.parts.limits.h2_ping_timeout);
        if silent && by <= self.worker.ticks.now() {
            self.link.dead.set(true);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(stream), Some(relabel)) = (self.tunnel.get(), &self.link.vitals.relabel) {
            relabel.end(stream);
        }
        let active = self.link.active.get().saturating_sub(1);
        self.link.active.set(active);
        if active == 0 && self.idle_timeout.is_zero() {
            // No idle link is kept.
            self.link.dead.set(true);
        } else if active == 0 {
            self.link.idle_until.set(self.worker.ticks.after(self.idle_timeout));
        }
    }
}

/// The links to one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Links {
    list: RefCell<Vec<Rc<Link>>>,
    opening: Cell<bool>,
    /// The endpoint has spoken HTTP/2 before.
    spoken: Cell<bool>,
    /// How often the endpoint has complained of too many pings. Each time doubles the interval (gRFC
    /// A8).
    complaints: Cell<u32>,
    /// Notified when a link was opened, or could not be opened.
    opened: Notify,
}

impl Links {
    /// Leases a stream of a link that has room.
    pub(crate) fn lease(&self, worker: &Rc<Worker>, idle_timeout: Duration) -> Option<Lease> {
        let mut list = self.list.borrow_mut();
        list.retain(|link| link.has_room() || !link.dead.get());
        // The newest link comes first, because a request that needs a fresh one has waited for it.
        let free = list.iter().rev().find(|link| link.has_room())?;
        Some(Lease::new(free, worker, idle_timeout))
    }

    /// Waits while another request opens a link.
    pub(crate) async fn settled(&self) {
        while self.opening.get() {
            self.opened.notified().await;
        }
    }

    /// The permit to open a link, if no other request has it.
    pub(crate) fn try_open(self: &Rc<Self>) -> Option<OpenPermit> {
        (!self.opening.replace(true)).then(|| OpenPermit(Rc::clone(self)))
    }

    /// Whether the endpoint has spoken HTTP/2 before.
    pub(crate) fn were_there(&self) -> bool {
        self.spoken.get()
    }

    /// Records that the endpoint does not speak HTTP/2 any more.
    pub(crate) fn forget(&self) {
        self.spoken.set(false);
    }

    /// Drops links that have ended or have been idle for too long.
    pub(crate) fn sweep(&self, now: u32) {
        self.list.borrow_mut().retain(|link| !link.dead.get() && link.idle_until.get() > now);
    }

    /// The interval of pings to the endpoint; zero if there are none.
    fn ping_interval(&self, limits: &Limits) -> Duration {
        let factor = 1_u32.checked_shl(self.complaints.get()).unwrap_or(u32::MAX);
        limits.h2_origin_ping_interval.saturating_mul(factor)
    }

    /// The endpoint has ended a connection for too many pings.
    fn complained(&self) {
        self.complaints.set(self.complaints.get().saturating_add(1).min(COMPLAINTS_MAX));
    }

    fn keep(&self, link: &Rc<Link>) {
        self.spoken.set(true);
        self.list.borrow_mut().push(Rc::clone(link));
    }
}

/// The permit to open a link. The other requests wait until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenPermit(Rc<Links>);

impl Drop for OpenPermit {
    fn drop(&mut self) {
        self.0.opening.set(false);
        self.0.opened.notify_waiters();
    }
}

/// Why a socket could not be made into a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenFault {
    /// The peer does not speak HTTP/2.
    Malformed,
    Interrupted(Interrupt),
}

/// Speaks HTTP/2 on a fresh socket. Waits for the origin's SETTINGS, which say how many streams it
/// takes and whether it takes tunnels. Then leases the first stream. The deadline of `handle` runs
/// meanwhile.
pub(super) async fn open(
    worker: &Rc<Worker>,
    handle: &ConnectionHandle,
    links: &Rc<Links>,
    (stream, scheme): (Stream, Scheme),
    idle_timeout: Duration,
) -> Result<Lease, OpenFault> {
    let now = worker.ticks.now();
    let vitals = Vitals::new(Guard::for_origin(now), Some(Relabel::default()), now);
    let socket = Socket::new(stream, None, Rc::clone(worker), Rc::clone(&vitals));
    let shaken =
        unless_interrupted(handle, builder(&worker.parts.limits).handshake::<_, Payload>(socket)).await;
    let (sender, connection) = shaken.map_err(OpenFault::Interrupted)?.map_err(|_| OpenFault::Malformed)?;
    let link = Rc::new(Link {
        sender: RefCell::new(sender),
        scheme,
        vitals: Rc::clone(&vitals),
        held: Rc::default(),
        active: Cell::new(0),
        busy_since: Cell::new(now),
        idle_until: Cell::new(NEVER),
        dead: Cell::new(false),
    });
    let lease = Lease::new(&link, worker, idle_timeout);
    let shared = (Rc::downgrade(&link), Rc::downgrade(links));
    tokio::task::spawn_local(drive(Rc::clone(worker), connection, shared, Rc::clone(&vitals)));
    let settings = unless_interrupted(
        handle,
        poll_fn(|context| {
            if link.dead.get() { Poll::Ready(false) } else { vitals.poll_settings(context).map(|()| true) }
        }),
    );
    match settings.await {
        Ok(true) => {
            links.keep(&link);
            Ok(lease)
        }
        Ok(false) => Err(OpenFault::Malformed),
        Err(interrupt) => Err(OpenFault::Interrupted(interrupt)),
    }
}

fn builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .header_table_size(0)
        .initial_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buffer_size(payload::STREAM_BYTES_MAX);
    builder
}

/// Moves a link's frames until the link ends. It ends by itself when nothing refers to it any more.
async fn drive(
    worker: Rc<Worker>,
    mut connection: Connection<Socket, Payload>,
    (link, links): (Weak<Link>, Weak<Links>),
    vitals: Rc<Vitals>,
) {
    let handle = worker.handles.take_for(ConnectionKind::Origin);
    handle.settle().await;
    let mut pulse = Pulse::new(Rc::clone(&vitals), connection.ping_pong());
    let limits: &Limits = &worker.parts.limits;
    poll_fn(|context| {
        let ended = Pin::new(&mut connection).poll(context).is_ready();
        if vitals.is_told_to_calm()
            && pulse.take_pinged()
            && let Some(links) = links.upgrade()
        {
            links.complained();
        }
        if ended || handle.signals().cut() {
            return Poll::Ready(());
        }
        let since = link.upgrade().and_then(|link| link.pinged_since());
        let pings = since.zip(links.upgrade()).map(|(since, links)| (since, links.ping_interval(limits)));
        match pulse.poll(context, &worker.ticks, limits, pings) {
            Ok(next) => handle.arm(next),
            Err(_) => return Poll::Ready(()),
        }
        Poll::Pending
    })
    .await;
    if let Some(link) = link.upgrade() {
        link.dead.set(true);
    }
    drop(connection);
    vitals.wake();
}
