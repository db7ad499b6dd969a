//! Bodies of HTTP/2, as far as the windows open.

use bytes::Bytes;
use h2::{RecvStream, SendStream};

/// What is left of a body.
pub async fn rest(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        bytes.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    Ok(bytes)
}

/// Sends all of `data` as the windows open.
pub async fn send_all(send: &mut SendStream<Bytes>, mut data: Bytes, ends: bool) -> Result<(), h2::Error> {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let room = std::future::poll_fn(|context| send.poll_capacity(context)).await;
        let Some(room) = room.transpose()? else { return Err(h2::Reason::CANCEL.into()) };
        let piece = data.split_to(room.min(data.len()));
        send.send_data(piece, ends && data.is_empty())?;
    }
    Ok(())
}
