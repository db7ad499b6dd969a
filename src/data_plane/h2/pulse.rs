//! Whether a connection of HTTP/2 still lives. h2 has no timers for this.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};

use crate::config::Limits;
use crate::data_plane::worker::ticks::{NEVER, Ticks, passed};

use super::socket::Vitals;

/// The pings and the writes of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    vitals: Rc<Vitals>,
    pings: Option<PingPong>,
    /// The tick by which the peer must answer the ping that is out.
    answer_by: Option<u32>,
    pinged: bool,
}

/// The peer is gone, or takes no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dead;

impl Pulse {
    pub(super) fn new(vitals: Rc<Vitals>, pings: Option<PingPong>) -> Self {
        Self { vitals, pings, answer_by: None, pinged: false }
    }

    /// Whether the peer was pinged since the last call.
    pub(super) fn take_pinged(&mut self) -> bool {
        std::mem::take(&mut self.pinged)
    }

    /// Looks at the times, and pings a peer that was silent for the interval of `pings_due`. That is counted
    /// from the tick of `pings_due` at the earliest. An interval of zero and `None` mean no pings. Returns
    /// the tick at which to look again. A ping that is sent here wakes the connection's task, and leaves when the
    /// connection is polled next.
    ///
    /// # Errors
    /// The peer has not answered a ping within `h2_ping_timeout`, or has taken no bytes for
    /// `write_stall_timeout`.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        ticks: &Ticks,
        limits: &Limits,
        pings_due: Option<(u32, Duration)>,
    ) -> Result<u32, Dead> {
        let now = ticks.now();
        let mut next = NEVER;
        if let Some(since) = self.vitals.stuck_since.get() {
            let by = passed(since, limits.write_stall_timeout);
            if by <= now {
                return Err(Dead);
            }
            next = by;
        }
        let Some(pings) = &mut self.pings else { return Ok(next) };
        if self.answer_by.is_some() && matches!(pings.poll_pong(context), Poll::Ready(Ok(_))) {
            self.answer_by = None;
        }
        if let Some(by) = self.answer_by {
            return if by <= now { Err(Dead) } else { Ok(next.min(by)) };
        }
        let Some((since, interval)) = pings_due else { return Ok(next) };
        let due = passed(self.vitals.read_at.get().max(since), interval);
        if due > now {
            return Ok(next.min(due));
        }
        if pings.send_ping(Ping::opaque()).is_ok() {
            let by = ticks.after(limits.h2_ping_timeout);
            self.answer_by = Some(by);
            self.pinged = true;
            // This registers the waker now, because the pong may come before the next look.
            let _ = pings.poll_pong(context);
            next = next.min(by);
        }
        Ok(next)
    }
}
