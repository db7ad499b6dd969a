//! A container as an engine shows it, and the address at which it is reached.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bollard::models::{ContainerInspectResponse, PortMap};

use crate::config::{Docker, Publish};

use super::labels::Marks;

/// The parts of a container's inspection that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// The engine's full id.
    pub id: String,
    pub name: String,
    /// The content of greenlight's labels. `None` if there are no such labels.
    pub marks: Option<Marks>,
    /// Whether it runs, and is neither paused nor between two starts.
    pub running: bool,
    /// Its address in each network, by the network's name.
    pub networks: BTreeMap<String, IpAddr>,
    pub host_network: bool,
    /// The TCP ports that its image or its run exposes.
    pub exposed: Vec<u16>,
    /// The addresses at which its ports are published, by port.
    pub published: BTreeMap<u16, SocketAddr>,
    pub restarts: u32,
    /// Whether a `stop` of it was observed since its last start. The engine reports such an event for a stop
    /// by a person, and none for a crash or a kill.
    pub stopped: bool,
    /// How it ended last, such as "exit code 1" or "it ran out of memory (upstream.memory)".
    pub end: Option<String>,
    /// The time of its last start in RFC 3339, as the engine writes it. Such texts sort as the times do.
    pub started_at: String,
    /// `VIRTUAL_HOST` of its environment, as dockercloud/haproxy and nginx-proxy read it.
    pub virtual_host: Option<String>,
    pub virtual_port: Option<u16>,
}

impl Container {
    /// Reads an inspection. `None` if it has no id.
    pub(crate) fn of(inspected: &ContainerInspectResponse) -> Option<Self> {
        let config = inspected.config.as_ref();
        let state = inspected.state.as_ref();
        let is = |flag: Option<bool>| flag.unwrap_or(false);
        let none = HashMap::new();
        let labels = config.and_then(|config| config.labels.as_ref()).unwrap_or(&none);
        let env = config.and_then(|config| config.env.as_deref()).unwrap_or_default();
        let variable = |key: &str| {
            let found = env.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            found.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let mode = inspected.host_config.as_ref().and_then(|host| host.network_mode.as_deref());
        let networks = inspected.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
        let ports = inspected.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
        let name = inspected.name.as_deref().unwrap_or_default();
        Some(Self {
            id: inspected.id.clone()?,
            name: name.trim_start_matches('/').to_owned(),
            marks: Marks::read(labels),
            running: state
                .is_some_and(|s| is(s.running) && !is(s.paused) && !is(s.restarting) && !is(s.dead)),
            networks: networks
                .into_iter()
                .flatten()
                .filter_map(|(name, at)| Some((name.clone(), at.ip_address.as_deref()?.parse().ok()?)))
                .collect(),
            host_network: mode == Some("host"),
            exposed: tcp_ports(config.and_then(|config| config.exposed_ports.as_deref()).unwrap_or_default()),
            published: published(ports),
            restarts: u32::try_from(inspected.restart_count.unwrap_or(0)).unwrap_or(0),
            stopped: false,
            end: state.and_then(|state| {
                let code = state.exit_code.unwrap_or(0);
                let bad = end(is(state.oom_killed), code, state.error.as_deref());
                // The engine writes the code 0 for a container that runs, too, and the year 1 for one that has
                // not ended yet.
                let runs = is(state.running) && !is(state.restarting);
                let finished = state.finished_at.as_deref().is_some_and(|at| !at.starts_with("0001-"));
                bad.or_else(|| (!runs && finished && code == 0).then(|| "exit code 0".to_owned()))
            }),
            started_at: state.and_then(|state| state.started_at.clone()).unwrap_or_default(),
            virtual_host: variable("VIRTUAL_HOST"),
            virtual_port: variable("VIRTUAL_PORT").and_then(|port| port.parse().ok()),
        })
    }

    /// Whether its present life began after this moment (nanoseconds since 1970). An event of that moment
    /// then happened to an earlier life. This is so when the events of a restart are heard after the
    /// container was inspected. If one of the two times is not known, the answer is no.
    #[must_use]
    pub(crate) fn started_after(&self, nanos: Option<u128>) -> bool {
        let started = humantime::parse_rfc3339(&self.started_at).ok();
        let started = started.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        started.zip(nanos).is_some_and(|(started, nanos)| started.as_nanos() > nanos)
    }

    /// The address at which its application is reached, as the configuration says. `host` is the address at
    /// which the engine's own ports are reached.
    ///
    /// # Errors
    /// Why there is no such address: no port, several ports, or no address in the network.
    pub fn address(&self, config: &Docker, host: IpAddr) -> Result<SocketAddr, String> {
        let marked = self.marks.as_ref().and_then(|marks| marks.port);
        let port = match marked.or(config.port).or(self.virtual_port) {
            Some(port) => port,
            None => single_port(&self.exposed)?,
        };
        if self.host_network {
            return Ok(SocketAddr::new(host, port));
        }
        if config.publish == Publish::Loopback {
            let published = self.published.get(&port).copied().ok_or_else(|| {
                format!("its port {port} is not published: upstream.publish = \"loopback\" needs that")
            })?;
            // A port that is published on every address is also published on the nearest one.
            let near = if published.ip().is_unspecified() { host } else { published.ip() };
            return Ok(SocketAddr::new(near, published.port()));
        }
        let named = self.networks.get(&config.network).copied();
        // Compose puts a project's containers into a network of its own.
        let single = || (self.networks.len() == 1).then(|| self.networks.values().next().copied()).flatten();
        let address = named.or_else(single).ok_or_else(|| {
            let found = self.networks.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            format!(
                "it has no address in the network \"{}\" (upstream.network); it is in: {}",
                config.network,
                if found.is_empty() { "none" } else { &found }
            )
        })?;
        Ok(SocketAddr::new(address, port))
    }
}

impl Container {
    /// Where its application is probed, if `health.port` does not lead there: on the host's network and behind
    /// a published port the same port of that machine may be anybody's. A container that was created without
    /// that port is probed at its own.
    pub(crate) fn probe_address(&self, config: &Docker, host: IpAddr) -> Option<SocketAddr> {
        let wanted = config.probe_port?;
        if !self.host_network && config.publish != Publish::Loopback {
            return None;
        }
        let own = self.address(config, host).ok()?;
        let published = self.published.get(&wanted).filter(|_| !self.host_network);
        Some(published.map_or(own, |at| {
            SocketAddr::new(if at.ip().is_unspecified() { host } else { at.ip() }, at.port())
        }))
    }
}

/// How a container ended. `None` if it never ended, or ended well.
fn end(out_of_memory: bool, code: i64, error: Option<&str>) -> Option<String> {
    let error = error.filter(|error| !error.is_empty());
    match (out_of_memory, code, error) {
        (true, ..) => Some("it ran out of memory (upstream.memory)".to_owned()),
        (_, _, Some(error)) => Some(error.to_owned()),
        (_, 0, None) => None,
        (_, code @ 129..=159, None) => Some(format!("exit code {code} (signal {})", code - 128)),
        (_, code, None) => Some(format!("exit code {code}")),
    }
}

/// The single port of an image.
///
/// # Errors
/// The image exposes no port or several ports; the text names them.
pub(crate) fn single_port(exposed: &[u16]) -> Result<u16, String> {
    match exposed {
        [port] => Ok(*port),
        [] => {
            Err("the image exposes no port: say which one the application listens on with upstream.port"
                .into())
        }
        several => Err(format!(
            "the image exposes {} ports ({}): say which one with upstream.port",
            several.len(),
            several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        )),
    }
}

/// The TCP ports in texts such as `8080/tcp`, sorted.
pub(crate) fn tcp_ports(texts: &[String]) -> Vec<u16> {
    let port = |text: &String| match text.split_once('/') {
        Some((port, "tcp")) => port.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    };
    let mut ports: Vec<u16> = texts.iter().filter_map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn published(ports: Option<&PortMap>) -> BTreeMap<u16, SocketAddr> {
    let mut found = BTreeMap::new();
    for (key, bindings) in ports.into_iter().flatten() {
        let [port] = tcp_ports(std::slice::from_ref(key))[..] else { continue };
        for binding in bindings.iter().flatten() {
            let ip = binding.host_ip.as_deref().unwrap_or_default();
            let ip = if ip.is_empty() { Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) } else { ip.parse() };
            let host_port = binding.host_port.as_deref().and_then(|port| port.parse::<u16>().ok());
            if let (Ok(ip), Some(host_port)) = (ip, host_port.filter(|port| *port != 0)) {
                let at = SocketAddr::new(ip, host_port);
                // If a port is published on both families, the IPv4 address is taken.
                found
                    .entry(port)
                    .and_modify(|known: &mut SocketAddr| {
                        if ip.is_ipv4() {
                            *known = at;
                        }
                    })
                    .or_insert(at);
            }
        }
    }
    found
}
