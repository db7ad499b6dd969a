//! Tests of the keep-alive time of an origin, as a worker learns it from idle connections that it found
//! dead. A tick is a tenth of a second.

use std::time::Duration;

use crate::data_plane::origin::lifetime::Lifetime;

/// The configured limit for idle connections. A learned time that has been doubled up to it is forgotten.
const CONFIGURED: Duration = Duration::from_secs(4);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn deaths_at_three_moments_are_believed() {
    let lifetime = Lifetime::default();
    lifetime.died(ms(900), 1000);
    lifetime.died(ms(800), 1005);
    assert_eq!(lifetime.limit(true), None);
    lifetime.died(ms(1000), 1010);
    assert_eq!(lifetime.limit(true), Some(ms(400)), "half of the youngest");
    assert_eq!(lifetime.limit(false), Some(ms(400)));
    lifetime.died(ms(60), 1011);
    assert_eq!(lifetime.limit(true), Some(ms(30)));
    assert_eq!(lifetime.limit(false), Some(ms(10)), "what can't be sent twice keeps a margin");
    lifetime.died(ms(6), 1012);
    assert_eq!(lifetime.limit(false), Some(ms(0)), "or is sent on a fresh one");
}

#[test]
fn a_restart_is_no_short_life() {
    let lifetime = Lifetime::default();
    for age in [3, 500, 2000, 3999] {
        lifetime.died(ms(age), 700);
    }
    assert_eq!(lifetime.limit(true), None, "all at one moment");
    lifetime.died(ms(1), 900);
    lifetime.died(ms(1), 1100);
    assert_eq!(lifetime.limit(true), None, "restarts far apart have nothing to do with each other");
}

#[test]
fn a_learned_time_is_doubted_after_a_minute_and_forgotten_in_the_end() {
    let lifetime = Lifetime::default();
    for tick in 1000..1003 {
        lifetime.died(ms(100), tick);
    }
    lifetime.doubt(1500, CONFIGURED);
    assert_eq!(lifetime.limit(true), Some(ms(50)), "too early");
    lifetime.doubt(1602, CONFIGURED);
    assert_eq!(lifetime.limit(true), Some(ms(100)));
    lifetime.doubt(1603, CONFIGURED);
    assert_eq!(lifetime.limit(true), Some(ms(100)), "a minute each time");
    let mut tick = 1602;
    for _ in 0..6 {
        tick += 600;
        lifetime.doubt(tick, CONFIGURED);
    }
    assert_eq!(lifetime.limit(true), None);
}
