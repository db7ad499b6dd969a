//! Reads VIRTUAL_HOST. It is a list of `[scheme://]host[:port][/path]`, separated by commas.

/// One item of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VirtualHost {
    pub scheme: Option<String>,
    /// The host in lower case. `*` means every host.
    pub host: String,
    pub port: Option<u16>,
    /// Empty means every path.
    pub path: String,
}

impl VirtualHost {
    /// Whether greenlight can have it in `hosts`. It has to be a name, or `*.name`.
    pub(crate) fn is_plain(&self) -> bool {
        let name = self.host.strip_prefix("*.").unwrap_or(&self.host);
        !name.is_empty()
            && name.len() <= 250
            && !name.starts_with('.')
            && !name.ends_with('.')
            && name.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            })
    }

    pub(crate) fn wants_tls(&self) -> bool {
        matches!(self.scheme.as_deref(), Some("https" | "wss"))
    }
}

/// All hosts of a variable. A regular expression of nginx-proxy (`~^...`) is kept as a host, as it is
/// written. But a comma in the expression ends the host.
pub(crate) fn parse(text: &str) -> Vec<VirtualHost> {
    text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty()).map(one).collect()
}

fn one(item: &str) -> VirtualHost {
    if item.starts_with('~') {
        return VirtualHost { host: item.to_owned(), ..VirtualHost::default() };
    }
    let (scheme, rest) = match item.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, item),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (authority, None),
        },
        None => (authority, None),
    };
    let path = if matches!(path, "/" | "/*") { "" } else { path };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    VirtualHost { scheme, host, port, path: path.to_owned() }
}
