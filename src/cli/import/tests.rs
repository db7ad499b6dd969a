//! Tests of the import. The golden files are in `tests/golden/import`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::{self, Upstream};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn of_text(text: &str) -> Imported {
    of(&Source {
        name: "compose.yml",
        text,
        folder: "/srv/shop",
        variables: &Variables::new(),
        follow: false,
        secrets: None,
    })
}

fn of(source: &Source<'_>) -> Imported {
    let imported = compose(source).unwrap();
    loaded(&imported);
    imported
}

/// Loads the configuration as `check` does, and panics with its faults and its text if it has any.
fn loaded(imported: &Imported) -> config::Config {
    match config::parse(&imported.config, Path::new("/etc/greenlight")) {
        Ok(loaded) => loaded.config,
        Err(faults) => {
            let lines: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
            panic!("{}\n{}", lines.join("\n"), imported.config)
        }
    }
}

/// Compares the text with the golden file, or writes the file if `UPDATE_GOLDEN` is set.
fn golden(name: &str, text: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, expected)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{name}:{} (UPDATE_GOLDEN=1 rewrites it)", number + 1);
    }
    assert_eq!(text, expected, "{name}");
}

fn file(name: &str, variables: &Variables, follow: bool, secrets: Option<&str>) -> Imported {
    let text = read(name);
    of(&Source { name, text: &text, folder: "/srv/app", variables, follow, secrets })
}

#[test]
fn usual_compose_files_become_configurations() {
    let set = variables(&[("SMTP_PASSWORD", "letmein"), ("TAG", "2026.11")]);
    for name in ["dockercloud-haproxy", "stack-file", "nginx-proxy"] {
        let imported = file(&format!("{name}.yml"), &set, false, None);
        golden(&format!("{name}.toml"), &imported.config);
        for secret in ["hunter2", "MIIB", "s3cr3t", "0123456789abcdef", "sk_live", "letmein"] {
            assert!(!imported.config.contains(secret), "{name}: {secret} is printed");
        }
    }
}

#[test]
fn secrets_go_into_files_of_their_own() {
    let imported = file("dockercloud-haproxy.yml", &Variables::new(), false, Some("/etc/greenlight"));
    assert_eq!(
        imported.secrets["backend.env"],
        "DATABASE_URL=postgres://app:s3cr3t@db:5432/app\nSESSION_SECRET=0123456789abcdef\n"
    );
    assert!(imported.config.contains("env_file = [\"/etc/greenlight/backend.env\"]"), "{}", imported.config);
    assert!(!imported.config.contains("s3cr3t"));
}

#[test]
fn compose_keeps_the_containers_that_greenlight_follows() {
    let imported = file("dockercloud-haproxy.yml", &Variables::new(), true, None);
    golden("dockercloud-haproxy.follow.toml", &imported.config);
    let config = loaded(&imported);
    assert!(matches!(config.services[0].upstream, Upstream::Docker { follow: true, .. }));
}

#[test]
fn the_environment_of_the_script_becomes_a_configuration() {
    let env: Variables = env_lines(&read("script.env")).into_iter().collect();
    let imported = script(&env).unwrap();
    golden("script.toml", &imported.config);
    let config = loaded(&imported);
    assert!(!imported.config.contains("staple"));
    let Upstream::Docker { replicas, .. } = &config.services[0].upstream else { panic!() };
    assert_eq!(
        (*replicas, config.services[0].hosts.as_slice()),
        (3, ["backend.example.org".to_owned()].as_slice())
    );
}

#[test]
fn a_script_without_hosts_is_refused() {
    assert_eq!(script(&variables(&[("BLUE_URL", "http://blue.x.org")])), Err(ImportFault::NoScript));
    let bad = variables(&[("BLUE_URL", "http://u:pass@blue.x.org/"), ("GREEN_URL", "http://green.x.org")]);
    assert_eq!(script(&bad), Err(ImportFault::BadUrl { name: "BLUE_URL" }));
}

#[test]
fn hosts_of_virtual_host() {
    let parsed = |text: &str| {
        host::parse(text)
            .iter()
            .map(|one| format!("{:?} {} {:?} {}", one.scheme, one.host, one.port, one.path))
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (text, expected) in [
        ("a.org", "None a.org None "),
        ("https://A.org:8443/x/*", "Some(\"https\") a.org Some(8443) /x/*"),
        ("a.org, *.b.org ,*", "None a.org None ; None *.b.org None ; None * None "),
        ("a.org/", "None a.org None "),
        ("~^a,b$", "None ~^a None ; None b$ None "),
        ("", ""),
    ] {
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn pairs_are_found_by_label_name_or_host() {
    let app = |name: &str, more: &str| format!("  {name}:\n    image: org/app\n{more}");
    let env = |hosts: &str| format!("    environment: [\"VIRTUAL_HOST={hosts}\"]\n");
    let cases = [
        // (services, name, hosts, initial)
        (app("web_blue", &env("a.org")) + &app("web_green", &env("a.org")), vec![("web", vec!["a.org"])]),
        (app("green", &env("a.org")) + &app("blue", &env("blue.a.org")), vec![("a", vec!["a.org"])]),
        (
            app("one", &env("blue.shop.org")) + &app("two", &env("green.shop.org")),
            vec![("shop", vec!["shop.org"])],
        ),
        (app("evergreen", &env("a.org")), vec![("evergreen", vec!["a.org"])]),
        (
            app("api-blue-v2", &env("a.org")) + &app("api-green-v2", &env("green.a.org")),
            vec![("api-v2", vec!["a.org"])],
        ),
        (
            app("x", &(env("a.org") + "    labels: {greenlight.service: shop, greenlight.color: green}\n"))
                + &app("y", "    labels: [\"greenlight.service=shop\", \"greenlight.color=blue\"]\n"),
            vec![("shop", vec!["a.org"])],
        ),
    ];
    for (services, expected) in cases {
        let config = loaded(&of_text(&format!("services:\n{services}")));
        let found: Vec<(String, Vec<String>)> =
            config.services.iter().map(|one| (one.name.to_string(), one.hosts.clone())).collect();
        let expected: Vec<(String, Vec<String>)> = expected
            .into_iter()
            .map(|(name, hosts)| (name.to_owned(), hosts.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(found, expected, "{services}");
    }
}

#[test]
fn variables_of_compose() {
    let set = variables(&[("A", "1"), ("EMPTY", "")]);
    for (text, expected, unset) in [
        ("$A ${A} $$A", "1 1 $A", ""),
        ("${B:-x} ${EMPTY:-x} ${EMPTY-x} ${B-x}", "x x  x", ""),
        ("${A:+y} ${B:+y}", "y ", ""),
        ("${B:-${A}}${B:-${C:-z}}", "1z", ""),
        ("${B:?why} $C.", " .", "B C"),
        ("a$ $1 ${", "a$ $1 ${", ""),
    ] {
        let mut tree = serde_json::json!({ "x": [text] });
        let missing = variables::fill(&mut tree, &set);
        assert_eq!(tree["x"][0], expected, "{text}");
        let unset: BTreeSet<String> = unset.split_whitespace().map(str::to_owned).collect();
        assert_eq!(missing, unset, "{text}");
    }
}

#[test]
fn values_that_may_be_secrets_are_recognized() {
    for (name, value) in [
        ("DB_PASSWORD", "x"),
        ("DBPASSWORD", "x"),
        ("API_KEY", "x"),
        ("SENTRY_DSN", "x"),
        ("REDIS_URL", "redis://:pw@redis/0"),
        ("X", "-----BEGIN RSA PRIVATE KEY-----"),
        ("HOOK", "https://hooks.slack.com/services/T/B/x"),
    ] {
        assert!(secrecy::is_secret(name, value), "{name}={value}");
    }
    for (name, value) in [
        ("PORT", "80"),
        ("KEYCLOAK_URL", "http://k/"),
        ("MONKEY", "x"),
        ("DB_PASSWORD", ""),
        ("U", "http://me@h/"),
    ] {
        assert!(!secrecy::is_secret(name, value), "{name}={value}");
    }
}

#[test]
fn a_text_that_is_no_compose_file_is_refused() {
    let none = Variables::new();
    let source =
        |text| Source { name: "x", text, folder: "/x", variables: &none, follow: false, secrets: None };
    assert!(matches!(compose(&source("a: [")), Err(ImportFault::NotYaml(_))));
    assert!(matches!(compose(&source("[1]")), Err(ImportFault::NotCompose(_))));
    assert!(matches!(compose(&source("services: {}")), Err(ImportFault::NotCompose(_))));
    assert_eq!(compose(&source("services: {db: {image: postgres}}")), Err(ImportFault::NothingToServe));
}

#[test]
fn a_check_that_takes_long_gets_a_longer_deadline() {
    let imported = of_text(
        "services:\n  a:\n    image: a\n    environment:\n      VIRTUAL_HOST: a.org\n      HEALTH_CHECK: check inter 5m rise 5 fall 1\n",
    );
    assert!(imported.config.contains("progress_deadline = "), "{}", imported.config);
}

#[test]
fn virtual_proto_becomes_the_protocol() {
    let set = |proto: &str| {
        format!(
            "services:\n  a:\n    image: a\n    environment: {{ VIRTUAL_HOST: a.org, VIRTUAL_PROTO: {proto} }}\n"
        )
    };
    let none = Variables::new();
    let of = |proto: &str| {
        let text = set(proto);
        compose(&Source {
            name: "x",
            text: &text,
            folder: "/x",
            variables: &none,
            follow: false,
            secrets: None,
        })
        .unwrap()
        .config
    };
    assert!(of("grpc").contains("\nprotocol = \"h2c\"\n"));
    assert!(of("https").contains("\nprotocol = \"https\"\n"));
    assert!(of("fastcgi").contains("# not carried over: VIRTUAL_PROTO: fastcgi"));
}

#[test]
fn no_value_of_a_file_breaks_out_of_its_place() {
    let imported = of_text(
        "services:\n  \"a\\n]x\":\n    image: \"a\\\"\\nx = 1\"\n    \"k\\n[evil]\": 1\n    environment:\n      VIRTUAL_HOST: \"a.org,b\\\"c.org\"\n      \"N\\nx = 1\": \"v\\\"\\n[evil]\"\n",
    );
    assert!(
        !imported.config.lines().any(|line| line.starts_with("[evil]") || line.starts_with("x = 1")),
        "{}",
        imported.config
    );
}

/// The names of the files that people might have written, without their ending.
fn files_of_people() -> Vec<String> {
    let listed = std::fs::read_dir(folder().join("people")).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".yml").map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn twenty_files_as_people_write_them_become_configurations() {
    let names = files_of_people();
    assert_eq!(names.len(), 20);
    for name in names {
        let imported = file(&format!("people/{name}.yml"), &Variables::new(), false, None);
        golden(&format!("people/{name}.toml"), &imported.config);
    }
}

/// Each key of a service that is served is either carried over or named by its path.
#[test]
fn every_line_that_is_not_carried_over_is_named_by_its_path() {
    let mut named = 0;
    for name in files_of_people() {
        let text = read(&format!("people/{name}.yml"));
        let config = of_text(&text).config;
        // A comment goes on in the next line.
        let config = config.replace("\n#  ", " ");
        let tree = yaml::read(&text).unwrap();
        for (service, table) in tree["services"].as_object().unwrap() {
            if !config.contains(&format!("[services.{service}]")) {
                continue;
            }
            for key in table.as_object().unwrap().keys() {
                if keys::not_carried(key, "a value").is_some() && key != "restart" {
                    let path = format!("not carried over: services.{service}.{key}");
                    assert!(config.contains(&path), "{name}: {path}\n{config}");
                    named += 1;
                }
            }
        }
    }
    assert!(named > 15, "only {named} keys were looked at");
    for (name, path) in [
        ("swarm", "services.web.deploy.update_config"),
        ("swarm", "services.web.deploy.resources.reservations.cpus"),
        ("swarm", "services.web.secrets[1]"),
        ("long-syntax", "services.app.devices"),
        ("shared-database", "services.app.networks.data.aliases"),
        ("odd-numbers", "services.app.mem_limit"),
        ("odd-numbers", "services.app.ulimits.nofile"),
        ("odd-numbers", "services.app.stop_grace_period"),
        ("odd-numbers", "services.app.pids_limit"),
        ("traefik-v2", "services.api.labels.traefik.http.routers.api.middlewares"),
        ("traefik-v2", "networks.internal.internal"),
        ("extends", "include"),
    ] {
        let config = of_text(&read(&format!("people/{name}.yml"))).config.replace("\n#  ", " ");
        assert!(config.contains(&format!("not carried over: {path}:")), "{name}: {path}\n{config}");
    }
}

#[test]
fn a_container_finds_its_database_in_every_network_of_its_file() {
    let upstream = |name: &str, service: &str| {
        let config = loaded(&of_text(&read(&format!("people/{name}.yml"))));
        let found = config.services.iter().find(|one| one.name.as_str() == service).unwrap();
        let Upstream::Docker { engine, .. } = &found.upstream else { panic!("{name}") };
        (engine.network.clone(), engine.options.networks.clone())
    };
    let further = |network: &str| vec![network.to_owned()];
    assert_eq!(upstream("wordpress", "wordpress"), ("shop_backend".to_owned(), further("shop_default")));
    assert_eq!(upstream("traefik-v2", "api"), ("proxy".to_owned(), further("shop_internal")));
    assert_eq!(upstream("shared-database", "app"), ("company_data".to_owned(), further("proxy")));
}

#[test]
fn a_secret_with_several_lines_is_named_and_not_bent() {
    let imported = file("people/secret-with-lines.yml", &Variables::new(), false, Some("/etc/greenlight"));
    assert_eq!(imported.secrets["app.env"], "API_TOKEN=t0ken\n");
    assert!(imported.config.contains("not carried over: environment.SIGNING_KEY"), "{}", imported.config);
    assert!(!imported.config.contains("BEGIN KEY"));
}

#[test]
fn a_followed_service_has_no_remarks_about_what_compose_goes_on_doing() {
    let imported = file("people/hardened.yml", &Variables::new(), true, None);
    for word in ["oom_score_adj", "cgroup_parent", "volumes:"] {
        assert!(!imported.config.contains(word), "{}", imported.config);
    }
}
