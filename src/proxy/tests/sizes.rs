//! What a connection holds while it waits: the rest of the 3 KiB that it may cost is the runtime's.

use crate::proxy::transport;

/// The size of the future that a function of five arguments returns.
fn future_bytes<A, B, C, D, E, F: Future>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn an_idle_connection_is_small() {
    let bytes = future_bytes(transport::serve);
    assert!(bytes <= 1024, "{bytes} bytes");
}
