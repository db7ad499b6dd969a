//! The reasons for which nothing could be imported.

/// The text of each fault says what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportFault {
    /// Holds the line that the parser names. It never holds the text, which may contain a secret.
    #[error("this is not YAML: {0}")]
    NotYaml(String),
    #[error("this is not a compose file: {0}")]
    NotCompose(String),
    #[error(
        "none of its services has a host (VIRTUAL_HOST, or a label of Traefik or Caddy), publishes a port that may speak HTTP, or has a partner of the other color (NAME-blue and NAME-green): there is nothing that a front door would serve"
    )]
    NothingToServe,
    #[error(
        "the variables of the script are not there: BLUE_URL and GREEN_URL say which hosts are served (or name a compose file)"
    )]
    NoScript,
    #[error("{name} is not a URL with a host, such as \"http://blue.backend.example.org/\"")]
    BadUrl { name: &'static str },
}
