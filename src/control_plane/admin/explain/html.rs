//! The page for a browser. It is self-contained and has no script. All text is escaped, and it suits light
//! and dark.

use std::fmt::{self, Display, Write};

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::judge::Verdict;
use crate::release::StateName;

use super::course::Course;
use super::{Explanation, chart, numbers};

/// The browser may load or run nothing but the page's own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = include_str!("page.css");

pub(crate) fn response(explanation: &Explanation) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page(explanation)).into_response()
}

pub(crate) fn page(explanation: &Explanation) -> String {
    let mut html = String::new();
    // Writing to a String never fails.
    let _ = write_page(&mut html, explanation);
    html
}

fn write_page(html: &mut String, explanation: &Explanation) -> fmt::Result {
    let release = &explanation.release;
    let (id, state) = (Escaped(&release.id), Escaped(release.state.as_str()));
    write!(html, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    write!(html, "<meta name=\"viewport\" content=\"width=device-width\">")?;
    write!(html, "<meta name=\"color-scheme\" content=\"light dark\">")?;
    write!(html, "<title>{id}: {state}</title><style>{STYLE}</style></head><body>")?;
    head(html, explanation)?;
    let course = explanation.series.as_ref();
    let course = course.and_then(|series| Course::new(release, &explanation.events, series));
    if let Some(course) = &course {
        write!(html, "<section><h2>Course</h2>")?;
        if let Some(crossed) = course.crossed_in_words() {
            write!(html, "<p class=\"crossed\">{}</p>", Escaped(&crossed))?;
        }
        if let Some(svg) = chart::svg(course) {
            write!(html, "<figure>{svg}</figure>")?;
        }
        write!(html, "</section>")?;
    }
    timeline(html, explanation)?;
    failures(html, explanation)?;
    table(html, explanation)?;
    routes(html, explanation)?;
    containers(html, explanation)?;
    write!(html, "<footer>greenlight {}</footer></body></html>", env!("CARGO_PKG_VERSION"))
}

/// Writes the release and how it ended, with the few facts that matter most.
fn head(html: &mut String, explanation: &Explanation) -> fmt::Result {
    let release = &explanation.release;
    let tone = match release.state {
        StateName::Succeeded => "good",
        StateName::Failed | StateName::Reverted | StateName::Degraded => "bad",
        _ => "plain",
    };
    write!(
        html,
        "<header><h1>{} <span class=\"badge {tone}\">{}</span></h1><p class=\"what\">{} of <b>{}</b> to {}, service {}</p>",
        Escaped(&release.id),
        Escaped(release.state.as_str()),
        Escaped(&release.kind),
        Escaped(&release.version),
        Escaped(release.color.as_str()),
        Escaped(&release.service)
    )?;
    if !release.reason.is_empty() {
        write!(html, "<p class=\"reason\">{}</p>", Escaped(&release.reason))?;
    }
    write!(html, "<dl class=\"facts\">")?;
    let facts = [
        ("verdict", release.verdict.map(Verdict::as_str)),
        ("cause", release.cause.as_deref()),
        ("started", Some(release.started_at.as_str())),
        ("switched", release.promoted_at.as_deref()),
        ("ended", release.finished_at.as_deref()),
    ];
    for (name, value) in facts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", Escaped(value))?;
        }
    }
    write!(html, "</dl></header>")
}

fn timeline(html: &mut String, explanation: &Explanation) -> fmt::Result {
    write!(html, "<section><h2>Timeline</h2><table><thead><tr><th>time</th><th>state</th>")?;
    write!(html, "<th>what happened</th></tr></thead><tbody>")?;
    for event in &explanation.events {
        let (time, name, reason) = (Escaped(&event.time), Escaped(&event.event), Escaped(&event.reason));
        write!(html, "<tr><td class=\"n\"><time>{time}</time></td><td>{name}</td><td>{reason}</td></tr>")?;
    }
    write!(html, "</tbody></table></section>")
}

fn table(html: &mut String, explanation: &Explanation) -> fmt::Result {
    write!(html, "<section><h2>Numbers</h2>")?;
    let lines = numbers::table(&explanation.numbers);
    if lines.is_empty() {
        write!(html, "<p>None: it got no traffic to be judged by.</p>")?;
    }
    write!(html, "<table><tbody>")?;
    for line in lines {
        let (name, value, meaning) = (Escaped(&line.name), Escaped(&line.value), Escaped(&line.meaning));
        write!(html, "<tr><th scope=\"row\">{name}</th><td class=\"v\">{value}</td><td>{meaning}</td></tr>")?;
    }
    write!(html, "</tbody></table></section>")
}

fn failures(html: &mut String, explanation: &Explanation) -> fmt::Result {
    let failures = numbers::first_failures(&explanation.numbers);
    if failures.is_empty() {
        return Ok(());
    }
    write!(html, "<section><h2>First failing requests</h2><table><thead><tr><th>time</th><th>request</th>")?;
    write!(html, "<th>what it got</th><th>endpoint</th></tr></thead><tbody>")?;
    for failed in failures {
        let endpoint = failed.endpoint.as_deref().unwrap_or("none");
        let (time, route, got) = (Escaped(&failed.time), Escaped(&failed.route), numbers::outcome(&failed));
        let (got, endpoint) = (Escaped(&got), Escaped(endpoint));
        write!(html, "<tr><td class=\"n\"><time>{time}</time></td><td><code>{route}</code></td>")?;
        write!(html, "<td>{got}</td><td class=\"n\">{endpoint}</td></tr>")?;
    }
    write!(html, "</tbody></table></section>")
}

fn routes(html: &mut String, explanation: &Explanation) -> fmt::Result {
    let routes = numbers::routes(&explanation.numbers);
    if routes.is_empty() {
        return Ok(());
    }
    write!(html, "<section><h2>Routes with errors</h2><table><thead><tr><th>route</th><th>errors</th>")?;
    write!(html, "<th>before</th><th>p1</th><th>S</th><th>h</th></tr></thead><tbody>")?;
    for route in routes {
        let mark = if route.tripped { " class=\"bad\"" } else { "" };
        write!(
            html,
            "<tr{mark}><td><code>{}</code></td><td class=\"n\">{} of {}</td>",
            Escaped(&route.route),
            route.e,
            route.n
        )?;
        write!(html, "<td class=\"n\">{} of {}</td>", route.baseline_errors, route.baseline_requests)?;
        write!(html, "<td class=\"n\">{}</td>", numbers::percent(route.p1))?;
        write!(html, "<td class=\"n\">{:.2}</td><td class=\"n\">{:.2}</td></tr>", route.s, route.h)?;
    }
    write!(html, "</tbody></table></section>")
}

fn containers(html: &mut String, explanation: &Explanation) -> fmt::Result {
    if explanation.evidence.is_empty() {
        return Ok(());
    }
    write!(html, "<section><h2>Containers</h2>")?;
    for one in &explanation.evidence {
        let (name, image, state) = (Escaped(&one.container), Escaped(&one.image), Escaped(&one.state));
        write!(
            html,
            "<details open><summary><b>{name}</b> {state} <span class=\"faint\">{image}</span></summary><pre>"
        )?;
        for line in &one.log_lines {
            writeln!(html, "{}", Escaped(line))?;
        }
        write!(html, "</pre></details>")?;
    }
    write!(html, "</section>")
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
