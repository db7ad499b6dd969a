//! A stream to an endpoint that speaks HTTP/2: of a connection that has room, else of a fresh one.

use std::rc::Rc;
use std::time::Duration;

use crate::http1::Scheme;
use crate::proxy::connect::{ConnectFault, Connected, open, told};
use crate::proxy::seats::Seat;
use crate::proxy::slot::Slot;
use crate::proxy::stream::Stream;
use crate::proxy::wait::unless_told;
use crate::proxy::worker::Worker;

use super::link::{self, Lease, OpenFault};
use super::upstream::Upstream;

/// What a request needs of its stream.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How long a connect may take (0: as long as the system tries).
    pub wait: Duration,
    /// How long a connection without a stream is kept.
    pub idle_timeout: Duration,
    /// The client takes trailers.
    pub trailers: bool,
}

/// A stream, within the time that `wanted` gives. Of several requests that need a connection one
/// opens it and the others wait: at a switch hundreds come at once. The deadline of `seat` is taken.
pub async fn connect(
    worker: &Rc<Worker>,
    seat: &Seat,
    slot: &Slot,
    wanted: Wanted,
) -> Result<Connected, ConnectFault> {
    let links = &slot.links;
    let mut waited = false;
    let turn = loop {
        // One that goes away gives no lease.
        if let Some(lease) = links.lease(worker, wanted.idle_timeout) {
            return Ok(connected(worker, lease, wanted, true));
        }
        if !std::mem::replace(&mut waited, true) {
            seat.arm(worker.ticks.after(wanted.wait));
        }
        if let Some(turn) = links.turn() {
            break turn;
        }
        unless_told(seat, links.settled()).await.map_err(told)?;
    };
    let socket = open(seat, slot.endpoint.address).await?;
    let opened = link::open(worker, seat, links, (socket, Scheme::Http), wanted.idle_timeout).await;
    drop(turn);
    match opened {
        Ok(lease) => Ok(connected(worker, lease, wanted, false)),
        // Nothing that could take the request is there.
        Err(OpenFault::Malformed) => Err(ConnectFault::Refused),
        Err(OpenFault::Interrupted(interrupt)) => Err(told(interrupt)),
    }
}

fn connected(worker: &Rc<Worker>, lease: Lease, wanted: Wanted, reused: bool) -> Connected {
    let upstream = Upstream::new(Rc::clone(worker), lease, wanted.trailers);
    Connected { stream: Stream::Upstream(Box::new(upstream)), reused }
}
