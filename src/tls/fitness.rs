//! What certificates can't do although they are sound: they have ended or not begun, or none of them has the
//! name of a host that is served.

use std::collections::BTreeSet;

use crate::clock;
use crate::config::{Config, ListenerTls};

use super::pem::{self, Said};

/// Warnings about the certificates of a configuration at the present time, each with its key. Files that
/// can't be read are left out, because [`super::check`] reports them.
#[must_use]
pub fn warnings(config: &Config) -> Vec<String> {
    let now = i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX);
    let said = |cert: &std::path::Path| {
        let chain = pem::chain(cert).ok()?;
        Some(pem::names_of(chain.first()?))
    };
    let hosts: Vec<&str> =
        config.services.iter().flat_map(|service| service.hosts.iter().map(String::as_str)).collect();
    let mut warnings = Vec::new();
    for (index, listener) in config.listeners.iter().enumerate() {
        let Some(tls) = &listener.tls else { continue };
        let key = format!("listeners[{index}].tls");
        let read: Vec<Option<Said>> = tls.certificates.iter().map(|files| said(&files.cert)).collect();
        for (place, (files, said)) in tls.certificates.iter().zip(&read).enumerate() {
            let why = said.as_ref().and_then(|said| validity(said, now));
            warnings.extend(
                why.map(|why| format!("{key}.certificates[{place}]: {} {why}", files.cert.display())),
            );
        }
        // A certificate that can't be read may have every name.
        if read.iter().all(Option::is_some) {
            let names = covered(tls, &read);
            let without: Vec<&str> = hosts.iter().copied().filter(|host| !covers(&names, host)).collect();
            if !without.is_empty() {
                warnings.push(format!("{key}: no certificate is for {}", few(&without)));
            }
        }
    }
    if let Some(tls) = &config.admin.tls
        && let Some(why) = said(&tls.certificate.cert).and_then(|said| validity(&said, now))
    {
        warnings.push(format!("admin.tls: {} {why}", tls.certificate.cert.display()));
    }
    warnings
}

/// Why a certificate is not valid at `now` (seconds since 1970). `None` if it is valid.
pub(super) fn validity(said: &Said, now: i64) -> Option<String> {
    let date = |at: i64| {
        let at = std::time::Duration::from_secs(u64::try_from(at).unwrap_or(0));
        humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + at).to_string()
    };
    if said.ends < now {
        return Some(format!("ended at {}: clients refuse it", date(said.ends)));
    }
    (said.begins > now).then(|| format!("begins at {}: clients refuse it until then", date(said.begins)))
}

fn covered(tls: &ListenerTls, read: &[Option<Said>]) -> BTreeSet<String> {
    let of_files = read.iter().flatten().flat_map(|said| said.names.iter().cloned());
    let of_acme = tls.acme.iter().flat_map(|acme| acme.hosts.iter().cloned());
    of_files.chain(of_acme).collect()
}

/// Whether one of the names is for a host, exactly or by a wildcard for its first label (RFC 6125, 6.4.3). A
/// host that is a wildcard needs the same wildcard. `*` stands for no name.
pub(super) fn covers(names: &BTreeSet<String>, host: &str) -> bool {
    if host == "*" || names.contains(host) {
        return true;
    }
    let is_wildcard = host.starts_with("*.");
    !is_wildcard && host.split_once('.').is_some_and(|(_, rest)| names.contains(&format!("*.{rest}")))
}

/// The hosts in a sentence; the first five by name.
fn few(hosts: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = hosts.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match hosts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
