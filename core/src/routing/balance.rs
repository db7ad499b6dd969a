//! Power of two choices: of two endpoints drawn at random the one with fewer requests in flight
//! (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001).
//!
//! Two draws already keep the longest queue within ln ln n of the mean, where one draw gives
//! ln n / ln ln n; and unlike "the least loaded of all", workers that know nothing of each other's
//! counts do not all run for the same idle endpoint at once.

/// An endpoint as a pick sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Requests in flight.
    pub load: u32,
    /// Its share, in parts of [`WEIGHT_FULL`].
    pub weight: u32,
    /// It has left its pool for failed attempts.
    pub is_out: bool,
}

/// The result of a pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The endpoint with this index.
    One(usize),
    /// Both draws have left their pool: the caller looks through all of them.
    BothOut,
}

/// Picks an index in `0..count`, or `None` if `count` is 0. `random` is 64 fresh random bits.
///
/// The two draws are always distinct, every ordered pair is equally likely (to within
/// `count` / 2^32), and of two equal loads the first draw wins, which is as random as the draw.
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
            // Other bits than those that the two were drawn by.
            let random = random.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let gives_way = gives_way(chosen.1.weight, other.1.weight, random);
            Pick::One(if gives_way { other.0 } else { chosen.0 })
        }
    })
}

/// The two draws of [`pick_two`]; of one endpoint both are the same.
fn draw_two(count: usize, random: u64) -> Option<(usize, usize)> {
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
/// starts as a whole has no endpoint to spare it.
fn gives_way(weight: u32, other: u32, random: u64) -> bool {
    weight < other && scale(random & 0xffff_ffff, usize::try_from(other).unwrap_or(1)) >= weight as usize
}

/// 32 random bits as a number in `0..count`: a multiplication instead of a division (Lemire,
/// "Fast Random Integer Generation in an Interval", ACM TOMACS 29(1), 2019, without the rejection).
fn scale(bits: u64, count: usize) -> usize {
    let product = u128::from(bits) * count as u128;
    usize::try_from(product >> 32).unwrap_or(0)
}
