//! The origin's side: endpoints, their idle connections, connects, and TLS towards them.
//!
//! | File | Its part |
//! |---|---|
//! | [`slot`] | a worker's part of an endpoint: requests in flight, ejection, slow start |
//! | [`pool`] | idle connections of an endpoint |
//! | [`lifetime`] | how long an endpoint keeps its idle connections |
//! | [`connect`] | a connection for an attempt: an idle one, or a fresh one |
//! | [`connect_limit`] | how many connects to an endpoint run at once |
//! | [`origin_side`] | TLS settings and sessions of an endpoint |
//! | [`secure`] | TLS over a socket, of either side |
//! | [`stream`] | one connection of either side, over TCP, TLS or HTTP/2 |

pub(crate) mod connect;
pub(crate) mod connect_limit;
pub(crate) mod lifetime;
pub(crate) mod origin_side;
pub(crate) mod pool;
pub(crate) mod secure;
pub(crate) mod slot;
pub(crate) mod stream;
