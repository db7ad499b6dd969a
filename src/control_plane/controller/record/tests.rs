#![allow(clippy::unwrap_used)]
use std::time::{Duration, SystemTime};

use super::*;
use crate::model::{Color, ServiceName};
use crate::release::{Pin, Policy};

#[test]
fn a_pin_ends_at_the_moment_that_a_person_gave() {
    let mut state = State::new(ServiceName::from("backend"), Color::Blue, Policy::default());
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    assert_eq!(pin_end(&state, Tick(0), wall), None);
    state.pin = Some(Pin { reason: None, until: Some(Tick(45_000)) });
    let ends = pin_end(&state, Tick(5_000), wall);
    assert_eq!(ends, Some(1_000_040_000));
    // The record was written when 40 s were left, and is read 13 s later.
    let left = |read: Duration, ends: Option<i64>| {
        let mut saved = state.to_saved(Tick(5_000));
        set_pin_end(&mut saved, ends, wall + read);
        saved.pin.unwrap().until
    };
    assert_eq!(left(Duration::from_secs(13), ends), Some(Tick(27_000)));
    assert_eq!(left(Duration::from_mins(5), ends), Some(Tick(0)), "it is over");
    // A record of an older build has the time that was left.
    assert_eq!(left(Duration::from_secs(13), None), Some(Tick(40_000)));
    // A pin without an end stays one.
    let mut saved = state.clone();
    saved.pin = Some(Pin { reason: None, until: None });
    set_pin_end(&mut saved, ends, wall);
    assert_eq!(saved.pin.unwrap().until, None);
}
