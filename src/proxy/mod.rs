//! L3: the data plane. One `current_thread` runtime per worker, its own listeners and pools; no
//! lock in the request path, nothing written by two workers.

mod dataplane;

pub use dataplane::{DataPlane, DataPlaneOptions, StartFault};
