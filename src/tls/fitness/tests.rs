#![allow(clippy::unwrap_used)]

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// The warnings about a certificate for these names, valid for these years, before two hosts.
fn warned(names: &[&str], years: (i32, i32), tls: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.path().join("a.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.path().join("a.key"), key.serialize_pem()).unwrap();
    let text = format!(
        "[[listeners]]\nbind = \"127.0.0.1:8443\"\n[listeners.tls]\n\
         certificates = [{{ cert = \"a.pem\", key = \"a.key\" }}]\n{tls}\n[services.a]\n\
         hosts = [\"shop.example.org\", \"www.example.org\"]\n[services.a.upstream]\n\
         blue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\n"
    );
    warnings(&crate::config::parse(&text, folder.path()).unwrap().config)
}

#[test]
fn a_certificate_that_has_ended_or_not_begun_is_warned_of() {
    const ALL: &[&str] = &["*.example.org"];
    assert_eq!(warned(ALL, (2020, 4000), ""), Vec::<String>::new());
    let [ended] = &warned(ALL, (2001, 2002), "")[..] else { panic!() };
    assert!(ended.starts_with("listeners[0].tls.certificates[0]: "), "{ended}");
    assert!(ended.ends_with("a.pem ended at 2002-01-01T00:00:00Z: clients refuse it"), "{ended}");
    let [early] = &warned(ALL, (3000, 4000), "")[..] else { panic!() };
    assert!(early.contains("begins at 3000-01-01T00:00:00Z"), "{early}");
}

#[test]
fn a_host_that_no_certificate_is_for_is_warned_of() {
    let other = warned(&["shop.example.org"], (2020, 4000), "");
    assert_eq!(other, ["listeners[0].tls: no certificate is for www.example.org"]);
    let both = warned(&["other.example.com"], (2020, 4000), "");
    assert_eq!(both, ["listeners[0].tls: no certificate is for shop.example.org, www.example.org"]);
}

#[test]
fn a_wildcard_is_for_one_label_and_for_itself() {
    let names: BTreeSet<String> = ["*.example.org", "a.b.example.org"].map(str::to_owned).into();
    for host in ["*", "x.example.org", "*.example.org", "a.b.example.org"] {
        assert!(covers(&names, host), "{host}");
    }
    for host in ["example.org", "x.y.example.org", "*.b.example.org", "localhost"] {
        assert!(!covers(&names, host), "{host}");
    }
}

#[test]
fn the_last_second_of_a_certificate_counts() {
    assert_eq!(validity(&Said { names: Vec::new(), begins: 0, ends: 10 }, 10), None);
    assert!(validity(&Said { names: Vec::new(), begins: 0, ends: 10 }, 11).is_some());
}
