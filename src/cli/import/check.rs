//! Health checks from HTTP_CHECK and HEALTH_CHECK of dockercloud/haproxy, or from a compose `healthcheck`.

use std::time::Duration;

use super::compose::Unit;
use super::quantity::{compose_duration, haproxy_duration};
use super::yaml::{Table, text_of, texts};

/// The `health` section of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Check {
    /// `None` means a TCP connect.
    pub path: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    /// Whether to accept further statuses beside 200, because HAProxy accepts every 2xx and 3xx.
    pub any_good_status: bool,
    pub interval: Option<Duration>,
    pub timeout: Option<Duration>,
    pub rise: Option<u32>,
    pub fall: Option<u32>,
    pub notes: Vec<String>,
}

/// Reads the health check. The settings of the app go first, then those of its load balancer, then the
/// `healthcheck` of compose.
pub(crate) fn check(unit: &Unit, front: Option<&Unit>) -> Check {
    let mut check = Check::default();
    let is_haproxy = front.is_some_and(|front| front.repository().ends_with("haproxy"));
    let setting = |name: &str| {
        unit.setting(name).or_else(|| front.and_then(|front| front.setting(name))).map(str::to_owned)
    };
    if let Some(line) = setting("HTTP_CHECK") {
        http_check(&mut check, &line);
    } else if let Some(table) = &unit.healthcheck {
        healthcheck(&mut check, table);
    }
    if let Some(words) = setting("HEALTH_CHECK") {
        health_check(&mut check, &words);
    } else if is_haproxy && check.interval.is_none() {
        // The default of dockercloud/haproxy is `check inter 2000 rise 2 fall 3`.
        (check.interval, check.rise, check.fall) = (Some(Duration::from_secs(2)), Some(2), Some(3));
    }
    if check.path.is_none() {
        check.notes.push(
            "nothing says which path answers 200 when the app is ready: kind = \"http\" with that path is the better check"
                .to_owned(),
        );
    }
    check
}

/// Reads `OPTIONS * HTTP/1.1\r\nHost:\ www` (`option httpchk` of HAProxy).
fn http_check(check: &mut Check, line: &str) {
    let line =
        line.trim().trim_matches('"').replace("\\r\\n", "\n").replace("\r\n", "\n").replace("\\ ", " ");
    let mut lines = line.lines();
    let words: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let (method, target) = match words.as_slice() {
        [one] if one.starts_with('/') => ("GET", *one),
        [method, target, ..] => (*method, *target),
        _ => ("OPTIONS", "/"),
    };
    if method != "GET" {
        check.notes.push(format!("HTTP_CHECK: {method}: probes are GET"));
    }
    let sound = target.starts_with('/') && target.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    check.path = Some(if sound { target.to_owned() } else { "/".to_owned() });
    check.any_good_status = true;
    for field in lines {
        match field.split_once(':') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("host") => {
                let value = value.trim();
                check.host = (!value.is_empty()).then(|| value.to_owned());
            }
            Some((name, _)) => check.notes.push(format!("HTTP_CHECK: probes send no field {}", name.trim())),
            None => {}
        }
    }
}

/// Reads `check inter 2000 rise 2 fall 3` (server options of HAProxy).
fn health_check(check: &mut Check, words: &str) {
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse::<u32>().ok()).filter(|count| *count > 0);
        match word {
            "check" => {}
            "rise" => check.rise = number(),
            "fall" => check.fall = number(),
            "port" => check.port = number().and_then(|port| u16::try_from(port).ok()),
            "inter" => {
                let text = words.next().unwrap_or_default();
                check.interval =
                    haproxy_duration(text).filter(|interval| *interval >= Duration::from_millis(50));
            }
            other => {
                let takes_value =
                    matches!(other, "fastinter" | "downinter" | "addr" | "weight" | "maxconn" | "slowstart");
                if takes_value {
                    let _ = words.next();
                }
                check.notes.push(format!("HEALTH_CHECK: {other} has no counterpart"));
            }
        }
    }
}

/// Reads a compose `healthcheck`. Its `test` is used if it asks the container itself over HTTP.
fn healthcheck(check: &mut Check, table: &Table) {
    let test = table.get("test").map(texts).unwrap_or_default().join(" ");
    if text_of(table, "disable").as_deref() == Some("true") || test.starts_with("NONE") {
        return;
    }
    if let Some((port, path)) = asked_url(&test) {
        (check.port, check.path) = (port, Some(path));
    } else if !test.is_empty() {
        check
            .notes
            .push("healthcheck: the engine runs its command, and the gate asks over the network".to_owned());
    }
    let duration = |key: &str| text_of(table, key).and_then(|text| compose_duration(&text));
    check.interval = duration("interval").filter(|interval| *interval >= Duration::from_millis(50));
    check.timeout = duration("timeout").filter(|timeout| !timeout.is_zero());
    check.fall = text_of(table, "retries").and_then(|text| text.parse().ok()).filter(|count| *count > 0);
    if table.contains_key("start_period") {
        check.notes.push(
            "healthcheck.start_period: not needed: a start may take until progress_deadline".to_owned(),
        );
    }
}

/// The port and the path of a command such as `curl -f http://localhost:8080/health || exit 1`.
fn asked_url(test: &str) -> Option<(Option<u16>, String)> {
    let rest = test.split("http://").nth(1)?;
    let url = rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '|' | ';' | ')')).next()?;
    let (authority, path) = url.find('/').map_or((url, "/"), |at| url.split_at(at));
    let (host, port) =
        authority.split_once(':').map_or((authority, None), |(host, port)| (host, port.parse().ok()));
    let sound = path.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    (matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]") && sound)
        .then(|| (port, path.to_owned()))
}
