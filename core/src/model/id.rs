//! Names and ids. Each kind has a type of its own, so that code can't mix them up. A clone is cheap.

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
            /// Takes the text without a check.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
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
    /// The name of a service: 1 to 63 lower-case letters, digits and `-`. `config` checks this.
    ServiceName
}

name! {
    /// The id of a release, `<service>-<number>`. The releases of each service are numbered from 1.
    ReleaseId
}

name! {
    /// The id of an endpoint, unique over all services. It is `<service>/<color>/<address>` if the
    /// configuration lists the endpoint, and the container's id if an engine runs it.
    EndpointId
}

impl ReleaseId {
    /// The id of the release of a service with this number.
    #[must_use]
    pub fn numbered(service: &ServiceName, number: u64) -> Self {
        Self::new(format!("{service}-{number}"))
    }

    /// The number in `<service>-<number>`. `None` if the text has no number there.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.as_str().rsplit_once('-')?.1.parse().ok()
    }
}
