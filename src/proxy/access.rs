//! The access log: JSON lines, off by default, never in a worker's way.
//!
//! A worker gathers lines in a buffer of its own and hands whole buffers to one writing thread
//! over a bounded channel. When the disk can't keep up the channel is full: the buffer is dropped
//! and its lines are counted.

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use prometheus::IntCounter;
use serde::Serialize;

use crate::config::Access;

/// A buffer of this many bytes is handed over at once, a smaller one at the next tick.
const BATCH_BYTES: usize = 32 * 1024;
/// Buffers waiting for the disk, over all workers.
const BATCHES_MAX: usize = 64;

/// One line.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    pub time: &'a str,
    pub client: IpAddr,
    pub method: &'a str,
    pub host: &'a str,
    /// Without the query: it may hold what no log should.
    pub path: &'a str,
    /// `null` when no answer was sent.
    pub status: Option<u16>,
    /// Of the response, as sent to the client, heads included.
    pub bytes: u64,
    pub duration_ms: f64,
    pub service: Option<&'a str>,
    pub color: Option<&'a str>,
    pub endpoint: Option<SocketAddr>,
    pub attempts: u8,
    /// Why it did not end well, if it did not.
    pub cause: Option<&'a str>,
    pub request_id: &'a str,
}

#[derive(Debug)]
struct Batch {
    text: Vec<u8>,
    lines: u64,
}

/// The writing thread and the way to it.
#[derive(Debug)]
pub struct AccessLog {
    sender: SyncSender<Batch>,
    thread: JoinHandle<()>,
}

impl AccessLog {
    /// Opens the log (a file is appended to) and starts its thread; `None` if it is off.
    pub fn open(access: &Access, dropped: &IntCounter) -> io::Result<Option<Self>> {
        let out: Box<dyn Write + Send> = match access {
            Access::Off => return Ok(None),
            Access::Stdout => Box::new(io::stdout()),
            Access::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        };
        let (sender, receiver) = sync_channel(BATCHES_MAX);
        let dropped = dropped.clone();
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write(out, &receiver, &dropped))?;
        Ok(Some(Self { sender, thread }))
    }

    /// A worker's end.
    pub fn sink(&self, dropped: &IntCounter) -> AccessSink {
        AccessSink {
            sender: self.sender.clone(),
            dropped: dropped.clone(),
            text: RefCell::new(Vec::new()),
            lines: Cell::new(0),
        }
    }

    /// Waits until all that was handed over is written. The sinks must be gone.
    pub fn close(self) {
        drop(self.sender);
        // It does not panic; if it did, there is nothing left to write anyway.
        let _ = self.thread.join();
    }
}

fn write(mut out: Box<dyn Write + Send>, batches: &Receiver<Batch>, dropped: &IntCounter) {
    while let Ok(batch) = batches.recv() {
        if out.write_all(&batch.text).and_then(|()| out.flush()).is_err() {
            dropped.inc_by(batch.lines);
        }
    }
}

/// Where a worker's lines go.
#[derive(Debug)]
pub struct AccessSink {
    sender: SyncSender<Batch>,
    dropped: IntCounter,
    text: RefCell<Vec<u8>>,
    lines: Cell<u64>,
}

impl AccessSink {
    /// Adds a line.
    pub fn add(&self, entry: &Entry<'_>) {
        let mut text = self.text.borrow_mut();
        let before = text.len();
        if serde_json::to_writer(&mut *text, entry).is_err() {
            text.truncate(before);
            self.dropped.inc();
            return;
        }
        text.push(b'\n');
        self.lines.set(self.lines.get() + 1);
        if text.len() >= BATCH_BYTES {
            drop(text);
            self.flush();
        }
    }

    /// Hands over what was gathered, or drops it and counts.
    pub fn flush(&self) {
        let text = self.text.take();
        if text.is_empty() {
            return;
        }
        let lines = self.lines.take();
        if self.sender.try_send(Batch { text, lines }).is_err() {
            self.dropped.inc_by(lines);
        }
    }
}
