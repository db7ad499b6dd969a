//! The rules that people use today. They get the same seconds as the judge. Each rule is one number that
//! grows when the traffic looks worse, and a limit. The limit is tuned on the rows of false reverts.

use crate::random::{Random, whole};
use crate::streams::Second;

/// The name of each rule, with its side condition.
pub(crate) const RULES: [&str; 9] = [
    "over X % in 10 s",
    "over X % in 60 s, 20 requests at least",
    "over X % in 60 s, 50 requests at least",
    "over X % in 60 s, 100 requests at least",
    "over X % in 60 s, 500 requests at least",
    "X consecutive failures",
    "Mann-Whitney on points of 1 s, z over X",
    "two proportions, z over X",
    "two proportions, z over X, 5 points worse at least",
];

/// The number that each rule can't pass. A rule with this limit never trips.
pub(crate) const MOST: [f64; 9] =
    [1.0, 1.0, 1.0, 1.0, 1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::INFINITY];

/// The least requests in 60 s, for the four rules that have this side condition.
const REQUESTS_MIN: [f64; 4] = [20.0, 50.0, 100.0, 500.0];
/// The error rates of single seconds are sorted into this many bins, for the ranks.
const BINS: usize = 1001;
/// Kayenta asks for enough points. With fewer points than this the rule says nothing.
const POINTS_MIN: f64 = 10.0;

/// The baseline as the rivals see it.
#[derive(Debug)]
pub(crate) struct Known {
    requests: f64,
    errors: f64,
    /// The number of seconds by their error rate. `below` has the number of seconds with a lower rate.
    bins: Vec<u32>,
    below: Vec<u32>,
    points: f64,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self { requests: 0.0, errors: 0.0, bins: vec![0; BINS], below: vec![0; BINS], points: 0.0 }
    }

    /// Adds a second to the baseline.
    pub(crate) fn add(&mut self, second: Second) {
        let n = second.good + second.bad;
        self.requests += f64::from(n);
        self.errors += f64::from(second.bad);
        if n > 0 {
            self.bins[bin(second)] += 1;
            self.points += 1.0;
        }
    }

    /// Ends the baseline: all its seconds have been added.
    pub(crate) fn close(&mut self) {
        let mut sum = 0;
        for (below, count) in self.below.iter_mut().zip(&self.bins) {
            *below = sum;
            sum += count;
        }
    }

    /// Empties the baseline, so that it can be filled for the next run.
    pub(crate) fn clear(&mut self) {
        (self.requests, self.errors, self.points) = (0.0, 0.0, 0.0);
        self.bins.fill(0);
    }
}

/// The bin of a second's error rate. The second has at least one request.
fn bin(second: Second) -> usize {
    let rate = f64::from(second.bad) / f64::from(second.good + second.bad);
    usize::try_from(whole((rate * (BINS - 1) as f64).round())).unwrap_or(0)
}

/// The state of all rivals in one bake.
#[derive(Debug)]
pub(crate) struct Rivals<'a> {
    known: &'a Known,
    /// The seconds of the last minute, at their number modulo 60.
    recent: [Second; 60],
    at: usize,
    /// Requests and failures of the last 10 s and of the last 60 s.
    short: (f64, f64),
    long: (f64, f64),
    /// The failures in a row up to now.
    run: f64,
    /// Requests and failures since the switch.
    n: f64,
    e: f64,
    /// Mann-Whitney: U, the points, and the ties of both samples together.
    u: f64,
    points: f64,
    ties: f64,
    /// The number of seconds of the bake in each bin.
    seen: Vec<u32>,
    /// The highest number of each rule so far.
    pub worst: [f64; 9],
}

impl<'a> Rivals<'a> {
    /// The rivals at the switch. `known` is a complete baseline.
    pub(crate) fn new(known: &'a Known) -> Self {
        let cube = |count: u32| f64::from(count).powi(3) - f64::from(count);
        let ties = known.bins.iter().copied().map(cube).sum();
        Self {
            known,
            recent: [Second::default(); 60],
            at: 0,
            short: (0.0, 0.0),
            long: (0.0, 0.0),
            run: 0.0,
            n: 0.0,
            e: 0.0,
            u: 0.0,
            points: 0.0,
            ties,
            seen: vec![0; BINS],
            worst: [0.0; 9],
        }
    }

    /// Takes a second before the switch. A rule that looks at the last minute of the service sees it too.
    pub(crate) fn before(&mut self, second: Second) {
        let _ = self.roll(second);
    }

    /// Moves the windows on by a second. Returns the requests and the failures of that second.
    fn roll(&mut self, second: Second) -> (f64, f64) {
        let (n, bad) = (f64::from(second.good + second.bad), f64::from(second.bad));
        let old = std::mem::replace(&mut self.recent[self.at], second);
        let ten_ago = self.recent[(self.at + 50) % 60];
        self.at = (self.at + 1) % 60;
        self.long.0 += n - f64::from(old.good + old.bad);
        self.long.1 += bad - f64::from(old.bad);
        self.short.0 += n - f64::from(ten_ago.good + ten_ago.bad);
        self.short.1 += bad - f64::from(ten_ago.bad);
        (n, bad)
    }

    /// Takes a second of the bake. Afterwards `worst` holds the highest number of each rule so far.
    pub(crate) fn observe(&mut self, second: Second, random: &mut Random) {
        let (n, bad) = self.roll(second);
        self.n += n;
        self.e += bad;
        if n <= 0.0 {
            return;
        }
        self.note(0, self.short.1 / self.short.0);
        for (rule, min) in REQUESTS_MIN.into_iter().enumerate() {
            if self.long.0 >= min {
                self.note(1 + rule, self.long.1 / self.long.0);
            }
        }
        let longest = self.consecutive(second, random);
        self.note(5, longest);
        let z = self.mann_whitney(second);
        self.note(6, z);
        let z = self.proportions();
        self.note(7, z);
        let worse = self.e / self.n - self.known.errors / self.known.requests.max(1.0);
        if worse >= 0.05 {
            self.note(8, z);
        }
    }

    fn note(&mut self, rule: usize, value: f64) {
        self.worst[rule] = self.worst[rule].max(value);
    }

    /// The longest run of failures that ends in this second, with the requests of the second in random
    /// order. Between two successes the length of a run of failures is geometric. One draw gives the
    /// longest of many such runs.
    fn consecutive(&mut self, second: Second, random: &mut Random) -> f64 {
        let (good, bad) = (f64::from(second.good), f64::from(second.bad));
        if second.good == 0 {
            self.run += bad;
            return self.run;
        }
        if second.bad == 0 {
            self.run = 0.0;
            return 0.0;
        }
        let fails = bad / (good + bad);
        let length = |chance: f64| (chance.max(1e-300).ln() / fails.ln()).floor().min(bad);
        let first = self.run + length(random.unit());
        let middle = if second.good > 1 { length(1.0 - random.unit().powf(1.0 / (good - 1.0))) } else { 0.0 };
        self.run = length(random.unit());
        first.max(middle).max(self.run)
    }

    /// The test of H. B. Mann and D. R. Whitney (1947) in its normal approximation with ties. It compares
    /// the error rates of the seconds of the bake with those before the switch.
    fn mann_whitney(&mut self, second: Second) -> f64 {
        let at = bin(second);
        let before = f64::from(self.known.bins[at]);
        self.u += f64::from(self.known.below[at]) + before / 2.0;
        self.points += 1.0;
        let same = before + f64::from(self.seen[at]);
        self.seen[at] += 1;
        self.ties += 3.0 * same * same + 3.0 * same;
        let (ours, theirs) = (self.points, self.known.points);
        if ours < POINTS_MIN || theirs < POINTS_MIN {
            return 0.0;
        }
        let all = ours + theirs;
        let variance = ours * theirs / 12.0 * (all + 1.0 - self.ties / (all * (all - 1.0)));
        if variance <= 0.0 { 0.0 } else { (self.u - ours * theirs / 2.0) / variance.sqrt() }
    }

    /// The z value of two proportions: the failures since the switch against those of the baseline.
    fn proportions(&self) -> f64 {
        let (n, known) = (self.n, self.known.requests.max(1.0));
        let pooled = (self.e + self.known.errors) / (n + known);
        let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / known);
        if variance <= 0.0 { 0.0 } else { (self.e / n - self.known.errors / known) / variance.sqrt() }
    }
}
