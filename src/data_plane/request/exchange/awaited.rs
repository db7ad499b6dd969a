//! The events that an exchange waits for.

/// The event that an exchange waits for. It decides which limit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    ClientBody,
    ClientTakes,
    OriginTakes,
    OriginHead,
    Stream,
}

/// Which directions have moved bytes. Bytes in one direction must not put off the limit of the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) up: bool,
    pub(super) down: bool,
}
