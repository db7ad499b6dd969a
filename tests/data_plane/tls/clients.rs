//! Client certificates.

use std::net::TcpListener;
use std::sync::Arc;

use greenlight::tls::Live;
use rustls::{HandshakeKind, ServerConnection};

use greenlight_testkit::certs::{Authority, Files, Issued, facts, list};
use greenlight_testkit::front::{HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::secure_client::{SecureClient, Settings};

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

/// A whole configuration's worth of it: whom the listener lets in, at a reload and after it.
#[test]
fn other_authorities_come_into_force_at_a_reload_and_stay() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let [old, new] = [Authority::new(), Authority::new()];
    files.write("old.pem", old.pem());
    files.write("new.pem", new.pem());
    let tls = |ca: Option<&str>| {
        let ca = ca.map(|ca| format!("\nclient_ca = \"{ca}\"")).unwrap_or_default();
        format!("{}{ca}", list(&["app"]))
    };
    let live = files.live(&tls(None));
    let mut setup = Setup::new(&[Origin::naming("ok").address], &[]);
    setup.facts = vec![facts(&live)];
    let front = setup.start();
    let (of_old, of_new) = (old.issue(&["ops"]), new.issue(&["ops"]));
    let let_in = || {
        [None, Some(&of_old), Some(&of_new)].map(|identity| {
            let settings = Settings::with(&files.authority, rustls::ALL_VERSIONS, identity);
            !is_refused(settings.try_connect(front.address, "app.test"))
        })
    };
    assert_eq!(let_in(), [true, true, true]);
    for (ca, expected) in [
        (Some("old.pem"), [false, true, false]),
        (Some("new.pem"), [false, false, true]),
        (None, [true, true, true]),
        (Some("new.pem"), [false, false, true]),
    ] {
        live.adopt(live.read(&files.config(&tls(ca))).unwrap());
        assert_eq!(let_in(), expected, "{ca:?}");
        // A renewed certificate is served by what is in force.
        files.issue("app", &["app.test"]);
        live.look();
        assert_eq!(let_in(), expected, "{ca:?}, later");
    }
    // So is a file of authorities that a reload has named.
    files.write("new.pem", old.pem());
    live.look();
    assert_eq!(let_in(), [false, true, false]);
}

/// Whether the admin listener of `live` shakes hands with this client.
fn admin_lets_in(live: &Live, files: &Files, identity: Option<&Issued>) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(live.admin().unwrap().current().config.clone());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut session = ServerConnection::new(config).unwrap();
        while session.is_handshaking() {
            if session.complete_io(&mut socket).is_err() {
                return false;
            }
        }
        true
    });
    let _client =
        Settings::with(&files.authority, rustls::ALL_VERSIONS, identity).try_connect(address, "app.test");
    server.join().unwrap()
}

#[test]
fn the_admin_listeners_authorities_change_at_a_reload_and_stay() {
    let files = Files::new();
    files.issue("app", &["app.test"]);
    let clients = Authority::new();
    files.write("clients.pem", clients.pem());
    let config = |more: &str| {
        let tls = format!("tls = {{ cert = \"app.pem\", key = \"app.key\"{more} }}");
        files.config_of(&format!("[[listeners]]\nbind = \"127.0.0.1:8080\"\n[admin]\n{tls}\n"))
    };
    let (open, shut) = (config(""), config(", client_ca = \"clients.pem\""));
    let live = Live::open(&open).unwrap();
    let known = clients.issue(&["ops"]);
    for (config, anybody) in [(&open, true), (&shut, false), (&open, true)] {
        live.adopt(live.read(config).unwrap());
        for _ in 0..2 {
            assert_eq!(admin_lets_in(&live, &files, None), anybody);
            assert!(admin_lets_in(&live, &files, Some(&known)));
            files.issue("app", &["app.test"]);
            live.look();
        }
    }
}
