//! What a connection holds while it waits: the rest of the 3 KiB that it may cost is the runtime's.

use std::future::Future;

use crate::proxy::connection;

/// The size of the future that a function of five arguments returns.
fn future_bytes<A, B, C, D, E, F: Future>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn an_idle_connection_is_small() {
    let bytes = future_bytes(connection::serve);
    assert!(bytes <= 1024, "{bytes} bytes");
}
