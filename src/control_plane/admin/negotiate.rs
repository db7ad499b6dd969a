//! The part of `Accept` that is needed here: whether the client prefers HTML to JSON.

use axum::http::{HeaderMap, header};

/// Whether the client prefers HTML. For each of the two types, the most exact range gives its weight (RFC
/// 9110 section 12.5.1). If the weights are equal, the answer is JSON.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let mut html = (0, 0.0);
    let mut json = (0, 0.0);
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
        let (for_html, for_json) = match name.as_str() {
            "text/html" => (3, 0),
            "application/json" => (0, 3),
            "text/*" => (2, 0),
            "application/*" => (0, 2),
            "*/*" => (1, 1),
            _ => (0, 0),
        };
        if for_html > html.0 {
            html = (for_html, weight);
        }
        if for_json > json.0 {
            json = (for_json, weight);
        }
    }
    html.1 > json.1
}

#[cfg(test)]
mod tests;
