//! Who asks and who fails, in bounded memory.
//!
//! Two questions are asked of a second's clients, and of ten minutes' of them: are there twenty or
//! more, and which of them make most of the requests or errors? Neither needs a table of all
//! clients. Both sketches can be merged (of several workers, of many seconds) and both err to one
//! known side.

use serde::{Deserialize, Serialize};

/// A client, by a hash of its address (peer, or right-most untrusted X-Forwarded-For).
pub type ClientKey = u64;

/// The most frequent keys of a stream, by the algorithm of Misra and Gries ("Finding repeated
/// elements", 1982), merged as Agarwal et al. show ("Mergeable Summaries", PODS 2012).
///
/// A count is never too high, and too low by at most `(all - kept) / (N + 1)` where `all` is what
/// was added and `kept` the sum of the counts. So a client is never charged for another's errors,
/// and whoever makes more than one in `N + 1` is among the kept. With `N` clients or fewer all
/// counts are exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    from = "Vec<(K, u32)>",
    into = "Vec<(K, u32)>",
    bound = "K: Key + Serialize + serde::de::DeserializeOwned"
)]
pub(crate) struct Frequent<const N: usize, K: Key = ClientKey> {
    /// A key beside a count of 0 is a free place. Keys apart from counts: the search runs over
    /// keys alone.
    keys: [K; N],
    counts: [u32; N],
}

/// What can be counted: a client, or a client on a route.
pub(crate) trait Key: Copy + Ord + Default {}

impl<K: Copy + Ord + Default> Key for K {}

impl<const N: usize, K: Key> Frequent<N, K> {
    pub(crate) fn add(&mut self, key: K, weight: u32) {
        // A free place with this very key is as good as any: one search finds both.
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

    /// The kept keys with their counts, in no order that means anything.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.keys.iter().copied().zip(self.counts.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// The most that any one key can have made of `all` that was added.
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

/// Equal when they say the same; places do not matter.
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

/// So many different clients are "many".
pub(crate) const MANY: usize = 20;

/// How many different clients there are, counted up to [`MANY`] and exact up to there: the
/// smallest keys that were seen, sorted. Keys are hashes, so once it is full most clients cost
/// one comparison; and what is kept does not depend on the order in which they came.
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
