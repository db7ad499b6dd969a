//! Requests of the control plane to other servers.

use std::error::Error;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

/// Returns the common settings of every client in the control plane. They use no proxy from the
/// environment and follow no redirect, so that only the configured server gets the request. The
/// user agent is greenlight's. The caller sets the timeouts.
pub fn client() -> ClientBuilder {
    // Installing the provider a second time changes nothing, since it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(concat!("greenlight/", env!("CARGO_PKG_VERSION")))
}

/// Returns an error's text with its causes. A cause whose text is already there is left out. The
/// causes are needed, since an outer error often names only its layer.
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

/// Returns the causes of a request's error without its URL, which may contain a secret.
pub fn secret_causes(error: reqwest::Error) -> String {
    causes(&error.without_url())
}
