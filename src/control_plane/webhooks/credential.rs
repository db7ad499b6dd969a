//! Proofs of a sender: tokens and signatures, compared in constant time. Pure.

use ring::hmac;
use subtle::ConstantTimeEq as _;

/// The shortest token. 22 characters of base64url without padding hold 128 bits; as hexadecimal digits, 128
/// bits are 32 characters.
pub(crate) const TOKEN_CHARS_MIN: usize = 22;
const TOKEN_CHARS_MAX: usize = 256;

/// The SHA-256 of a token. Nothing else of the token is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        Self(hash)
    }

    /// A hash that no token has. It is compared with for names that are no webhook's, so that their answer
    /// takes as long.
    pub(crate) const DECOY: Self = Self([0x5a; 32]);

    /// Whether it is the hash of `shown`. Since `shown` is hashed first, the time depends on neither text.
    pub(crate) fn is(&self, shown: &str) -> bool {
        bool::from(self.0.ct_eq(&Self::of(shown).0))
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// Checks whether a text can be a token. It must be long enough, and must fit into a URL as it stands.
pub(crate) fn check_token(token: &str) -> Result<(), String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !token.bytes().all(sound) {
        return Err(
            "holds a character that a URL's path can't: letters, digits, \"-\", \".\", \"_\" and \"~\" can"
                .into(),
        );
    }
    if token.len() < TOKEN_CHARS_MIN {
        return Err(format!(
            "is too short to be safe: at least {TOKEN_CHARS_MIN} characters (128 bits; `openssl rand -hex 16` makes one)"
        ));
    }
    if token.len() > TOKEN_CHARS_MAX {
        return Err(format!("is longer than {TOKEN_CHARS_MAX} characters"));
    }
    Ok(())
}

/// The keys that a sender signs with.
#[derive(Clone)]
pub(crate) struct Signing {
    sha256: hmac::Key,
    sha1: hmac::Key,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing(..)")
    }
}

impl Signing {
    pub(crate) fn new(secret: &str) -> Self {
        Self {
            sha256: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            sha1: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()),
        }
    }

    /// Whether the field is `sha256=HEX` over the body.
    pub(crate) fn signed_sha256(&self, field: &str, body: &[u8]) -> bool {
        tag(field, "sha256=").is_some_and(|tag| hmac::verify(&self.sha256, body, &tag).is_ok())
    }

    /// Whether the field is `sha1=HEX` over the body. This is GitHub's older signature; as a MAC it is
    /// still secure.
    pub(crate) fn signed_sha1(&self, field: &str, body: &[u8]) -> bool {
        tag(field, "sha1=").is_some_and(|tag| hmac::verify(&self.sha1, body, &tag).is_ok())
    }

    /// Checks `sha256=HEX` over timestamp, `.` and body. Returns the bytes of a right signature.
    pub(crate) fn signed_at(&self, timestamp: &str, field: &str, body: &[u8]) -> Option<[u8; 32]> {
        let mut message = Vec::with_capacity(timestamp.len() + 1 + body.len());
        message.extend_from_slice(timestamp.as_bytes());
        message.push(b'.');
        message.extend_from_slice(body);
        let tag = tag(field, "sha256=").unwrap_or_default();
        hmac::verify(&self.sha256, &message, &tag).ok()?;
        tag.try_into().ok()
    }
}

/// The bytes of the hexadecimal digits after a prefix.
fn tag(field: &str, prefix: &str) -> Option<Vec<u8>> {
    let hex = field.trim().strip_prefix(prefix)?.as_bytes();
    if hex.len() % 2 != 0 || hex.len() > 128 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    hex.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
