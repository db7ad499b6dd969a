//! Bakes for the latency rule, with times to first byte that are counted as the data plane counts them.
//!
//! Every request has a moment at which it begins, and a time to its response head. A worker looks at its
//! waiting requests once a second, and so does this bench. A request is slow when tau has passed, and it
//! counts once more at each further look.

use std::time::Duration;

use greenlight::judge::{BaselineWindow, Bucket, Judge, Outcome as Answer, Policy, TripRule};

use crate::random::{Poisson, Random, whole};

/// The distribution of the times to first byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Times {
    /// Exponential with a mean of 100 ms.
    Exponential,
    /// Lognormal with a median of 100 ms and this sigma of the logarithm.
    Lognormal(f64),
    /// As [`Times::Exponential`], but this share of the requests are polls that are answered after
    /// `seconds`.
    LongPolls { share: f64, seconds: f64 },
}

/// The behavior of the candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// All times are multiplied by this factor.
    Factor(f64),
    /// For this many seconds all times are `times` as long. Then they are as before.
    ColdStart { times: f64, seconds: i32 },
    /// At a random moment of the first minute this many requests, each of a different client, begin to
    /// hang forever. After that no client sends anything more.
    Hang(u32),
    /// One request hangs forever; all others are answered.
    OneHangs,
}

/// One scenario: requests a second, their times, the candidate, and the seconds of the bake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub rps: f64,
    pub times: Times,
    pub change: Change,
    pub bake: i32,
}

/// The number of bins. They begin at 64 us and are an eighth of an octave wide, as in the histogram of the
/// judge.
const BINS: u32 = 160;
const MEAN_MICROS: f64 = 100_000.0;
/// Seconds that are planned ahead. They hold the longest time and the last repeat.
const AHEAD: usize = 128;
/// How many times at most a hanging request is counted again.
const REPEATS_MAX: u32 = 6;
/// The seconds of the baseline.
const BEFORE: usize = 600;
/// The time of a request that hangs forever, in microseconds.
const EVER: f64 = 1e9;

/// The lower edge of a bin in microseconds.
fn edge(bin: u32) -> f64 {
    f64::from((8 + bin % 8) << (bin / 8 + 3))
}

impl Times {
    /// The share of requests that take less than this many microseconds.
    fn below(self, micros: f64) -> f64 {
        match self {
            Self::Exponential | Self::LongPolls { .. } => 1.0 - (-micros / MEAN_MICROS).exp(),
            Self::Lognormal(sigma) => normal_below((micros / MEAN_MICROS).ln() / sigma),
        }
    }
}

/// The distribution function of the normal distribution, by Abramowitz and Stegun 26.2.17. It is right to
/// 7.5e-8. W. J. Cody's rational form would be more exact than this bench needs.
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// Draws the requests that begin in a second, as counts by bin.
#[derive(Debug)]
pub(crate) struct Source {
    setup: Setup,
    /// The middle of each bin in microseconds, and the Poisson count of the requests in it a second.
    bins: Vec<(f64, Poisson)>,
    /// The same for few requests: the Poisson count of all requests in a second, and the share of them up
    /// to each bin.
    few: Option<(Poisson, Vec<f64>)>,
}

/// Up to this many requests a second, each request draws its own bin. Above it, each bin draws its own
/// count. Both are the same distribution, because the parts of a Poisson count are Poisson counts.
const FEW: f64 = 30.0;

impl Source {
    /// Computes the distributions of a scenario.
    pub(crate) fn new(setup: Setup) -> Self {
        let (polls, poll_seconds) = match setup.times {
            Times::LongPolls { share, seconds } => (share, seconds),
            Times::Exponential | Times::Lognormal(_) => (0.0, 0.0),
        };
        let mut bins: Vec<(f64, f64)> = (0..BINS)
            .map(|bin| {
                let (low, high) = (edge(bin), edge(bin + 1));
                let share = setup.times.below(high) - if bin == 0 { 0.0 } else { setup.times.below(low) };
                ((low * high).sqrt(), setup.rps * share * (1.0 - polls))
            })
            .filter(|(_, mean)| *mean > setup.rps * 1e-9)
            .collect();
        if polls > 0.0 {
            bins.push((poll_seconds * 1e6, setup.rps * polls));
        }
        let all: f64 = bins.iter().map(|(_, mean)| mean).sum();
        let few = (setup.rps <= FEW).then(|| {
            let up_to = bins.iter().scan(0.0, |sum, (_, mean)| {
                *sum += mean / all;
                Some(*sum)
            });
            (Poisson::new(all), up_to.collect())
        });
        let bins = bins.into_iter().map(|(middle, mean)| (middle, Poisson::new(mean))).collect();
        Self { setup, bins, few }
    }

    /// Draws the requests of a second and calls `each` for groups of them, with their time in microseconds
    /// and their number.
    fn second(&self, random: &mut Random, mut each: impl FnMut(f64, u32, &mut Random)) {
        let Some((all, up_to)) = &self.few else {
            for (micros, requests) in &self.bins {
                let count = requests.draw(random);
                if count > 0 {
                    each(*micros, count, random);
                }
            }
            return;
        };
        for _ in 0..all.draw(random) {
            let chance = random.unit();
            let at = up_to.partition_point(|up_to| *up_to <= chance).min(self.bins.len() - 1);
            each(self.bins[at].0, 1, random);
        }
    }
}

/// The answers, slow requests and repeats of the coming seconds, in rings of [`AHEAD`] slots.
#[derive(Debug)]
struct Ahead {
    times: Vec<Vec<(f64, u32)>>,
    slow: Vec<u32>,
    repeats: Vec<u32>,
    now: usize,
}

/// The limits by which a worker counts a request as slow, in seconds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    tau: f64,
    /// The limit of a hang, which holds from the first second on.
    hang: f64,
    /// The second from which tau holds.
    warm: usize,
}

impl Ahead {
    fn new() -> Self {
        Self { times: vec![Vec::new(); AHEAD], slow: vec![0; AHEAD], repeats: vec![0; AHEAD], now: 0 }
    }

    fn slot(&self, second: usize) -> Option<usize> {
        (second >= self.now && second < self.now + AHEAD).then_some(second % AHEAD)
    }

    /// Counts answers that arrive in `second` after `micros`.
    fn answered(&mut self, second: usize, micros: f64, count: u32) {
        if let Some(slot) = self.slot(second) {
            self.times[slot].push((micros, count));
        }
    }

    /// Plans a request that begins at `began` (in seconds) and takes `micros`. It is slow after `tau`
    /// seconds, and slow requests count from the second `warm` on. One that hangs counts before that, too.
    fn slow(&mut self, began: f64, micros: f64, limits: &Limits) {
        let ends = began + micros / 1e6;
        let passes = whole(began + limits.tau) as usize;
        let hangs = whole(began + limits.hang) as usize;
        let first = passes.max(limits.warm).min(hangs.max(passes));
        if ends < first as f64 {
            return;
        }
        if let Some(slot) = self.slot(first) {
            self.slow[slot] += 1;
        }
        // The worker looks at the end of each second.
        for again in 1..=REPEATS_MAX as usize {
            let second = first + again;
            if ends < (second + 1) as f64 {
                break;
            }
            if let Some(slot) = self.slot(second) {
                self.repeats[slot] += 1;
            }
        }
    }

    /// Moves the counts of the present second to a bucket, and goes on to the next second.
    fn close(&mut self, bucket: &mut Bucket, random: &mut Random) {
        let slot = self.now % AHEAD;
        bucket.clear();
        for (micros, count) in self.times[slot].drain(..) {
            bucket.add_times(Duration::from_micros(u64::from(whole(micros))), count);
            bucket.add(Some(client(random)), count, 0);
        }
        for _ in 0..std::mem::take(&mut self.slow[slot]) {
            bucket.record_slow(client(random));
        }
        for _ in 0..std::mem::take(&mut self.repeats[slot]) {
            bucket.record_still_slow(client(random));
        }
        self.now += 1;
    }
}

/// The key of a random client out of 1000.
fn client(random: &mut Random) -> u64 {
    Random::new(random.bits() % 1000, 7).bits()
}

/// Runs one bake. Returns the seconds from the change to the trip, and the requests that were slow until
/// then. `None` if no rule tripped.
pub(crate) fn bake(source: &Source, random: &mut Random) -> Option<(i32, u64)> {
    let setup = source.setup;
    // The controller cuts the warm-up to half of the bake.
    let half = Duration::from_secs(u64::try_from(setup.bake / 2).unwrap_or(0));
    let policy = Policy { latency_warmup: Policy::default().latency_warmup.min(half), ..Policy::default() };
    let mut window = BaselineWindow::default();
    let mut bucket = Bucket::default();
    let mut ahead = Ahead::new();
    // A poll counts in the second of its answer, so the polls of the first half minute count later in the
    // window.
    for second in 0..BEFORE {
        source.second(random, |micros, count, random| {
            let later = whole(random.unit() + micros / 1e6) as usize;
            ahead.answered(second + later, micros, count);
        });
        ahead.close(&mut bucket, random);
        window.push(&bucket, &policy);
    }
    let baseline = window.freeze(&policy);
    let mut judge = Judge::new(baseline, policy, setup.rps * f64::from(setup.bake));
    let tau = judge_tau(&judge, &policy);
    let warm = usize::try_from(policy.latency_warmup.as_secs()).unwrap_or(0);
    let limits = Limits { tau, hang: judge.stall_after().map_or(tau, |hang| hang.as_secs_f64()), warm };
    let change_at = match setup.change {
        Change::Hang(_) | Change::OneHangs => random.unit() * 60.0,
        Change::Factor(_) | Change::ColdStart { .. } => 0.0,
    };
    let mut ahead = Ahead::new();
    let mut slow_seen = 0;
    for at in 0..setup.bake {
        let second = usize::try_from(at).unwrap_or(0);
        let factor = match setup.change {
            Change::Factor(factor) => factor,
            Change::ColdStart { times, seconds } if at < seconds => times,
            Change::ColdStart { .. } | Change::Hang(_) | Change::OneHangs => 1.0,
        };
        let silent = matches!(setup.change, Change::Hang(_)) && f64::from(at) >= change_at;
        let request = |micros: f64, count: u32, random: &mut Random| {
            let micros = micros * factor;
            if micros / 1e6 <= tau {
                let later = whole(random.unit() + micros / 1e6) as usize;
                ahead.answered(second + later, micros, count);
                return;
            }
            for _ in 0..count {
                let began = f64::from(at) + random.unit();
                ahead.slow(began, micros, &limits);
                ahead.answered(whole(began + micros / 1e6) as usize, micros, 1);
            }
        };
        if !silent {
            source.second(random, request);
        }
        if at == i32::try_from(whole(change_at)).unwrap_or(0) {
            let hanging = match setup.change {
                Change::Hang(count) => count,
                Change::OneHangs => 1,
                Change::Factor(_) | Change::ColdStart { .. } => 0,
            };
            for _ in 0..hanging {
                ahead.slow(change_at, EVER, &limits);
            }
        }
        ahead.close(&mut bucket, random);
        slow_seen += bucket.slow;
        if let Some(trip) = judge.observe(&bucket) {
            assert_eq!(trip.rule, TripRule::Latency, "nothing fails here");
            let since = f64::from(at + 1) - change_at;
            return Some((i32::try_from(whole(since.ceil())).unwrap_or(0), slow_seen));
        }
    }
    None
}

/// Tau in seconds, as the judge will give it to the workers after its warm-up; 2 s if it gives none.
fn judge_tau(judge: &Judge, policy: &Policy) -> f64 {
    let mut warm = judge.clone();
    let mut quiet = Bucket::default();
    quiet.record(0, Answer::Success, None);
    for _ in 0..policy.latency_warmup.as_secs() {
        warm.observe(&quiet);
    }
    warm.slow_after().map_or(2.0, |tau| tau.as_secs_f64())
}
