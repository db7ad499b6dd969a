//! HTTP/2 over real sockets, towards clients and towards origins: the `h2` crate as the other end, and
//! frames made by hand where it is too well-behaved.

mod basics;
mod floods;
mod rules;
mod timers;
mod tunnels;
mod upstream;
