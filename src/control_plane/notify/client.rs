//! The HTTP client of outgoing messages: no proxy from the environment, no redirects, deadlines.

use std::time::Duration;

use reqwest::Client;

use crate::control_plane::web::ask;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes a client for this URL's scheme. It reads the system's certificates only for https, so a
/// host without any certificates can still send over plain HTTP.
///
/// # Errors
/// The system's certificates can't be read, in words without the URL.
pub(crate) fn client(url: &str, timeout: Duration) -> Result<Client, String> {
    let mut builder = ask::client().connect_timeout(CONNECT_TIMEOUT).timeout(timeout);
    if !url.starts_with("https://") {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(ask::secret_causes)
}

/// Returns the beginning of an answer's body, for an error: at most 200 characters in one line.
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
