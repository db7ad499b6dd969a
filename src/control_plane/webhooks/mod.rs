//! L3: webhooks in: a message from a registry or a build may start a release.
//!
//! `POST /hooks/{name}` or `POST /hooks/{name}/{token}`, on a listener of their own or under `/hooks/`
//! of the public ones. The way of a message: who sends it (`book`, `credential`) -> how often
//! (`rate`) -> what it says (`payload`) -> whether that is allowed (`allow`) -> 202, and only then
//! the work (`intake`).
//!
//! | sender | shows that it is itself by |
//! |---|---|
//! | `dockerhub`, `registry` | a token of 128 bits or more, in the URL or in `Authorization: Bearer`; kept only as its SHA-256 |
//! | `github` | `X-Hub-Signature-256: sha256=HEX`, else `X-Hub-Signature: sha1=HEX`, over the body |
//! | `bitbucket` | `X-Hub-Signature: sha256=HEX` over the body |
//! | `generic` | `X-Greenlight-Timestamp` (Unix seconds, at most 5 min off) and `X-Greenlight-Signature: sha256=HEX` over timestamp, `.`, body; or a token |
//!
//! A wrong name, a wrong token and a wrong signature are the same 404, after the same work. A signed
//! generic message is taken once. Of a payload nothing goes on but a version's label, or an image
//! reference that the configuration allows, on the registry that the configuration names. A
//! `callback_url` is never called. No token is in any log.

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
