//! Finds the services of a compose file that are the two colors of one service.
//!
//! They are found by label (`greenlight.service`, `greenlight.color`), by name (`web-blue` and
//! `web-green`, which both have to be there), or by host (`blue.example.org` and `green.example.org`).

use std::collections::BTreeSet;

use super::compose::Unit;
use super::host;
use crate::model::{Color, PerColor};

/// The compose services that become one service of greenlight.
#[derive(Clone, Debug)]
pub(crate) enum Group<'a> {
    Single(&'a Unit),
    Pair { base: String, members: PerColor<&'a Unit> },
}

/// Puts every unit into one group. The groups are in the order of the units.
pub(crate) fn groups<'a>(units: &[&'a Unit]) -> Vec<Group<'a>> {
    let mut used = BTreeSet::new();
    let mut groups = Vec::new();
    for unit in units {
        if used.contains(&unit.name) {
            continue;
        }
        used.insert(unit.name.clone());
        let partner = units
            .iter()
            .filter(|other| !used.contains(&other.name))
            .find_map(|other| pair(unit, other).map(|(base, color)| (*other, base, color)));
        groups.push(match partner {
            Some((other, base, color)) => {
                used.insert(other.name.clone());
                let members = match color {
                    Color::Blue => PerColor { blue: *unit, green: other },
                    Color::Green => PerColor { blue: other, green: *unit },
                };
                Group::Pair { base, members }
            }
            None => Group::Single(unit),
        });
    }
    groups
}

/// The common name of the two units, and the color of the first. `None` if they are no pair.
fn pair(one: &Unit, other: &Unit) -> Option<(String, Color)> {
    let labeled = |unit: &Unit| {
        let color = unit.labels.get("greenlight.color").and_then(|color| named_color(color))?;
        Some((unit.labels.get("greenlight.service")?.clone(), color))
    };
    let by = [labeled, |unit: &Unit| uncolored(&unit.name), by_host];
    by.iter().find_map(|read| match (read(one), read(other)) {
        (Some((base, color)), Some((same, other))) if base == same && color != other => Some((base, color)),
        _ => None,
    })
}

fn named_color(word: &str) -> Option<Color> {
    Color::ALL.into_iter().find(|color| color.as_str() == word)
}

/// Takes the color out of a name, such as `web` and blue from `web-blue`. The color stands at an end of
/// the name, or between separators.
fn uncolored(name: &str) -> Option<(String, Color)> {
    let lower = name.to_ascii_lowercase();
    Color::ALL.into_iter().find_map(|color| {
        let word = color.as_str();
        let base = lower.strip_suffix(word).or_else(|| lower.strip_prefix(word)).map(str::to_owned).or_else(
            || {
                ['-', '_', '.'].iter().find_map(|separator| {
                    let inside = format!("{separator}{word}{separator}");
                    lower.contains(&inside).then(|| lower.replace(&inside, &separator.to_string()))
                })
            },
        )?;
        Some((base.trim_matches(['-', '_', '.']).to_owned(), color))
    })
}

/// Finds the first host whose first label is a color. The common name is the label after it.
fn by_host(unit: &Unit) -> Option<(String, Color)> {
    host::parse(unit.setting("VIRTUAL_HOST")?).iter().find_map(|found| {
        let (label, rest) = found.host.split_once('.')?;
        Some((rest.split('.').next()?.to_owned(), named_color(label)?))
    })
}
