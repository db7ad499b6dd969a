//! The HTTP client of messages out: no proxy of the environment, no redirects, deadlines.

use std::time::Duration;

use reqwest::Client;

use crate::control_plane::web::ask;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client for this URL's scheme. Certificates are read only where there is something to verify:
/// a host without any can still be told of things over plain HTTP.
///
/// # Errors
/// The system's certificates can't be read.
pub(crate) fn client(url: &str, timeout: Duration) -> Result<Client, String> {
    let mut builder = ask::client().connect_timeout(CONNECT_TIMEOUT).timeout(timeout);
    if !url.starts_with("https://") {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(ask::secret_causes)
}

/// The beginning of an answer's body, for an error: at most 200 characters in one line.
pub(crate) async fn excerpt(response: reqwest::Response) -> String {
    let mut response = response;
    let mut bytes = Vec::new();
    while bytes.len() < 800 {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk[..chunk.len().min(800)]),
            Ok(None) | Err(_) => break,
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}
