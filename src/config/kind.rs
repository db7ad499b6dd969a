//! The kinds of value in a configuration file. Each kind turns an [`Item`] into a typed value, or reports
//! what is wrong and what would be right.

use std::ops::{Bound, RangeBounds, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use super::quantity::{self, DURATION_MAX, Size, show_duration};
use super::shown::quoted;
use super::walk::{Item, Walk, item as element, join};
use super::{Reference, Secret};

/// Reports a value of the wrong type, as in "is a number: must be a duration in quotes".
pub(super) fn wrong_type(walk: &mut Walk<'_>, item: &Item<'_>, needed: &str) {
    let is = match item.value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    walk.fault(&item.path, format!("is {is}: must be {needed}"));
}

/// `true` or `false`, without quotes.
pub(super) fn flag(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<bool> {
    match item.value {
        DeValue::Boolean(value) => Some(*value),
        DeValue::String(text) if matches!(text.as_ref(), "true" | "false") => {
            wrong_type(walk, item, &format!("{text}, without quotes"));
            None
        }
        _ => {
            wrong_type(walk, item, "true or false");
            None
        }
    }
}

/// A whole number in a range.
pub(super) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<T>
where
    T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display,
{
    move |walk, item| {
        let needed = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(written) = item.value else {
            wrong_type(walk, item, &needed);
            return None;
        };
        let value = i64::from_str_radix(written.as_str(), written.radix()).ok();
        let value = value.and_then(|value| T::try_from(value).ok()).filter(|value| range.contains(value));
        if value.is_none() {
            walk.fault(&item.path, format!("is out of range: must be {needed}"));
        }
        value
    }
}

/// A finite number that `fits`. The text `needed` describes the numbers that do.
pub(super) fn number(
    fits: impl Fn(f64) -> bool,
    needed: &'static str,
) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<f64> {
    move |walk, item| {
        let value = match item.value {
            DeValue::Float(written) => written.as_str().parse::<f64>().ok(),
            DeValue::Integer(written) => {
                i64::from_str_radix(written.as_str(), written.radix()).ok().map(|value| value as f64)
            }
            _ => {
                wrong_type(walk, item, needed);
                return None;
            }
        };
        let value = value.filter(|value| value.is_finite() && fits(*value));
        if value.is_none() {
            walk.fault(&item.path, format!("is out of range: must be {needed}"));
        }
        value
    }
}

/// A duration in the range, as a text with a unit.
pub(super) fn duration(
    range: impl RangeBounds<Duration>,
) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Duration> {
    move |walk, item| {
        let value = match item.value {
            DeValue::String(text) => quantity::parse_duration(text),
            DeValue::Integer(count) => {
                Err(format!("is a number: must be a duration in quotes with its unit, such as \"{count}s\""))
            }
            _ => {
                wrong_type(walk, item, "a duration in quotes, such as \"10s\", \"250ms\" or \"1h30m\"");
                return None;
            }
        };
        let value = value.and_then(|value| {
            if range.contains(&value) {
                return Ok(value);
            }
            let below = match range.start_bound() {
                Bound::Included(least) => value < *least,
                Bound::Excluded(least) => value <= *least,
                Bound::Unbounded => false,
            };
            Err(match (below, range.start_bound(), range.end_bound()) {
                (true, Bound::Included(least), _) => {
                    format!("is too short: must be at least \"{}\"", show_duration(*least))
                }
                (true, ..) => "is too short: must be longer than \"0s\"".to_owned(),
                (false, _, Bound::Included(most) | Bound::Excluded(most)) => {
                    format!("is too long: must be at most \"{}\"", show_duration(*most))
                }
                (false, ..) => format!("is too long: must be at most \"{}\"", show_duration(DURATION_MAX)),
            })
        });
        value.map_err(|message| walk.fault(&item.path, message)).ok()
    }
}

/// A duration of at least one millisecond.
pub(super) fn some_time() -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Duration> {
    duration(Duration::from_millis(1)..)
}

/// A duration of at least `least`, or zero, which switches the thing off.
pub(super) fn time_or_off(least: Duration) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Duration> {
    move |walk, item| {
        let value = duration(..)(walk, item)?;
        if value.is_zero() || value >= least {
            return Some(value);
        }
        let message = format!(
            "is too short: must be at least \"{}\", or \"0s\" for never",
            quantity::show_duration(least)
        );
        walk.fault(&item.path, message);
        None
    }
}

/// A size in the range, in bytes, as a text with a unit.
pub(super) fn size(range: RangeInclusive<u64>) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Size> {
    move |walk, item| {
        let value = match item.value {
            DeValue::String(text) => quantity::parse_size(text),
            DeValue::Integer(count) => {
                let right = Size(count.as_str().parse().unwrap_or(0));
                Err(format!(
                    "is a number: must be a size in quotes with its unit: \"{right}\" is so many bytes"
                ))
            }
            _ => {
                wrong_type(walk, item, "a size in quotes, such as \"32KiB\" or \"1MiB\"");
                return None;
            }
        };
        let value = value.and_then(|value| {
            if range.contains(&value.0) {
                return Ok(value);
            }
            Err(format!(
                "is out of range: must be from \"{}\" to \"{}\"",
                Size(*range.start()),
                Size(*range.end())
            ))
        });
        value.map_err(|message| walk.fault(&item.path, message)).ok()
    }
}

/// A text that is not empty. The text `needed` describes it in a fault.
pub(super) fn text(needed: &'static str) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<String> {
    move |walk, item| {
        let DeValue::String(text) = item.value else {
            wrong_type(walk, item, needed);
            return None;
        };
        if text.is_empty() {
            walk.fault(&item.path, format!("is empty: must be {needed}"));
            return None;
        }
        Some(text.to_string())
    }
}

/// A text that [`text`] takes and that passes the check `judge`.
pub(super) fn text_that(
    needed: &'static str,
    judge: impl Fn(&str) -> Result<(), String>,
) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<String> {
    move |walk, item| {
        let value = text(needed)(walk, item)?;
        match judge(&value) {
            Ok(()) => Some(value),
            Err(message) => {
                walk.fault(&item.path, message);
                None
            }
        }
    }
}

/// A path. A relative one is resolved from the folder of the configuration file.
pub(super) fn path(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<PathBuf> {
    let written = text("a path in quotes")(walk, item)?;
    if written.contains('\0') {
        walk.fault(&item.path, "holds a NUL byte: no path does");
        return None;
    }
    Some(walk.resolve(&written))
}

/// A file that has to be readable when the configuration is loaded.
pub(super) fn file(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<PathBuf> {
    let path = path(walk, item)?;
    walk.references.push((item.path.clone(), Reference::File(path.clone())));
    Some(path)
}

/// A secret, as `{ file = }` or `{ env = }`. No fault ever shows more of it than that place.
pub(super) fn secret(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Secret> {
    const RIGHT: &str = "{ file = \"/path\" } or { env = \"NAME\" }";
    walk.hide(&item.path);
    let DeValue::Table(table) = item.value else {
        walk.fault(&item.path, format!("is not shown, since it may be a secret: must be {RIGHT}"));
        return None;
    };
    let mut sound = true;
    for (key, value) in table {
        if !matches!(key.get_ref().as_ref(), "file" | "env") {
            walk.unknown(&item.path, key.get_ref(), key.span().start, vec!["file", "env"]);
            sound = false;
            continue;
        }
        let place = element(join(&item.path, key.get_ref()), value);
        walk.found(&place);
        // A person may have written the secret itself here. No fault may show it.
        walk.hide(&place.path);
        if let DeValue::String(text) = value.get_ref() {
            if text.is_empty() || text.contains('\0') || (key.get_ref() == "env" && text.contains('=')) {
                walk.fault(&place.path, format!("names nothing: must be as in {RIGHT}"));
                sound = false;
            }
        } else {
            wrong_type(walk, &place, &format!("a text, as in {RIGHT}"));
            sound = false;
        }
    }
    let of = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let secret = match (of("file"), of("env")) {
        _ if !sound => return None,
        (Some(path), None) => Secret::File(walk.resolve(path)),
        (None, Some(name)) => Secret::Env(name.to_owned()),
        (Some(_), Some(_)) => {
            walk.fault(&item.path, format!("has both file and env: must be one of {RIGHT}"));
            return None;
        }
        (None, None) => {
            walk.fault(&item.path, format!("has neither file nor env: must be {RIGHT}"));
            return None;
        }
    };
    walk.references.push((item.path.clone(), Reference::Secret(secret.clone())));
    Some(secret)
}

/// A list whose elements are of one kind. An element at fault is reported and left out; the others stay.
pub(super) fn list<T>(
    kind: impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<T>,
    example: &'static str,
) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Vec<T>> {
    move |walk, item| {
        let DeValue::Array(elements) = item.value else {
            let needed = match item.value {
                DeValue::String(text) => format!("a list: [{}]", quoted(text)),
                _ => format!("a list, such as {example}"),
            };
            wrong_type(walk, item, &needed);
            return None;
        };
        let mut values = Vec::with_capacity(elements.len());
        for (index, value) in elements.iter().enumerate() {
            let element = element(format!("{}[{index}]", item.path), value);
            walk.found(&element);
            values.extend(kind(walk, &element));
        }
        Some(values)
    }
}

/// A [`list`] with at least one element.
pub(super) fn some<T>(
    kind: impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<T>,
    example: &'static str,
) -> impl Fn(&mut Walk<'_>, &Item<'_>) -> Option<Vec<T>> {
    let list = list(kind, example);
    move |walk, item| {
        if matches!(item.value, DeValue::Array(elements) if elements.is_empty()) {
            walk.fault(&item.path, format!("is empty: must hold at least one, such as {example}"));
            return None;
        }
        list(walk, item)
    }
}
