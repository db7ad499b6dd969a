//! What a reload would change.

use std::collections::{BTreeMap, BTreeSet};

use super::Config;
use super::pattern::matches;

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

/// Of those tables, what is live all the same: certificates are read again.
const LIVE: &[&str] = &["listeners[*].tls.certificates[*]", "listeners[*].tls.ocsp"];

/// Tables that are there or not as a whole.
const WHOLE: &[&str] = &["services.*", "listeners[*]", "webhooks[*]", "notifiers[*]"];

/// Compares what is in force: a default that is now written out is no change, nor is `"60s"` for
/// `"1m"`.
pub fn difference(old: &Config, new: &Config) -> Difference {
    let (old, new) = (&old.effective, &new.effective);
    let changed = old.keys().chain(new.keys()).filter(|key| old.get(*key) != new.get(*key));
    let mut live = BTreeSet::new();
    let mut needs_restart = BTreeSet::new();
    for key in changed {
        let whole = prefixes(key).find(|prefix| WHOLE.iter().any(|pattern| matches(pattern, prefix)));
        let within = |map: &BTreeMap<String, String>, prefix: &str| {
            map.range(prefix.to_owned()..)
                .next()
                .is_some_and(|(key, _)| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
        };
        let named = match whole {
            Some(prefix) if within(old, prefix) != within(new, prefix) => prefix,
            _ => key,
        };
        let restarts = prefixes(key)
            .any(|prefix| NEEDS_RESTART.contains(&head(prefix)) || NEEDS_RESTART.contains(&prefix))
            || (named == key && RUNS_ENDPOINTS.iter().any(|pattern| matches(pattern, key)));
        let stays = prefixes(key).any(|prefix| LIVE.iter().any(|pattern| matches(pattern, prefix)));
        if restarts && (!stays || named != key) {
            needs_restart.insert(named.to_owned());
        } else {
            live.insert(named.to_owned());
        }
    }
    Difference { live: live.into_iter().collect(), needs_restart: needs_restart.into_iter().collect() }
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
