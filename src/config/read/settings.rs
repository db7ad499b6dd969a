//! Reads `[services.NAME.proxy]`.

use crate::config::Affinity;
use crate::config::kind::{duration, flag, integer, number, size, some_time};
use crate::config::quantity::Size;
use crate::config::section::Section;
use crate::routing::ServiceSettings;

const COUNT_MAX: usize = 1_000_000;

/// Reads the settings of this table. The protocol and the preview networks stand in other tables and are
/// read there.
pub(super) fn proxy(section: &mut Section<'_, '_>) -> (ServiceSettings, Affinity) {
    let default = ServiceSettings::default();
    let share = number(|share| (0.0..=1.0).contains(&share), "a share from 0 to 1, such as 0.2");
    let body_max = section.value("body_max", size(0..=16 << 40), Size(default.body_bytes_max));
    let settings = ServiceSettings {
        connect_timeout: section.value("connect_timeout", some_time(), default.connect_timeout),
        response_timeout: section.value("response_timeout", some_time(), default.response_timeout),
        stream_idle_timeout: section.value("stream_idle_timeout", some_time(), default.stream_idle_timeout),
        tunnel_idle_timeout: section.value("tunnel_idle_timeout", some_time(), default.tunnel_idle_timeout),
        pool_idle_timeout: section.value("pool_idle_timeout", duration(..), default.pool_idle_timeout),
        pool_idle_max: section.value("pool_idle_max", integer(0..=COUNT_MAX), default.pool_idle_max),
        body_bytes_max: body_max.0,
        retry_budget: section.value("retry_budget", share, default.retry_budget),
        request_trailers: section.value("request_trailers", flag, default.request_trailers),
        shield: section.value("shield", flag, default.shield),
        requests_max: section.value("requests_max", integer(0..=COUNT_MAX), default.requests_max),
        queue_max: section.value("queue_max", integer(0..=COUNT_MAX), default.queue_max),
        queue_timeout: section.value("queue_timeout", some_time(), default.queue_timeout),
        pause_timeout: section.value("pause_timeout", duration(..), default.pause_timeout),
        ..default
    };
    let affinity =
        section.word("affinity", &[("off", Affinity::Off), ("cookie", Affinity::Cookie)], Affinity::Off);
    (settings, affinity)
}
