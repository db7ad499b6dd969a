//! The client's side: sockets accepted, protocols told apart, connections kept.

pub(crate) mod accept;
pub(crate) mod after;
pub(crate) mod connection;
pub(crate) mod departure;
pub(crate) mod entry;
pub(crate) mod listener;
pub(crate) mod local;
pub(crate) mod preview;
pub(crate) mod transport;
