//! The index from a host to its service.
//!
//! The index is one hash map of exact hosts and one of `*.` suffixes. The seed of the hash is the same in
//! every process. That is safe, because the keys come from the configuration, so no client can choose
//! keys that collide.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::model::Color;

use super::{ServiceRoute, normalize_host};

/// The service, and for a preview host the color, that a host leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The service's position in the table.
    pub(crate) service: usize,
    /// The color of a preview host. `None` for a public host.
    pub(crate) preview: Option<Color>,
}

/// Every host of a table. The index holds positions and not services. So later tables can use it too, as
/// long as no host of any service changes.
#[derive(Debug, Default)]
pub(crate) struct HostIndex {
    exact: HashMap<Box<[u8]>, Target, FixedState>,
    /// The `*.` hosts by their suffix with its dot. `*.example.org` is kept as `.example.org`.
    suffixes: HashMap<Box<[u8]>, Target, FixedState>,
    /// The length of the longest suffix in bytes. A longer suffix of a host needs no lookup.
    suffix_bytes_max: usize,
    /// The position of the default service.
    pub(crate) default: Option<usize>,
}

impl HostIndex {
    /// The index of these services. If two services claim the same host, the first one gets it; `config`
    /// refuses such a file. A claim that is not a valid host is left out.
    pub(crate) fn new(services: &[Arc<ServiceRoute>]) -> Self {
        let mut index = Self { default: services.iter().position(|route| route.default), ..Self::default() };
        for (service, route) in services.iter().enumerate() {
            for host in &route.hosts {
                index.add(host, Target { service, preview: None });
            }
        }
        for (service, route) in services.iter().enumerate() {
            for (color, hosts) in route.preview_hosts.iter() {
                for host in hosts {
                    index.add(host, Target { service, preview: Some(color) });
                }
            }
        }
        index
    }

    /// Whether the index of `old` is right for `new` too.
    pub(crate) fn same_hosts(old: &[Arc<ServiceRoute>], new: &[Arc<ServiceRoute>]) -> bool {
        let same = |(a, b): (&Arc<ServiceRoute>, &Arc<ServiceRoute>)| {
            Arc::ptr_eq(a, b)
                || (a.default == b.default && a.hosts == b.hosts && a.preview_hosts == b.preview_hosts)
        };
        old.len() == new.len() && old.iter().zip(new).all(same)
    }

    /// Looks up a host that is already normalized.
    pub(crate) fn find(&self, host: &[u8]) -> Option<Target> {
        if let Some(target) = self.exact.get(host) {
            return Some(*target);
        }
        if self.suffix_bytes_max == 0 {
            return None;
        }
        // The search begins at the left, so that the longest suffix comes first. It skips the first
        // byte, because `*.` stands for at least one label.
        let longest = host.len().saturating_sub(self.suffix_bytes_max).max(1);
        (longest..host.len())
            .filter(|&at| host[at] == b'.')
            .find_map(|at| self.suffixes.get(&host[at..]))
            .copied()
    }

    fn add(&mut self, host: &str, target: Target) {
        let (name, wild) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        let mut buffer = [0; 256];
        let Ok(name) = normalize_host(name.as_bytes(), &mut buffer) else { return };
        if wild {
            let suffix = [b".", name].concat();
            self.suffix_bytes_max = self.suffix_bytes_max.max(suffix.len());
            self.suffixes.entry(suffix.into()).or_insert(target);
        } else {
            self.exact.entry(name.into()).or_insert(target);
        }
    }
}
