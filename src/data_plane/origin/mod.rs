//! The origin's side: endpoints, pooled connections, connects, TLS towards origins.

pub(crate) mod connect;
pub(crate) mod connect_limit;
pub(crate) mod lifetime;
pub(crate) mod origin_side;
pub(crate) mod pool;
pub(crate) mod secure;
pub(crate) mod slot;
pub(crate) mod stream;
