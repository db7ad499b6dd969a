//! Requests and errors of one second by route template, in bounded memory.

use serde::{Deserialize, Serialize};

use super::route::{RouteKey, RouteTemplate};

/// The most templates that are counted in one second. Requests for others are in the totals alone.
///
/// Templates get their places in the order in which they come. So a template has its place for a whole
/// second or not at all, and its rate is right either way. Where clients make up paths endlessly, a busy
/// route loses some of its seconds, but never only its successes.
pub(crate) const ROUTES_PER_SECOND_MAX: usize = 128;

/// The size of the index. It is a power of two, and at least twice the number of routes.
const INDEX: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct RouteCount {
    pub(crate) route: RouteTemplate,
    pub(crate) requests: u32,
    pub(crate) errors: u32,
}

/// The counts with a hash index, in which a search needs one or two looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<(String, u32, u32)>", into = "Vec<(String, u32, u32)>")]
pub(crate) struct Routes {
    counts: Vec<RouteCount>,
    /// The position in `counts` plus 1; 0 is free. The index uses open addressing.
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

    /// Adds another worker's counts. If there are more templates than places, the busiest are kept.
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

    /// Empties the table and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.index = [0; INDEX];
    }

    /// The counts, in an order without meaning.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RouteCount> {
        self.counts.iter()
    }
}

fn start(key: RouteKey) -> usize {
    usize::from(key.0.to_le_bytes()[7])
}

/// All memory is taken at the start, so counting allocates nothing.
impl Default for Routes {
    fn default() -> Self {
        Self { counts: Vec::with_capacity(ROUTES_PER_SECOND_MAX), index: [0; INDEX] }
    }
}

/// Two tables are equal if they have the same counts. The order does not matter.
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
