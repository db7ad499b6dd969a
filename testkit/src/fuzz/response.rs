//! The head of a response, which is written for every kind of client and read again by another parser.

use greenlight_core::http1::{
    Answer, Framing, HeadLimits, Method, Persistence, RequestContext, ResponseClass, ResponseHead, Sending,
    Version, parse_response, write_informational, write_response,
};

/// Panics if the codec breaks a rule of this module on `data`.
pub fn check(data: &[u8]) {
    for method in [Method::Get, Method::Head] {
        for upgrade in [None, Some(&b"websocket"[..])] {
            one(data, &RequestContext { method, upgrade });
        }
    }
}

fn one(data: &[u8], asked: &RequestContext<'_>) {
    let limits = HeadLimits::RESPONSE;
    let mut head = ResponseHead::default();
    let verdict = parse_response(data, asked, &limits, &mut head);
    let mut split = ResponseHead::default();
    let first = parse_response(&data[..data.len() / 2], asked, &limits, &mut split);
    let second = if first == Ok(None) { parse_response(data, asked, &limits, &mut split) } else { first };
    assert_eq!(second.is_err(), verdict.is_err(), "the split decides");
    let Ok(Some(taken)) = verdict else { return };
    assert_eq!(second, verdict, "the split decides");

    let mut table = [httparse::EMPTY_HEADER; 256];
    let mut other = httparse::Response::new(&mut table);
    let complete = other.parse(&data[..taken]).expect("httparse takes what we take");
    assert_eq!(complete, httparse::Status::Complete(taken));
    assert_eq!((other.code, other.headers.len()), (Some(head.status), head.fields.len()));

    for version in [Version::Http10, Version::Http11] {
        if head.class == ResponseClass::Informational {
            let mut out = Vec::new();
            let passes = write_informational(&head, data, version, &mut out);
            assert_eq!(passes, version == Version::Http11);
            assert_eq!(passes, !out.is_empty());
        } else {
            relays(data, &head, asked, version);
        }
    }
}

/// Checks the head that the codec writes for a client of this version.
fn relays(data: &[u8], head: &ResponseHead, asked: &RequestContext<'_>, version: Version) {
    let answer =
        Answer { version, method: asked.method, persistence: Persistence::KeepAlive, date: None, extra: &[] };
    let mut out = Vec::new();
    let sending = write_response(head, data, &answer, &mut out);
    let mut table = [httparse::EMPTY_HEADER; 256];
    let mut other = httparse::Response::new(&mut table);
    let complete = other.parse(&out).expect("httparse takes what we write");
    assert_eq!(complete, httparse::Status::Complete(out.len()), "one head and nothing behind it");

    let values = |name: &str| -> Vec<&[u8]> {
        let named = other.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value).collect()
    };
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    assert!(lengths.len() + codings.len() <= 1, "framed twice");
    match (sending, head.framing) {
        (Sending::Nothing, Framing::None) => assert!(codings.is_empty()),
        (Sending::Raw, Framing::Length(length)) => {
            assert_eq!(lengths, [length.to_string().as_bytes()]);
        }
        (Sending::Chunked, Framing::Chunked | Framing::ToEnd) => {
            assert_eq!(version, Version::Http11);
            assert_eq!(codings, [b"chunked"]);
        }
        (Sending::ToEnd, Framing::Chunked | Framing::ToEnd) => {
            assert_eq!(version, Version::Http10);
            assert!(lengths.is_empty() && codings.is_empty());
            assert_eq!(values("connection"), [b"close"]);
        }
        other => panic!("{other:?}"),
    }
    for name in ["keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer"] {
        assert!(values(name).is_empty(), "{name}");
    }
    assert_eq!(values("upgrade").len(), usize::from(head.class == ResponseClass::Switching));

    let mut again = ResponseHead::default();
    let wide = HeadLimits { block_bytes_max: 1 << 20, fields_max: 1000, target_bytes_max: 0 };
    assert_eq!(parse_response(&out, asked, &wide, &mut again), Ok(Some(out.len())));
    assert_eq!(again.status, head.status);
}
