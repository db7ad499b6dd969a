//! The schedule as a table of times in milliseconds.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::control_plane::probe::schedule::Schedule;

/// A schedule with an interval of 1 s and a fall of 3, with times in milliseconds.
struct Reports {
    zero: Instant,
    schedule: Schedule,
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

impl Reports {
    fn new() -> Self {
        let zero = Instant::from_std(clock::instant());
        Self { zero, schedule: Schedule::new(zero) }
    }

    fn ended(&mut self, started: u64, now: u64, refused: bool) -> u64 {
        let (started, now) = (self.zero + ms(started), self.zero + ms(now));
        self.schedule.ended(started, refused, ms(1000), 3, now);
        self.due()
    }

    fn suspect(&mut self, now: u64) -> u64 {
        self.schedule.suspect(3, self.zero + ms(now));
        self.due()
    }

    fn due(&self) -> u64 {
        u64::try_from(self.schedule.due().duration_since(self.zero).as_millis()).unwrap()
    }
}

#[test]
fn the_next_probe_is_an_interval_after_the_last_start_and_never_before_its_end() {
    let mut told = Reports::new();
    assert_eq!(told.due(), 0);
    assert_eq!(told.ended(0, 5, false), 1000);
    assert_eq!(told.ended(1000, 3000, false), 3000, "it hung for twice the interval");
    assert_eq!(told.ended(3000, 3001, false), 4000);
}

#[test]
fn a_refused_probe_begins_a_burst_of_fall_probes_200_ms_apart() {
    let mut told = Reports::new();
    told.ended(0, 1, false);
    assert_eq!(told.ended(1000, 1001, true), 1200);
    assert_eq!(told.ended(1200, 1201, true), 1400);
    assert_eq!(told.ended(1400, 1401, true), 2400, "three refusals: back on schedule");
    assert_eq!(told.ended(2400, 2401, true), 3400, "what stays down is not hurried");
    assert_eq!(told.ended(3400, 3401, false), 4400);
    assert_eq!(told.ended(4400, 4401, true), 4600, "down again is news again");
}

#[test]
fn anything_else_than_a_refusal_ends_a_burst() {
    let mut told = Reports::new();
    assert_eq!(told.ended(0, 1, true), 200);
    assert_eq!(told.ended(200, 201, false), 1200);
}

#[test]
fn a_suspect_is_probed_at_once_but_no_closer_than_200_ms() {
    let mut told = Reports::new();
    told.ended(0, 1, false);
    assert_eq!(told.suspect(500), 500);
    assert_eq!(told.suspect(500), 500, "said again");
    assert_eq!(told.ended(500, 501, false), 1500, "it answered: nothing was wrong");
    assert_eq!(told.suspect(510), 700);
    assert_eq!(told.ended(700, 701, true), 900);
    assert_eq!(told.suspect(750), 900, "one burst is enough");
    assert_eq!(told.ended(900, 901, true), 1100);
    assert_eq!(told.ended(1100, 1101, true), 2100);
    assert_eq!(told.suspect(1150), 1300, "traffic still wants it: a new burst");
}

#[test]
fn a_suspect_is_never_probed_later_for_it() {
    let mut told = Reports::new();
    told.ended(0, 1, false);
    assert_eq!(told.suspect(950), 950);
    let mut told = Reports::new();
    told.ended(0, 990, false);
    assert_eq!(told.suspect(995), 995);
}

#[test]
fn a_new_owner_is_probed_for_at_once_and_a_new_interval_counts_from_the_last_start() {
    let mut told = Reports::new();
    told.ended(0, 1, true);
    told.schedule.prompt(told.zero + ms(20));
    assert_eq!(told.due(), 20);
    assert_eq!(told.ended(20, 21, false), 1020);
    told.schedule.repace(ms(300), told.zero + ms(100));
    assert_eq!(told.due(), 320);
    told.schedule.repace(ms(50), told.zero + ms(100));
    assert_eq!(told.due(), 100);
}
