//! A worker's HTTP/2 connections to one endpoint, each shared by many requests.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use http::Request;
use tokio::sync::Notify;

use crate::config::Limits;
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::connection_table::{ConnectionHandle, ConnectionKind};
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::ticks::NEVER;
use crate::data_plane::worker::wait::{Interrupt, unless_interrupted};
use crate::http1::Scheme;

use super::guard::Guard;
use super::pulse::Pulse;
use super::socket::{Socket, Vitals};

/// The most streams on one connection, whatever the origin would allow. With more, one lost packet
/// would hold up too many requests.
const STREAMS_MAX: usize = 100;
/// The limit of an origin's head, as HPACK counts it: the 64 KiB and 200 fields of HTTP/1.1.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024 + 200 * 32;
/// The most bytes of one stream that are held until the socket takes them.
const SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// One HTTP/2 connection to an endpoint.
#[derive(Debug)]
pub(super) struct Link {
    sender: RefCell<SendRequest<Bytes>>,
    scheme: Scheme,
    active: Cell<usize>,
    /// The tick at which the link has been idle for too long; [`NEVER`] while it has streams.
    idle_until: Cell<u32>,
    /// The link has ended, or takes no more requests.
    dead: Cell<bool>,
}

impl Link {
    fn has_room(&self) -> bool {
        let mut sender = self.sender.borrow_mut();
        let streams_max = sender.current_max_send_streams().clamp(1, STREAMS_MAX);
        // An error means that the connection is going away.
        let gone = sender.poll_ready(&mut Context::from_waker(Waker::noop()));
        if matches!(gone, Poll::Ready(Err(_))) {
            self.dead.set(true);
        }
        !self.dead.get() && self.active.get() < streams_max
    }
}

/// The right to one stream of a link. The stream counts as active as long as this value lives.
#[derive(Debug)]
pub(crate) struct Lease {
    link: Rc<Link>,
    worker: Rc<Worker>,
    idle_timeout: Duration,
}

impl Lease {
    fn new(link: &Rc<Link>, worker: &Rc<Worker>, idle_timeout: Duration) -> Self {
        link.active.set(link.active.get() + 1);
        link.idle_until.set(NEVER);
        Self { link: Rc::clone(link), worker: Rc::clone(worker), idle_timeout }
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.link.scheme
    }

    /// Whether the origin takes extended CONNECT (RFC 8441, 3).
    pub(crate) fn takes_tunnels(&self) -> bool {
        self.link.sender.borrow().is_extended_connect_protocol_enabled()
    }

    pub(crate) fn send(
        &self,
        request: Request<()>,
        ends: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.link.sender.borrow_mut().send_request(request, ends)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
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
    let vitals = Vitals::new(Guard::for_origin(now), now);
    let socket = Socket::new(stream, None, Rc::clone(worker), Rc::clone(&vitals));
    let shaken = unless_interrupted(handle, builder(&worker.parts.limits).handshake(socket)).await;
    let (sender, connection) = shaken.map_err(OpenFault::Interrupted)?.map_err(|_| OpenFault::Malformed)?;
    let link = Rc::new(Link {
        sender: RefCell::new(sender),
        scheme,
        active: Cell::new(0),
        idle_until: Cell::new(NEVER),
        dead: Cell::new(false),
    });
    let lease = Lease::new(&link, worker, idle_timeout);
    tokio::task::spawn_local(drive(Rc::clone(worker), connection, Rc::downgrade(&link), Rc::clone(&vitals)));
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
        .initial_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_header_list_size(HEADER_LIST_BYTES_MAX)
        .max_send_buffer_size(SEND_BUFFER_BYTES_MAX);
    builder
}

/// Moves a link's frames until the link ends. It ends by itself when nothing refers to it any more.
async fn drive(
    worker: Rc<Worker>,
    mut connection: Connection<Socket, Bytes>,
    link: std::rc::Weak<Link>,
    vitals: Rc<Vitals>,
) {
    let handle = worker.handles.take_for(ConnectionKind::Origin);
    handle.settle().await;
    let mut pulse = Pulse::new(Rc::clone(&vitals), connection.ping_pong());
    poll_fn(|context| {
        if std::pin::Pin::new(&mut connection).poll(context).is_ready() || handle.signals().cut() {
            return Poll::Ready(());
        }
        match pulse.poll(context, &worker.ticks, &worker.parts.limits) {
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
