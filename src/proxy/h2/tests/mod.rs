//! The parts of HTTP/2 that are ours.
