//! The keys that a reload would change.

use super::{config, read, with};
use crate::config::difference;

fn changes(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let old = config(old);
    let difference = difference(&old, &old, &config(new));
    (difference.live, difference.needs_restart)
}

fn lines(live: &[&str], restart: &[&str]) -> (Vec<String>, Vec<String>) {
    let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    (owned(live), owned(restart))
}

#[test]
fn another_spelling_is_no_change() {
    let spelt = with(
        "[services.backend.release]\nbake_time = \"300s\"\nauto_promote = true\n[limits]\ntarget_max = \"8192B\"",
    );
    assert_eq!(changes(&read("config/minimal.toml"), &spelt), lines(&[], &[]));
    assert_eq!(changes(&spelt, &spelt), lines(&[], &[]));
}

#[test]
fn each_changed_key_is_named() {
    let new = with(
        "default = true\n[services.backend.release]\nbake_time = \"6m\"\n[services.backend.health]\nexpect_body = \"ok\"\n\
         [services.backend.proxy]\nbody_max = \"1MiB\"\n[log]\nlevel = \"debug\"\n[runtime]\nworkers = 3\n\
         [store]\npath = \"other\"\n[admin]\nbind = \"127.0.0.1:9901\"\n[limits]\ntarget_max = \"4KiB\"\n",
    );
    // `default` stands in the upstream table of the minimal file. It is moved to where it belongs.
    let new = new
        .replace("default = true\n", "")
        .replace("[services.backend]\n", "[services.backend]\ndefault = true\n");
    assert_eq!(
        changes(&read("config/minimal.toml"), &new),
        lines(
            &[
                "log.level",
                "services.backend.default",
                "services.backend.health.expect_body",
                "services.backend.proxy.body_max",
                "services.backend.release.bake_time",
            ],
            &["admin.bind", "limits.target_max", "runtime.workers", "store.path"],
        )
    );
}

#[test]
fn addresses_and_hosts_are_live() {
    let new = read("config/minimal.toml")
        .replace("127.0.0.1:8082", "127.0.0.1:8083")
        .replace("backend.example", "b.example");
    assert_eq!(
        changes(&read("config/minimal.toml"), &new),
        lines(&["services.backend.hosts", "services.backend.upstream.green"], &[])
    );
}

#[test]
fn new_and_gone_services_and_listeners_are_named_as_a_whole() {
    let more = with(
        "[services.other]\nhosts = [\"other.example.org\"]\nupstream = { blue = [\"10.0.0.1:80\"], green = [\"10.0.0.2:80\"] }\n\
         [[listeners]]\nbind = \"0.0.0.0:81\"",
    );
    let few = read("config/minimal.toml");
    let both = lines(&["services.other"], &["listeners[1]"]);
    assert_eq!(changes(&few, &more), both);
    assert_eq!(changes(&more, &few), both);
}

#[test]
fn a_listener_that_moves_needs_a_restart() {
    let new = read("config/minimal.toml").replace("0.0.0.0:80", "0.0.0.0:8080");
    assert_eq!(changes(&read("config/minimal.toml"), &new), lines(&[], &["listeners[0].bind"]));
}

/// Two listeners with TLS, in this order.
fn listeners(binds: &[(&str, &str)]) -> String {
    let rows = binds.iter().map(|(bind, certificate)| {
        format!(
            "[[listeners]]\nbind = \"{bind}\"\n[listeners.tls]\n\
             certificates = [{{ cert = \"{certificate}.pem\", key = \"{certificate}.key\" }}]\n"
        )
    });
    let plain = read("config/minimal.toml").replace("[[listeners]]\nbind = \"0.0.0.0:80\"", "");
    rows.collect::<String>() + &plain
}

#[test]
fn a_listener_is_the_same_one_wherever_it_stands() {
    let (a, b, c) = (("0.0.0.0:1", "a"), ("0.0.0.0:2", "b"), ("0.0.0.0:3", "c"));
    let old = listeners(&[a, b]);
    for (new, needs_restart) in [
        (vec![b, a], vec![]),
        (vec![c, a, b], vec!["listeners[0]"]),
        (vec![b], vec!["listeners[1]"]),
        (vec![b, c, a], vec!["listeners[1]"]),
    ] {
        assert_eq!(changes(&old, &listeners(&new)), lines(&[], &needs_restart), "{new:?}");
    }
    let certificate = ["listeners[0].tls.certificates[0].cert", "listeners[0].tls.certificates[0].key"];
    assert_eq!(changes(&old, &listeners(&[(b.0, "c"), a])), lines(&certificate, &[]));
}

#[test]
fn nothing_of_a_listener_that_does_not_run_is_live() {
    let old = listeners(&[("0.0.0.0:1", "a")]);
    let moved = listeners(&[("0.0.0.0:2", "b")]);
    let certificate = ["listeners[0].tls.certificates[0].cert", "listeners[0].tls.certificates[0].key"];
    let all = [&["listeners[0].bind"], &certificate[..]].concat();
    assert_eq!(changes(&old, &moved), lines(&[], &all));
    let plain = old.replace("[listeners.tls]\ncertificates = [{ cert = \"a.pem\", key = \"a.key\" }]", "");
    assert_eq!(changes(&plain, &old), lines(&[], &["listeners[0].tls"]));
    assert_eq!(changes(&old, &plain), lines(&[], &["listeners[0].tls"]));
}

/// Keys that an earlier reload could not bring into force are not live in a later reload.
#[test]
fn keys_that_wait_for_a_restart_are_not_live_later() {
    let started = config(&listeners(&[("0.0.0.0:1", "a")]));
    let [last, new] = ["b", "c"].map(|name| config(&listeners(&[("0.0.0.0:2", name)])));
    let difference = difference(&started, &last, &new);
    assert_eq!(difference.live, [""; 0]);
    assert_eq!(difference.needs_restart[0], "listeners[0].bind");
}

#[test]
fn certificates_and_authorities_are_live() {
    let with = |admin: &str, tls: &str| {
        let served =
            listeners(&[("0.0.0.0:1", "a")]).replace("[listeners.tls]", &format!("[listeners.tls]\n{tls}"));
        format!("{served}\n[admin]\n{admin}")
    };
    let old = with("tls = { cert = \"a.pem\", key = \"a.key\" }", "");
    let new = with(
        "tls = { cert = \"b.pem\", key = \"b.key\", client_ca = \"b.pem\" }",
        "client_ca = \"b.pem\"\nocsp = \"b.ocsp\"",
    );
    let keys = [
        "admin.tls.cert",
        "admin.tls.client_ca",
        "admin.tls.key",
        "listeners[0].tls.client_ca",
        "listeners[0].tls.ocsp",
    ];
    assert_eq!(changes(&old, &new), lines(&keys, &[]));
    assert_eq!(changes(&new, &old), lines(&keys, &[]));
    let without = with("", "");
    assert_eq!(changes(&without, &old), lines(&[], &["admin.tls"]));
}

/// Secrets are compared by their place, and only the place is shown.
#[test]
fn secrets_are_never_in_what_is_in_force() {
    let new = config(&with("[admin]\ntoken = { file = \"admin.token\" }"));
    assert_eq!(new.effective["admin.token"], "{ file = \"/etc/greenlight/admin.token\" }");
}

#[test]
fn a_key_that_says_how_a_container_is_created_waits_for_the_next_release() {
    for key in
        ["port", "network", "publish", "env", "mounts", "stop_signal", "command", "cap_add", "networks"]
    {
        assert!(crate::config::shapes_containers(key), "{key}");
    }
    for key in
        ["image", "replicas", "supervise", "follow", "engines", "registry_auth", "tags", "kind", "blue"]
    {
        assert!(!crate::config::shapes_containers(key), "{key}");
    }
}
