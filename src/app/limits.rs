//! The process's file limit: a connection is a file, and so is the one to the endpoint.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More connections than this are asked for by name (`limits.connections_max`).
const CONNECTIONS_DEFAULT: usize = 10_000;

/// Raises the soft file limit to the hard one; returns what is in force.
pub(super) fn raise_file_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(why) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%why, "the file limit could not be raised");
        return limit.current.unwrap_or(1024);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

/// `limits.connections_max = 0`: min(10 000, 0.4 x file limit), over all workers. Each connection
/// may need a second file for its endpoint, and the rest of the process needs some too.
pub(super) fn connections_max(files: u64) -> usize {
    let share = usize::try_from(files / 5 * 2).unwrap_or(usize::MAX);
    share.clamp(1, CONNECTIONS_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::connections_max;

    #[test]
    fn the_default_is_two_fifths_of_the_file_limit_and_at_most_ten_thousand() {
        assert_eq!(connections_max(1024), 408);
        assert_eq!(connections_max(1_048_576), 10_000);
        assert_eq!(connections_max(u64::MAX), 10_000);
        assert_eq!(connections_max(0), 1);
    }
}
