//! A front door with room for one request in flight and one that waits, and the first of them taken.

use std::sync::mpsc::{Receiver, SyncSender};

use crate::client::{Client, PATIENCE};
use crate::front::{Front, Setup};
use crate::origin::Origin;

pub const GET: &str = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

/// Room for one request in flight and for one that waits, longer than any test.
pub fn limit(setup: &mut Setup) {
    let settings = setup.settings();
    settings.requests_max = 1;
    settings.queue_max = 1;
    settings.queue_timeout = PATIENCE * 6;
}

#[derive(Debug)]
pub struct Queue {
    pub front: Front,
    pub origin: Origin,
    busy: Client,
    go: SyncSender<()>,
    arrivals: Receiver<()>,
}

impl Queue {
    pub fn open() -> Self {
        let (origin, arrivals, go) = Origin::held();
        let mut setup = Setup::new(&[origin.address], &[]);
        limit(&mut setup);
        let front = setup.start();
        let mut busy = front.client();
        busy.send(GET);
        arrivals.recv_timeout(PATIENCE).unwrap();
        Self { front, origin, busy, go, arrivals }
    }

    /// Returns once the worker has looked at what was sent before: it answers others behind it.
    pub fn settle(&self) {
        let mut other = self.front.client();
        for _ in 0..2 {
            assert_eq!(other.get("nobody.test", "/").status, 404);
        }
    }

    /// Whether somebody waits.
    pub fn is_full(&self) -> bool {
        self.settle();
        self.try_wait().is_none()
    }

    /// A client that waits, or none if there is no room.
    fn try_wait(&self) -> Option<Client> {
        let mut client = self.front.client();
        client.send(GET);
        self.settle();
        if client.has_answer() {
            assert_eq!(client.response().status, 503);
            return None;
        }
        Some(client)
    }

    /// Whoever waited has left: another can wait in the same place, is served next, and is the second that the origin
    /// sees.
    pub fn serves_the_next(mut self) {
        let begun = greenlight::clock::instant();
        let mut next = loop {
            if let Some(client) = self.try_wait() {
                break client;
            }
            assert!(begun.elapsed() < PATIENCE, "its place was never given up");
        };
        self.release();
        self.arrivals.recv_timeout(PATIENCE).unwrap();
        self.go.send(()).unwrap();
        assert_eq!(next.response().text(), "held");
        assert_eq!(self.origin.heads().len(), 2, "the one that left never got to the origin");
    }

    /// Lets the one in flight end: the one that waits is next.
    pub fn release(&mut self) {
        self.go.send(()).unwrap();
        assert_eq!(self.busy.response().text(), "held");
    }

    /// The next one at the origin is answered.
    pub fn answer(&self) {
        self.arrivals.recv_timeout(PATIENCE).unwrap();
        self.go.send(()).unwrap();
    }
}
