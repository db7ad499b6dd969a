//! One stream of a client's connection, from its head to its end.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, StatusCode};

use crate::data_plane::client::connection::{Connection, ConnectionFacts};
use crate::data_plane::origin::stream::Stream;
use crate::data_plane::worker::connection_table::ConnectionKind;
use crate::data_plane::worker::state::Worker;
use crate::http1::{Method, RequestFault};

use super::client_stream::ClientStream;
use super::inlet::Form;
use super::parting;
use super::payload::{Held, Payload};
use super::request_head;
use super::streams::StreamCount;

/// Serves a stream as if it were a connection with one request. If the request is refused, its answer
/// goes out on its stream, and the connection stays.
pub(super) async fn serve(
    worker: Rc<Worker>,
    (facts, held): (Rc<ConnectionFacts>, Rc<Held>),
    (request, mut respond): (Request<RecvStream>, SendResponse<Payload>),
    _count: StreamCount,
) {
    let handle = worker.handles.take_for(ConnectionKind::Stream);
    handle.settle().await;
    // The client has given the request up meanwhile, or its connection has ended. No work is begun for
    // it.
    if is_given_up(&mut respond) {
        return;
    }
    let (head, body) = request.into_parts();
    let has_body = !body.is_end_stream();
    let nonce = (u128::from(worker.random()) << 64 | u128::from(worker.random())).to_be_bytes();
    let written = request_head::write(&head, has_body, facts.peer.scheme, nonce);
    let mut chunk = worker.chunks.take();
    let fits = written.as_ref().is_ok_and(|text_head| chunk.append(&text_head.text) == text_head.text.len());
    let text_head = match written {
        Ok(text_head) if fits => text_head,
        refused => {
            let fault = refused.err().unwrap_or(RequestFault::BlockTooLarge);
            worker.unrouted(fault.status());
            match fault {
                // The head is malformed (RFC 9113, 8.1.1 and 8.5). h2 resets other malformed heads in
                // the same way.
                RequestFault::FieldValue | RequestFault::Authority => {
                    respond.send_reset(Reason::PROTOCOL_ERROR);
                }
                _ => {
                    if let (Some(send), true) = (refuse(&mut respond, fault.status()), has_body) {
                        parting::end_behind(&worker, &handle, body, send).await;
                    }
                }
            }
            return;
        }
    };
    let protocol = head.extensions.get::<Protocol>().map(|protocol| protocol.as_str().into());
    let is_tunnel = protocol.is_some();
    let method = if is_tunnel { Method::Get } else { Method::of(head.method.as_str().as_bytes()) };
    let form = if text_head.chunked { Form::Chunked } else { Form::Raw };
    let limits = text_head.limits(&worker.head_limits);
    let stream = ClientStream::new(Rc::clone(&worker), held, (body, respond), form, method, protocol);
    let mut stream = Stream::Client(Box::new(stream));
    drop((head, text_head));
    // Bytes of the body that have already come go to the origin with the head.
    poll_fn(|context| {
        let _ = stream.poll_fill(context, &mut chunk);
        Poll::Ready(())
    })
    .await;
    let mut connection = Connection::for_stream(worker, handle, stream, &facts);
    // Boxed, so that a stream that only waits for its end holds nothing of its request.
    Box::pin(connection.serve_one(chunk, &limits)).await;
    if let Stream::Client(stream) = &mut connection.stream {
        stream.part(&connection.handle).await;
    }
}

/// Whether the client has reset the stream, or its connection was ended.
pub(super) fn is_given_up(respond: &mut SendResponse<Payload>) -> bool {
    respond.poll_reset(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Answers a request that has no shape in HTTP/1.1, without a body. `None` if the client is gone, and so
/// needs no answer.
fn refuse(respond: &mut SendResponse<Payload>, status: u16) -> Option<SendStream<Payload>> {
    let mut response = http::Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    respond.send_response(response, true).ok()
}
