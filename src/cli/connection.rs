//! Where the admin API is and how to get in: options that every verb takes.

use std::path::PathBuf;

/// `--admin`, `--token-file`, `--ca`, `--identity`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// The admin API of a running greenlight
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "GREENLIGHT_ADMIN",
        default_value = "http://127.0.0.1:9900",
        hide_env_values = true
    )]
    pub(super) admin: String,
    /// A file that holds the token of `[admin] token`
    #[arg(long, global = true, value_name = "FILE", env = "GREENLIGHT_TOKEN_FILE", hide_env_values = true)]
    pub(super) token_file: Option<PathBuf>,
    /// A file with root certificates (PEM) to trust beside the system's
    #[arg(long, global = true, value_name = "FILE", env = "GREENLIGHT_CA", hide_env_values = true)]
    pub(super) ca: Option<PathBuf>,
    /// A file with this client's certificate and key (PEM), where `[admin] tls` has a client_ca
    #[arg(long, global = true, value_name = "FILE", env = "GREENLIGHT_IDENTITY", hide_env_values = true)]
    pub(super) identity: Option<PathBuf>,
}

/// The options that can come from the environment, and their variables.
const VARIABLES: [(&str, &str); 4] = [
    ("admin", "GREENLIGHT_ADMIN"),
    ("token_file", "GREENLIGHT_TOKEN_FILE"),
    ("ca", "GREENLIGHT_CA"),
    ("identity", "GREENLIGHT_IDENTITY"),
];

/// A variable that is set to nothing counts as not set: that is how scripts and compose files
/// switch one off, and clap would take it for an option without its value.
pub(super) fn without_empty_variables(command: clap::Command) -> clap::Command {
    let empty = |variable: &str| std::env::var_os(variable).is_some_and(|value| value.is_empty());
    VARIABLES
        .into_iter()
        .filter(|(_, variable)| empty(variable))
        .fold(command, |command, (option, _)| command.mut_arg(option, |arg| arg.env(None::<&str>)))
}
