//! The decisions about a request's attempts: which endpoint is tried, how often, and what may be sent
//! once more. [`super::attempt`] moves the bytes, in whichever protocol.
//!
//! The walk of an attempt begins with [`RetryPolicy::pick`], which counts it in flight. Without a
//! connection, [`RetryPolicy::not_connected`] decides. Otherwise [`RetryPolicy::head_arrived`] decides
//! at the head of the response, and [`RetryPolicy::ended`] at its end.

use std::net::SocketAddr;

use crate::model::{Color, EndpointId};

use super::answer::Own;
use super::call::Call;
use super::ending::{Ending, HeadOutcome};
use super::evidence::{self, Attempt, Observation};
use crate::data_plane::origin::connect::ConnectFault;
use crate::data_plane::origin::slot::InFlight;
use crate::data_plane::worker::state::Worker;
use crate::data_plane::worker::view::Wish;

/// The most endpoints of one color that are tried for one request before it fails.
const ATTEMPTS_MAX: usize = 3;

/// The next step after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Take the current table ([`Call::take_current`]) and try again, with the whole request.
    Again,
    /// The client gets the result of this attempt.
    Over,
    /// The client gets this answer.
    Answer(Own),
}

/// The attempts of one request.
#[derive(Debug, Default)]
pub(crate) struct RetryPolicy {
    /// The number of attempts.
    pub count: u8,
    /// The color of the last attempt.
    pub color: Option<Color>,
    /// The endpoint of the last attempt.
    pub endpoint: Option<SocketAddr>,
    /// Endpoints that did not take the request.
    failed: Vec<EndpointId>,
    /// The answer if there is no other endpoint.
    last: Option<Own>,
    /// Whether the one replay was used.
    replayed: bool,
    /// Whether the next attempt needs a fresh connection.
    fresh: bool,
    /// The warm old color, once it answers in the candidate's place.
    shield: Option<Color>,
    /// This request's lot, 0 to 99, once it was drawn. The request is in a canary's share if its lot is
    /// under the canary's percentage. The lot is kept from attempt to attempt.
    lot: Option<u8>,
}

impl RetryPolicy {
    /// Picks an endpoint and counts the attempt in flight. The caller must have taken the table in the
    /// same turn of the loop, so that a worker that has acknowledged a table starts no attempt by an
    /// older one.
    ///
    /// # Errors
    /// No endpoint can be used. The error is the answer for the client.
    pub(crate) fn pick(&mut self, worker: &Worker, call: &Call) -> Result<InFlight, Own> {
        loop {
            let color = match self.shield {
                Some(color) => color,
                None => self.color_for(worker, call),
            };
            self.color = Some(color);
            let wish = Wish {
                color,
                random: worker.random(),
                now: worker.ticks.now(),
                tried: &self.failed,
                affinity: call.affinity,
            };
            if let Some(inflight) = call.service.pick(&wish) {
                self.count = self.count.saturating_add(1);
                self.endpoint = Some(inflight.slot.endpoint.address);
                if self.is_evidence(call) {
                    evidence::begin(call, &inflight);
                }
                return Ok(inflight);
            }
            if self.last.is_none() {
                self.record(worker, call, (color, None), Observation::Lost("no endpoint"));
            }
            if !self.raise_shield(worker, call, color) {
                return Err(self.last.unwrap_or(Own::NO_ENDPOINT));
            }
        }
    }

    /// The color that this request is for, by the table that was taken last and by the canary's share.
    fn color_for(&mut self, worker: &Worker, call: &Call) -> Color {
        let percent = call.service.route.canary_percent;
        if percent == 0 || call.preview.is_some() {
            return call.color();
        }
        let (route, active) = (&call.service.route, call.color());
        let sticky = route.settings.affinity;
        if sticky && call.affinity.is_some_and(|key| call.service.is_named(active.other(), key)) {
            // The cookie says that the client was in the share before, whatever its address is now.
            return active.other();
        }
        // With affinity a client has one lot for a release, by its address. Otherwise each request
        // draws a lot.
        let random = || if sticky { mixed(call.client ^ route.epoch.0) } else { worker.random() };
        let lot = *self.lot.get_or_insert_with(|| lot(random()));
        if lot < percent { active.other() } else { active }
    }

    /// Whether the next attempt needs a fresh connection.
    pub(crate) fn wants_fresh(&self) -> bool {
        self.fresh
    }

    /// Decides after an attempt that got no connection. It is safe to try elsewhere whatever the
    /// method, since nothing was sent.
    pub(crate) fn not_connected(
        &mut self,
        worker: &Worker,
        call: &Call,
        inflight: &InFlight,
        fault: ConnectFault,
    ) -> Next {
        let own = match fault {
            ConnectFault::Refused => Own::UNREACHABLE,
            ConnectFault::TimedOut => Own::CONNECT_LATE,
            ConnectFault::Exhausted => return Next::Answer(Own::EXHAUSTED),
            ConnectFault::Cut => return Next::Answer(Own::CUT),
        };
        let cause = match fault {
            ConnectFault::TimedOut => "no connection in time",
            _ => "the connection was refused or reset",
        };
        self.record(worker, call, (inflight.color, Some(inflight)), Observation::Lost(cause));
        let slot = &inflight.slot;
        if fault == ConnectFault::Refused && slot.suspicious(worker.ticks.now()) {
            worker.suspect(slot, false);
        }
        self.elsewhere(worker, call, inflight, own)
    }

    /// Decides when a response's head is there. True passes the response on. After false, the caller
    /// ends the attempt and tells [`RetryPolicy::ended`] that it was [`Ending::Withheld`].
    pub(crate) fn head_arrived(
        &mut self,
        worker: &Worker,
        call: &Call,
        inflight: &InFlight,
        heard: HeadOutcome,
    ) -> bool {
        self.record(worker, call, (inflight.color, Some(inflight)), Observation::Head(heard));
        if heard.status == 101 {
            inflight.is_tunnel();
        }
        let passing = matches!(heard.status, 502..=504) && call.repeatable;
        !(passing && self.is_shielded(call, inflight.color))
    }

    /// Counts for the judge how the attempt ended, unless its head was already a failure. Then decides
    /// what the client gets. `reused` says that the connection had been idle before.
    pub(crate) fn ended(
        &mut self,
        worker: &Worker,
        call: &Call,
        inflight: &InFlight,
        (ending, heard, reused): (Ending, Option<HeadOutcome>, bool),
    ) -> Next {
        let fresh = !reused || self.replayed;
        if ending == Ending::NoResponse && !fresh && call.repeatable && may_replay(worker, call) {
            // The endpoint had closed a connection that it kept alive. This is no failure if it answers
            // now.
            self.replayed = true;
            self.fresh = true;
            worker.parts.metrics.replays.inc();
            return Next::Again;
        }
        if ending == Ending::NotProcessed && !fresh {
            // The connection was going away when it was taken, so the request was not processed.
            self.replayed = true;
            return Next::Again;
        }
        self.conclude(worker, call, inflight, (ending, heard));
        let color = inflight.color;
        match ending {
            Ending::NotProcessed => self.elsewhere(worker, call, inflight, Own::NO_RESPONSE),
            // greenlight's own answer would be a 502 or a 504, and the old color has a better one.
            Ending::NoResponse | Ending::Malformed | Ending::Late
                if heard.is_none() && call.repeatable && self.raise_shield(worker, call, color) =>
            {
                Next::Again
            }
            Ending::Withheld if self.raise_shield(worker, call, color) => Next::Again,
            Ending::Withheld => Next::Answer(Own::NO_RESPONSE),
            _ => Next::Over,
        }
    }

    /// Counts the end of an attempt for the judge. Acts of the client or of greenlight are no evidence
    /// about a color.
    fn conclude(
        &self,
        worker: &Worker,
        call: &Call,
        inflight: &InFlight,
        (ending, heard): (Ending, Option<HeadOutcome>),
    ) {
        if heard.is_some_and(|heard| heard.failed) {
            return;
        }
        if ending == Ending::ClientGone && self.is_evidence(call) {
            inflight.given_up();
        }
        let cause = match ending {
            Ending::Complete { failed: true, .. } => "a grpc-status that is a failure",
            Ending::NoResponse => "the connection ended without a response",
            Ending::NotProcessed => "the request was refused",
            Ending::Malformed => "no valid response",
            Ending::Late => "no response head in time",
            Ending::Short => "the response was cut short",
            Ending::Complete { .. }
            | Ending::Withheld
            | Ending::Ours(_)
            | Ending::Idle
            | Ending::ClientGone
            | Ending::BadBody(_)
            | Ending::BodyTooLarge
            | Ending::BodyStalled
            | Ending::Cut => return,
        };
        let noted = heard.map_or(Observation::Lost(cause), |heard| Observation::Broken(heard, cause));
        self.record(worker, call, (inflight.color, Some(inflight)), noted);
    }

    /// Previews and second attempts of the shield are no evidence.
    fn is_evidence(&self, call: &Call) -> bool {
        call.preview.is_none() && self.shield.is_none()
    }

    fn record(
        &self,
        worker: &Worker,
        call: &Call,
        (color, inflight): (Color, Option<&InFlight>),
        noted: Observation,
    ) {
        let evidence = self.is_evidence(call);
        evidence::record(worker, &Attempt { call, color, inflight, noted, evidence });
    }

    /// Decides when the origin did nothing with the request. Another endpoint of its color is tried, or
    /// else the shield.
    fn elsewhere(&mut self, worker: &Worker, call: &Call, inflight: &InFlight, own: Own) -> Next {
        self.failed.push(inflight.slot.endpoint.id.clone());
        self.last = Some(own);
        if self.failed.len() < ATTEMPTS_MAX || self.raise_shield(worker, call, inflight.color) {
            Next::Again
        } else {
            Next::Answer(own)
        }
    }

    /// Whether the old color would answer if this attempt on `color` fails.
    fn is_shielded(&self, call: &Call, color: Color) -> bool {
        let route = &call.service.route;
        self.shield.is_none()
            && call.preview.is_none()
            && route.settings.shield
            && if color == route.active { route.baking } else { route.canary_percent > 0 }
            && call.service.has_endpoint(color.other())
    }

    /// Asks the old color from now on. False if there is no old color to ask.
    fn raise_shield(&mut self, worker: &Worker, call: &Call, color: Color) -> bool {
        let raised = self.is_shielded(call, color);
        if raised {
            self.shield = Some(color.other());
            self.failed.clear();
            self.replayed = false;
            self.fresh = false;
            worker.parts.metrics.shield_retries.inc();
        }
        raised
    }
}

/// A client's key as bits that look random (the finisher of splitmix64).
fn mixed(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// A number of 0 to 99 from 64 random bits. It is even to within one in 2^25.
fn lot(random: u64) -> u8 {
    u8::try_from(((random >> 32) * 100) >> 32).unwrap_or(0)
}

fn may_replay(worker: &Worker, call: &Call) -> bool {
    let share = call.service.route.settings.retry_budget;
    call.service.cell.may_replay(worker.ticks.now(), share, worker.parts.workers)
}
