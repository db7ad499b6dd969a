//! Reads `[services.NAME.upstream]`.

use crate::config::kind::{file, some};
use crate::config::name::{address, exact_host};
use crate::config::section::Section;
use crate::config::{Upstream, UpstreamTls};
use crate::model::{Color, PerColor};
use crate::release::UpstreamKind;
use crate::routing::Protocol;

use super::container;
use super::stray::stray;

const KINDS: [(&str, UpstreamKind); 2] = [("fixed", UpstreamKind::Fixed), ("docker", UpstreamKind::Managed)];
const COLORS: [(&str, Color); 2] = [("blue", Color::Blue), ("green", Color::Green)];
const PROTOCOLS: [(&str, Protocol); 3] =
    [("http1", Protocol::Http1), ("h2c", Protocol::H2c), ("https", Protocol::Https)];

pub(super) fn upstream(section: &mut Section<'_, '_>) -> (Upstream, Protocol, Option<UpstreamTls>) {
    let kind = section.word("kind", &KINDS, UpstreamKind::Fixed);
    let initial = section.word("initial", &COLORS, Color::Blue);
    let protocol = section.word("protocol", &PROTOCOLS, Protocol::Http1);
    let tls = section.optional_section("tls", |tls| UpstreamTls {
        ca: tls.optional("ca", file),
        server_name: tls.optional("server_name", exact_host),
    });
    let (tls_key, protocol_key) = (section.key("tls"), section.key("protocol"));
    if tls.is_some() && protocol != Protocol::Https && section.walk.sound(&[&protocol_key]) {
        section.walk.fault(&tls_key, "is only for protocol = \"https\": remove it, or set that");
    }
    // A kind that can't be read does not say which keys belong to it.
    let kind_key = section.key("kind");
    let told = section.walk.sound(&[&kind_key]);
    let upstream = match kind {
        UpstreamKind::Fixed => {
            let addresses =
                PerColor { blue: addresses(section, "blue", told), green: addresses(section, "green", told) };
            container::stray(section, told);
            Upstream::Fixed { addresses, initial }
        }
        UpstreamKind::Managed => {
            stray(section, &["blue", "green"], "fixed");
            container::docker(section, initial)
        }
    };
    (upstream, protocol, tls)
}

/// Whether greenlight starts and stops the endpoints. It does so neither for listed addresses nor for
/// containers that it follows.
pub(super) fn kind(upstream: &Upstream) -> UpstreamKind {
    match upstream {
        Upstream::Fixed { .. } | Upstream::Docker { follow: true, .. } => UpstreamKind::Fixed,
        Upstream::Docker { follow: false, .. } => UpstreamKind::Managed,
    }
}

/// How many containers a release asks for. The number is 0 where greenlight does not run the endpoints.
pub(super) fn replicas(upstream: &Upstream) -> u32 {
    match upstream {
        Upstream::Fixed { .. } | Upstream::Docker { follow: true, .. } => 0,
        Upstream::Docker { follow: false, replicas, .. } => *replicas,
    }
}

/// Whether containers that have ended are started again. It has no effect where somebody else runs them.
pub(super) const fn supervises(upstream: &Upstream) -> bool {
    match upstream {
        Upstream::Fixed { .. } => true,
        Upstream::Docker { engine, follow, .. } => engine.supervise || *follow,
    }
}

/// Whether greenlight moves tags in the registry after a success.
pub(super) fn moves_tags(upstream: &Upstream) -> bool {
    match upstream {
        Upstream::Fixed { .. } => false,
        Upstream::Docker { engine, .. } => engine.tags.is_some(),
    }
}

fn addresses(section: &mut Section<'_, '_>, color: &'static str, told: bool) -> Vec<String> {
    const EXAMPLE: &str = "[\"10.0.0.1:8080\"]";
    let addresses = section.optional(color, some(address, EXAMPLE));
    if addresses.is_none() && told && !section.has(color) {
        section.missing(color, &format!("a fixed color has at least one address: {color} = {EXAMPLE}"));
    }
    addresses.unwrap_or_default()
}
