//! Bakes of a service with many routes, of which one rare route breaks altogether.

use greenlight::judge::{BaselineWindow, Bucket, ClientKey, Judge, Outcome, Policy, RouteTemplate, TripRule};

use crate::parameters::Routes;
use crate::random::{Poisson, Random};

/// One scenario: the routes, requests a second over all of them, and the seconds of the bake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub routes: Routes,
    pub rps: f64,
    pub bake: i32,
    /// The share of the rare route's requests that fail after the switch. `None` means the same share as
    /// before.
    pub broken: Option<f64>,
}

/// The client of every request. This scenario tells routes apart; the others tell clients apart.
const CLIENT: ClientKey = 1;

/// The shares of requests that fail on the routes, before and after the switch. Most routes hardly ever
/// fail, and some often do.
const ERRORS: [f64; 5] = [0.0, 0.001, 0.005, 0.03, 0.2];

/// Draws the requests of the routes. Each route has its template, and the successes and failures of a second
/// before and after the switch.
#[derive(Debug)]
pub(crate) struct Source {
    setup: Setup,
    routes: Vec<(RouteTemplate, [Poisson; 2], [Poisson; 2])>,
}

impl Source {
    /// Computes the distributions of a scenario.
    pub(crate) fn new(setup: Setup) -> Self {
        // A route is as busy as 1/rank, except for the rare route, which is the last.
        let Routes { count, rare } = setup.routes;
        let all: f64 = (1..count).map(|rank| 1.0 / rank as f64).sum();
        let letter = |at: usize| (b'a' + u8::try_from(at % 26).unwrap_or(0)) as char;
        let routes = (0..count).map(|at| {
            let name = format!("/v1/thing-{}{}/17", letter(at / 26), letter(at));
            let is_rare = at + 1 == count;
            let share = if is_rare { rare } else { (1.0 - rare) / (at + 1) as f64 / all };
            let errors = if is_rare { 0.001 } else { ERRORS[at % ERRORS.len()] };
            let after = if is_rare { setup.broken.unwrap_or(errors) } else { errors };
            let pair = |errors: f64| {
                [Poisson::new(setup.rps * share * (1.0 - errors)), Poisson::new(setup.rps * share * errors)]
            };
            (RouteTemplate::new(b"GET", name.as_bytes()), pair(errors), pair(after))
        });
        Self { setup, routes: routes.collect() }
    }
}

/// Runs one bake. Returns the seconds to the trip, the failures until then, and whether the record names
/// the broken route.
pub(crate) fn bake(source: &Source, random: &mut Random) -> Option<(i32, u64, bool)> {
    let policy = Policy::default();
    let mut window = BaselineWindow::default();
    let mut bucket = Bucket::default();
    for _ in 0..600 {
        fill(&mut bucket, source, false, random);
        window.push(&bucket, &policy);
    }
    let expected = source.setup.rps * f64::from(source.setup.bake);
    let mut judge = Judge::new(window.freeze(&policy), policy, expected);
    for at in 0..source.setup.bake {
        fill(&mut bucket, source, true, random);
        if let Some(trip) = judge.observe(&bucket) {
            let rare = source.routes.last().map_or("", |route| route.0.as_str());
            let named = trip.rule == TripRule::Route && trip.numbers.routes[0].route == rare;
            return Some((at + 1, trip.numbers.e, named));
        }
    }
    None
}

/// Fills the bucket with the requests of one second.
fn fill(bucket: &mut Bucket, source: &Source, after: bool, random: &mut Random) {
    bucket.clear();
    for (route, before_counts, after_counts) in &source.routes {
        let [good, bad] = if after { after_counts } else { before_counts };
        let (good, bad) = (good.draw(random), bad.draw(random));
        if good + bad > 0 {
            bucket.add(None, good, bad);
            for _ in 0..good {
                bucket.record_route(route, CLIENT, Outcome::Success);
            }
            for _ in 0..bad {
                bucket.record_route(route, CLIENT, Outcome::Error);
            }
        }
    }
}
