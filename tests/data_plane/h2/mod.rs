//! HTTP/2 over real sockets, towards clients and towards origins. The other end is the `h2` crate. Tests
//! write their frames by hand where `h2` would refuse to send them.

mod basics;
mod endings;
mod few_streams;
mod fickle;
mod floods;
mod pings;
mod rules;
mod timers;
mod tunnels;
mod upstream;
mod windows;
