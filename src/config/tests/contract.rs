//! The files in config/, and the defaults that they state.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{config, loaded, read, repository};
use crate::config::{Upstream, load};
use crate::health::{CheckKind, Speech};
use crate::model::Color;
use crate::release;
use crate::routing::ServiceSettings;

#[test]
fn every_file_in_config_loads() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository("config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            load(&path).unwrap_or_else(|faults| panic!("{}:\n{faults}", path.display()));
            count += 1;
        }
    }
    assert!(count >= 3);
}

/// The reference states each default. A file that sets no such key must have the same values in force.
#[test]
fn defaults_are_the_reference_ones() {
    let reference = config(&read("config/greenlight.toml")).effective;
    let minimal = config(
        "[[listeners]]\nbind = \"0.0.0.0:80\"\n[services.backend]\nhosts = [\"backend.example.org\"]\n\
         [services.backend.upstream]\nblue = [\"10.0.0.1:8080\"]\ngreen = [\"10.0.0.2:8080\"]\n",
    )
    .effective;
    let different: BTreeMap<_, _> = reference
        .iter()
        .chain(&minimal)
        .filter(|(key, _)| reference.get(*key) != minimal.get(*key))
        .map(|(key, _)| (key, (reference.get(key), minimal.get(key))))
        .collect();
    assert!(different.is_empty(), "{different:#?}");
    assert!(reference.len() > 70, "only {} keys are in force", reference.len());
}

/// The core has defaults of its own, for its tests. They must be the same as those of the reference.
#[test]
fn defaults_in_the_core_equal_those_of_the_reference() {
    let config = config(&read("config/greenlight.toml"));
    assert_eq!(config.limits, crate::config::Limits::default());
    let service = &config.services[0];
    assert_eq!(service.policy, release::Policy::default());
    assert_eq!(*service.settings, ServiceSettings::default());
    assert_eq!(config.store_path, Path::new("/var/lib/greenlight"));
    assert_eq!(config.admin.bind, "127.0.0.1:9900".parse().unwrap());
    assert_eq!(config.workers, 0);
}

#[test]
fn a_service_is_read_whole() {
    let config = config(&read("config/demo.toml"));
    let service = &config.services[0];
    assert_eq!(service.name.as_str(), "backend");
    assert_eq!(service.hosts, ["backend.example.org", "localhost", "127.0.0.1"]);
    // An address has no names beneath it, so it gets no preview host.
    assert_eq!(service.preview_hosts.blue, ["blue.backend.example.org", "blue.localhost"]);
    assert_eq!(service.preview_hosts.green, ["green.backend.example.org", "green.localhost"]);
    let Upstream::Fixed { addresses, initial } = &service.upstream else { panic!("{:?}", service.upstream) };
    assert_eq!(addresses.green, ["127.0.0.1:9201", "127.0.0.1:9202"]);
    assert_eq!(*initial, Color::Blue);
    let CheckKind::Http { path, host, expect_status, expect_body } = &service.check.kind else { panic!() };
    assert_eq!((path.as_str(), host.as_str()), ("/healthz", "backend.example.org"));
    assert_eq!((expect_status.as_slice(), expect_body), ([200].as_slice(), &None));
    assert_eq!(service.check.interval, Duration::from_millis(250));
    assert_eq!(service.policy.interval, service.check.interval);
    assert_eq!(service.policy.timeout, service.check.timeout);
    assert_eq!(service.policy.thresholds.fall, service.check.fall);
    assert_eq!(service.policy.bake_time, Duration::from_secs(20));
}

#[test]
fn a_check_without_an_exact_host_asks_the_address() {
    let text = read("config/minimal.toml").replace("backend.example.org", "*.example.org");
    let CheckKind::Http { host, .. } = &config(&text).services[0].check.kind else { panic!() };
    assert_eq!(host, "");
    assert!(config(&text).services[0].preview_hosts.blue.is_empty());
}

#[test]
fn a_check_speaks_what_the_data_plane_speaks() {
    let text = |protocol: &str| {
        read("config/minimal.toml").replace(
            "[services.backend.upstream]",
            &format!("[services.backend.upstream]\nprotocol = \"{protocol}\""),
        )
    };
    let speech = |protocol| config(&text(protocol)).services[0].check.speech.clone();
    assert_eq!(speech("http1"), Speech::Http1);
    assert_eq!(speech("h2c"), Speech::H2c);
    // A port of its own for checks is spoken to in HTTP/1.1.
    let own_port = text("h2c") + "\n[services.backend.health]\nport = 8081\n";
    assert_eq!(config(&own_port).services[0].check.speech, Speech::Http1);
    let Speech::Tls(tls) = speech("https") else { panic!("{:?}", speech("https")) };
    assert_eq!(tls.server_name, "backend.example.org");
}

#[test]
fn services_are_in_the_order_of_their_names() {
    let service = |name: &str| {
        format!(
            "[services.{name}]\nhosts = [\"{name}.example.org\"]\n\
             upstream = {{ blue = [\"10.0.0.1:80\"], green = [\"10.0.0.2:80\"] }}\n"
        )
    };
    let text = format!(
        "listeners = [{{ bind = \"0.0.0.0:80\" }}]\n{}{}{}",
        service("zeta"),
        service("alpha"),
        service("beta")
    );
    let names: Vec<_> = config(&text).services.iter().map(|service| service.name.to_string()).collect();
    assert_eq!(names, ["alpha", "beta", "zeta"]);
}

#[test]
fn the_reference_warns_only_of_keys_that_are_not_built() {
    for warning in loaded(&read("config/greenlight.toml")).warnings {
        assert!(warning.message.contains("not in force"), "{warning}");
    }
    assert!(loaded(&read("config/minimal.toml")).warnings.is_empty());
    assert!(loaded(&read("config/demo.toml")).warnings.is_empty());
}
