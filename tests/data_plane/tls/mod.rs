//! TLS on both sides of the data plane, over real sockets: real certificates made for each test, real
//! handshakes, raw bytes behind them.

mod binary;
mod bodies;
mod choice;
mod clients;
mod hellos;
mod leaving;
mod local;
mod probes;
mod proxy_header;
mod reload;
mod secure_origin;
mod upstream;
mod upstream_h2;
