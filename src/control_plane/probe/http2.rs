//! One probe in HTTP/2: its own connection, one stream, and the outcome.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use h2::client::{Builder, Connection, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::health::{ProbeFailure, ProbeOutcome};

use super::answer::{Answer, FIELDS_MAX, HEAD_MAX, INTERIM_MAX};
use super::failure::failure;
use super::opening::{NOT_HTTP2, Opening};

/// The largest head of an answer in bytes, as HPACK counts it (RFC 9113 section 6.5.2).
const HEADER_LIST_BYTES_MAX: usize = HEAD_MAX + FIELDS_MAX * 32;

/// Sends the request on a fresh socket and returns the outcome. The flow-control windows keep their
/// initial size (RFC 9113 section 6.9.2), since little is read.
pub(crate) async fn exchange<T>(socket: T, request: Request<()>, answer: Answer<'_>) -> ProbeOutcome
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = Builder::new();
    builder.enable_push(false).max_header_list_size(u32::try_from(HEADER_LIST_BYTES_MAX).unwrap_or(u32::MAX));
    let (sender, mut connection) = match builder.handshake(Opening::new(socket)).await {
        Ok(opened) => opened,
        Err(error) => return ProbeOutcome::Fail(fault(&error)),
    };
    let mut asking = pin!(ask(sender, request, answer));
    let (asked, ended) = poll_fn(|context| {
        if let Poll::Ready(asked) = asking.as_mut().poll(context) {
            return Poll::Ready((Poll::Ready(asked), None));
        }
        let Poll::Ready(ended) = Pin::new(&mut connection).poll(context) else { return Poll::Pending };
        // The answer may have come before the connection ended, and then it counts.
        Poll::Ready((asking.as_mut().poll(context), Some(ended)))
    })
    .await;
    if ended.is_none() {
        say_goodbye(&mut connection).await;
    }
    match (asked, ended) {
        (Poll::Ready(Ok(outcome)), _) => outcome,
        (Poll::Ready(Err(error)), None) | (_, Some(Err(error))) => ProbeOutcome::Fail(fault(&error)),
        (_, Some(Ok(())) | None) => not_http2("it closed the connection inside its answer"),
    }
}

fn not_http2(why: impl Into<String>) -> ProbeOutcome {
    ProbeOutcome::Fail(ProbeFailure::NotHttp2(why.into()))
}

async fn ask(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    mut answer: Answer<'_>,
) -> Result<ProbeOutcome, h2::Error> {
    let (mut response, _) = sender.ready().await?.send_request(request, true)?;
    let Some(head) = final_head(&mut response).await? else {
        return Ok(not_http2("more than 16 interim answers"));
    };
    if let Some(outcome) = answer.take_status(head.status().as_u16()) {
        return Ok(outcome);
    }
    let mut body = head.into_body();
    while let Some(data) = body.data().await {
        let data = data?;
        if let Some(outcome) = answer.take(&data) {
            return Ok(outcome);
        }
        body.flow_control().release_capacity(data.len())?;
    }
    Ok(answer.end())
}

/// Waits for the final head. Returns `None` if more than [`INTERIM_MAX`] interim answers came
/// before it.
async fn final_head(response: &mut ResponseFuture) -> Result<Option<Response<RecvStream>>, h2::Error> {
    let mut interim = 0;
    poll_fn(|context| {
        while let Poll::Ready(Some(head)) = response.poll_informational(context) {
            head?;
            interim += 1;
            if interim > INTERIM_MAX {
                return Poll::Ready(Ok(None));
            }
        }
        Pin::new(&mut *response).poll(context).map_ok(Some)
    })
    .await
}

/// Sends RST_STREAM for an answer that is not needed any more, then GOAWAY, and ends the
/// connection. It sends only as much as the socket takes at once.
async fn say_goodbye<T>(connection: &mut Connection<Opening<T>, Bytes>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|context| {
        // The first poll resets the stream. The second one finds no stream left.
        let _ = Pin::new(&mut *connection).poll(context).is_pending()
            && Pin::new(&mut *connection).poll(context).is_pending();
        Poll::Ready(())
    })
    .await;
}

fn fault(error: &h2::Error) -> ProbeFailure {
    if let Some(error) = error.get_io() {
        return match error.kind() {
            NOT_HTTP2 => ProbeFailure::NotHttp2(error.to_string()),
            _ => failure(error),
        };
    }
    // A failure names the reason as RFC 9113 section 7 does.
    let named = |reason: Reason| format!("{reason:?}");
    match error.reason().map(named) {
        Some(reason) if error.is_remote() && error.is_reset() => ProbeFailure::StreamReset(reason),
        Some(reason) if error.is_remote() => ProbeFailure::GoneAway(reason),
        Some(reason) => ProbeFailure::NotHttp2(format!("its answer is a {reason}")),
        None => ProbeFailure::Network(error.to_string()),
    }
}
