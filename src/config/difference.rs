//! What a reload would change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::pattern::matches;
use super::{Config, paired};

/// Key paths that can be applied live, and those that need a restart.
///
/// A key that is added or gone is named as its whole service, listener, webhook or notifier where
/// that is new or gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub live: Vec<String>,
    pub needs_restart: Vec<String>,
}

/// What lives in sockets, threads and open files that were made at the start.
const NEEDS_RESTART: &[&str] = &["runtime", "listeners", "limits", "forwarding", "admin", "store", "hooks"];

/// Who runs a service's endpoints.
const RUNS_ENDPOINTS: &[&str] = &["services.*.upstream.kind", "services.*.upstream.follow"];

/// Of those tables, what is live all the same: certificates and authorities are read again.
const LIVE: &[&str] = &[
    "listeners[*].tls.certificates[*]",
    "listeners[*].tls.ocsp",
    "listeners[*].tls.client_ca",
    "admin.tls.cert",
    "admin.tls.key",
    "admin.tls.client_ca",
];

/// Tables that are there or not as a whole.
const WHOLE: &[&str] =
    &["services.*", "listeners[*]", "listeners[*].tls", "admin.tls", "webhooks[*]", "notifiers[*]"];

/// What of `new` is live and was another in `old`, the file that was read last; and what needs a
/// restart, since it is not as it was in `started`.
///
/// What is in force is compared: a default that is now written out is no change, nor is `"60s"` for
/// `"1m"`. A listener is known by its bind, wherever it stands, and named by its place in `new`.
pub fn difference(started: &Config, old: &Config, new: &Config) -> Difference {
    let needs_restart = compare(started, new).needs_restart;
    let mut live = compare(old, new).live;
    // Of a listener that does not run, or not with TLS, nothing is live.
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

/// Whether a key is of a listener that is bound elsewhere, and so another one with all that it has.
fn is_moved(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, key: &str) -> bool {
    let row = prefixes(key).next().filter(|first| head(first) == "listeners");
    let bind = row.map(|row| format!("{row}.bind"));
    bind.is_some_and(|bind| old.get(&bind) != new.get(&bind))
}

/// What is in force by `old`, its listeners numbered as they are in `new`. Those that `new` does not
/// have take the numbers that are left.
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

/// `a`, `a.b`, `a.b[0]`... of a key path, the path itself last.
fn prefixes(key: &str) -> impl Iterator<Item = &str> {
    let cuts = key.match_indices('.').map(|(at, _)| at).chain([key.len()]);
    cuts.map(move |at| &key[..at])
}

/// A segment without its index.
fn head(prefix: &str) -> &str {
    prefix.split('[').next().unwrap_or(prefix)
}
