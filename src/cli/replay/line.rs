//! One line of a log, as the judge counts it.

use std::net::{IpAddr, Ipv6Addr};

use crate::judge::{ClientKey, Outcome, RouteTemplate};

/// A request that was sent to the service and has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When it ended, in milliseconds since 1970. A time without a zone is taken for UTC.
    pub ended_ms: i64,
    /// The time from the request to the response head, in milliseconds. It is the time to the end of the
    /// response if the log has only that, and `None` if the log has no times.
    pub took_ms: Option<u32>,
    /// A hash of the text of the client's address.
    pub client: ClientKey,
    pub outcome: Outcome,
    pub route: RouteTemplate,
}

/// The meaning of a line for the judge.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// A request that is evidence.
    Counted(Line),
    /// A request that is no evidence, because the client went away or the request never got to the service.
    NotCounted,
    /// A line of another service than the chosen one.
    OtherService,
    /// A line that shows that the log holds several services, while no service is chosen. It holds the name
    /// of the second service.
    Ambiguous(String),
}

/// Chooses the lines of one service, in a log that names the service of each line.
#[derive(Clone, Debug, Default)]
pub struct ServiceFilter {
    wanted: Option<String>,
    /// The first service in the log, if none was chosen.
    seen: Option<String>,
}

impl ServiceFilter {
    /// A filter for the service `wanted`. `None` takes the first service of the log.
    pub fn new(wanted: Option<String>) -> Self {
        Self { wanted, seen: None }
    }

    /// The first service in the log, for a fault's text. `None` if a service was chosen.
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// Whether `service` is the chosen one.
    pub(crate) fn wants(&self, service: &str) -> bool {
        self.wanted.as_deref() == Some(service)
    }

    /// Whether a line of `service` counts. `Err` holds the answer for a line that does not.
    #[expect(clippy::result_large_err, reason = "what becomes of the line: it is returned as it is")]
    pub(crate) fn ask(&mut self, service: &str) -> Result<(), Parsed> {
        match (&self.wanted, &self.seen) {
            (Some(wanted), _) if wanted != service => Err(Parsed::OtherService),
            (None, Some(seen)) if seen != service => Err(Parsed::Ambiguous(service.to_owned())),
            (Some(_), _) | (None, Some(_)) => Ok(()),
            (None, None) => {
                self.seen = Some(service.to_owned());
                Ok(())
            }
        }
    }
}

/// The outcome of a status. Every 5xx is an error, except 501 and 505 (docs/judge.md).
pub(crate) fn outcome_of(status: u16) -> Outcome {
    if (500..600).contains(&status) && status != 501 && status != 505 {
        Outcome::Error
    } else {
        Outcome::Success
    }
}

/// A client's key, which is a hash of the text of its address, or of the /64 of an IPv6 address.
pub(crate) fn client(address: &[u8]) -> ClientKey {
    if memchr::memchr(b':', address).is_some()
        && let Some(six) = str::from_utf8(address).ok().and_then(|text| text.parse::<Ipv6Addr>().ok())
        && six.to_ipv4_mapped().is_none()
    {
        return hash(&six.octets()[..8]);
    }
    hash(address)
}

fn hash(address: &[u8]) -> ClientKey {
    let mut key = 0xcbf2_9ce4_8422_2325_u64;
    for chunk in address.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        key = (key ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        key ^= key >> 32;
    }
    key
}

/// The client of a request whose peer is `peer`. It is the address that the nearest proxy has forwarded, if the
/// peer is on this machine or in a private network and so is a proxy itself.
pub(crate) fn behind_proxy<'a>(peer: &'a str, forwarded: Option<&'a str>) -> &'a str {
    let is_near = peer.parse().is_ok_and(|address: IpAddr| match address {
        IpAddr::V4(four) => four.is_private() || four.is_loopback(),
        IpAddr::V6(six) => six.is_unique_local() || six.is_loopback(),
    });
    forwarded.filter(|_| is_near).unwrap_or(peer)
}

/// Makes a route template of `GET /path HTTP/1.1`. `None` if the text is no request line.
pub(crate) fn route(request_line: &[u8]) -> Option<RouteTemplate> {
    let mut parts = request_line.split(|&byte| byte == b' ');
    let (method, target) = (parts.next()?, parts.next()?);
    (!method.is_empty() && !target.is_empty()).then(|| RouteTemplate::new(method, target))
}

/// Reads at most 18 digits as a number. `None` for any other text.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// Reads seconds with decimals (`0.005`), and gives whole milliseconds. `None` for any other text.
pub(crate) fn millis(seconds: &[u8]) -> Option<u32> {
    let dot = seconds.iter().position(|&byte| byte == b'.').unwrap_or(seconds.len());
    let whole = number(&seconds[..dot])?;
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = seconds.get(dot + 1 + place).copied().unwrap_or(b'0');
        thousandths = thousandths * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    let rest = seconds.get(dot + 1..).unwrap_or_default();
    let sound = rest.len() <= 12 && rest.iter().all(u8::is_ascii_digit);
    sound.then(|| u32::try_from(whole.saturating_mul(1000) + thousandths).unwrap_or(u32::MAX))
}
