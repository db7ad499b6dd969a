//! TLS on the admin listener, with certificates made for the test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Identity};

use crate::config::{AdminTls, CertificateFiles};
use crate::tls::{Entrance, TlsFault};

use super::*;

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, as PEM.
fn issued(issuer: &Issuer, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

fn files(folder: &Path, issuer: &Issuer) -> AdminTls {
    let (cert, key) = issued(issuer, "localhost");
    let at = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    AdminTls {
        certificate: CertificateFiles { cert: at("a.pem", &cert), key: at("a.key", &key), ocsp: None },
        client_ca: Some(at("ca.pem", &issuer.pem())),
    }
}

#[tokio::test]
async fn with_a_client_ca_only_its_clients_get_in() {
    let folder = tempfile::tempdir().unwrap();
    let ca = issuer();
    let tls = Arc::new(Entrance::of_admin(&files(folder.path(), &ca)).unwrap());
    let (handle, _inbox) = channel(1);
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = Options {
        handle,
        store: Arc::new(open(folder.path())),
        registry: prometheus::Registry::new(),
        token: None,
        tls: Some(tls),
        ready: Arc::new(AtomicBool::new(true)),
    };
    let (stop, stopped) = watch::channel(false);
    let served = tokio::spawn(serve(listener, options, stopped));

    let _ = client();
    let root = Certificate::from_pem(ca.pem().as_bytes()).unwrap();
    let builder = || Client::builder().no_proxy().tls_certs_only([root.clone()]);
    let url = format!("https://localhost:{port}/v1/services");
    assert!(builder().build().unwrap().get(&url).send().await.is_err(), "no certificate");
    let stranger = issued(&issuer(), "stranger");
    let known = issued(&ca, "ops");
    let identity =
        |(cert, key): &(String, String)| Identity::from_pem(format!("{cert}{key}").as_bytes()).unwrap();
    assert!(builder().identity(identity(&stranger)).build().unwrap().get(&url).send().await.is_err());
    let response = builder().identity(identity(&known)).build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);

    drop(response);
    stop.send(true).unwrap();
    served.await.unwrap().unwrap();
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = files(folder.path(), &issuer());
    assert!(Entrance::of_admin(&good).is_ok());

    let missing = folder.path().join("missing.pem");
    let mut bad = good.clone();
    bad.certificate.key.clone_from(&missing);
    assert!(
        matches!(Entrance::of_admin(&bad).unwrap_err(), TlsFault::Unreadable { path, .. } if path == missing)
    );

    let mut bad = good.clone();
    bad.certificate.cert.clone_from(&good.certificate.key);
    assert!(matches!(Entrance::of_admin(&bad).unwrap_err(), TlsFault::NoCertificate(_)));

    let other = tempfile::tempdir().unwrap();
    let mut bad = good.clone();
    bad.certificate.key = files(other.path(), &issuer()).certificate.key;
    assert!(matches!(Entrance::of_admin(&bad).unwrap_err(), TlsFault::Pair { .. }));
}
