#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::sync::mpsc;

use super::*;

/// A writer that stands still until it is released.
struct Stuck {
    gate: mpsc::Receiver<()>,
    open: bool,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Write for Stuck {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if !self.open {
            self.gate.recv().unwrap();
            self.open = true;
        }
        self.text.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stuck_reader_of_the_log_stops_no_thread_that_logs() {
    let (release, gate) = mpsc::channel();
    let text = Arc::new(Mutex::new(Vec::new()));
    let stuck = Stuck { gate, open: false, text: Arc::clone(&text) };
    let dropped = IntCounter::new("dropped", "dropped").unwrap();
    let outlet = Outlet::start(stuck, dropped.clone()).unwrap();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(outlet.clone()).finish();
    let lines = 3 * LINES_MAX;
    tracing::subscriber::with_default(subscriber, || {
        for number in 0..lines {
            tracing::info!(number, "a line");
        }
    });
    let lost = dropped.get();
    assert!(lost > 0, "the queue has a bound");
    release.send(()).unwrap();
    while outlet.waiting.load(Ordering::Relaxed) > 0 {
        std::thread::yield_now();
    }
    let written = text.lock().unwrap().split(|byte| *byte == b'\n').count() - 1;
    assert_eq!(u64::try_from(written).unwrap() + lost, u64::try_from(lines).unwrap());
}

#[test]
fn few_long_lines_are_bounded_too() {
    let (_release, gate) = mpsc::channel();
    let stuck = Stuck { gate, open: false, text: Arc::default() };
    let dropped = IntCounter::new("dropped", "dropped").unwrap();
    let outlet = Outlet::start(stuck, dropped.clone()).unwrap();
    let line = vec![b'x'; BYTES_MAX / 4];
    for _ in 0..8 {
        outlet.put(&line);
    }
    assert_eq!(dropped.get(), 4);
    assert_eq!(outlet.waiting.load(Ordering::Relaxed), BYTES_MAX);
}
