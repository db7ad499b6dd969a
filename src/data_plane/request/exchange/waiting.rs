//! The wait of an exchange: the event that it waits for, and the limit of that event.

use std::task::Poll;

use super::awaited::{Progress, Waiting};
use super::{Exchange, Phase};
use crate::data_plane::request::ending::Ending;

impl Exchange<'_> {
    /// Called when no more bytes can be moved now. Arms the limit of the event that is waited for, or
    /// ends the exchange because the limit that ran has passed.
    pub(super) fn wait(&mut self, moved: Progress) -> Poll<Ending> {
        let waiting = self.waits_for();
        let moved = match waiting {
            // A head that arrives byte by byte is as late as one that does not arrive.
            Waiting::OriginHead => false,
            Waiting::ClientTakes => moved.down,
            Waiting::ClientBody | Waiting::OriginTakes => moved.up,
            Waiting::Stream | Waiting::Nothing => moved.up || moved.down,
        };
        if !moved && waiting == self.waiting {
            if !self.handle.signals().expired() {
                return Poll::Pending;
            }
            return Poll::Ready(match waiting {
                Waiting::ClientBody => Ending::BodyStalled,
                Waiting::ClientTakes => Ending::ClientGone,
                Waiting::OriginTakes | Waiting::OriginHead => Ending::Late,
                Waiting::Stream if self.phase == Phase::Tunnel || !self.upload_done => Ending::Idle,
                Waiting::Stream if self.phase == Phase::Head => Ending::Late,
                Waiting::Stream | Waiting::Nothing => Ending::Short,
            });
        }
        self.waiting = waiting;
        let limits = &self.worker.parts.limits;
        let limit = match waiting {
            Waiting::ClientBody => limits.body_stall_timeout,
            Waiting::ClientTakes => limits.write_stall_timeout,
            Waiting::OriginTakes | Waiting::OriginHead => self.facts.response_timeout,
            Waiting::Stream if self.phase == Phase::Tunnel => self.facts.tunnel_idle_timeout,
            Waiting::Stream | Waiting::Nothing => self.facts.stream_idle_timeout,
        };
        self.handle.arm(self.worker.ticks.after(limit));
        Poll::Pending
    }

    fn waits_for(&self) -> Waiting {
        let streams = self.facts.is_grpc || self.phase != Phase::Head;
        if self.download.is_blocked() {
            Waiting::ClientTakes
        } else if streams {
            Waiting::Stream
        } else if self.upload_done || self.upload_broken {
            // gRPC has no limit for its head, and neither has a request that asks for an upgrade.
            if self.facts.upgrade.is_some() { Waiting::Stream } else { Waiting::OriginHead }
        } else if self.upload.is_blocked() {
            Waiting::OriginTakes
        } else {
            Waiting::ClientBody
        }
    }
}
