//! A chunked body: every split gives the same, another decoder gives the same, and what we chunk
//! again is read to the same.

use std::num::NonZeroUsize;

use greenlight_core::http1::{
    BodyFault, BodyReader, Framing, HeadLimits, chunk::CHUNK_END, forbidden_in_trailers, write_chunk_header,
    write_last_chunk,
};

/// The payload, and how many bytes the body took; none while it is not complete.
type Outcome = Result<Option<(Vec<u8>, usize)>, BodyFault>;

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

pub fn check(data: &[u8]) {
    let (whole, reader) = read(data, data.len().max(1));
    for step in [1, 2, 3, 7] {
        let (split, _) = read(data, step);
        assert_eq!(split, whole, "the split decides");
    }
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

/// Decodes with httparse's chunk sizes; milder than ours, so it takes all that we take.
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
