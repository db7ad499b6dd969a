//! Reads the content of files that a configuration names, when the configuration is loaded. These are error
//! pages, and the token of the preview hosts (kept as its SHA-256).

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::routing::ErrorPage;

use super::Config;
use super::walk::{Walk, join};

/// The largest error page, in bytes. A page is written whole, into the memory of one connection.
pub const PAGE_BYTES_MAX: u64 = 256 * 1024;

/// The extensions of error pages, and the content types that they are sent with.
const TYPES: [(&str, &str); 5] = [
    ("html", "text/html; charset=utf-8"),
    ("htm", "text/html; charset=utf-8"),
    ("json", "application/json"),
    ("txt", "text/plain; charset=utf-8"),
    ("xml", "application/xml"),
];

/// The content type of a page, by the extension of its file. The error lists the known extensions.
pub(super) fn content_type(path: &Path) -> Result<&'static str, String> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let found = TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    found.map(|(_, kind)| *kind).ok_or_else(|| "must end in .html, .htm, .json, .txt or .xml".to_owned())
}

/// Reads the contents into the settings of their services. A page that can't be read is a fault.
pub(super) fn read(walk: &mut Walk<'_>, config: &mut Config) {
    for service in &mut config.services {
        if service.preview_token.is_none() && service.error_pages.is_empty() {
            continue;
        }
        let service = Arc::make_mut(service);
        let settings = Arc::make_mut(&mut service.settings);
        let place = format!("services.{}", service.name);
        // If the token can't be read, the check of the references has reported it already.
        settings.preview_token = service.preview_token.as_ref().and_then(|secret| {
            let text = secret.read().ok()?;
            let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
            digest.as_ref().try_into().ok()
        });
        for (status, path) in &service.error_pages {
            let page = content_type(path).and_then(|content_type| {
                let body = bytes(path)?.into();
                Ok(ErrorPage { status: *status, content_type, body })
            });
            match page {
                Ok(page) => settings.error_pages.push(page),
                Err(message) => {
                    let key = join(&join(&place, "error_pages"), &status.to_string());
                    if walk.sound(&[&key]) {
                        walk.fault(&key, message);
                    }
                }
            }
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{} can't be read: {error}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(PAGE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > PAGE_BYTES_MAX {
        return Err(format!("{} is larger than a page may be ({PAGE_BYTES_MAX} bytes)", path.display()));
    }
    Ok(bytes)
}
