//! The filter of the log, from `[log] level`.
//!
//! At DEBUG and TRACE the libraries print what passes through them: whole requests to an engine, with the
//! environment of a container, or headers with a token. So a level without a target means greenlight's
//! own lines, and libraries stay at INFO unless a person names them.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The targets of greenlight's own lines.
const OWN: [&str; 1] = ["greenlight"];
/// The level that a library has unless a person names it.
const LIBRARIES: LevelFilter = LevelFilter::INFO;

/// Makes the filter of a level, or of a list of directives. `config` has checked the text.
pub(super) fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(capped(level)).unwrap_or_else(|_| EnvFilter::new("info"))
}

/// The directives of `level`, in which a level without a target that is above [`LIBRARIES`] holds for
/// greenlight alone.
fn capped(level: &str) -> String {
    let mut directives = Vec::new();
    for directive in level.split(',').map(str::trim) {
        match directive.parse::<LevelFilter>() {
            // An empty directive parses as a level too.
            Ok(wanted) if !directive.is_empty() && wanted > LIBRARIES => {
                directives.push(LIBRARIES.to_string());
                // The person's own directives come later, so that they win.
                let own = OWN.map(|target| format!("{target}={wanted}"));
                directives.splice(0..0, own);
            }
            _ => directives.push(directive.to_owned()),
        }
    }
    directives.join(",")
}

#[cfg(test)]
mod tests;
