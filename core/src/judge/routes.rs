//! Requests and errors by route template, of one second, in bounded memory.

use serde::{Deserialize, Serialize};

use super::route::{RouteKey, RouteTemplate};

/// So many templates are counted in one second; requests for others are in the totals alone.
///
/// Places are taken in the order in which templates come, so a template has its place or has not
/// for a whole second, and its rate is right either way: where paths are made up endlessly a busy
/// route loses some of its seconds, never only its successes.
pub(crate) const ROUTES_PER_SECOND_MAX: usize = 128;

/// A power of two, at least twice as many as there are routes.
const INDEX: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct RouteCount {
    pub(crate) route: RouteTemplate,
    pub(crate) requests: u32,
    pub(crate) errors: u32,
}

/// A table that a search finds its way in by one or two looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<(String, u32, u32)>", into = "Vec<(String, u32, u32)>")]
pub(crate) struct Routes {
    counts: Vec<RouteCount>,
    /// Position + 1 in `counts`; 0 is free. Open addressing.
    index: [u8; INDEX],
}

impl Routes {
    pub(crate) fn add(&mut self, route: &RouteTemplate, requests: u32, errors: u32) {
        let mut at = start(route.key());
        loop {
            match self.index[at] {
                0 => break,
                place => {
                    let count = &mut self.counts[usize::from(place) - 1];
                    if count.route.key() == route.key() {
                        count.requests = count.requests.saturating_add(requests);
                        count.errors = count.errors.saturating_add(errors);
                        return;
                    }
                }
            }
            at = (at + 1) % INDEX;
        }
        if self.counts.len() < ROUTES_PER_SECOND_MAX {
            self.counts.push(RouteCount { route: route.clone(), requests, errors });
            self.index[at] = u8::try_from(self.counts.len()).unwrap_or(0);
        }
    }

    /// Adds another worker's; of more templates than there is room for the busiest are kept.
    pub(crate) fn merge(&mut self, other: &Self) {
        let known =
            |count: &&RouteCount| self.counts.iter().any(|ours| ours.route.key() == count.route.key());
        let new = other.counts.iter().filter(|count| !known(count)).count();
        if self.counts.len() + new <= ROUTES_PER_SECOND_MAX {
            for count in &other.counts {
                self.add(&count.route, count.requests, count.errors);
            }
            return;
        }
        let mut all: std::collections::BTreeMap<RouteKey, RouteCount> =
            self.counts.drain(..).map(|count| (count.route.key(), count)).collect();
        for count in &other.counts {
            let sum = all.entry(count.route.key());
            let sum = sum.or_insert_with(|| RouteCount { requests: 0, errors: 0, ..count.clone() });
            sum.requests = sum.requests.saturating_add(count.requests);
            sum.errors = sum.errors.saturating_add(count.errors);
        }
        let mut all: Vec<RouteCount> = all.into_values().collect();
        all.sort_by_key(|count| (std::cmp::Reverse(count.requests), count.route.key()));
        self.clear();
        for count in all.iter().take(ROUTES_PER_SECOND_MAX) {
            self.add(&count.route, count.requests, count.errors);
        }
    }

    /// Empties it, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.index = [0; INDEX];
    }

    /// In no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RouteCount> {
        self.counts.iter()
    }
}

fn start(key: RouteKey) -> usize {
    usize::from(key.0.to_le_bytes()[7])
}

/// Room for all from the start: counting allocates nothing.
impl Default for Routes {
    fn default() -> Self {
        Self { counts: Vec::with_capacity(ROUTES_PER_SECOND_MAX), index: [0; INDEX] }
    }
}

/// Equal when they say the same; the order does not matter.
impl PartialEq for Routes {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |routes: &Self| {
            let mut all: Vec<_> =
                routes.iter().map(|count| (count.route.key(), count.requests, count.errors)).collect();
            all.sort_unstable();
            all
        };
        sorted(self) == sorted(other)
    }
}

impl From<Routes> for Vec<(String, u32, u32)> {
    fn from(routes: Routes) -> Self {
        routes.iter().map(|count| (count.route.as_str().to_owned(), count.requests, count.errors)).collect()
    }
}

impl From<Vec<(String, u32, u32)>> for Routes {
    fn from(counts: Vec<(String, u32, u32)>) -> Self {
        let mut routes = Self::default();
        for (route, requests, errors) in counts {
            routes.add(&RouteTemplate::from(route.as_str()), requests, errors);
        }
        routes
    }
}
