//! Reads `[[listeners]]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::kind::{duration, file, flag, some, text_that};
use crate::config::name::{bind, check_path, exact_host, url};
use crate::config::section::Section;
use crate::config::walk::{Item, Walk};
use crate::config::{Acme, CertificateFiles, Listener, ListenerTls};

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

pub(super) fn all(root: &mut Section<'_, '_>) -> Vec<Listener> {
    let listeners = root.rows("listeners", listener);
    match &listeners {
        None => root.missing("listeners", "at least one [[listeners]] with bind = \"0.0.0.0:80\""),
        Some(rows) if rows.is_empty() && root.walk.sound(&["listeners"]) => {
            root.walk.fault("listeners", "is empty: must hold at least one { bind = \"0.0.0.0:80\" }");
        }
        Some(_) => {}
    }
    listeners.unwrap_or_default()
}

fn listener(row: &mut Section<'_, '_>) -> Listener {
    // If the bind is missing, the file is refused. This address only lets the reading go on.
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let redirect_key = row.key("redirect_to_https");
    let listener = Listener {
        bind: row.required("bind", bind, "bind = \"0.0.0.0:80\"").unwrap_or(nowhere),
        proxy_protocol: row.value("proxy_protocol", flag, false),
        redirect_to_https: row.value("redirect_to_https", flag, false),
        tls: row.optional_section("tls", tls),
        ready_path: row.value("ready_path", ready_path, String::new()),
    };
    if listener.redirect_to_https && listener.tls.is_some() && row.walk.sound(&[&redirect_key]) {
        row.walk
            .warn(&redirect_key, "has no effect on a listener with tls: what comes there is https already");
    }
    listener
}

/// The path of the readiness answer. An empty text stands for no such path.
fn ready_path(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    if item.value.as_str() == Some("") {
        return Some(String::new());
    }
    text_that("a path, such as \"/ready\" (or \"\")", check_path)(walk, item)
}

fn tls(tls: &mut Section<'_, '_>) -> ListenerTls {
    let certificates = tls.rows("certificates", certificate);
    let acme = tls.optional_section("acme", acme);
    if certificates.as_ref().is_none_or(Vec::is_empty) && acme.is_none() {
        let key = tls.key("certificates");
        if tls.walk.sound(&[&key]) {
            let right = "certificates = [{ cert = \"a.pem\", key = \"a.key\" }], or acme";
            tls.walk.fault(&key, format!("is missing: {right}"));
        }
    }
    ListenerTls {
        certificates: certificates.unwrap_or_default(),
        client_ca: tls.optional("client_ca", file),
        acme,
        hsts: tls.value("hsts", duration(..), Duration::ZERO),
        ocsp: tls.optional("ocsp", file),
    }
}

/// Reads `{ cert, key, ocsp }`.
fn certificate(row: &mut Section<'_, '_>) -> CertificateFiles {
    CertificateFiles { ocsp: row.optional("ocsp", file), ..key_pair(row) }
}

/// Reads `{ cert, key }`.
pub(super) fn key_pair(row: &mut Section<'_, '_>) -> CertificateFiles {
    let none = PathBuf::new;
    CertificateFiles {
        cert: row.required("cert", file, "cert = \"a.pem\"").unwrap_or_else(none),
        key: row.required("key", file, "key = \"a.key\"").unwrap_or_else(none),
        ocsp: None,
    }
}

fn acme(acme: &mut Section<'_, '_>) -> Acme {
    let email = text_that("an e-mail address", |text| match text.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace) => {
            Ok(())
        }
        _ => Err("is not an e-mail address: such as \"ops@example.org\"".to_owned()),
    });
    Acme {
        email: acme.required("email", email, "email = \"ops@example.org\"").unwrap_or_default(),
        directory: acme.value("directory", url(&["https"]), LETS_ENCRYPT.to_owned()),
        hosts: acme
            .required(
                "hosts",
                some(exact_host, "[\"backend.example.org\"]"),
                "hosts = [\"backend.example.org\"]",
            )
            .unwrap_or_default(),
        ca: acme.optional("ca", file),
    }
}
