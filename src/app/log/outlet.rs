//! The way of log lines to standard error. The code that logs never waits for it.
//!
//! Standard error may be a pipe whose reader is stuck. A write to it then blocks, and the writer could
//! be a worker or the controller's loop. So one thread writes, and everyone else puts lines into a
//! queue with a bound. When the queue is full, a line is dropped and counted. When lines flow again, the
//! log says how many are missing.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use prometheus::IntCounter;
use tracing_subscriber::fmt::MakeWriter;

use crate::clock;

/// The most lines that wait.
const LINES_MAX: usize = 8192;
/// The most bytes that wait, over all lines.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long the end of the process waits for the lines that are left.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The end of the queue for the code that logs.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    lines: SyncSender<Vec<u8>>,
    /// Bytes in the queue, the line included that is being written.
    waiting: Arc<AtomicUsize>,
    dropped: IntCounter,
}

impl Outlet {
    /// Starts the writing thread. Fails if the system has no room for a thread.
    pub(super) fn start(out: impl Write + Send + 'static, dropped: IntCounter) -> io::Result<Self> {
        let (lines, queue) = sync_channel(LINES_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let thread = Thread { out, waiting: Arc::clone(&waiting), dropped: dropped.clone(), said: 0 };
        std::thread::Builder::new().name("log".into()).spawn(move || thread.run(&queue))?;
        Ok(Self { lines, waiting, dropped })
    }

    /// The counter of lines that were dropped.
    pub(super) fn dropped(&self) -> &IntCounter {
        &self.dropped
    }

    /// Puts a line into the queue, or drops and counts it.
    fn put(&self, line: &[u8]) {
        let before = self.waiting.fetch_add(line.len(), Ordering::Relaxed);
        // A line of any length is taken by an empty queue.
        let room = before == 0 || before.saturating_add(line.len()) <= BYTES_MAX;
        if !room || self.lines.try_send(line.to_vec()).is_err() {
            self.waiting.fetch_sub(line.len(), Ordering::Relaxed);
            self.dropped.inc();
        }
    }

    /// Waits until every line is written, or for [`CLOSE_TIMEOUT`] at most.
    pub(super) fn close(&self) {
        let begun = clock::instant();
        while self.waiting.load(Ordering::Relaxed) > 0
            && clock::instant().duration_since(begun) < CLOSE_TIMEOUT
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// One line on its way to the queue. The layer writes a whole line at once.
#[derive(Debug)]
pub(super) struct Line<'a>(&'a Outlet);

impl Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.put(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Outlet {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self)
    }
}

struct Thread<W> {
    out: W,
    waiting: Arc<AtomicUsize>,
    dropped: IntCounter,
    /// How many dropped lines the log has spoken of.
    said: u64,
}

impl<W: Write> Thread<W> {
    fn run(mut self, queue: &Receiver<Vec<u8>>) {
        while let Ok(line) = queue.recv() {
            let written = self.out.write_all(&line).and_then(|()| self.out.flush());
            let left = self.waiting.fetch_sub(line.len(), Ordering::Relaxed) - line.len();
            if written.is_err() {
                self.dropped.inc();
            } else if left < BYTES_MAX / 2 {
                self.say();
            }
        }
    }

    /// Says how many lines are missing. The sentence takes the way of every other line.
    fn say(&mut self) {
        let dropped = self.dropped.get();
        if dropped > self.said {
            let lines = dropped - self.said;
            self.said = dropped;
            tracing::warn!(lines, "log lines were dropped: standard error did not take them");
        }
    }
}

#[cfg(test)]
mod tests;
