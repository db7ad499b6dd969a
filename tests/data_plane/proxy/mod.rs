//! The data plane over real sockets: raw clients, raw origins, tables built by hand.

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
mod upgrades;
