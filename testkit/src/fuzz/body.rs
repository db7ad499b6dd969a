//! A chunked body. Every split of the input gives the same result, and another decoder gives the same
//! payload. The payload is the same again after the codec has written it in chunks and read it back.

use std::num::NonZeroUsize;

use greenlight_core::http1::{
    BodyFault, BodyReader, Framing, HeadLimits, chunk::CHUNK_END, forbidden_in_trailers, write_chunk_header,
    write_last_chunk,
};

/// The payload, and the number of bytes that the body took. `None` if the body is not complete.
type Outcome = Result<Option<(Vec<u8>, usize)>, BodyFault>;

/// Reads a body in pieces of `step` bytes.
fn read(data: &[u8], step: usize) -> (Outcome, BodyReader) {
    let mut reader = BodyReader::new(Framing::Chunked, &HeadLimits::REQUEST);
    let (mut payload, mut at) = (Vec::new(), 0);
    while at < data.len() && !reader.is_done() {
        let input = &data[at..data.len().min(at + step)];
        let piece = match reader.read(input) {
            Ok(piece) => piece,
            Err(fault) => return (Err(fault), reader),
        };
        assert!(piece.consumed > 0, "no progress");
        payload.extend_from_slice(&input[piece.data]);
        at += piece.consumed;
    }
    let complete = reader.is_done().then_some((payload, at));
    (Ok(complete), reader)
}

/// Reads a response's body in pieces of `step` bytes. Returns the payload, the number of bytes that the body
/// took, and how it ended.
fn read_response(data: &[u8], step: usize) -> (Vec<u8>, usize, Result<bool, BodyFault>) {
    let mut reader = BodyReader::of_response(Framing::Chunked, &HeadLimits::RESPONSE);
    let (mut payload, mut at) = (Vec::new(), 0);
    while at < data.len() && !reader.is_done() {
        let input = &data[at..data.len().min(at + step)];
        let piece = match reader.read(input) {
            Ok(piece) => piece,
            // A piece ends before the fault, but the bytes of its line may be in the pieces before it.
            Err(fault) => return (payload, 0, Err(fault)),
        };
        assert!(piece.consumed > 0, "no progress");
        payload.extend_from_slice(&input[piece.data]);
        at += piece.consumed;
    }
    (payload, at, Ok(reader.is_done()))
}

/// Checks the reader of responses: the payload before a fault does not depend on the split, and what a
/// request's reader takes is read alike.
fn check_response(data: &[u8], request: &Outcome) {
    let whole = read_response(data, data.len().max(1));
    for step in [1, 2, 3, 7] {
        assert_eq!(read_response(data, step), whole, "the split decides");
    }
    if let Ok(Some((payload, taken))) = request {
        assert_eq!((&whole.0, whole.1, whole.2), (payload, *taken, Ok(true)), "two readings");
    }
    if let (_, taken, Ok(true)) = &whole {
        assert_eq!(
            reference(&data[..*taken]).as_ref(),
            Some(&whole.0),
            "another decoder reads something else"
        );
    }
}

/// Panics if the codec breaks a rule of this module on `data`.
pub fn check(data: &[u8]) {
    let (whole, reader) = read(data, data.len().max(1));
    for step in [1, 2, 3, 7] {
        let (split, _) = read(data, step);
        assert_eq!(split, whole, "the split decides");
    }
    check_response(data, &whole);
    let Ok(Some((payload, taken))) = whole else { return };
    assert_eq!(reference(&data[..taken]).as_ref(), Some(&payload), "another decoder reads something else");
    if let Some(trailers) = reader.trailers() {
        for (name, value) in trailers.iter() {
            assert!(!forbidden_in_trailers(name));
            assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
    }

    let mut out = Vec::new();
    for part in payload.chunks(5) {
        let size = NonZeroUsize::new(part.len()).expect("chunks are not empty");
        write_chunk_header(size, &mut out);
        out.extend_from_slice(part);
        out.extend_from_slice(CHUNK_END);
    }
    write_last_chunk(reader.trailers(), &mut out);
    let (again, second) = read(&out, out.len());
    assert_eq!(again, Ok(Some((payload, out.len()))));
    assert_eq!(second.trailers(), reader.trailers());
}

/// Decodes a body with the chunk sizes of `httparse`, which is less strict than the codec and so accepts
/// every body that the codec accepts.
fn reference(mut data: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(data) else {
            return None;
        };
        data = &data[line..];
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        payload.extend_from_slice(data.get(..size)?);
        data = data.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut table = [httparse::EMPTY_HEADER; 128];
    match httparse::parse_headers(data, &mut table) {
        Ok(httparse::Status::Complete((used, _))) if used == data.len() => Some(payload),
        _ => None,
    }
}
