//! Reads a log in blocks. One thread reads and parses, and another thread judges.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use flate2::read::MultiGzDecoder;
use memchr::{memchr_iter, memrchr};

use crate::cli::fault::Fault;
use crate::cli::replay::{Findings, Format, Line, Parsed, Replay, ServiceFilter, Settings};

const BLOCK_BYTES: usize = 1 << 20;
/// The longest line in bytes. A longer line does not belong to an access log.
const LINE_BYTES_MAX: usize = 256 * 1024;
const BATCH_LINES: usize = 2048;
/// The number of batches that may wait between the threads.
const BATCHES: usize = 4;
/// The number of lines in no known format after which the reader gives up.
const STRANGE_MAX: u64 = 1000;
/// The largest share of lines out of order. They are left out, and more of them would change the result.
const DISORDER_MAX: f64 = 0.01;
/// How many bytes of an unreadable line a fault shows.
const SHOWN_BYTES: usize = 160;

/// The results of a whole log.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) format: Format,
    pub(super) found: Findings,
    pub(super) lines: Lines,
}

/// Counts of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) read: u64,
    /// Requests that are no evidence: the client went away, or the request never got to the service.
    pub(super) not_counted: u64,
    pub(super) other_service: u64,
    pub(super) unreadable: u64,
    /// The number and the beginning of the first unreadable line.
    pub(super) first_unreadable: Option<(u64, String)>,
}

/// Reads a log to its end. `-` is the standard input.
///
/// Fails if the log can't be read, if no line is in a known format, or if it holds several services and
/// none was chosen.
pub(super) fn read(path: &Path, settings: Settings, service: Option<String>) -> Result<Read, Fault> {
    let from: Box<dyn io::Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|why| Fault::Usage(format!("--replay {}: {why}", path.display())))?)
    };
    let from = plain(from, path)?;
    let (batches, judged) = sync_channel::<Vec<Line>>(BATCHES);
    std::thread::scope(|scope| {
        let judging = scope.spawn(move || {
            let mut replay = Replay::new(settings);
            while let Ok(batch) = judged.recv() {
                for line in &batch {
                    replay.add(line);
                }
            }
            replay.end()
        });
        let mut reader = Reader::new(batches, ServiceFilter::new(service));
        let read = blocks(from, path, &mut reader);
        let Reader { format, lines, batches, .. } = reader;
        // The judging thread ends when no more batches can come.
        drop(batches);
        let found = judging.join().map_err(|_| Fault::Internal("the judging thread has failed".into()))?;
        read?;
        let format = format.ok_or_else(|| unknown(path, &lines))?;
        if found.disorder() > DISORDER_MAX {
            return Err(disordered(path, &found));
        }
        Ok(Read { format, found, lines })
    })
}

/// The text of a log that may be compressed. The first bytes say so, whatever the name is.
fn plain(from: Box<dyn io::Read>, path: &Path) -> Result<Box<dyn io::Read>, Fault> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    /// The first bytes of other compressed files, and the program that unpacks them.
    const OTHERS: [(&[u8], &str); 3] =
        [(&[0x28, 0xb5, 0x2f, 0xfd], "zstdcat"), (b"\xfd7zXZ", "xzcat"), (b"BZh", "bzcat")];
    let mut head = Vec::new();
    let mut from = from;
    let fault = |why: io::Error| Fault::Usage(format!("--replay {}: {why}", path.display()));
    from.by_ref().take(5).read_to_end(&mut head).map_err(fault)?;
    if let Some((_, program)) = OTHERS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(Fault::Usage(format!(
            "{}: it is compressed, and of compressed logs only gzip is read; unpack it: {program} LOG | greenlight analyze --replay -",
            super::shown(path)
        )));
    }
    let is_gzip = head.starts_with(GZIP);
    let whole = io::Cursor::new(head).chain(from);
    // `cat a.gz b.gz` is one file of two members.
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// Gives whole lines to `reader`. The bytes after the last line break wait for the next block.
fn blocks(mut from: impl io::Read, path: &Path, reader: &mut Reader) -> Result<(), Fault> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut held = 0;
    loop {
        let got = match from.read(&mut block[held..]) {
            Ok(got) => got,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(Fault::Usage(format!("--replay {}: {why}", path.display()))),
        };
        if got == 0 {
            reader.lines_of(&block[..held])?;
            return reader.hand_over();
        }
        let end = held + got;
        match memrchr(b'\n', &block[..end]) {
            Some(last) => {
                reader.lines_of(&block[..last])?;
                block.copy_within(last + 1..end, 0);
                held = end - last - 1;
            }
            None => held = end,
        }
        if held == block.len() || (held > LINE_BYTES_MAX && held > block.len() / 2) {
            // This is too long for a line. The bytes so far count as one unreadable line.
            reader.lines_of(&block[..held])?;
            held = 0;
        }
        if reader.is_hopeless() {
            return Err(unknown(path, &reader.lines));
        }
    }
}

struct Reader {
    format: Option<Format>,
    filter: ServiceFilter,
    lines: Lines,
    batch: Vec<Line>,
    batches: SyncSender<Vec<Line>>,
}

impl Reader {
    fn new(batches: SyncSender<Vec<Line>>, filter: ServiceFilter) -> Self {
        let batch = Vec::with_capacity(BATCH_LINES);
        Self { format: None, filter, lines: Lines::default(), batch, batches }
    }

    fn lines_of(&mut self, text: &[u8]) -> Result<(), Fault> {
        let mut from = 0;
        for end in memchr_iter(b'\n', text) {
            self.line(&text[from..end])?;
            from = end + 1;
        }
        self.line(&text[from..])
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.is_empty() || line == b"\r" {
            return Ok(());
        }
        self.lines.read += 1;
        self.format = self.format.or_else(|| Format::of(line));
        let parsed = self.format.and_then(|format| format.parse(line, &mut self.filter));
        match parsed {
            Some(Parsed::Counted(line)) => {
                self.batch.push(line);
                if self.batch.len() == BATCH_LINES {
                    return self.hand_over();
                }
            }
            Some(Parsed::NotCounted) => self.lines.not_counted += 1,
            Some(Parsed::OtherService) => self.lines.other_service += 1,
            Some(Parsed::Ambiguous(other)) => {
                let first = self.filter.seen().unwrap_or_default();
                return Err(Fault::Usage(format!(
                    "the log is of several services (\"{first}\", \"{other}\"): choose one with --service"
                )));
            }
            None => {
                self.lines.unreadable += 1;
                let number = self.lines.read;
                self.lines.first_unreadable.get_or_insert_with(|| (number, beginning(line)));
            }
        }
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), Fault> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_LINES));
        self.batches.send(batch).map_err(|_| Fault::Internal("the judging thread has ended".into()))
    }

    fn is_hopeless(&self) -> bool {
        self.format.is_none() && self.lines.read >= STRANGE_MAX
    }
}

fn beginning(line: &[u8]) -> String {
    let cut = &line[..line.len().min(SHOWN_BYTES)];
    let mut text = String::from_utf8_lossy(cut).trim_end().to_owned();
    if cut.len() < line.len() {
        text.push_str("...");
    }
    text
}

fn unknown(path: &Path, lines: &Lines) -> Fault {
    let path = super::shown(path);
    match &lines.first_unreadable {
        Some((number, text)) => Fault::Usage(format!(
            "{path}: no line is of a format that is known (greenlight, HAProxy's HTTP log, combined, the JSON of Caddy, Traefik, Envoy or nginx); line {number} is: {text}"
        )),
        None => Fault::Usage(format!("{path}: it has no lines")),
    }
}

fn disordered(path: &Path, found: &Findings) -> Fault {
    let Findings { late, far, requests, .. } = found;
    Fault::Usage(format!(
        "{}: {:.1} % of the lines are out of order ({late} come over a minute late, and {far} are over a month away, of {}): sort the log by time, oldest first",
        super::shown(path),
        found.disorder() * 100.0,
        requests + late + far
    ))
}
