//! HTTP/2 over real sockets, towards clients and towards origins. The other end is the `h2` crate. Tests
//! write their frames by hand where `h2` would refuse to send them.

mod basics;
mod floods;
mod rules;
mod timers;
mod tunnels;
mod upstream;
