//! The bearer token of the admin API.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret that clients must show. It is never printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token without the space around it, such as a file's last newline. An empty token lets no client
    /// in.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Compares in a time that depends on the length of `shown`, not on where it differs.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(shown))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
