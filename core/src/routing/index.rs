//! Which service a host means.
//!
//! A hash map of exact hosts and one of `*.` suffixes. The hash is seeded alike in every process:
//! the keys come from the configuration, so nobody outside can choose what collides.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::model::Color;

use super::{ServiceRoute, normalize_host};

/// What a host means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The service's position in the table.
    pub(crate) service: usize,
    /// `Some` for a preview host.
    pub(crate) preview: Option<Color>,
}

/// Every host of a table. Holds positions, not services: it outlives the table it was built for
/// as long as no service's hosts change.
#[derive(Debug, Default)]
pub(crate) struct HostIndex {
    exact: HashMap<Box<[u8]>, Target, FixedState>,
    /// By suffix with its dot: `*.example.org` is kept as `.example.org`.
    suffixes: HashMap<Box<[u8]>, Target, FixedState>,
    /// Bytes of the longest suffix: nothing longer is worth a lookup.
    suffix_bytes_max: usize,
    pub(crate) default: Option<usize>,
}

impl HostIndex {
    /// Of two services that claim the same host the first has it (`config` refuses such a file).
    /// A host that can't be one is never found.
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

    /// Whether an index of `old` serves `new` too.
    pub(crate) fn same_hosts(old: &[Arc<ServiceRoute>], new: &[Arc<ServiceRoute>]) -> bool {
        let same = |(a, b): (&Arc<ServiceRoute>, &Arc<ServiceRoute>)| {
            Arc::ptr_eq(a, b)
                || (a.default == b.default && a.hosts == b.hosts && a.preview_hosts == b.preview_hosts)
        };
        old.len() == new.len() && old.iter().zip(new).all(same)
    }

    /// Looks up a normalized host.
    pub(crate) fn find(&self, host: &[u8]) -> Option<Target> {
        if let Some(target) = self.exact.get(host) {
            return Some(*target);
        }
        if self.suffix_bytes_max == 0 {
            return None;
        }
        // From the left, so that the longest suffix comes first. The first byte is never tried:
        // `*.` stands for at least one label.
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
