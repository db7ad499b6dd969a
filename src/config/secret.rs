//! A secret in the configuration is the place of the secret, never its content.
//!
//! A configuration file is copied, mailed and put under version control, so it never holds a secret itself.
//! A secret is read when it is needed, which lets a person renew it without a reload.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// The longest secret, in bytes.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    File(PathBuf),
    Env(String),
}

/// Why a secret can't be read. The text names the place, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    #[error("the file {path} can't be read: {why}")]
    Unreadable { path: String, why: String },
    #[error("{place} is empty: it must hold the secret")]
    Empty { place: String },
    #[error("{place} is longer than a secret may be ({SECRET_BYTES_MAX} bytes)")]
    TooLong { place: String },
    #[error("{place} is not UTF-8 text")]
    NotText { place: String },
    #[error("the environment variable {0} is not set")]
    Unset(String),
}

impl Secret {
    /// Reads the secret, without one newline at its end (`\n` or `\r\n`). Editors and `echo` leave one.
    ///
    /// # Errors
    /// The secret is unreadable, unset, empty, over 64 KiB, or not UTF-8.
    pub fn read(&self) -> Result<String, SecretFault> {
        let place = self.to_string();
        let mut text = match self {
            Self::File(path) => {
                let unreadable = |error: std::io::Error| SecretFault::Unreadable {
                    path: path.display().to_string(),
                    why: error.to_string(),
                };
                let mut bytes = Vec::new();
                let file = File::open(path).map_err(unreadable)?;
                file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
                if bytes.len() as u64 > SECRET_BYTES_MAX {
                    return Err(SecretFault::TooLong { place });
                }
                String::from_utf8(bytes).map_err(|_| SecretFault::NotText { place: place.clone() })?
            }
            Self::Env(name) => match std::env::var(name) {
                Ok(text) if text.len() as u64 > SECRET_BYTES_MAX => {
                    return Err(SecretFault::TooLong { place });
                }
                Ok(text) => text,
                Err(std::env::VarError::NotPresent) => return Err(SecretFault::Unset(name.clone())),
                Err(std::env::VarError::NotUnicode(_)) => return Err(SecretFault::NotText { place }),
            },
        };
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() { Err(SecretFault::Empty { place }) } else { Ok(text) }
    }
}

impl fmt::Display for Secret {
    /// Writes the place, in words that fit into a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Env(name) => write!(f, "the environment variable {name}"),
        }
    }
}
