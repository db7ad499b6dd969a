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
    let (first, second) = draw_two(count, random)?;
    Some(if load(second) < load(first) { second } else { first })
}

/// The two draws of [`pick_two`]; of one endpoint both are the same.
#[must_use]
pub fn draw_two(count: usize, random: u64) -> Option<(usize, usize)> {
    match count {
        0 => None,
        1 => Some((0, 0)),
        _ => {
            let first = scale(random >> 32, count);
            let second = scale(random & 0xffff_ffff, count - 1);
            // The second is drawn from what the first left over: skip over it.
            Some((first, if second >= first { second + 1 } else { second }))
        }
    }
}

/// The weight of an endpoint that takes its whole share.
pub const WEIGHT_FULL: u32 = 256;

/// The weight of an endpoint that has come back: a tenth of its share at first, all of it when
/// `left` of the slow start's `whole` time is over; evenly in between.
#[must_use]
pub fn slow_weight(left: u32, whole: u32) -> u32 {
    let least = u64::from(WEIGHT_FULL) / 10;
    let done = u64::from(whole.saturating_sub(left));
    let grown = (u64::from(WEIGHT_FULL) - least) * done / u64::from(whole.max(1));
    u32::try_from(least + grown).unwrap_or(WEIGHT_FULL)
}

/// Whether the endpoint that was picked gives this request to the other of the two, because it is
/// in its slow start and the other is further. Two that began together share evenly: a color that
/// starts as a whole has nobody to spare it.
#[must_use]
pub fn gives_way(weight: u32, other: u32, random: u64) -> bool {
    weight < other && scale(random & 0xffff_ffff, usize::try_from(other).unwrap_or(1)) >= weight as usize
}

/// 32 random bits as a number in `0..count`: a multiplication instead of a division (Lemire,
/// "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019, without the rejection).
fn scale(bits: u64, count: usize) -> usize {
    let product = u128::from(bits) * count as u128;
    usize::try_from(product >> 32).unwrap_or(0)
}
