use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::data_plane::worker::connection_table::{AttemptTag, ConnectionTable};
use crate::data_plane::worker::date;
use crate::data_plane::worker::ticks::{NEVER, Ticks};

#[test]
fn a_deadline_never_comes_early_and_zero_never_comes() {
    let ticks = Ticks::default();
    for (now_ms, wait_ms) in [(0, 1), (99, 1), (100, 100), (199, 101), (250, 1000)] {
        ticks.set(Duration::from_millis(now_ms));
        let deadline = u64::from(ticks.after(Duration::from_millis(wait_ms)));
        // The earliest moment at which the clock can read the deadline's tick.
        let earliest = deadline * 100;
        assert!(earliest >= now_ms + wait_ms, "{now_ms} + {wait_ms}");
        assert!(earliest <= now_ms + wait_ms + 200, "{now_ms} + {wait_ms}");
    }
    assert_eq!(ticks.after(Duration::ZERO), NEVER);
    assert_eq!(ticks.after(Duration::MAX), NEVER - 1);
}

#[test]
fn the_clock_never_goes_back() {
    let ticks = Ticks::default();
    ticks.set(Duration::from_secs(5));
    ticks.set(Duration::from_secs(4));
    assert_eq!(ticks.now(), 50);
}

#[test]
fn a_deadline_expires_once_and_arming_forgets_it() {
    let handles = Rc::new(ConnectionTable::default());
    let handle = handles.take();
    handle.arm(10);
    handles.expire(9);
    assert!(!handle.signals().expired());
    handles.expire(10);
    assert!(handle.signals().expired());
    handle.arm(20);
    assert!(!handle.signals().expired());
    handle.arm(NEVER);
    handles.expire(NEVER - 1);
    assert!(!handle.signals().expired());
}

#[test]
fn a_cut_finds_the_attempts_of_one_color_once() {
    let handles = Rc::new(ConnectionTable::default());
    let blue = AttemptTag { service: 1, color: 0 };
    let green = AttemptTag { service: 1, color: 1 };
    let taken: Vec<_> = [Some(blue), Some(green), Some(blue), None]
        .into_iter()
        .map(|tag| {
            let handle = handles.take();
            handle.attempt(tag);
            handle
        })
        .collect();
    assert_eq!(handles.cut(blue), 2);
    assert_eq!(handles.cut(blue), 0);
    let cut: Vec<bool> = taken.iter().map(|handle| handle.signals().cut()).collect();
    assert_eq!(cut, [true, false, true, false]);
}

#[test]
fn a_row_that_was_given_back_is_as_new() {
    let handles = Rc::new(ConnectionTable::default());
    let tag = AttemptTag { service: 1, color: 0 };
    let handle = handles.take();
    handle.attempt(Some(tag));
    handle.arm(1);
    handles.cut_all();
    assert_eq!(handles.count(), 1);
    drop(handle);
    assert_eq!((handles.count(), handles.cut(tag)), (0, 0));
    handles.expire(100);
    let handle = handles.take();
    assert!(!handle.signals().cut() && !handle.signals().expired() && !handle.signals().closing());
}

#[test]
fn dates_are_those_of_rfc_9110() {
    let date = |seconds| {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        String::from_utf8(date::format(wall).to_vec()).unwrap()
    };
    assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(date(951_827_696), "Tue, 29 Feb 2000 12:34:56 GMT");
    assert_eq!(date(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
    assert_eq!(date(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
}
