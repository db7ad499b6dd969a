//! Which clients may use the preview hosts.

use std::net::IpAddr;

use subtle::ConstantTimeEq;

use crate::routing::ServiceSettings;

/// Whether a client at this address, with this `X-Greenlight-Preview`, may see a preview. If nothing is
/// configured, every client may. Otherwise the client must be in one of the networks, or have the
/// token.
pub(crate) fn is_shown<'a>(
    settings: &ServiceSettings,
    address: IpAddr,
    token: impl FnOnce() -> Option<&'a [u8]>,
) -> bool {
    let allowed = &settings.preview_allow;
    if allowed.iter().any(|network| network.contains(&address)) {
        return true;
    }
    match &settings.preview_token {
        None => allowed.is_empty(),
        // Two digests of one length are compared, so that the time shows nothing about the token.
        Some(expected) => token().is_some_and(|token| {
            let given = ring::digest::digest(&ring::digest::SHA256, token);
            given.as_ref().ct_eq(expected).into()
        }),
    }
}
