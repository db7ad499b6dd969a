//! The page for a browser: self-contained, no script, everything escaped.

use std::fmt::{self, Display, Write};

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{Explanation, numbers};

/// Nothing but the page's own style may be loaded or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.25rem .75rem .25rem 0;\
border-bottom:1px solid #d8dee4;vertical-align:top}td.v{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
code{font-family:ui-monospace,monospace}@media(prefers-color-scheme:dark){body{background:#14181d;color:#e3e8ee}\
th,td{border-color:#333a42}}";

pub(super) fn response(explanation: &Explanation) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page(explanation)).into_response()
}

pub(super) fn page(explanation: &Explanation) -> String {
    let mut html = String::new();
    // Writing to a String never fails.
    let _ = write_page(&mut html, explanation);
    html
}

fn write_page(html: &mut String, explanation: &Explanation) -> fmt::Result {
    let release = &explanation.release;
    let (id, state) = (Escaped(&release.id), Escaped(&release.state));
    write!(html, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    write!(html, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    write!(html, "<title>{id}: {state}</title><style>{STYLE}</style></head><body>")?;
    write!(html, "<h1>{id}: {state}</h1><table>")?;
    let facts = [
        ("service", Some(&release.service)),
        ("kind", Some(&release.kind)),
        ("version", Some(&release.version)),
        ("colour", Some(&release.color)),
        ("reason", Some(&release.reason)),
        ("verdict", release.verdict.as_ref()),
        ("cause", release.cause.as_ref()),
        ("started", Some(&release.started_at)),
        ("switched", release.promoted_at.as_ref()),
        ("ended", release.finished_at.as_ref()),
    ];
    for (name, value) in facts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write!(html, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", Escaped(value))?;
        }
    }
    write!(
        html,
        "</table><h2>Timeline</h2><table><tr><th>time</th><th>state</th><th>what happened</th></tr>"
    )?;
    for event in &explanation.events {
        let (time, name, reason) = (Escaped(&event.time), Escaped(&event.event), Escaped(&event.reason));
        write!(html, "<tr><td><time>{time}</time></td><td>{name}</td><td>{reason}</td></tr>")?;
    }
    write!(html, "</table><h2>Numbers</h2><table>")?;
    for line in numbers::table(&explanation.numbers) {
        let (name, value, meaning) = (Escaped(&line.name), Escaped(&line.value), Escaped(&line.meaning));
        write!(html, "<tr><th scope=\"row\">{name}</th><td class=\"v\">{value}</td><td>{meaning}</td></tr>")?;
    }
    write!(html, "</table></body></html>")
}

/// Text that is safe between tags and in quoted attributes.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
