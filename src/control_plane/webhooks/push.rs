//! A push, in the same form for every kind of sender. Pure.

use std::time::UNIX_EPOCH;

/// The longest version label that is accepted, in bytes.
const LABEL_MAX: usize = 200;

/// One push.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Push {
    /// The registry as the sender names it. An image is never taken from it for that reason alone.
    pub(crate) host: Option<String>,
    /// The repository, without the host.
    pub(crate) repository: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<String>,
    /// A label that the sender chose.
    pub(crate) version: Option<String>,
    /// The time of the push, in Unix seconds by the sender's clock.
    pub(crate) at: Option<u64>,
}

impl Push {
    /// The push in a word for logs, such as `org/app:prod`, or the label.
    pub(crate) fn subject(&self) -> String {
        match (&self.repository, &self.tag, &self.digest, &self.version) {
            (Some(repository), Some(tag), _, _) => format!("{repository}:{tag}"),
            (Some(repository), None, Some(digest), _) => format!("{repository}@{digest}"),
            (Some(repository), None, None, _) => repository.clone(),
            (None, _, _, Some(version)) => version.clone(),
            (None, _, _, None) => "nothing".to_owned(),
        }
    }

    /// The version's label, if somebody else runs the endpoints. It is the sender's label, else the digest,
    /// else the tag. `None` if that text is not fit for a label.
    pub(crate) fn label(&self) -> Option<String> {
        let label = self.version.as_ref().or(self.digest.as_ref()).or(self.tag.as_ref())?;
        let sound =
            !label.is_empty() && label.len() <= LABEL_MAX && label.bytes().all(|b| b.is_ascii_graphic());
        sound.then(|| label.clone())
    }
}

/// The Unix seconds of an RFC 3339 time with an offset or `Z`.
pub(crate) fn unix_seconds(text: &str) -> Option<u64> {
    let (clock, offset) = if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else {
        let at = text.len().checked_sub(6)?;
        let (clock, offset) = (text.get(..at)?, text.get(at..)?);
        let (hours, minutes) = offset.get(1..)?.split_once(':')?;
        let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        (clock, if offset.starts_with('-') { -seconds } else { seconds })
    };
    let time = humantime::parse_rfc3339(&format!("{clock}Z")).ok()?;
    let seconds = i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    u64::try_from(seconds - offset).ok()
}

/// A time in RFC 3339, to the second, for labels.
pub(crate) fn rfc3339(unix_seconds: u64) -> String {
    let time = UNIX_EPOCH.checked_add(std::time::Duration::from_secs(unix_seconds)).unwrap_or(UNIX_EPOCH);
    // The year 9999 is the last one that can be written.
    let last = UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_seconds(time.min(last)).to_string()
}
