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
