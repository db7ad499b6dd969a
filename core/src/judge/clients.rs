//! The clients that make requests and the clients whose requests fail, in bounded memory.
//!
//! The judge asks two questions about the clients of one second and of ten minutes. Are there twenty or
//! more? And which of them make most of the requests or errors? Neither question needs a table of all
//! clients. Both sketches here can be merged (over workers and over seconds), and the error of each has
//! one known direction.

use serde::{Deserialize, Serialize};

/// A client as a hash of its address (the peer, or the right-most untrusted address in X-Forwarded-For).
pub type ClientKey = u64;

/// The most frequent keys of a stream, by the algorithm of Misra and Gries ("Finding repeated
/// elements", 1982), merged as Agarwal et al. show ("Mergeable Summaries", PODS 2012).
///
/// A count is never too high. It is too low by at most `(all - kept) / (N + 1)`, where `all` is the sum
/// of everything that was added and `kept` the sum of the counts. So a client is never charged for
/// another client's errors, and a client with more than one in `N + 1` of all errors is always kept. With
/// `N` clients or fewer all counts are exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    from = "Vec<(K, u32)>",
    into = "Vec<(K, u32)>",
    bound = "K: Key + Serialize + serde::de::DeserializeOwned"
)]
pub(crate) struct Frequent<const N: usize, K: Key = ClientKey> {
    /// A key beside a count of 0 is a free place. The keys are apart from the counts so that the search
    /// runs over keys alone.
    keys: [K; N],
    counts: [u32; N],
}

/// A thing that can be counted: a client, or a client on a route.
pub(crate) trait Key: Copy + Ord + Default {}

impl<K: Copy + Ord + Default> Key for K {}

impl<const N: usize, K: Key> Frequent<N, K> {
    /// Adds `weight` to a key's count.
    pub(crate) fn add(&mut self, key: K, weight: u32) {
        // A free place that holds this key is as good as any other free place, so one search finds both.
        if let Some(at) = self.keys.iter().position(|&known| known == key) {
            self.counts[at] = self.counts[at].saturating_add(weight);
            return;
        }
        let least = self.counts.iter().copied().min().unwrap_or(0).min(weight);
        if least > 0 {
            for count in &mut self.counts {
                *count -= least;
            }
        }
        if weight > least
            && let Some(at) = self.counts.iter().position(|&count| count == 0)
        {
            self.keys[at] = key;
            self.counts[at] = weight - least;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, count) in other.entries() {
            self.add(key, count);
        }
    }

    /// The kept keys with their counts, in an order without meaning.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.keys.iter().copied().zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// The most that any one key can have made of `all`, the sum of everything that was added.
    pub(crate) fn top_at_most(&self, all: u64) -> u64 {
        let kept: u64 = self.counts.iter().copied().map(u64::from).sum();
        let top = self.counts.iter().copied().max().map_or(0, u64::from);
        top + all.saturating_sub(kept) / (N as u64 + 1)
    }
}

impl<const N: usize, K: Key> Default for Frequent<N, K> {
    fn default() -> Self {
        Self { keys: [K::default(); N], counts: [0; N] }
    }
}

/// Two sketches are equal if they have the same counts. The places do not matter.
impl<const N: usize, K: Key> PartialEq for Frequent<N, K> {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |one: &Self| {
            let mut entries: Vec<_> = one.entries().collect();
            entries.sort_unstable();
            entries
        };
        sorted(self) == sorted(other)
    }
}

impl<const N: usize, K: Key> From<Frequent<N, K>> for Vec<(K, u32)> {
    fn from(sketch: Frequent<N, K>) -> Self {
        sketch.entries().collect()
    }
}

impl<const N: usize, K: Key> From<Vec<(K, u32)>> for Frequent<N, K> {
    fn from(entries: Vec<(K, u32)>) -> Self {
        let mut sketch = Self::default();
        for (key, count) in entries {
            sketch.add(key, count);
        }
        sketch
    }
}

/// From this number of different clients on there are "many".
pub(crate) const MANY: usize = 20;

/// The number of different clients, counted up to [`MANY`] and exact up to there. It keeps the smallest
/// keys that were seen, sorted. Keys are hashes, so once the list is full most clients cost one
/// comparison. The kept keys do not depend on the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ClientKey>", into = "Vec<ClientKey>")]
pub(crate) struct Distinct {
    smallest: [ClientKey; MANY],
    len: usize,
}

impl Distinct {
    pub(crate) fn add(&mut self, key: ClientKey) {
        if self.len == MANY && key >= self.smallest[MANY - 1] {
            return;
        }
        let Err(at) = self.smallest[..self.len].binary_search(&key) else { return };
        self.len = (self.len + 1).min(MANY);
        self.smallest[at..self.len].rotate_right(1);
        self.smallest[at] = key;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for &key in &other.smallest[..other.len] {
            self.add(key);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.len
    }
}

impl From<Distinct> for Vec<ClientKey> {
    fn from(sketch: Distinct) -> Self {
        sketch.smallest[..sketch.len].to_vec()
    }
}

impl From<Vec<ClientKey>> for Distinct {
    fn from(keys: Vec<ClientKey>) -> Self {
        let mut sketch = Self::default();
        for key in keys {
            sketch.add(key);
        }
        sketch
    }
}
