//! What the old color did before the switch: rolling until then, frozen from then on.
//!
//! Counts are kept a second apart (they show how much errors scatter); clients, times and routes,
//! which take more room, in slices of ten seconds. So ten minutes of a service are about 120 KiB,
//! and 120 KiB more where all of it is spread over more than a hundred routes.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::MANY;
use super::latency::LatencyBaseline;
use super::route_window::RouteWindow;
use super::{Bucket, Policy, dispersion};

/// The frozen baseline. The default is "there is none".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Baseline {
    pub requests: u64,
    pub errors: u64,
    /// Seconds it covers.
    pub seconds: u64,
    /// How much more errors scattered than independent ones would: 1 to 8, or to 1.5 times the
    /// requests of a second if that is more; 0 when nobody has measured it, which is taken as 1.
    pub dispersion: f64,
    /// Different clients, counted up to 20: 20 is "20 or more".
    pub clients: usize,
    /// The largest share of the requests that one client can have made.
    pub top_client_share: f64,
    /// `None` when too few response heads were timed.
    pub latency: Option<LatencyBaseline>,
    /// The busiest route templates, at most [`super::ROUTES_MAX`], the busiest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteBaseline>,
}

/// What the old color did on one route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouteBaseline {
    /// `GET /orders/{id}`.
    pub route: String,
    pub requests: u64,
    pub errors: u64,
    /// Seconds that the whole baseline covers.
    #[serde(default)]
    pub seconds: u64,
    /// 1 to 8, over slices of ten seconds.
    pub dispersion: f64,
}

impl Baseline {
    /// Whether traffic comes from so many that one client's errors can be told from the service's.
    pub fn many_clients(&self) -> bool {
        self.clients >= MANY && self.top_client_share <= 0.5
    }
}

/// Seconds in a slice.
const SLICE_SECONDS: u32 = 10;

/// The longest window, an hour: a longer `baseline_window` is cut to it.
const WINDOW_SECONDS_MAX: u64 = 3600;

/// The active color's last buckets, at most `baseline_window` of them.
#[derive(Clone, Debug, Default)]
pub struct BaselineWindow {
    /// Requests and errors of each second.
    seconds: VecDeque<(u32, u32)>,
    slices: VecDeque<Slice>,
    routes: RouteWindow,
}

#[derive(Clone, Debug, Default)]
struct Slice {
    seconds: u32,
    sum: Bucket,
}

impl BaselineWindow {
    /// Adds a closed second (also one without a request) and drops what is older than the window.
    pub fn push(&mut self, bucket: &Bucket, policy: &Policy) {
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
            self.seconds.pop_front();
        }
        // Whole slices only: they cover the window and up to nine seconds more.
        let mut covered: usize = self.slices.iter().map(|slice| slice.seconds as usize).sum();
        while let Some(oldest) = self.slices.front()
            && covered - oldest.seconds as usize >= window
        {
            covered -= oldest.seconds as usize;
            self.slices.pop_front();
            self.routes.drop_oldest();
        }
    }

    /// Forgets everything: another color is active now.
    pub fn clear(&mut self) {
        self.seconds.clear();
        self.slices.clear();
        self.routes = RouteWindow::default();
    }

    /// The last `baseline_window` as the judge needs it.
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

/// In seconds; at least one.
fn window(policy: &Policy) -> usize {
    let longest = Duration::from_secs(WINDOW_SECONDS_MAX);
    let seconds = policy.baseline_window.min(longest).as_secs().max(1);
    usize::try_from(seconds).unwrap_or(1)
}

/// To three decimals, up: what is written as text must read back as the same number.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1000.0).ceil() / 1000.0 }
}
