//! The choice of an endpoint by the power of two choices. Two endpoints are drawn at random, and the one
//! with fewer requests in flight is picked (Mitzenmacher, "The Power of Two Choices in Randomized Load
//! Balancing", IEEE TPDS 12(10), 2001).
//!
//! Two draws already keep the longest queue within ln ln n of the mean. One draw gives ln n / ln ln n. A
//! pick of the least loaded of all endpoints has another fault: workers do not know each other's counts,
//! so all of them would send to the same idle endpoint at once.

/// An endpoint as a pick sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The number of requests in flight.
    pub load: u32,
    /// The endpoint's share of requests. [`WEIGHT_FULL`] is a whole share.
    pub weight: u32,
    /// Whether the endpoint has left its pool because of failed attempts.
    pub is_out: bool,
}

/// The result of a pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The endpoint with this index.
    One(usize),
    /// Both draws have left their pool. The caller must look through all endpoints.
    BothOut,
}

/// Picks an index in `0..count`. Returns `None` if `count` is 0. `random` is 64 fresh random bits, and
/// `look` returns the state of the endpoint with an index.
///
/// The two draws are distinct if `count` is at least 2, and every ordered pair is equally likely (to
/// within `count` / 2^32). If both loads are equal, the first draw wins, which is as random as the draw.
/// An endpoint in its slow start gives a part of its requests to the other draw.
#[must_use]
pub fn pick_two(count: usize, random: u64, look: impl Fn(usize) -> Candidate) -> Option<Pick> {
    let (first, second) = draw_two(count, random)?;
    let (one, two) = (look(first), look(second));
    let (chosen, other) =
        if two.load < one.load { ((second, two), (first, one)) } else { ((first, one), (second, two)) };
    Some(match (chosen.1.is_out, other.1.is_out) {
        (true, true) => Pick::BothOut,
        (true, false) => Pick::One(other.0),
        (false, true) => Pick::One(chosen.0),
        (false, false) => {
            // The multiplication mixes the bits anew, because the draws have already used them.
            let random = random.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let gives_way = gives_way(chosen.1.weight, other.1.weight, random);
            Pick::One(if gives_way { other.0 } else { chosen.0 })
        }
    })
}

/// The two draws of [`pick_two`]. If there is only one endpoint, both draws are that endpoint.
fn draw_two(count: usize, random: u64) -> Option<(usize, usize)> {
    match count {
        0 => None,
        1 => Some((0, 0)),
        _ => {
            let first = scale(random >> 32, count);
            let second = scale(random & 0xffff_ffff, count - 1);
            // The second draw is among the indices without the first one, so it skips that index.
            Some((first, if second >= first { second + 1 } else { second }))
        }
    }
}

/// The weight of an endpoint that takes its whole share.
pub const WEIGHT_FULL: u32 = 256;

/// The weight of an endpoint that has come back. `left` is the time that is left of its slow start, and
/// `whole` is the length of the slow start, in the same unit. The weight is a tenth of
/// [`WEIGHT_FULL`] at first and all of it at the end, and it grows evenly in between.
#[must_use]
pub fn slow_weight(left: u32, whole: u32) -> u32 {
    let least = u64::from(WEIGHT_FULL) / 10;
    let done = u64::from(whole.saturating_sub(left));
    let grown = (u64::from(WEIGHT_FULL) - least) * done / u64::from(whole.max(1));
    u32::try_from(least + grown).unwrap_or(WEIGHT_FULL)
}

/// Whether the picked endpoint gives this request to the other draw. It may do so if it is in its slow
/// start and the other is further than it. Two endpoints that began together share evenly, because a
/// color that starts as a whole has no other endpoint that could take the load.
fn gives_way(weight: u32, other: u32, random: u64) -> bool {
    weight < other && scale(random & 0xffff_ffff, usize::try_from(other).unwrap_or(1)) >= weight as usize
}

/// Scales 32 random bits to a number in `0..count`, with a multiplication in place of a division (Lemire,
/// "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019, without the rejection).
fn scale(bits: u64, count: usize) -> usize {
    let product = u128::from(bits) * count as u128;
    usize::try_from(product >> 32).unwrap_or(0)
}
