//! An origin that reads requests strictly and keeps what it saw.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use greenlight_testkit::origin::{Link, Origin};

/// A whole request as the origin saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub head: String,
    /// Without its framing.
    pub body: Vec<u8>,
    /// What came behind the last chunk, as lines.
    pub trailers: String,
}

/// What all connections saw.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    /// What can't be read, in the words of the one who tried.
    broken: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Recorder {
    pub address: SocketAddr,
    origin: Origin,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    pub(super) fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let record = Arc::clone(&seen);
        let origin = Origin::start(move |link| {
            while let Some(head) = link.head() {
                match body(link, &head) {
                    Ok(Some((body, trailers))) => {
                        record.lock().unwrap().requests.push(Request { head, body, trailers });
                    }
                    // Aborted by the front door.
                    Ok(None) => return,
                    Err(why) => return record.lock().unwrap().broken.push(format!("{why} in {head}")),
                }
                link.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        Self { address: origin.address, origin, seen }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    pub(super) fn broken(&self) -> Vec<String> {
        self.seen.lock().unwrap().broken.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.origin.connections()
    }
}

/// A body and its trailers.
type Body = (Vec<u8>, String);

/// The body by its framing, strictly; `Ok(None)` if the connection ends inside it.
fn body(link: &mut Link, head: &str) -> Result<Option<Body>, String> {
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length: "));
    if !head.contains("\r\nTransfer-Encoding: chunked\r\n") {
        let length = length.map_or(Ok(0), str::parse).map_err(|why| format!("{why}: {length:?}"))?;
        return Ok(link.take(length).map(|body| (body, String::new())));
    }
    if length.is_some() {
        return Err("two framings".to_owned());
    }
    let mut body = Vec::new();
    loop {
        let Some(line) = link.take_until(b"\r\n") else { return Ok(None) };
        let line = String::from_utf8_lossy(&line);
        // A bare size: extensions are dropped.
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(|why| format!("{why}: {line:?}"))?;
        if size == 0 {
            return Ok(trailers(link).map(|trailers| (body, trailers)));
        }
        let Some(data) = link.take(size + 2) else { return Ok(None) };
        if !data.ends_with(b"\r\n") {
            return Err(format!("no end behind {size} bytes"));
        }
        body.extend_from_slice(&data[..size]);
    }
}

/// The lines behind the last chunk, without the empty one.
fn trailers(link: &mut Link) -> Option<String> {
    let mut lines = String::new();
    loop {
        let line = link.take_until(b"\r\n")?;
        if line == b"\r\n" {
            return Some(lines);
        }
        lines.push_str(&String::from_utf8_lossy(&line));
    }
}
