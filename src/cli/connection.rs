//! The options that every verb takes: the address of the admin API, and the token and certificates for
//! access.

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

/// The options that can come from the environment, with their variables.
const VARIABLES: [(&str, &str); 4] = [
    ("admin", "GREENLIGHT_ADMIN"),
    ("token_file", "GREENLIGHT_TOKEN_FILE"),
    ("ca", "GREENLIGHT_CA"),
    ("identity", "GREENLIGHT_IDENTITY"),
];

/// Makes the command ignore those variables that are set to the empty string. Scripts and Compose files
/// switch a variable off in this way, but clap would read it as an option without a value.
pub(super) fn without_empty_variables(command: clap::Command) -> clap::Command {
    let empty = |variable: &str| std::env::var_os(variable).is_some_and(|value| value.is_empty());
    VARIABLES
        .into_iter()
        .filter(|(_, variable)| empty(variable))
        .fold(command, |command, (option, _)| command.mut_arg(option, |arg| arg.env(None::<&str>)))
}
