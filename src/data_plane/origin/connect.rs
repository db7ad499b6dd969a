//! A connection to an endpoint: an idle one, or a fresh one.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::connect_limit::{self, ConnectPermit};
use super::origin_side::{Offer, OriginSide, Transport};
use super::secure::Secure;
use super::slot::Slot;
use super::stream::Stream;
use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::wait::{Interrupt, unless_interrupted};

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectFault {
    /// The endpoint refuses or resets connections, or can't be reached, or the handshake failed.
    Refused,
    TimedOut,
    /// greenlight itself lacks files, ports or memory. This says nothing about the endpoint.
    Exhausted,
    /// The worker ended the attempt.
    Cut,
}

/// A connection that can be used.
#[derive(Debug)]
pub(crate) struct OriginConnection {
    pub stream: Stream,
    /// How long the connection was idle before. The endpoint may have closed it at this moment. `None`
    /// if the connection is fresh.
    pub reused: Option<Duration>,
}

impl OriginConnection {
    /// A connection that was made for this request.
    pub(crate) fn fresh(stream: Stream) -> Self {
        Self { stream, reused: None }
    }
}

/// Takes an idle connection that `idle` finds. Otherwise opens a fresh one within `wait` (0: as long as
/// the system tries). For that the request waits for a permit, and takes a connection that becomes idle
/// before. Sets the deadline of `handle`.
pub(crate) async fn connect(
    worker: &Worker,
    handle: &ConnectionHandle,
    slot: &Rc<Slot>,
    wait: Duration,
    mut idle: impl FnMut() -> Option<OriginConnection>,
) -> Result<OriginConnection, ConnectFault> {
    if let Some(connected) = idle() {
        return Ok(connected);
    }
    handle.arm(worker.ticks.after(wait));
    let _permit = loop {
        if let Some(permit) = ConnectPermit::take(slot) {
            break permit;
        }
        unless_interrupted(handle, connect_limit::wait(slot)).await.map_err(ConnectFault::from)?;
        if let Some(connected) = idle() {
            return Ok(connected);
        }
    };
    Ok(OriginConnection::fresh(open(handle, slot, Offer::Either).await?))
}

/// Opens a fresh connection at once, without a permit. This is for the one replay of a request, which
/// has waited already.
pub(crate) async fn connect_fresh(
    worker: &Worker,
    handle: &ConnectionHandle,
    slot: &Slot,
    wait: Duration,
) -> Result<OriginConnection, ConnectFault> {
    handle.arm(worker.ticks.after(wait));
    Ok(OriginConnection::fresh(open(handle, slot, Offer::Either).await?))
}

/// Opens a fresh socket and makes its handshake, while the deadline of `handle` runs.
pub(crate) async fn open(
    handle: &ConnectionHandle,
    slot: &Slot,
    offer: Offer,
) -> Result<Stream, ConnectFault> {
    let address = slot.endpoint.address;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|why| fault(&why))?;
    match unless_interrupted(handle, socket.connect(address)).await {
        Ok(Ok(stream)) => {
            // A small request must not wait for further bytes. If the socket is gone, a later call
            // shows it.
            let _ = stream.set_nodelay(true);
            match &slot.transport {
                Transport::Plain => Ok(Stream::Plain(stream)),
                Transport::Tls(side) => shake_hands(handle, (side, offer), address, stream).await,
                Transport::Broken => Err(ConnectFault::Refused),
            }
        }
        Ok(Err(why)) => Err(fault(&why)),
        Err(interrupt) => Err(interrupt.into()),
    }
}

/// Makes the handshake within the connect's time. A handshake that fails is a connect that failed.
/// Nothing was sent, so the request can go to another endpoint.
async fn shake_hands(
    handle: &ConnectionHandle,
    (side, offer): (&OriginSide, Offer),
    address: SocketAddr,
    socket: TcpStream,
) -> Result<Stream, ConnectFault> {
    let failed = |why: &dyn std::fmt::Display| {
        tracing::debug!(endpoint = %address, %why, "the TLS handshake failed");
        ConnectFault::Refused
    };
    let session = side.session(offer).map_err(|why| failed(&why))?;
    let mut secure = Secure::new(socket, session);
    match unless_interrupted(handle, poll_fn(|context| secure.poll_handshake(context))).await {
        Ok(Ok(())) => Ok(Stream::Tls(secure)),
        Ok(Err(why)) => Err(failed(&why)),
        Err(interrupt) => Err(interrupt.into()),
    }
}

impl From<Interrupt> for ConnectFault {
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Expired => Self::TimedOut,
            Interrupt::Cut => Self::Cut,
        }
    }
}

fn fault(why: &io::Error) -> ConnectFault {
    match why.kind() {
        io::ErrorKind::TimedOut => ConnectFault::TimedOut,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory => ConnectFault::Exhausted,
        // EMFILE (24), ENFILE (23) and ENOBUFS (105) have no kind of their own.
        _ if matches!(why.raw_os_error(), Some(24 | 23 | 105)) => ConnectFault::Exhausted,
        _ => ConnectFault::Refused,
    }
}
