//! Damages a seed the way a smuggler or a broken client would.

/// What means something to a parser, and what is close to it.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xff",
    b"_",
    b"-",
    b"+",
    b"0",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"Host: app.test\r\n",
    b"Connection: close\r\n",
    b"Connection: content-length\r\n",
    b"Connection: keep-alive\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"Expect: 100-continue\r\n",
    b"Trailer: Content-Length\r\n",
    b"GET /inner HTTP/1.1\r\nHost: app.test\r\n\r\n",
    b"TE: trailers\r\n",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"chunked",
];

/// A seed with one to four changes.
pub(super) fn mutate(seeds: &[Vec<u8>], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut raw = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..random.usize(1..=4) {
        // The method is left alone most of the time: a strange one ends the other parsers' interest.
        let from = if random.u8(..8) == 0 { 0 } else { raw.len().min(5) };
        let at = random.usize(from..=raw.len());
        let end = (at + random.usize(1..=8)).min(raw.len());
        match random.u8(..9) {
            0 => insert(&mut raw, at, PIECES[random.usize(..PIECES.len())]),
            1 => insert_line(&mut raw, at, PIECES[random.usize(..PIECES.len())]),
            2 => drop(raw.drain(at..end)),
            3 if at < raw.len() => raw[at] = random.u8(..),
            4 if at < raw.len() => raw[at] ^= 0x20,
            5 => {
                let piece = raw[at..end].to_vec();
                insert(&mut raw, at, &piece);
            }
            6 => double_line(&mut raw, at),
            7 => {
                let other = &seeds[random.usize(..seeds.len())];
                raw.truncate(at);
                raw.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
            _ => {
                let other = &seeds[random.usize(..seeds.len())];
                raw.extend_from_slice(other);
            }
        }
    }
    raw.truncate(16 * 1024);
    raw
}

fn insert(raw: &mut Vec<u8>, at: usize, piece: &[u8]) {
    raw.splice(at..at, piece.iter().copied());
}

/// Where the line that holds this place begins.
fn line_begin(raw: &[u8], at: usize) -> usize {
    raw[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1)
}

fn insert_line(raw: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let begin = line_begin(raw, at);
    insert(raw, begin, piece);
}

fn double_line(raw: &mut Vec<u8>, at: usize) {
    let begin = line_begin(raw, at);
    let end =
        raw[begin..].iter().position(|byte| *byte == b'\n').map_or(raw.len(), |length| begin + length + 1);
    let line = raw[begin..end].to_vec();
    insert(raw, begin, &line);
}
