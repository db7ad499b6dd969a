//! Power of two choices: of two endpoints drawn at random the one with fewer requests in flight
//! (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001).
//!
//! Two draws already keep the longest queue within ln ln n of the mean, where one draw gives
//! ln n / ln ln n; and unlike "the least loaded of all", workers that know nothing of each other's
//! counts do not all run for the same idle endpoint at once.

/// Picks an index in `0..count`, or `None` if there is none. `random` is 64 fresh random bits,
/// `load` tells an endpoint's requests in flight.
///
/// The two draws are always distinct, every ordered pair is equally likely (to within
/// `count` / 2^32), and of two equal loads the first draw wins, which is as random as the draw.
#[must_use]
pub fn pick_two(count: usize, random: u64, load: impl Fn(usize) -> u32) -> Option<usize> {
    match count {
        0 => None,
        1 => Some(0),
        _ => {
            let first = scale(random >> 32, count);
            let second = scale(random & 0xffff_ffff, count - 1);
            // The second is drawn from what the first left over: skip over it.
            let second = if second >= first { second + 1 } else { second };
            Some(if load(second) < load(first) { second } else { first })
        }
    }
}

/// 32 random bits as a number in `0..count`: a multiplication instead of a division (Lemire,
/// "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019, without the rejection).
fn scale(bits: u64, count: usize) -> usize {
    let product = u128::from(bits) * count as u128;
    usize::try_from(product >> 32).unwrap_or(0)
}
