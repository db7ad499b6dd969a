//! Requests of the control plane to others.

use std::error::Error;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

/// What every client of ours begins with: no proxy of the environment, no redirects (what was configured is asked,
/// and nobody else), our name. Timeouts are the caller's to set.
pub fn client() -> ClientBuilder {
    // A second install changes nothing: it is the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(concat!("greenlight/", env!("CARGO_PKG_VERSION")))
}

/// An error with its causes, each told once: many an outer one names no more than a layer.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

/// The same of a request's error, without its URL: that may be a secret.
pub fn secret_causes(error: reqwest::Error) -> String {
    causes(&error.without_url())
}
