//! What a worker is configured with: hosts and blocks of addresses that are allowed or denied, and ports.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tickwheel_core::Violation;
use url::Host;

use super::block::Block;

/// Entries of one list. An address is vetted against each of them at each connection.
const ENTRIES_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Block(Block),
    Host(String),
    /// What lies below a name, without the dot in front.
    Below(String),
}

/// Addresses, blocks of them, and names of hosts: `10.1.0.0/16, hooks.internal, *.corp.example`.
///
/// ```
/// use tickwheel_http_handler::Entries;
///
/// let entries: Entries = "10.1.0.0/16, Hooks.Internal, *.corp.example".parse()?;
/// assert_eq!(entries.to_string(), "10.1.0.0/16, hooks.internal, *.corp.example");
/// assert!("10.1.0.0/8".parse::<Entries>().is_err());
/// # Ok::<(), tickwheel_core::Violation>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(Vec<Entry>);

impl Entries {
    /// Whether an entry names this host. `host` is as URLs have it: small letters, no dot at its end.
    pub(super) fn name(&self, host: &str) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::Block(_) => false,
            Entry::Host(name) => name == host,
            Entry::Below(name) => host
                .strip_suffix(name.as_str())
                .is_some_and(|front| front.ends_with('.')),
        })
    }

    /// Whether a block has this address.
    pub(super) fn cover(&self, address: IpAddr) -> bool {
        self.blocks().any(|block| block.contains(address))
    }

    /// Whether an entry is this address and no other.
    pub(super) fn are_exactly(&self, address: IpAddr) -> bool {
        self.blocks()
            .any(|block| block.is_one() && block.contains(address))
    }

    fn blocks(&self) -> impl Iterator<Item = Block> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Block(block) => Some(*block),
            Entry::Host(_) | Entry::Below(_) => None,
        })
    }
}

impl FromStr for Entry {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        if text.contains('/') || text.parse::<IpAddr>().is_ok() {
            return text.parse().map(Self::Block);
        }
        let wrong = |rule| Violation::new("", rule, text);
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        // What a URL would say of it, so that both are compared in the same form.
        let host = Host::parse(name)
            .map_err(|_| wrong("is an address, a block, the name of a host, or *.name"))?;
        match host {
            Host::Domain(name) if name.contains('*') => {
                Err(wrong("has one star at most, in front: *.name"))
            }
            Host::Domain(name) => {
                let name = name.trim_end_matches('.').to_owned();
                if name.is_empty() {
                    return Err(wrong("has a name beside its dots"));
                }
                Ok(if below {
                    Self::Below(name)
                } else {
                    Self::Host(name)
                })
            }
            Host::Ipv4(address) if !below => Ok(Self::Block(Block::one(IpAddr::V4(address)))),
            Host::Ipv6(address) if !below => Ok(Self::Block(Block::one(IpAddr::V6(address)))),
            Host::Ipv4(_) | Host::Ipv6(_) => Err(wrong("has a name behind *.")),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => block.fmt(f),
            Self::Host(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

impl FromStr for Entries {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let entries: Vec<Entry> = parts(text).map(str::parse).collect::<Result<_, _>>()?;
        if entries.len() > ENTRIES_MAX {
            let rule = format!("has at most {ENTRIES_MAX} entries");
            return Err(Violation::new("", rule, entries.len()));
        }
        Ok(Self(entries))
    }
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(&self.0, f)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u16,
    last: u16,
}

/// Ports that may be called: `80, 443, 8000-8999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<Range>);

impl Ports {
    /// Whether this one may be called.
    #[must_use]
    pub fn have(&self, port: u16) -> bool {
        self.0
            .iter()
            .any(|range| (range.first..=range.last).contains(&port))
    }
}

/// Where web servers listen. What else listens on a machine (databases, mail, Redis) has no business with a call.
impl Default for Ports {
    fn default() -> Self {
        let one = |port| Range {
            first: port,
            last: port,
        };
        Self([80, 443, 8_080, 8_443].map(one).to_vec())
    }
}

impl FromStr for Range {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = || Violation::new("", "is a port or a range of ports such as 8000-8999", text);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.trim().parse().ok().filter(|port| *port > 0);
        let first = port(first).ok_or_else(wrong)?;
        let last = port(last).filter(|last| first <= *last).ok_or_else(wrong)?;
        Ok(Self { first, last })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl FromStr for Ports {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let ranges: Vec<Range> = parts(text).map(str::parse).collect::<Result<_, _>>()?;
        if ranges.is_empty() {
            return Err(Violation::new("", "names a port", ""));
        }
        Ok(Self(ranges))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(&self.0, f)
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn joined(parts: &[impl fmt::Display], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_urls_have_them() {
        let entries: Entries = "Hooks.Internal., *.corp.example, bücher.example"
            .parse()
            .unwrap();
        for host in ["hooks.internal", "a.corp.example", "a.b.corp.example"] {
            assert!(entries.name(host), "{host}");
        }
        assert!(entries.name("xn--bcher-kva.example"));
        for host in ["x.hooks.internal", "corp.example", "evilcorp.example", ""] {
            assert!(!entries.name(host), "{host}");
        }
    }

    #[test]
    fn an_address_is_one_however_it_is_spelled() {
        let entries: Entries = "0x7f.1, [::1], 10.0.0.0/8".parse().unwrap();
        assert_eq!(entries.to_string(), "127.0.0.1, ::1, 10.0.0.0/8");
        assert!(entries.are_exactly("127.0.0.1".parse().unwrap()));
        assert!(entries.cover("10.1.1.1".parse().unwrap()));
        assert!(!entries.are_exactly("10.0.0.0".parse().unwrap()));
    }

    #[test]
    fn wrong_entries_and_ports_are_refused() {
        for text in [
            "*",
            "*.1.2.3.4",
            "a b",
            "1.2.3.4/40",
            "a.*.b",
            "*.*.b",
            ".",
            "*..",
            "http://x",
        ] {
            assert!(text.parse::<Entries>().is_err(), "{text}");
        }
        for text in ["", "0", "65536", "9-8", "a", "1-", "-1"] {
            assert!(text.parse::<Ports>().is_err(), "{text}");
        }
        let ports: Ports = "80,8000 - 8001".parse().unwrap();
        assert_eq!(ports.to_string(), "80, 8000-8001");
        assert!(ports.have(8_001) && ports.have(80) && !ports.have(8_002));
        assert_eq!(Ports::default().to_string(), "80, 443, 8080, 8443");
    }
}
