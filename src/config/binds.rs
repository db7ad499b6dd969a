//! What the addresses that we listen on say of each other.

use std::net::SocketAddr;

/// For each of `old` the place of the same listener in `new`: a listener is known by its bind,
/// wherever it stands in the file. (Of several with port 0 the first is the first.)
#[must_use]
pub fn paired(old: &[SocketAddr], new: &[SocketAddr]) -> Vec<Option<usize>> {
    let mut taken = vec![false; new.len()];
    let place = |bind: &SocketAddr| {
        let found = (0..new.len()).find(|&at| !taken[at] && new[at] == *bind)?;
        taken[found] = true;
        Some(found)
    };
    old.iter().map(place).collect()
}
