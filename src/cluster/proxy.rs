//! Whether a proxy lies between here and the API server, by the environment variables and rules of Go's HTTP client, which is
//! kubectl's. kube's own reading compares `$NO_PROXY` with the proxy's address, where the server's is meant.

use std::net::IpAddr;

use http::Uri;

/// The variables.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    /// `$HTTPS_PROXY`, or in lower case.
    pub(super) https: Option<String>,
    /// `$HTTP_PROXY`, or in lower case.
    pub(super) http: Option<String>,
    /// `$NO_PROXY`, or in lower case.
    pub(super) none: Option<String>,
}

impl Variables {
    pub(super) fn of_process() -> Self {
        let either = |name: &str| {
            [name.to_owned(), name.to_lowercase()]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty())
        };
        Self { https: either("HTTPS_PROXY"), http: either("HTTP_PROXY"), none: either("NO_PROXY") }
    }

    /// The proxy for a server, as it is written.
    pub(super) fn proxy_for(&self, server: &Uri) -> Option<String> {
        let proxy = match server.scheme_str() {
            Some("http") => self.http.as_ref()?,
            _ => self.https.as_ref()?,
        };
        let host = server.host()?.trim_start_matches('[').trim_end_matches(']').to_lowercase();
        let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
        let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let excepted = |entry: &str| excepts(entry.trim(), &host, port);
        if is_local || self.none.as_deref().unwrap_or_default().split(',').any(excepted) {
            return None;
        }
        // A bare HOST:PORT is an HTTP proxy.
        Some(if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") })
    }
}

/// Whether an entry of `$NO_PROXY` means this server: an address, a range, or a domain with all below it (without itself, if it
/// starts with a dot), each with a port or for all.
fn excepts(entry: &str, host: &str, port: u16) -> bool {
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        return match (address, network.parse(), bits.parse()) {
            (Some(address), Ok(network), Ok(bits)) => contains(network, bits, address),
            _ => false,
        };
    }
    if let Ok(excepted) = entry.parse::<IpAddr>() {
        return address == Some(excepted);
    }
    let (name, excepted_port) = match entry.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().ok()),
        None => (entry, Some(port)),
    };
    if excepted_port != Some(port) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    if let Ok(excepted) = name.parse::<IpAddr>() {
        return address == Some(excepted);
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(&name);
    if name.starts_with('.') { host.ends_with(name) } else { host == name || host.ends_with(&format!(".{name}")) }
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(u32::from(network)), u128::from(u32::from(address)), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network), u128::from(address), 128),
        _ => return false,
    };
    // Bits that differ, without those of hosts; a shift by all bits leaves nothing.
    bits <= width && (network ^ address).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let proxy = Some("http://proxy:3128".to_owned());
        for (server, none, proxied) in [
            ("https://api.example.com:6443", "", true),
            ("https://api.example.com:6443", "*", false),
            ("https://api.example.com:6443", "a, api.example.com,", false),
            ("https://api.example.com:6443", "example.com", false),
            ("https://api.example.com:6443", ".example.com", false),
            ("https://api.example.com:6443", "*.example.com", false),
            ("https://API.example.com:6443", "Example.com:6443", false),
            ("https://api.example.com:6443", "example.com:443", true),
            ("https://example.com", ".example.com", true),
            ("https://badexample.com", "example.com", true),
            ("https://10.1.2.3", "10.0.0.0/8", false),
            ("https://10.1.2.3", "0.0.0.0/0", false),
            ("https://11.1.2.3", "10.0.0.0/8", true),
            ("https://10.1.2.3", "10.0.0.0/99", true),
            ("https://10.1.2.3:6443", "10.1.2.3:6443", false),
            ("https://10.1.2.3", "10.1.2.3", false),
            ("https://[fd00::1]:6443", "fd00::/16", false),
            ("https://[fd00::1]:6443", "fd00::1", false),
            ("https://[fd00::1]:6443", "fe00::1", true),
            ("https://127.0.0.1:6443", "", false),
            ("https://[::1]:6443", "", false),
            ("https://localhost:6443", "", false),
            ("http://api.example.com", "", false),
        ] {
            let variables = Variables { https: proxy.clone(), http: None, none: Some(none.to_owned()) };
            let expected = if proxied { proxy.clone() } else { None };
            assert_eq!(variables.proxy_for(&server.parse().unwrap()), expected, "{server} {none}");
        }
        let variables = Variables { http: Some("proxy:80".to_owned()), ..Variables::default() };
        assert_eq!(variables.proxy_for(&"http://a".parse().unwrap()).as_deref(), Some("http://proxy:80"));
    }
}
