//! Values of JSON lines that one program writes as a number and another as text, under names that differ.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::line::number;
use super::stamp;

/// A number, a text, or a value that says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar<'a> {
    Number(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
    /// `null`, a truth value, a list or an object.
    #[default]
    #[serde(skip_deserializing)]
    Absent,
    Other(IgnoredAny),
}

impl Scalar<'_> {
    /// The text, without the values that stand for no value: `-` and nothing.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() && text != "-" => Some(text),
            _ => None,
        }
    }

    fn is_present(&self) -> bool {
        matches!(self, Self::Number(_)) || self.text().is_some()
    }

    /// The value as a number that is not negative.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = match self {
            Self::Number(number) => *number,
            other => other.text()?.trim().parse().ok()?,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// The value as an HTTP status.
    pub(crate) fn status(&self) -> Option<u16> {
        let number = self.number()?;
        (number.fract() == 0.0 && number < 1000.0).then(|| whole(number)).and_then(|n| u16::try_from(n).ok())
    }

    /// The value as a time span in whole milliseconds. `per_ms` is the number of its units in a millisecond.
    pub(crate) fn millis(&self, per_ms: f64) -> Option<u32> {
        // 0.109 s is a little less than 109 ms in floating point.
        u32::try_from(whole((self.number()? / per_ms + 1e-6).floor())).ok()
    }

    /// The value as a point in time, in milliseconds since 1970. A number is seconds, or milliseconds,
    /// microseconds or nanoseconds if it is too large for that. A text is RFC 3339, the time of nginx's and
    /// Apache's logs, or a number.
    pub(crate) fn time(&self) -> Option<i64> {
        if let Some(text) = self.text() {
            let bytes = text.as_bytes();
            if let Some(millis) = stamp::rfc3339_millis(bytes).or_else(|| stamp::common_millis(bytes)) {
                return Some(millis);
            }
        }
        let number = self.number()?;
        let per_second = match number {
            ..1e11 => 1.0,
            1e11..1e14 => 1e3,
            1e14..1e17 => 1e6,
            _ => 1e9,
        };
        Some(whole(number / per_second * 1000.0))
    }
}

/// Reads the fields of a JSON object. `names` holds for each field the names that it may have, best first. A
/// line may hold several of them, such as nginx's `time_local` and `msec`. `None` if the line is no object.
pub(crate) fn fields<'a, const N: usize>(line: &'a [u8], names: &[&[&str]; N]) -> Option<[Scalar<'a>; N]> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let fields = Fields(names).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(fields)
}

struct Fields<'n, const N: usize>(&'n [&'n [&'n str]; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<'_, N> {
    type Value = [Scalar<'de>; N];

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Scalar<'de>; N];

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut values = [const { Scalar::Absent }; N];
        let mut ranks = [usize::MAX; N];
        while let Some(Scalar::Text(key)) = map.next_key()? {
            let named = self
                .0
                .iter()
                .enumerate()
                .find_map(|(field, names)| Some((field, names.iter().position(|name| *name == key)?)));
            let Some((field, rank)) = named.filter(|(field, rank)| *rank < ranks[*field]) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: Scalar<'_> = map.next_value()?;
            if value.is_present() {
                (values[field], ranks[field]) = (value, rank);
            }
        }
        Ok(values)
    }
}

/// The value of an address, without the port that some programs add: `10.0.0.1:80`, `[2001:db8::1]:80`.
pub(crate) fn without_port(address: &str) -> &str {
    if let Some((inside, _)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && number(port.as_bytes()).is_some() => host,
        _ => address,
    }
}

/// The right-most address of an `X-Forwarded-For`. It is the one that the nearest proxy has added.
pub(crate) fn last_forwarded(list: &str) -> Option<&str> {
    let last = list.rsplit(',').next()?.trim();
    (!last.is_empty() && last != "-").then_some(last)
}

/// A number that is not negative as a whole number. Rounded to the nearest, because 1795521601.524 s is no
/// whole number of milliseconds in floating point.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
