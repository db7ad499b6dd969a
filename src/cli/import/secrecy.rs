//! Decides which values may be secrets. In doubt a value counts as a secret. A value that is hidden
//! without need costs a look at a file, and a printed password costs a rotation.

/// Words in the name of a variable that mean a secret.
const WORDS: &[&str] = &[
    "apikey",
    "auth",
    "cert",
    "credential",
    "credentials",
    "dsn",
    "key",
    "keys",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pem",
    "private",
    "pwd",
    "salt",
    "secret",
    "secrets",
    "signature",
    "token",
    "tokens",
];

/// Ends of names that mean a secret without a separator before them (`DBPASSWORD`).
const ENDS: &[&str] = &["password", "passwd", "secret", "token", "apikey"];

/// Beginnings of values that are secrets under every name.
const BEGINNINGS: &[&str] =
    &["-----BEGIN", "AKIA", "ghp_", "gho_", "glpat-", "sk_live_", "sk-", "xoxb-", "xoxp-", "eyJ", "SG."];

/// Whether a variable may hold a secret.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    let name = name.to_ascii_lowercase();
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| WORDS.contains(&word))
        || ENDS.iter().any(|end| name.ends_with(end))
        || BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))
        || has_password(value)
        || value.contains("hooks.slack.com/")
}

/// Whether the value holds a URL such as `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    value
        .split("://")
        .skip(1)
        .filter_map(|rest| rest.split(['/', '?', '#', ' ']).next())
        .any(|authority| authority.split_once('@').is_some_and(|(user, _)| user.contains(':')))
}
