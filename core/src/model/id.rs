//! Names that can't be mixed up: each a type of its own, cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

name! {
    /// A service's name: lower-case letters, digits and `-`, 1 to 63 characters (checked by `config`).
    ServiceName
}

name! {
    /// A release: `<service>-<number>`, the number counting up from 1 per service.
    ReleaseId
}

name! {
    /// An endpoint, unique over all services: `<service>/<color>/<address>` where the
    /// configuration lists it, the container's id where an engine runs it.
    EndpointId
}

impl ReleaseId {
    /// The id of a service's `number`th release.
    #[must_use]
    pub fn numbered(service: &ServiceName, number: u64) -> Self {
        Self::new(format!("{service}-{number}"))
    }

    /// The number of `<service>-<number>`; `None` where the text has none.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.as_str().rsplit_once('-')?.1.parse().ok()
    }
}
