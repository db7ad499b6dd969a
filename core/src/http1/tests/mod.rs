//! The rules of the codec, one table row for each. A row has raw bytes and the expected result, which is
//! a fault or a normalized head. Properties over random bytes are in `property`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answer;
mod body;
mod client;
mod forward;
mod property;
mod refused;
mod relay;
mod request;
mod response;
mod scan;
mod websocket;

use std::net::IpAddr;

use super::*;

/// A small GET request with the fields of a row.
fn get(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n").into_bytes()
}

/// Parses the whole head of a request.
fn parse(raw: impl AsRef<[u8]>) -> Result<RequestHead, RequestFault> {
    let mut head = RequestHead::default();
    let taken = parse_request(raw.as_ref(), &HeadLimits::REQUEST, &mut head)?;
    assert!(taken.is_some(), "incomplete: {}", raw.as_ref().escape_ascii());
    Ok(head)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A peer with a fixed address: a trusted proxy or a stranger.
fn peer(trusted: bool) -> Peer {
    Peer { address: address("192.0.2.7"), scheme: Scheme::Http, port: 8080, trusted }
}

/// The head that the origin gets for this head.
fn forward_as(raw: &[u8], peer: &Peer, upgrade: bool) -> String {
    let head = parse(raw).unwrap_or_else(|fault| panic!("{fault}: {}", raw.escape_ascii()));
    let request_id = head.kept_request_id(raw, peer).unwrap_or(b"fresh");
    let forward =
        Forward { peer, real_ip: peer.address, fallback_host: b"fallback.example", request_id, upgrade };
    let mut out = Vec::new();
    write_request(&head, raw, &forward, &mut out);
    String::from_utf8(out).unwrap()
}

/// The head that the origin gets for this head, without the fields that the door always writes. Those are
/// checked here.
fn forwarded(raw: impl AsRef<[u8]>) -> String {
    let out = forward_as(raw.as_ref(), &peer(false), true);
    let (client, ours) = out.split_once("X-Forwarded-For: ").unwrap();
    let host = client.split("\r\n").nth(1).unwrap().strip_prefix("Host: ").unwrap();
    let quote = if host.contains(':') { "\"" } else { "" };
    assert_eq!(
        ours,
        format!(
            "192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: {host}\r\n\
             X-Forwarded-Port: 8080\r\nForwarded: for=192.0.2.7;host={quote}{host}{quote};proto=http\r\n\
             X-Real-IP: 192.0.2.7\r\nX-Request-Id: fresh\r\n\r\n"
        )
    );
    client.to_owned()
}

const TO_GET: RequestContext<'static> = RequestContext { method: Method::Get, upgrade: None };
const TO_HEAD: RequestContext<'static> = RequestContext { method: Method::Head, upgrade: None };

/// Parses the whole head of a response.
fn parse_answer(raw: &[u8], asked: &RequestContext<'_>) -> Result<ResponseHead, ResponseFault> {
    let mut head = ResponseHead::default();
    let taken = parse_response(raw, asked, &HeadLimits::RESPONSE, &mut head)?;
    assert!(taken.is_some(), "incomplete: {}", raw.escape_ascii());
    Ok(head)
}

const TO_CLIENT: Answer<'static> = Answer {
    version: Version::Http11,
    method: Method::Get,
    persistence: Persistence::KeepAlive,
    date: None,
    extra: &[],
};
