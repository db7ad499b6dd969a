//! L3: webhooks that come in. A message from a registry or a build may start a release.
//!
//! A message is `POST /hooks/{name}` or `POST /hooks/{name}/{token}`, on a listener for webhooks alone or
//! under `/hooks/` of the public ones. It is checked in this order: who sends it (`book`, `credential`),
//! how often (`rate`), what it says (`payload`), and whether that is allowed (`allow`). Then it is answered
//! with 202, and only after that the work begins (`intake`).
//!
//! The sender proves who it is in a way that depends on its kind.
//!
//! - `dockerhub`, `registry`: a token of 128 bits or more, in the URL or in `Authorization: Bearer`. It is
//!   kept only as its SHA-256.
//! - `github`: `X-Hub-Signature-256: sha256=HEX`, else `X-Hub-Signature: sha1=HEX`, over the body.
//! - `bitbucket`: `X-Hub-Signature: sha256=HEX` over the body.
//! - `generic`: `X-Greenlight-Timestamp` (Unix seconds, at most 5 min off) and `X-Greenlight-Signature:
//!   sha256=HEX` over timestamp, `.`, body. A token may take the place of the signature.
//!
//! A wrong name, a wrong token and a wrong signature get the same 404, after the same work. A signed
//! generic message is accepted once. Of a payload, only a version's label goes on, or an image reference
//! that the configuration allows, on the registry that the configuration names. A `callback_url` is never
//! called. No token is in any log.

mod allow;
mod answer;
mod book;
mod credential;
mod intake;
mod payload;
mod push;
mod rate;
mod receive;
mod replay;
mod server;
mod shared;
mod watch;

#[cfg(test)]
mod tests;

pub use book::{Book, BookFault};
pub use intake::{Arrival, Deliver, Delivered};
pub use server::{Options, serve};
pub use shared::Shelf;
pub use watch::{Refusal, Watch};
