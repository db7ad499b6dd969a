//! TLS on both sides of the data plane, over real sockets: real certificates made for each test, real
//! handshakes, raw bytes behind them.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(dead_code, reason = "the harness is tests/proxy's")]

mod binary;
mod bodies;
mod certs;
mod choice;
#[path = "../proxy/client.rs"]
mod client;
mod clients;
#[path = "../support/flow.rs"]
mod flow;
#[path = "../proxy/front.rs"]
mod front;
#[path = "../h2/h2_origin.rs"]
mod h2_origin;
mod hellos;
#[path = "../proxy/inbox.rs"]
mod inbox;
mod leaving;
mod local;
#[path = "../proxy/origin.rs"]
mod origin;
#[path = "../h2/peer.rs"]
mod peer;
mod probes;
mod proxy_header;
#[path = "../proxy/queued.rs"]
mod queued;
mod reload;
mod secure_client;
mod secure_origin;
mod seeing;
#[path = "../support/setting.rs"]
mod setting;
mod upstream;
mod upstream_h2;
