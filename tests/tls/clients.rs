//! Client certificates.

use rustls::HandshakeKind;

use super::certs::{Authority, Files, facts, list};
use super::front::{HOST, Setup};
use super::origin::Origin;
use super::secure_client::{SecureClient, Settings};

/// A refusal shows at the handshake (TLS 1.2) or at the first read (TLS 1.3).
fn is_refused(client: std::io::Result<SecureClient>) -> bool {
    let Ok(mut client) = client else { return true };
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    let sent = std::io::Write::write_all(&mut client.stream, request.as_bytes());
    sent.is_err() || client.response().is_err()
}

#[test]
fn with_a_client_ca_only_its_clients_get_in() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let clients = Authority::new();
    files.write("clients.pem", clients.pem());
    let live = files.live(&format!("{}\nclient_ca = \"clients.pem\"", list(&["app"])));
    let origin = Origin::naming("ok");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![facts(&live)];
    let front = setup.start();
    let known = clients.issue(&["ops"]);
    let stranger = Authority::new().issue(&["ops"]);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let connect = |identity| {
            let settings = Settings::with(&files.authority, &[version], identity);
            settings.try_connect(front.address, "app.test")
        };
        assert!(is_refused(connect(None)));
        assert!(is_refused(connect(Some(&stranger))));
        assert_eq!(connect(Some(&known)).unwrap().get(HOST, "/").text(), "ok");
    }
    assert_eq!(origin.heads().len(), 2, "no request of the others reached the origin");
}

#[test]
fn a_ticket_is_worth_nothing_under_other_authorities() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let [old, new] = [Authority::new(), Authority::new()];
    files.write("clients.pem", old.pem());
    let live = files.live(&format!("{}\nclient_ca = \"clients.pem\"", list(&["app"])));
    let origin = Origin::naming("ok");
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![facts(&live)];
    let front = setup.start();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        files.write("clients.pem", old.pem());
        live.look();
        let settings = Settings::with(&files.authority, &[version], Some(&old.issue(&["ops"])));
        assert_eq!(settings.connect(front.address, "app.test").get(HOST, "/").text(), "ok");
        assert_eq!(settings.connect(front.address, "app.test").kind(), HandshakeKind::Resumed);
        files.write("clients.pem", new.pem());
        live.look();
        assert!(is_refused(settings.try_connect(front.address, "app.test")), "{version:?}");
    }
}
