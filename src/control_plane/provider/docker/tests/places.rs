use std::net::{IpAddr, Ipv4Addr};

use super::super::container::Container;
use super::super::evidence::{LINES_MAX, last_lines};
use super::super::labels::Marks;
use super::super::place::{Rules, names_host_only, place};
use crate::config::Docker;
use crate::model::{Color, PerColor, ReleaseId, ServiceName};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn container(service: Option<&str>, set: Option<&str>) -> Container {
    Container {
        id: "0123456789abcdef".repeat(4),
        name: "one".to_owned(),
        marks: service.map(|service| Marks {
            service: ServiceName::from(service),
            color: Color::Green,
            set: set.map(ReleaseId::from),
            version: None,
            image: None,
            index: 1,
            port: Some(8080),
        }),
        running: true,
        networks: [("bridge".to_owned(), "172.17.0.2".parse().unwrap())].into(),
        exposed: vec![80],
        ..Container::default()
    }
}

/// Runs `ask` with the rules of a service `backend` whose host is `backend.example.org`.
fn ask<T>(follow: bool, ask: impl FnOnce(&Rules<'_>) -> T) -> T {
    let hosts = ["backend.example.org".to_owned()];
    let preview_hosts = PerColor::from_fn(|color| vec![format!("{color}.backend.example.org")]);
    let config = Docker::default();
    let service = ServiceName::from("backend");
    ask(&Rules { service: &service, config: &config, follow, hosts: &hosts, preview_hosts: &preview_hosts })
}

#[test]
fn own_containers_have_a_release_and_followed_ones_have_none() {
    let color = |follow, container: &Container| {
        ask(follow, |rules| place(rules, container, HERE)).map(|placed| (placed.color, placed.set))
    };
    let ours = container(Some("backend"), Some("backend-3"));
    assert_eq!(color(false, &ours), Some((Color::Green, Some(ReleaseId::from("backend-3")))));
    assert_eq!(color(false, &container(Some("backend"), None)), None);
    assert_eq!(color(false, &container(Some("shop"), Some("shop-3"))), None);
    assert_eq!(color(true, &container(Some("backend"), None)), Some((Color::Green, None)));
    assert_eq!(color(true, &container(Some("shop"), None)), None);
    assert_eq!(color(true, &container(None, None)), None);
}

#[test]
fn a_container_has_an_endpoint_while_it_runs() {
    let mut container = container(Some("backend"), Some("backend-3"));
    let endpoint =
        |container: &Container| ask(false, |rules| place(rules, container, HERE)).unwrap().endpoint;
    let endpoint_now = endpoint(&container).unwrap().unwrap();
    assert_eq!(endpoint_now.id.as_str(), "0123456789ab");
    assert_eq!(endpoint_now.address, "172.17.0.2:8080".parse().unwrap());
    container.networks.clear();
    assert!(endpoint(&container).unwrap_err().contains("container one: it has no address"));
    container.running = false;
    assert_eq!(endpoint(&container), Ok(None));
}

#[test]
fn virtual_host_names_a_color_by_its_preview_host() {
    let color = |virtual_host: &str| {
        let container = Container { virtual_host: Some(virtual_host.to_owned()), ..container(None, None) };
        let only = ask(true, |rules| names_host_only(rules, &container));
        assert_eq!(ask(false, |rules| place(rules, &container, HERE)), None, "not followed");
        (ask(true, |rules| place(rules, &container, HERE)).map(|placed| placed.color), only)
    };
    assert_eq!(color("blue.backend.example.org,backend.example.org"), (Some(Color::Blue), false));
    assert_eq!(
        color(" http://GREEN.backend.example.org:80/x , https://a.example.org"),
        (Some(Color::Green), false)
    );
    assert_eq!(color("backend.example.org"), (None, true));
    assert_eq!(color("https://backend.example.org"), (None, true));
    assert_eq!(color("other.example.org"), (None, false));
    assert_eq!(color("blue.backend.example.org,green.backend.example.org"), (None, false));
    assert_eq!(color(""), (None, false));
}

#[test]
fn of_a_long_log_the_end_is_kept() {
    let text = (0..250).map(|n| format!("line {n}\r\n")).collect::<Vec<_>>().concat();
    let lines = last_lines(text.as_bytes());
    assert_eq!((lines.len(), lines[0].as_str(), lines[99].as_str()), (LINES_MAX, "line 150", "line 249"));
    assert_eq!(last_lines(b"\xff half"), ["\u{fffd} half"]);
    assert!(last_lines(b"").is_empty());
}
