//! The rolling baseline by route. It keeps counts in slices, and each template's text once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use super::baseline::RouteBaseline;
use super::route::RouteKey;
use super::{Bucket, ROUTES_MAX, dispersion};

/// The most templates in one slice.
const PER_SLICE_MAX: usize = 256;
/// The most texts that are remembered. Texts that no slice holds are dropped first.
const TEXTS_MAX: usize = 1024;

/// Requests and errors of a route in one slice.
type Counts = BTreeMap<RouteKey, (u32, u32)>;

#[derive(Clone, Debug, Default)]
pub(crate) struct RouteWindow {
    /// Oldest first.
    slices: VecDeque<Counts>,
    texts: BTreeMap<RouteKey, Box<str>>,
}

impl RouteWindow {
    /// Begins a slice, and drops unused texts if there are many.
    pub(crate) fn open(&mut self) {
        self.slices.push_back(Counts::new());
        if self.texts.len() > TEXTS_MAX / 2 {
            let slices = &self.slices;
            self.texts.retain(|key, _| slices.iter().any(|slice| slice.contains_key(key)));
        }
    }

    pub(crate) fn drop_oldest(&mut self) {
        self.slices.pop_front();
    }

    /// Adds a second to the newest slice.
    pub(crate) fn add(&mut self, bucket: &Bucket) {
        let Some(slice) = self.slices.back_mut() else { return };
        for count in bucket.routes() {
            let key = count.route.key();
            let known = slice.contains_key(&key) && self.texts.contains_key(&key);
            if !known {
                if slice.len() >= PER_SLICE_MAX || self.texts.len() >= TEXTS_MAX {
                    continue;
                }
                self.texts.entry(key).or_insert_with(|| count.route.as_str().into());
            }
            let (requests, errors) = slice.entry(key).or_default();
            *requests = requests.saturating_add(count.requests);
            *errors = errors.saturating_add(count.errors);
        }
    }

    /// The busiest templates of a window of `seconds`, the busiest first.
    pub(crate) fn freeze(&self, seconds: u64) -> Vec<RouteBaseline> {
        let mut sums: BTreeMap<RouteKey, (u64, u64)> = BTreeMap::new();
        for (key, (requests, errors)) in self.slices.iter().flatten() {
            let sum = sums.entry(*key).or_default();
            sum.0 += u64::from(*requests);
            sum.1 += u64::from(*errors);
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(key, (requests, _))| (Reverse(*requests), *key));
        sums.truncate(ROUTES_MAX);
        let routes = sums.into_iter().filter_map(|(key, (requests, errors))| {
            let slices = self.slices.iter().filter_map(|slice| slice.get(&key));
            Some(RouteBaseline {
                route: self.texts.get(&key)?.to_string(),
                requests,
                errors,
                seconds,
                dispersion: dispersion::of_intervals(slices.map(|&(n, bad)| (u64::from(n), u64::from(bad)))),
            })
        });
        routes.collect()
    }
}
