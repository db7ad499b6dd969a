//! The access log: JSON lines, off by default, never in a worker's way.
//!
//! A worker gathers lines in a buffer of its own and hands whole buffers to one writing thread
//! over a bounded channel. When the disk can't keep up the channel is full: the buffer is dropped
//! and its lines are counted.

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use prometheus::IntCounter;
use serde::Serialize;

use crate::clock;
use crate::config::Access;

/// A buffer of this many bytes is handed over at once, a smaller one at the next tick.
const BATCH_BYTES: usize = 32 * 1024;
/// How long the last lines may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Buffers waiting for the disk, over all workers.
const BATCHES_MAX: usize = 64;

/// One line.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
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

enum Job {
    Batch {
        text: Vec<u8>,
        lines: u64,
    },
    /// From now on write here.
    Target(Option<Box<dyn Write + Send>>),
}

/// The writing thread and the way to it.
#[derive(Debug)]
pub(crate) struct AccessLog {
    switch: AccessSwitch,
    thread: JoinHandle<()>,
}

/// Turns the log on and off and moves it, while workers run.
#[derive(Clone, Debug)]
pub struct AccessSwitch {
    sender: SyncSender<Job>,
    /// Written by the control plane alone.
    on: Arc<AtomicBool>,
}

impl AccessSwitch {
    /// Opens the target anew, also the one that is in force: that is how a log file is rotated.
    /// If it can't be opened, or the writing thread is far behind, nothing changes.
    pub fn set(&self, access: &Access) -> io::Result<()> {
        let out = open(access)?;
        let on = out.is_some();
        self.sender.try_send(Job::Target(out)).map_err(|_| io::Error::other("what it writes to is stuck"))?;
        self.on.store(on, Ordering::Relaxed);
        Ok(())
    }
}

fn open(access: &Access) -> io::Result<Option<Box<dyn Write + Send>>> {
    Ok(match access {
        Access::Off => None,
        Access::Stdout => Some(Box::new(io::stdout())),
        Access::File(path) => Some(Box::new(OpenOptions::new().create(true).append(true).open(path)?)),
    })
}

impl AccessLog {
    /// Opens the log (a file is appended to) and starts its thread.
    pub(crate) fn open(access: &Access, dropped: &IntCounter) -> io::Result<Self> {
        let out = open(access)?;
        let on = Arc::new(AtomicBool::new(out.is_some()));
        let (sender, receiver) = sync_channel(BATCHES_MAX);
        let dropped = dropped.clone();
        let thread = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write(out, &receiver, &dropped))?;
        Ok(Self { switch: AccessSwitch { sender, on }, thread })
    }

    pub(crate) fn switch(&self) -> AccessSwitch {
        self.switch.clone()
    }

    /// A worker's end.
    pub(crate) fn sink(&self, dropped: &IntCounter) -> AccessSink {
        AccessSink {
            switch: self.switch(),
            dropped: dropped.clone(),
            text: RefCell::new(Vec::new()),
            lines: Cell::new(0),
        }
    }

    /// Waits until all that was handed over is written, or for [`CLOSE_TIMEOUT`]: a pipe that nobody
    /// reads must not keep the process. Sinks and switches must be gone. Blocks.
    pub(crate) fn close(self) {
        drop(self.switch);
        let begun = clock::instant();
        while !self.thread.is_finished() {
            if clock::instant().duration_since(begun) > CLOSE_TIMEOUT {
                tracing::error!("the access log could not be written to its end");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn write(mut out: Option<Box<dyn Write + Send>>, jobs: &Receiver<Job>, dropped: &IntCounter) {
    while let Ok(job) = jobs.recv() {
        match (job, &mut out) {
            (Job::Target(target), out) => *out = target,
            (Job::Batch { text, lines }, Some(out)) => {
                if out.write_all(&text).and_then(|()| out.flush()).is_err() {
                    dropped.inc_by(lines);
                }
            }
            // Turned off after the line was made.
            (Job::Batch { lines, .. }, None) => dropped.inc_by(lines),
        }
    }
}

/// Where a worker's lines go.
#[derive(Debug)]
pub(crate) struct AccessSink {
    switch: AccessSwitch,
    dropped: IntCounter,
    text: RefCell<Vec<u8>>,
    lines: Cell<u64>,
}

impl AccessSink {
    /// Whether lines are wanted.
    pub(crate) fn is_on(&self) -> bool {
        self.switch.on.load(Ordering::Relaxed)
    }

    /// Adds a line.
    pub(crate) fn add(&self, entry: &Entry<'_>) {
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
    pub(crate) fn flush(&self) {
        let text = self.text.take();
        if text.is_empty() {
            return;
        }
        let lines = self.lines.take();
        if self.switch.sender.try_send(Job::Batch { text, lines }).is_err() {
            self.dropped.inc_by(lines);
        }
    }
}
