//! Reads `[admin]`.

use std::net::{Ipv4Addr, SocketAddr};

use crate::config::kind::{file, secret};
use crate::config::name::bind;
use crate::config::section::Section;
use crate::config::{Admin, AdminTls};

use super::listener::key_pair;

pub(super) fn admin(admin: &mut Section<'_, '_>) -> Admin {
    Admin {
        bind: admin.value("bind", bind, SocketAddr::from((Ipv4Addr::LOCALHOST, 9900))),
        token: admin.optional("token", secret),
        tls: admin.optional_section("tls", |tls| AdminTls {
            certificate: key_pair(tls),
            client_ca: tls.optional("client_ca", file),
        }),
    }
}
