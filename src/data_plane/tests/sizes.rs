//! The bytes that a connection holds while it waits. The rest of the 3 KiB that it may cost is the
//! runtime's.

use crate::data_plane::client::entry;

/// The size of the future that a function of two arguments returns.
fn future_bytes<A, B, E: Future>(_: impl Fn(A, B) -> E) -> usize {
    size_of::<E>()
}

#[test]
fn an_idle_connection_is_small() {
    let bytes = future_bytes(entry::after_transport);
    assert!(bytes <= 704, "{bytes} bytes");
}
