//! The end of a client's stream that does not end by itself: an answer that was cut, and an answer that
//! was complete before its request.
//!
//! A reset throws away what still waits in front of it, at greenlight and at many clients. So it leaves
//! later than the answer, in a record of its own where there is TLS.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use h2::{Reason, RecvStream, SendStream};

use crate::data_plane::worker::connection_table::ConnectionHandle;
use crate::data_plane::worker::state::Worker;

use super::outlet::Outlet;
use super::payload::Payload;

/// How long a request may go on behind its answer. Most clients stop by themselves when they have read
/// the answer, and then no reset is needed. Some (curl 7.88) lose an answer whose reset comes with it.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// Waits until the bytes that h2 holds of a cut response have left, for `write_stall_timeout` at most.
/// Then resets the stream, so that the client does not take the response for a whole one.
pub(super) async fn cut_behind(worker: &Worker, handle: &ConnectionHandle, mut outlet: Outlet) {
    outlet.mark_head();
    handle.arm(worker.ticks.after(worker.parts.limits.write_stall_timeout));
    poll_fn(|context| {
        if outlet.poll_empty(context).is_ready()
            || outlet.poll_reset(context).is_ready()
            || handle.signals().expired()
        {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    outlet.reset(Reason::INTERNAL_ERROR);
}

/// Lets a request that was answered go on for a while, and drops its bytes. The client's window stays
/// as it is, so no more than a window of it comes. Then h2 resets the stream with NO_ERROR (RFC 9113,
/// 8.1) as both halves are dropped.
pub(super) async fn end_behind(
    worker: &Worker,
    handle: &ConnectionHandle,
    mut body: RecvStream,
    mut send: SendStream<Payload>,
) {
    handle.arm(worker.ticks.after(LINGER_TIME));
    poll_fn(|context| {
        loop {
            match body.poll_data(context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        if send.poll_reset(context).is_ready() || handle.signals().expired() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}
