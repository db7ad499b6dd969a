#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use crate::config::{CertificateFiles, ListenerTls};

use super::Entrance;
use super::stamp::Stamps;

/// The kernel stamps files with a coarse clock, so the test changes the file until that clock has moved on.
#[test]
fn a_changed_mode_changes_the_stamp_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    fs::write(&path, "key").unwrap();
    let before = Stamps::of(std::slice::from_ref(&path));
    let changed = (0..100).any(|round| {
        std::thread::sleep(Duration::from_millis(1));
        fs::set_permissions(&path, Permissions::from_mode(if round % 2 == 0 { 0o600 } else { 0o644 }))
            .unwrap();
        Stamps::of(std::slice::from_ref(&path)) != before
    });
    assert!(changed);
}

fn write(folder: &Path, name: &str) -> ListenerTls {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let files = CertificateFiles { cert: folder.join("a.pem"), key: folder.join("a.key"), ocsp: None };
    fs::write(&files.cert, cert.pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    ListenerTls { certificates: vec![files], client_ca: None, acme: None, hsts: Duration::ZERO, ocsp: None }
}

#[test]
fn each_fault_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let tls = write(folder.path(), "app.test");
    let entrance = Entrance::open(&tls, Vec::new()).unwrap();
    let looks = || [0; 3].map(|_| entrance.reload().map_err(|why| why.to_string()));
    assert_eq!(looks(), [Ok(false), Ok(false), Ok(false)]);
    let key = folder.path().join("a.key");
    for (content, said) in
        [(Some("none"), "holds no private key"), (None, "a.key"), (Some("no key"), "holds no private key")]
    {
        match content {
            Some(content) => fs::write(&key, content).unwrap(),
            None => fs::remove_file(&key).unwrap(),
        }
        let [first, others @ ..] = looks();
        assert!(first.unwrap_err().contains(said));
        assert_eq!(others, [Ok(false), Ok(false)], "{said}");
    }
    write(folder.path(), "app.test");
    assert_eq!(looks(), [Ok(true), Ok(false), Ok(false)]);
}
