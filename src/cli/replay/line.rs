//! One line of a log, as the judge counts it.

use crate::judge::{ClientKey, Outcome, RouteTemplate};

/// A request that was sent to the service and has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When it ended, in milliseconds since 1970 (UTC; a log without a zone is taken for UTC).
    pub ended_ms: i64,
    /// How long it took to the response head, in milliseconds, or to its end where the log says no
    /// more than that; `None` where it says nothing.
    pub took_ms: Option<u32>,
    pub client: ClientKey,
    pub outcome: Outcome,
    pub route: RouteTemplate,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    Counted(Line),
    /// A request that is no evidence: the client went away, or it never got to the service.
    NotCounted,
    /// Of another service than the one that is asked for.
    OtherService,
    /// A log of several services, and none was asked for: this is the second one's name.
    Ambiguous(String),
}

/// Which service's lines are wanted, where a log says of which each is.
#[derive(Clone, Debug, Default)]
pub struct ServiceFilter {
    wanted: Option<String>,
    /// The first one seen, where none was asked for.
    seen: Option<String>,
}

impl ServiceFilter {
    pub fn new(wanted: Option<String>) -> Self {
        Self { wanted, seen: None }
    }

    /// The first service that was seen, for a fault's text.
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// `Ok`: take it.
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

/// What a status says: 5xx but 501 and 505 are errors (docs/judge.md).
pub(crate) fn outcome_of(status: u16) -> Outcome {
    if (500..600).contains(&status) && status != 501 && status != 505 {
        Outcome::Error
    } else {
        Outcome::Success
    }
}

/// A client by a hash of the text of its address.
pub(crate) fn client(address: &[u8]) -> ClientKey {
    let mut key = 0xcbf2_9ce4_8422_2325_u64;
    for chunk in address.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        key = (key ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        key ^= key >> 32;
    }
    key
}

/// `GET /path HTTP/1.1` as a template; `None` where there was no request line.
pub(crate) fn route(request_line: &[u8]) -> Option<RouteTemplate> {
    let mut parts = request_line.split(|&byte| byte == b' ');
    let (method, target) = (parts.next()?, parts.next()?);
    (!method.is_empty() && !target.is_empty()).then(|| RouteTemplate::new(method, target))
}

/// Digits as a number; `None` for anything else.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}

/// Seconds with decimals (`0.005`) as milliseconds.
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
