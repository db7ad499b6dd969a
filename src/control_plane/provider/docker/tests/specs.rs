use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::RestartPolicyNameEnum;

use super::super::container::Container;
use super::super::labels::Marks;
use super::super::progress::Progress;
use super::super::spec::{body, command_body, env_lines, host_ports};
use crate::config::{ContainerLog, ContainerOptions, Docker, Healthcheck, Publish};
use crate::model::{Color, ReleaseId, ServiceName, Version};

fn marks(service: &str, set: &str, color: Color, port: u16) -> Marks {
    Marks {
        service: ServiceName::from(service),
        color,
        set: Some(ReleaseId::from(set)),
        version: Some(Version("sha256:00".to_owned())),
        image: None,
        index: 1,
        port: Some(port),
    }
}

fn text(map: &str) -> BTreeMap<String, String> {
    map.split(',').map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.into(), v.into())).collect()
}

#[test]
fn a_container_is_created_as_configured_and_no_other_way() {
    let config = Docker {
        env: text("A=file,B=2"),
        mounts: vec!["/srv:/data:ro".to_owned()],
        memory_bytes: Some(512 << 20),
        cpus: Some(1.5),
        user: Some("1000".to_owned()),
        stop_signal: Some("SIGQUIT".to_owned()),
        stop_timeout: Duration::from_millis(20_100),
        network: "backend".to_owned(),
        healthcheck: Some(Healthcheck {
            command: vec!["app".to_owned(), "health".to_owned()],
            interval: Some(Duration::from_secs(10)),
            timeout: None,
            retries: Some(3),
            start_period: None,
        }),
        log: Some(ContainerLog { driver: "json-file".to_owned(), options: text("max-size=10m") }),
        ..Docker::default()
    };
    let marks = marks("backend", "backend-7", Color::Green, 8080);
    let made = body(&config, "h/app@sha256:00", &marks, &["A=lines".to_owned(), "C=3".to_owned()]);
    assert_eq!(made.image.as_deref(), Some("h/app@sha256:00"));
    assert_eq!(made.env.unwrap(), ["C=3", "A=file", "B=2"]);
    assert_eq!(Marks::read(&made.labels.unwrap()).unwrap(), marks);
    assert_eq!(
        (made.user.as_deref(), made.stop_signal.as_deref(), made.stop_timeout),
        (Some("1000"), Some("SIGQUIT"), Some(21))
    );
    assert_eq!((&made.cmd, &made.entrypoint, &made.exposed_ports), (&None, &None, &None));
    let health = made.healthcheck.unwrap();
    assert_eq!(health.test.unwrap(), ["CMD", "app", "health"]);
    assert_eq!((health.interval, health.timeout, health.retries), (Some(10_000_000_000), None, Some(3)));
    let host = made.host_config.unwrap();
    assert_eq!(host.network_mode.as_deref(), Some("backend"));
    let mounts = host.mounts.unwrap();
    let [mount] = mounts.as_slice() else { panic!("{mounts:?}") };
    assert_eq!((mount.source.as_deref(), mount.target.as_deref()), (Some("/srv"), Some("/data")));
    assert_eq!((mount.read_only, host.binds), (Some(true), None));
    // The engine refuses a source that does not exist, and makes no empty folder.
    assert_eq!(mount.bind_options.as_ref().unwrap().create_mountpoint, Some(false));
    assert_eq!((host.memory, host.nano_cpus), (Some(512 << 20), Some(1_500_000_000)));
    assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::UNLESS_STOPPED));
    assert_eq!((host.privileged, host.cap_add, host.port_bindings), (None, None, None));
    assert_eq!(host.log_config.unwrap().typ.as_deref(), Some("json-file"));
}

#[test]
fn other_settings_are_left_to_the_image_and_the_engine() {
    let made = body(&Docker::default(), "i", &marks("s", "s-1", Color::Blue, 80), &[]);
    assert_eq!((&made.env, &made.user, &made.healthcheck), (&None, &None, &None));
    assert_eq!(made.stop_signal, None, "the STOPSIGNAL of the image counts");
    let host = made.host_config.unwrap();
    assert_eq!((host.mounts, host.memory, host.nano_cpus, host.log_config), (None, None, None, None));
}

#[test]
fn a_published_port_is_on_loopback_alone_and_a_host_port_is_told() {
    let published = Docker { publish: Publish::Loopback, ..Docker::default() };
    let made = body(&published, "i", &marks("s", "s-1", Color::Blue, 80), &[]);
    let bindings = made.host_config.unwrap().port_bindings.unwrap();
    let binding = &bindings["80/tcp"].as_ref().unwrap()[0];
    assert_eq!(binding.host_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(bindings.len(), 1);
    let probed = Docker { probe_port: Some(81), ..published.clone() };
    let made = body(&probed, "i", &marks("s", "s-1", Color::Blue, 80), &[]);
    assert_eq!(made.exposed_ports.unwrap(), ["80/tcp", "81/tcp"]);
    let bindings = made.host_config.unwrap().port_bindings.unwrap();
    assert_eq!(bindings["81/tcp"].as_ref().unwrap()[0].host_ip.as_deref(), Some("127.0.0.1"));
    let on_host = Docker { network: "host".to_owned(), env: text("PORT=1"), ..published };
    let made = body(&on_host, "i", &marks("s", "s-1", Color::Blue, 8082), &[]);
    assert_eq!(made.env.unwrap(), ["PORT=8082"]);
    assert_eq!(made.host_config.unwrap().port_bindings, None);
}

#[test]
fn a_command_has_no_port_no_restart_and_no_mark_of_an_endpoint() {
    let made = command_body(&Docker::default(), "i", "backend", &["app".to_owned(), "smoke".to_owned()], &[]);
    assert_eq!(made.cmd.unwrap(), ["app", "smoke"]);
    assert_eq!(made.entrypoint.unwrap(), Vec::<String>::new());
    assert_eq!(Marks::read(&made.labels.unwrap()), None);
    assert_eq!(made.host_config.unwrap().restart_policy, None);
}

#[test]
fn env_files_are_read_as_docker_reads_them() {
    let ours = |key: &str| (key == "HOME").then(|| "/root".to_owned());
    let read = |text: &str| env_lines(text, ours);
    assert_eq!(
        read("# a comment\nA=1\n\n  B=two words # kept\nHOME\nUNSET\nC=\nD='x'\n").unwrap(),
        ["A=1", "B=two words # kept", "HOME=/root", "C=", "D='x'"]
    );
    for (text, line) in [("A=1\nB C=2\n", "line 2"), ("=x", "line 1")] {
        assert!(read(text).unwrap_err().contains(line), "{text}");
    }
}

#[test]
fn ports_on_the_host_are_free_of_the_other_color_and_of_other_services() {
    let there = |service, set, color, port| Container {
        marks: Some(marks(service, set, color, port)),
        ..Container::default()
    };
    let others = [
        there("backend", "backend-1", Color::Blue, 8000),
        there("backend", "backend-1", Color::Blue, 8001),
        there("shop", "shop-4", Color::Green, 8003),
        // A kept set of the same color never runs at the same time, so its port counts as free.
        there("backend", "backend-2", Color::Green, 8002),
    ];
    let new = marks("backend", "backend-3", Color::Green, 0);
    assert_eq!(host_ports(8000, 3, &new, &others).unwrap(), [8002, 8004, 8005]);
    assert_eq!(host_ports(8000, 2, &marks("new", "new-1", Color::Blue, 0), &[]).unwrap(), [8000, 8001]);
    assert!(host_ports(65535, 2, &new, &others).unwrap_err().contains("2 free ports"));
}

#[test]
fn a_pull_says_how_far_it_is() {
    let mut progress = Progress::default();
    assert_eq!(progress.text(), "");
    progress.take("a", "Pulling fs layer", None, None);
    progress.take("b", "Already exists", None, None);
    assert_eq!(progress.text(), "1 of 2 layers");
    progress.take("a", "Downloading", Some(500_000), Some(2_000_000));
    assert_eq!(progress.text(), "1 of 2 layers, 0.5 of 2.0 MB");
    progress.take("a", "Extracting", Some(1), Some(2_000_000));
    progress.take("a", "Pull complete", None, None);
    progress.take("x", "Digest: sha256:00", None, None);
    assert_eq!(progress.text(), "2 of 2 layers, 2.0 of 2.0 MB");
}

#[test]
fn options_reach_the_engine_in_its_own_shapes() {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let options = ContainerOptions {
        entrypoint: list(&["/start"]),
        command: list(&["serve", "-v"]),
        labels: text("team=shop"),
        devices: list(&["/dev/a", "/dev/b:r", "/dev/c:/dev/d:rw"]),
        ulimits: text("nofile=1024:65536,nproc=7"),
        tmpfs: text("/run=size=64m"),
        init: true,
        shm_size: Some(128 << 20),
        ..ContainerOptions::default()
    };
    let mounts = list(&["/a:/a", "/b:/b:z", "data:/data"]);
    let config = Docker { mounts, options, ..Docker::default() };
    let marks = marks("s", "s-1", Color::Blue, 80);
    let made = body(&config, "i", &marks, &[]);
    assert_eq!(made.entrypoint.unwrap(), ["/start"]);
    assert_eq!(made.cmd.unwrap(), ["serve", "-v"]);
    let labels = made.labels.unwrap();
    assert_eq!(labels["team"], "shop");
    assert_eq!(Marks::read(&labels).unwrap(), marks);
    let host = made.host_config.unwrap();
    let devices = host.devices.unwrap();
    let shown: Vec<String> = devices
        .iter()
        .map(|device| {
            let text = |text: &Option<String>| text.clone().unwrap();
            let (host, inside) = (text(&device.path_on_host), text(&device.path_in_container));
            format!("{host} {inside} {}", text(&device.cgroup_permissions))
        })
        .collect();
    assert_eq!(shown, ["/dev/a /dev/a rwm", "/dev/b /dev/b r", "/dev/c /dev/d rw"]);
    let limits: Vec<_> = host.ulimits.unwrap().into_iter().map(|limit| (limit.soft, limit.hard)).collect();
    assert_eq!(limits, [(Some(1024), Some(65536)), (Some(7), Some(7))]);
    assert_eq!(host.tmpfs.unwrap()["/run"], "size=64m");
    assert_eq!((host.init, host.shm_size, host.privileged), (Some(true), Some(128 << 20), None));
    // A volume, and an option that only a bind has, stay binds.
    assert_eq!(host.binds.unwrap(), ["/b:/b:z", "data:/data"]);
    assert_eq!(host.mounts.unwrap().len(), 1);
}
