//! HTTP/1.1 through the data plane, with raw clients and raw origins over real sockets.

mod balance;
mod basics;
mod canary;
mod control;
mod evidence;
mod failures;
mod flood;
mod limits;
mod lying;
mod retries;
mod shield;
mod timers;
mod tunnels_ahead;
mod upgrades;
