//! Changed files: served at once, without a connection lost; broken ones change nothing.

use std::sync::Arc;

use greenlight::data_plane::ListenerFacts;
use greenlight::tls::{Entrance, Live, check};
use rustls::HandshakeKind;

use greenlight_testkit::certs::{Files, list};
use greenlight_testkit::front::{Front, HOST, Setup};
use greenlight_testkit::origin::Origin;
use greenlight_testkit::secure_client::Settings;

fn front(origin: &Origin, live: &Live) -> Front {
    through(origin, live.entrances()[0].as_ref())
}

fn through(origin: &Origin, entrance: Option<&Arc<Entrance>>) -> Front {
    let mut setup = Setup::new(&[origin.address], &[]);
    setup.facts = vec![ListenerFacts { tls: entrance.cloned(), ..ListenerFacts::default() }];
    setup.start()
}

#[test]
fn a_changed_certificate_is_served_and_connections_go_on() {
    let files = Files::new();
    files.issue("app", &["app.test", "old.test"]);
    let live = files.live(&list(&["app"]));
    let front = front(&Origin::naming("ok"), &live);
    let settings = Settings::new(&files.authority);
    let mut old = settings.connect(front.address, "app.test");
    assert_eq!(settings.shown().names[1], "old.test");
    assert_eq!(old.get(HOST, "/").text(), "ok");
    // Between hello and Finished when the files change: nobody notices.
    for round in 0..3 {
        let name = format!("new{round}.test");
        files.issue("app", &["app.test", &name]);
        live.look();
        let fresh = Settings::new(&files.authority);
        let mut new = fresh.connect(front.address, "app.test");
        assert_eq!(fresh.shown().names[1], name);
        assert_eq!(new.get(HOST, "/").text(), "ok");
        assert_eq!(old.get(HOST, "/").text(), "ok", "the old connection goes on");
        // Tickets outlive the certificate: they are of the same listener.
        let mut resumed = settings.connect(front.address, "app.test");
        assert_eq!(resumed.kind(), HandshakeKind::Resumed);
        assert_eq!(resumed.get(HOST, "/").text(), "ok");
    }
}

#[test]
fn broken_files_keep_what_was_served() {
    let files = Files::new();
    files.issue("app", &["app.test", "good.test"]);
    let tls = list(&["app"]);
    let live = files.live(&tls);
    let front = front(&Origin::naming("ok"), &live);
    let good = std::fs::read(files.path("app.pem")).unwrap();
    let stranger = files.authority.issue(&["app.test", "stranger.test"]);
    let config = files.config(&tls);
    let broken: [(&str, &[u8], &str); 4] = [
        ("app.pem", b"", "holds no certificate"),
        ("app.pem", &good[..good.len() / 2], "app.pem"),
        ("app.pem", stranger.cert.as_bytes(), "do not belong together"),
        ("app.key", b"-----BEGIN", "holds no private key"),
    ];
    for (name, bytes, said) in broken {
        let before = std::fs::read(files.path(name)).unwrap();
        files.write(name, bytes);
        live.look();
        let faults = check(&config);
        assert!(faults.len() == 1 && faults[0].contains(said), "{faults:?}");
        assert_eq!(live.read(&config).unwrap_err(), faults, "a reload is answered with the same");
        let settings = Settings::new(&files.authority);
        assert_eq!(settings.connect(front.address, "app.test").get(HOST, "/").text(), "ok");
        assert_eq!(settings.shown().names[1], "good.test", "{said}");
        files.write(name, before);
        live.look();
        assert_eq!(check(&config), [""; 0]);
    }
    // And a good one is taken up again afterwards.
    files.issue("app", &["app.test", "after.test"]);
    live.look();
    let settings = Settings::new(&files.authority);
    settings.connect(front.address, "app.test");
    assert_eq!(settings.shown().names[1], "after.test");
}

#[test]
fn a_reload_may_name_other_certificates() {
    let files = Files::new();
    files.issue("one", &["app.test", "one.test"]);
    files.issue("two", &["app.test", "two.test"]);
    let live = files.live(&list(&["one"]));
    let front = front(&Origin::naming("ok"), &live);
    let read = live.read(&files.config(&list(&["two", "one"]))).unwrap();
    let shown = || {
        let settings = Settings::new(&files.authority);
        settings.connect(front.address, "app.test");
        settings.shown().names[1].clone()
    };
    assert_eq!(shown(), "one.test", "nothing is in force before it is adopted");
    live.adopt(read);
    assert_eq!(shown(), "two.test");
    // The new files are looked at from now on.
    files.issue("two", &["app.test", "three.test"]);
    live.look();
    assert_eq!(shown(), "three.test");
}

#[test]
fn a_listener_keeps_its_certificate_wherever_it_stands() {
    let files = Files::new();
    for name in ["one", "two", "three"] {
        files.issue(name, &["app.test", &format!("{name}.test")]);
    }
    let row = |(bind, name): &(&str, &str)| {
        format!("[[listeners]]\nbind = \"{bind}\"\n[listeners.tls]\n{}\n", list(&[name]))
    };
    let config = |rows: &[(&str, &str)]| files.config_of(&rows.iter().map(row).collect::<String>());
    let (one, two, three) =
        (("127.0.0.1:8441", "one"), ("127.0.0.1:8442", "two"), ("127.0.0.1:8443", "three"));
    let live = Live::open(&config(&[one, two])).unwrap();
    let origin = Origin::naming("ok");
    let fronts: Vec<Front> =
        live.entrances().iter().map(|entrance| through(&origin, entrance.as_ref())).collect();
    let shown = || {
        let settings = Settings::new(&files.authority);
        fronts
            .iter()
            .map(|front| {
                settings.connect(front.address, "app.test");
                settings.shown().names[1].clone()
            })
            .collect::<Vec<_>>()
    };
    for rows in [vec![two], vec![one], vec![three, one, two], vec![two, one], vec![three]] {
        live.adopt(live.read(&config(&rows)).unwrap());
        assert_eq!(shown(), ["one.test", "two.test"], "{rows:?}");
    }
    live.adopt(live.read(&config(&[three, (two.0, "three"), (one.0, "two")])).unwrap());
    assert_eq!(shown(), ["two.test", "three.test"], "other certificates of the same listeners");
}

#[test]
fn authorities_of_origins_that_are_broken_fail_every_reload() {
    let files = Files::new();
    files.write("ca.pem", files.authority.pem());
    let text = "[[listeners]]\nbind = \"127.0.0.1:8080\"\n[services.app]\nhosts = [\"app.test\"]\n\
                [services.app.upstream]\nblue = [\"127.0.0.1:1\"]\ngreen = [\"127.0.0.1:2\"]\n\
                protocol = \"https\"\ntls = { ca = \"ca.pem\" }\n";
    let config = greenlight::config::parse(text, files.folder.path()).unwrap().config;
    let live = Live::open(&config).unwrap();
    assert!(live.read(&config).is_ok());
    files.write("ca.pem", "none");
    live.look();
    for _ in 0..2 {
        let faults = live.read(&config).unwrap_err();
        let said = "services.app.upstream.tls: ";
        assert!(
            faults.len() == 1 && faults[0].starts_with(said) && faults[0].contains("ca.pem"),
            "{faults:?}"
        );
    }
    files.write("ca.pem", files.authority.pem());
    assert!(live.read(&config).is_ok());
}
