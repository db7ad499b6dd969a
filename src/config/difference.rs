//! The keys that a reload would change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::pattern::matches;
use super::{Config, paired};

/// Key paths that can be applied live, and those that need a restart.
///
/// If a whole service, listener, webhook, notifier or TLS table is new or gone, its own path stands for all
/// of its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub live: Vec<String>,
    pub needs_restart: Vec<String>,
}

/// Tables that need a restart. Their values live in sockets, threads and open files that are made at the
/// start.
const NEEDS_RESTART: &[&str] = &["runtime", "listeners", "limits", "forwarding", "admin", "store", "hooks"];

/// The keys that say whether greenlight runs a service's endpoints.
const RUNS_ENDPOINTS: &[&str] = &["services.*.upstream.kind", "services.*.upstream.follow"];

/// Keys of those tables that are live all the same, because certificates and authorities are read again.
const LIVE: &[&str] = &[
    "listeners[*].tls.certificates[*]",
    "listeners[*].tls.ocsp",
    "listeners[*].tls.client_ca",
    "admin.tls.cert",
    "admin.tls.key",
    "admin.tls.client_ca",
];

/// Tables whose presence or absence is reported as a whole.
const WHOLE: &[&str] =
    &["services.*", "listeners[*]", "listeners[*].tls", "admin.tls", "webhooks[*]", "notifiers[*]"];

/// The keys of `new` that are live and differ from `old`, the configuration that was read last. Also the
/// keys that need a restart, because they differ from `started`, the configuration at the start.
///
/// The values in force are compared. A default that is now written out is no change, nor is `"60s"` in
/// place of `"1m"`. A listener is identified by its bind, wherever it stands, and named by its index in
/// `new`.
pub fn difference(started: &Config, old: &Config, new: &Config) -> Difference {
    let needs_restart = compare(started, new).needs_restart;
    let mut live = compare(old, new).live;
    // If a listener does not run, or does not run with TLS, no key of it is live.
    let idle: Vec<String> = needs_restart
        .iter()
        .map(|key| match key.strip_suffix("].bind") {
            Some(listener) => format!("{listener}]."),
            None => format!("{key}."),
        })
        .collect();
    live.retain(|key| !idle.iter().any(|idle| key.starts_with(idle.as_str())));
    Difference { live, needs_restart }
}

fn compare(old: &Config, new: &Config) -> Difference {
    let (old, new) = (&renamed(old, new), &new.effective);
    let changed = old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key));
    let mut live = BTreeSet::new();
    let mut needs_restart = BTreeSet::new();
    for key in changed {
        let within = |map: &BTreeMap<String, String>, prefix: &str| {
            map.range(prefix.to_owned()..)
                .next()
                .is_some_and(|(key, _)| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
        };
        let is_whole = |prefix: &&str| WHOLE.iter().any(|pattern| matches(pattern, prefix));
        let whole = prefixes(key).filter(is_whole).find(|prefix| within(old, prefix) != within(new, prefix));
        let named = whole.unwrap_or(key);
        let restarts = prefixes(key)
            .any(|prefix| NEEDS_RESTART.contains(&head(prefix)) || NEEDS_RESTART.contains(&prefix))
            || (named == key && RUNS_ENDPOINTS.iter().any(|pattern| matches(pattern, key)));
        let stays = prefixes(key).any(|prefix| LIVE.iter().any(|pattern| matches(pattern, prefix)));
        if restarts && (!stays || named != key || is_moved(old, new, key)) {
            needs_restart.insert(named.to_owned());
        } else {
            live.insert(named.to_owned());
        }
    }
    Difference { live: live.into_iter().collect(), needs_restart: needs_restart.into_iter().collect() }
}

/// Whether the key belongs to a listener whose bind has changed. Such a listener counts as another one,
/// with all of its keys.
fn is_moved(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, key: &str) -> bool {
    let row = prefixes(key).next().filter(|first| head(first) == "listeners");
    let bind = row.map(|row| format!("{row}.bind"));
    bind.is_some_and(|bind| old.get(&bind) != new.get(&bind))
}

/// The values in force in `old`, with its listeners numbered as they are in `new`. Listeners that `new`
/// does not have take the numbers that are left.
fn renamed(old: &Config, new: &Config) -> BTreeMap<String, String> {
    let places = paired(&old.listener_binds(), &new.listener_binds());
    let mut left = (0..).filter(|number| !places.contains(&Some(*number)));
    let numbers: Vec<usize> =
        places.iter().map(|place| place.or_else(|| left.next()).unwrap_or_default()).collect();
    let keys = old.effective.iter().map(|(key, value)| {
        let row = key.strip_prefix("listeners[").and_then(|rest| rest.split_once(']'));
        let number = row.and_then(|(number, _)| numbers.get(number.parse::<usize>().ok()?));
        let key = match (row, number) {
            (Some((_, rest)), Some(number)) => Cow::from(format!("listeners[{number}]{rest}")),
            _ => Cow::from(key),
        };
        (key.into_owned(), value.clone())
    });
    keys.collect()
}

/// The prefixes `a`, `a.b`, `a.b[0]`... of a key path. The path itself comes last.
fn prefixes(key: &str) -> impl Iterator<Item = &str> {
    let cuts = key.match_indices('.').map(|(at, _)| at).chain([key.len()]);
    cuts.map(move |at| &key[..at])
}

/// A segment of a key path without its index.
fn head(prefix: &str) -> &str {
    prefix.split('[').next().unwrap_or(prefix)
}
