//! The rolling counts of the active color. They are frozen at the switch as the [`Baseline`].
//!
//! Counts are kept for each second, because they show how much errors scatter. Clients, times and routes
//! take more room and are kept in slices of ten seconds. So ten minutes of a service are about 120 KiB,
//! and 120 KiB more if its traffic is spread over more than a hundred routes.

use std::collections::VecDeque;
use std::time::Duration;

use super::route_window::RouteWindow;
use super::{Baseline, Bucket, LatencyBaseline, Memory, Policy, dispersion};

/// The seconds that one slice covers.
const SLICE_SECONDS: u32 = 10;

/// The longest window, an hour in seconds. A longer `baseline_window` is cut to it.
const WINDOW_SECONDS_MAX: u64 = 3600;

/// The active color's last buckets, at most `baseline_window` of them.
#[derive(Clone, Debug, Default)]
pub struct BaselineWindow {
    /// Requests and errors of each second.
    seconds: VecDeque<(u32, u32)>,
    /// How many of the oldest seconds the memory has already, or is not to have.
    taken: usize,
    slices: VecDeque<Slice>,
    routes: RouteWindow,
}

#[derive(Clone, Debug, Default)]
struct Slice {
    seconds: u32,
    sum: Bucket,
}

impl BaselineWindow {
    /// Adds a closed second (even one without a request) and drops the seconds that are older than the
    /// window.
    pub fn push(&mut self, bucket: &Bucket, policy: &Policy) {
        self.push_into(bucket, policy, &mut Memory::default());
    }

    /// Adds a closed second, and moves the seconds that are older than the window into the memory.
    pub fn push_into(&mut self, bucket: &Bucket, policy: &Policy, memory: &mut Memory) {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        self.seconds.push_back((small(bucket.requests), small(bucket.errors)));
        match self.slices.back_mut() {
            Some(slice) if slice.seconds < SLICE_SECONDS => slice.add(bucket),
            _ => {
                let mut slice = Slice::default();
                slice.add(bucket);
                self.slices.push_back(slice);
                self.routes.open();
            }
        }
        self.routes.add(bucket);
        let window = window(policy);
        while self.seconds.len() > window {
            let left = self.seconds.pop_front();
            if self.taken > 0 {
                self.taken -= 1;
            } else if let Some((requests, errors)) = left {
                memory.add(u64::from(requests), u64::from(errors));
            }
        }
        // Only whole slices are dropped, so they cover the window and up to nine seconds more.
        let mut covered: usize = self.slices.iter().map(|slice| slice.seconds as usize).sum();
        while let Some(oldest) = self.slices.front()
            && covered - oldest.seconds as usize >= window
        {
            covered -= oldest.seconds as usize;
            self.slices.pop_front();
            self.routes.drop_oldest();
        }
    }

    /// Gives the memory all seconds that it does not have yet, and keeps them for the baseline.
    pub fn flush_into(&mut self, memory: &mut Memory) {
        for &(requests, errors) in self.seconds.iter().skip(self.taken) {
            memory.add(u64::from(requests), u64::from(errors));
        }
        self.withhold();
    }

    /// Keeps the present seconds from the memory, because the service was not as it should be.
    pub fn withhold(&mut self) {
        self.taken = self.seconds.len();
    }

    /// Forgets everything, because another color is active now.
    pub fn clear(&mut self) {
        self.seconds.clear();
        self.taken = 0;
        self.slices.clear();
        self.routes = RouteWindow::default();
    }

    /// The last `baseline_window` in the form that the judge needs.
    pub fn freeze(&self, policy: &Policy) -> Baseline {
        let skip = self.seconds.len().saturating_sub(window(policy));
        let counts = || self.seconds.iter().skip(skip).map(|&(n, e)| (u64::from(n), u64::from(e)));
        let mut all = Bucket::default();
        for slice in &self.slices {
            all.merge_all_but_routes(&slice.sum);
        }
        Baseline {
            requests: counts().map(|(n, _)| n).sum(),
            errors: counts().map(|(_, e)| e).sum(),
            seconds: counts().count() as u64,
            dispersion: dispersion::of_seconds(counts()),
            clients: all.clients(),
            top_client_share: share(all.top_client_at_most(), all.requests),
            latency: LatencyBaseline::new(&all, self.slices.iter().map(|slice| &slice.sum)),
            usual: None,
            routes: self.routes.freeze(counts().count() as u64),
        }
    }
}

impl Slice {
    fn add(&mut self, bucket: &Bucket) {
        self.seconds += 1;
        self.sum.merge_all_but_routes(bucket);
    }
}

/// The length of the window in seconds, at least 1.
fn window(policy: &Policy) -> usize {
    let longest = Duration::from_secs(WINDOW_SECONDS_MAX);
    let seconds = policy.baseline_window.min(longest).as_secs().max(1);
    usize::try_from(seconds).unwrap_or(1)
}

/// The share, rounded up to three decimals, because the stored text must read back as the same number.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1000.0).ceil() / 1000.0 }
}
