use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{
    ContainerConfig, ContainerInspectResponse, ContainerState, EndpointSettings, HostConfig, NetworkSettings,
    PortBinding,
};

use super::super::container::{Container, tcp_ports};
use super::super::labels::{self, Marks};
use crate::config::{Docker, Publish};
use crate::model::{Color, ReleaseId, ServiceName, Version};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn marks() -> Marks {
    Marks {
        service: ServiceName::from("backend"),
        color: Color::Green,
        set: Some(ReleaseId::from("backend-7")),
        version: Some(Version("sha256:00".to_owned())),
        image: Some("h.example/app:v1".to_owned()),
        index: 2,
        port: Some(8080),
    }
}

#[test]
fn labels_are_read_as_they_were_written() {
    assert_eq!(Marks::read(&marks().labels()).unwrap(), marks());
    assert_eq!(marks().name(), "greenlight-backend-7-green-2");
    let followed = HashMap::from([
        (labels::SERVICE.to_owned(), "backend".to_owned()),
        (labels::COLOR.to_owned(), "blue".to_owned()),
    ]);
    let read = Marks::read(&followed).unwrap();
    assert_eq!((read.color, read.set, read.port), (Color::Blue, None, None));
    for key in [labels::SERVICE, labels::COLOR] {
        let mut lacking = followed.clone();
        lacking.remove(key);
        assert_eq!(Marks::read(&lacking), None, "{key}");
    }
    let mut pink = followed;
    pink.insert(labels::COLOR.to_owned(), "pink".to_owned());
    assert_eq!(Marks::read(&pink), None);
}

fn inspected(state: ContainerState, mode: &str) -> ContainerInspectResponse {
    let networks = HashMap::from([(
        mode.to_owned(),
        EndpointSettings { ip_address: Some("172.17.0.5".to_owned()), ..EndpointSettings::default() },
    )]);
    let bindings = vec![
        PortBinding { host_ip: Some("::".to_owned()), host_port: Some("40002".to_owned()) },
        PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some("40001".to_owned()) },
    ];
    ContainerInspectResponse {
        id: Some("f00d".repeat(16)),
        name: Some("/one".to_owned()),
        state: Some(state),
        restart_count: Some(2),
        config: Some(ContainerConfig {
            exposed_ports: Some(vec!["8080/tcp".to_owned(), "53/udp".to_owned()]),
            env: Some(vec!["A=1".to_owned(), "VIRTUAL_HOST=blue.example.org,example.org".to_owned()]),
            ..ContainerConfig::default()
        }),
        host_config: Some(HostConfig { network_mode: Some(mode.to_owned()), ..HostConfig::default() }),
        network_settings: Some(NetworkSettings {
            networks: Some(networks),
            ports: Some(HashMap::from([("8080/tcp".to_owned(), Some(bindings)), ("9/tcp".to_owned(), None)])),
            ..NetworkSettings::default()
        }),
        ..ContainerInspectResponse::default()
    }
}

fn running() -> ContainerState {
    ContainerState {
        running: Some(true),
        started_at: Some("2026-11-24T10:00:00Z".to_owned()),
        ..ContainerState::default()
    }
}

#[test]
fn a_container_runs_unless_it_is_paused_restarting_or_dead() {
    let runs = |state: ContainerState| Container::of(&inspected(state, "bridge")).unwrap().running;
    assert!(runs(running()));
    assert!(!runs(ContainerState { paused: Some(true), ..running() }));
    assert!(!runs(ContainerState { restarting: Some(true), ..running() }));
    assert!(!runs(ContainerState { dead: Some(true), ..running() }));
    assert!(!runs(ContainerState::default()));
}

#[test]
fn how_it_ended_is_said_in_words() {
    let end = |oom: bool, code: i64, error: &str| {
        let state = ContainerState {
            oom_killed: Some(oom),
            exit_code: Some(code),
            error: Some(error.to_owned()),
            ..ContainerState::default()
        };
        Container::of(&inspected(state, "bridge")).unwrap().end
    };
    assert_eq!(end(false, 0, ""), None);
    assert_eq!(end(false, 1, "").unwrap(), "exit code 1");
    assert_eq!(end(false, 137, "").unwrap(), "exit code 137 (signal 9)");
    assert_eq!(end(true, 137, "").unwrap(), "it ran out of memory (upstream.memory)");
    assert_eq!(end(false, 127, "exec: no such file").unwrap(), "exec: no such file");
}

#[test]
fn a_container_is_reached_as_the_configuration_says() {
    let bridged = Container::of(&inspected(running(), "bridge")).unwrap();
    let plain = Docker::default();
    assert_eq!(bridged.address(&plain, HERE).unwrap(), "172.17.0.5:8080".parse().unwrap());
    let told = Docker { port: Some(9), ..Docker::default() };
    assert_eq!(bridged.address(&told, HERE).unwrap(), "172.17.0.5:9".parse().unwrap());
    let loopback = Docker { publish: Publish::Loopback, ..Docker::default() };
    assert_eq!(bridged.address(&loopback, HERE).unwrap(), "127.0.0.1:40001".parse().unwrap());
    let unpublished = Docker { publish: Publish::Loopback, port: Some(9), ..Docker::default() };
    assert!(bridged.address(&unpublished, HERE).unwrap_err().contains("port 9 is not published"));
    // A network of a compose project is taken if there is no other network.
    let composed = Container::of(&inspected(running(), "shop_default")).unwrap();
    assert_eq!(composed.address(&plain, HERE).unwrap(), "172.17.0.5:8080".parse().unwrap());
    let elsewhere = Container { networks: [("a".into(), HERE), ("b".into(), HERE)].into(), ..composed };
    let fault = elsewhere.address(&plain, HERE).unwrap_err();
    assert!(fault.contains("\"bridge\"") && fault.contains("a, b"), "{fault}");
    let mut on_host = Container::of(&inspected(running(), "host")).unwrap();
    on_host.marks = Some(marks());
    let far = "10.0.0.9".parse().unwrap();
    assert_eq!(on_host.address(&plain, far).unwrap(), "10.0.0.9:8080".parse().unwrap());
}

#[test]
fn a_container_of_a_release_is_reached_as_it_was_created_whatever_a_reload_says() {
    let mut own = Container::of(&inspected(running(), "bridge")).unwrap();
    own.marks = Some(marks());
    let loopback = Docker {
        publish: Publish::Loopback,
        network: "other".to_owned(),
        port: Some(9),
        ..Docker::default()
    };
    assert_eq!(own.address(&loopback, HERE).unwrap(), "172.17.0.5:8080".parse().unwrap());
    // Somebody has connected it to the network of the new configuration, too.
    let both = [("bridge".into(), own.networks["bridge"]), ("other".into(), HERE)].into();
    let connected = Container { networks: both, ..own.clone() };
    assert_eq!(connected.address(&loopback, HERE).unwrap(), "172.17.0.5:8080".parse().unwrap());
    own.to_publish = vec![8080];
    assert_eq!(own.address(&Docker::default(), HERE).unwrap(), "127.0.0.1:40001".parse().unwrap());
    own.published.clear();
    assert!(own.address(&Docker::default(), HERE).unwrap_err().contains("8080 is not published"));
}

#[test]
fn several_ports_or_none_are_named() {
    let mut container = Container::of(&inspected(running(), "bridge")).unwrap();
    assert_eq!(container.exposed, [8080]);
    container.exposed = vec![8080, 9090];
    let fault = container.address(&Docker::default(), HERE).unwrap_err();
    assert!(fault.contains("2 ports (8080, 9090)") && fault.contains("upstream.port"), "{fault}");
    container.exposed.clear();
    assert!(container.address(&Docker::default(), HERE).unwrap_err().contains("exposes no port"));
    let texts = ["80", "81/tcp", "81/tcp", "53/udp", "x/tcp", "70000/tcp"].map(str::to_owned);
    assert_eq!(tcp_ports(&texts), [80, 81]);
}

/// The events of a restart may be heard when the container runs again. They are about its earlier life and
/// say nothing about the present one.
#[test]
fn an_event_of_an_earlier_life_is_recognized() {
    let container =
        Container { started_at: "2026-11-25T01:33:51.920678927Z".to_owned(), ..Container::default() };
    let started = 1_795_570_431_920_678_927;
    assert!(container.started_after(Some(started - 1)));
    assert!(!container.started_after(Some(started)));
    assert!(!container.started_after(Some(started + 1)));
    // If the time of the event is not known, the event counts as a new one.
    assert!(!container.started_after(None));
    let never = Container { started_at: String::new(), ..Container::default() };
    assert!(!never.started_after(Some(started)));
}

#[test]
fn a_container_that_ended_has_an_exit_code_whatever_it_is() {
    let end = |state: ContainerState| {
        let finished_at = state.finished_at.clone().or(Some("2026-11-24T10:00:05Z".to_owned()));
        let state = ContainerState { exit_code: Some(0), finished_at, ..state };
        Container::of(&inspected(state, "bridge")).unwrap().end
    };
    assert_eq!(end(ContainerState::default()).unwrap(), "exit code 0");
    assert_eq!(end(ContainerState { restarting: Some(true), ..running() }).unwrap(), "exit code 0");
    // Nothing says how the life before this one ended.
    assert_eq!(end(running()), None);
    let created = Some("0001-01-01T00:00:00Z".to_owned());
    assert_eq!(end(ContainerState { finished_at: created, ..ContainerState::default() }), None);
}

#[test]
fn a_probe_never_goes_to_a_port_of_another_process_of_the_host() {
    let probed =
        |port: u16| Docker { probe_port: Some(port), publish: Publish::Loopback, ..Docker::default() };
    let mut container = Container::of(&inspected(running(), "bridge")).unwrap();
    container.published.insert(9000, "0.0.0.0:41000".parse().unwrap());
    let at = |container: &Container, config: &Docker| container.probe_address(config, HERE);
    assert_eq!(at(&container, &probed(9000)), Some(std::net::SocketAddr::new(HERE, 41000)));
    // Port 9001 of this host is somebody else's.
    assert_eq!(at(&container, &probed(9001)).unwrap(), "127.0.0.1:40001".parse().unwrap());
    // By its own address the port is the container's own.
    assert_eq!(at(&container, &Docker { publish: Publish::None, ..probed(9000) }), None);
    assert_eq!(at(&container, &Docker { publish: Publish::Loopback, ..Docker::default() }), None);
    let on_host = Container::of(&inspected(running(), "host")).unwrap();
    let config = Docker { publish: Publish::None, ..probed(9000) };
    assert_eq!(at(&on_host, &config), Some(std::net::SocketAddr::new(HERE, 8080)));
}
