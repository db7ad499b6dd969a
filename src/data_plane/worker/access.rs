//! The access log: JSON lines. It is off by default, and a worker never waits for it.
//!
//! A worker gathers lines in a buffer of its own. It hands whole buffers to one writing thread over a
//! bounded channel. If the disk can't keep up, the channel is full. The worker then drops the buffer
//! and counts its lines.

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

/// A worker hands over a buffer of this many bytes at once, and a smaller one at the next tick.
const BATCH_BYTES: usize = 32 * 1024;
/// How long the writing thread has, at the end of the process, for the lines that are left.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The most buffers that wait for the disk, over all workers.
const BATCHES_MAX: usize = 64;

/// One line of the access log.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    pub time: &'a str,
    pub client: IpAddr,
    pub method: &'a str,
    pub host: &'a str,
    /// The path without its query, since a query may hold secrets that belong in no log.
    pub path: &'a str,
    /// `null` if the client was sent no answer.
    pub status: Option<u16>,
    /// Bytes of the response as sent to the client, heads included.
    pub bytes: u64,
    /// From the time at which the head had been read, in milliseconds.
    pub duration_ms: f64,
    pub service: Option<&'a str>,
    pub color: Option<&'a str>,
    pub endpoint: Option<SocketAddr>,
    /// The number of attempts at origins.
    pub attempts: u8,
    /// Why the request did not end well; `null` if it did.
    pub cause: Option<&'a str>,
    pub request_id: &'a str,
}

enum Job {
    Batch {
        text: Vec<u8>,
        lines: u64,
    },
    /// The thread writes to this target from now on. `None` turns the log off.
    Target(Option<Box<dyn Write + Send>>),
}

/// The writing thread, and the switch that reaches it.
#[derive(Debug)]
pub(crate) struct AccessLog {
    switch: AccessSwitch,
    thread: JoinHandle<()>,
}

/// Turns the access log on and off, or moves it, while the workers run.
#[derive(Clone, Debug)]
pub struct AccessSwitch {
    sender: SyncSender<Job>,
    /// Only the control plane writes it.
    on: Arc<AtomicBool>,
}

impl AccessSwitch {
    /// Opens the target anew, even if it is the one in use. A log file is rotated in this way.
    ///
    /// # Errors
    /// The target can't be opened, or the channel to the writing thread is full. Then nothing changes.
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

    /// One worker's part of the log.
    pub(crate) fn sink(&self, dropped: &IntCounter) -> AccessSink {
        AccessSink {
            switch: self.switch(),
            dropped: dropped.clone(),
            text: RefCell::new(Vec::new()),
            lines: Cell::new(0),
        }
    }

    /// Waits until the writing thread has written every buffer, but no longer than [`CLOSE_TIMEOUT`].
    /// Otherwise a pipe without a reader would keep the process alive. Sinks and switches must be
    /// dropped before. Blocks the calling thread.
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
    let mut said = dropped.get();
    while let Ok(job) = jobs.recv() {
        match (job, &mut out) {
            (Job::Target(target), out) => *out = target,
            (Job::Batch { text, lines }, Some(out)) => {
                if out.write_all(&text).and_then(|()| out.flush()).is_err() {
                    dropped.inc_by(lines);
                } else if dropped.get() > said {
                    // It flows again.
                    let lines = dropped.get() - said;
                    said += lines;
                    tracing::warn!(
                        lines,
                        "lines of the access log were dropped: its target did not take them"
                    );
                }
            }
            // The log was turned off after the worker had made the lines.
            (Job::Batch { lines, .. }, None) => dropped.inc_by(lines),
        }
    }
}

/// One worker's part of the log: it gathers lines and hands them to the writing thread.
#[derive(Debug)]
pub(crate) struct AccessSink {
    switch: AccessSwitch,
    dropped: IntCounter,
    text: RefCell<Vec<u8>>,
    lines: Cell<u64>,
}

impl AccessSink {
    /// Whether the log is on.
    pub(crate) fn is_on(&self) -> bool {
        self.switch.on.load(Ordering::Relaxed)
    }

    /// Adds a line. Counts it as dropped if it can't be written as JSON.
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

    /// Hands the gathered lines to the writing thread. If the channel is full, drops and counts them.
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
