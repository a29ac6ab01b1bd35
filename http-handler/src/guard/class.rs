//! What kind of address one is: the blocks that are not global unicast, and the IPv4 addresses that an IPv6 address carries packets to.
//!
//! The lists are those of the registries for special purposes of IPv4 and IPv6, without the few that anybody may reach; of IPv6 only
//! `2000::/3` is given out at all.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::block::Block;

/// Why an address is not one that anybody may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// This machine.
    Loopback,
    /// No address; systems take it for this machine.
    Unspecified,
    /// A private network (RFC 1918), or a unique local address of IPv6.
    Private,
    /// The network at hand.
    LinkLocal,
    /// Behind an address translation of a provider (100.64.0.0/10).
    Shared,
    /// Where clouds tell a machine its credentials.
    Metadata,
    /// To many at once, or to all.
    Multicast,
    /// In books only.
    Documentation,
    /// Between devices that are measured.
    Benchmarking,
    /// An IPv4 address in the form of an IPv6 one.
    EmbeddedIpv4,
    /// Translated to an IPv4 address on its way.
    Nat64,
    /// Through a tunnel to an IPv4 address: 6to4, Teredo, ISATAP.
    Tunnel,
    /// Not given out, or for protocols among routers.
    Reserved,
}

impl Class {
    const fn text(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Unspecified => "unspecified",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Shared => "shared (100.64.0.0/10)",
            Self::Metadata => "a metadata service",
            Self::Multicast => "multicast",
            Self::Documentation => "for documentation",
            Self::Benchmarking => "for benchmarking",
            Self::EmbeddedIpv4 => "IPv4 in the form of IPv6",
            Self::Nat64 => "NAT64",
            Self::Tunnel => "a tunnel to IPv4",
            Self::Reserved => "reserved",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The first that has an address says what it is.
const SPECIAL: &[(Block, Class)] = &[
    // Metadata services, most of them within blocks that are refused anyway: whoever allows such a block does not mean these.
    (Block::v4([169, 254, 169, 254], 32), Class::Metadata),
    (Block::v4([169, 254, 170, 2], 32), Class::Metadata),
    (Block::v4([169, 254, 170, 23], 32), Class::Metadata),
    (Block::v4([169, 254, 0, 23], 32), Class::Metadata),
    (Block::v4([100, 100, 100, 200], 32), Class::Metadata),
    (Block::v4([168, 63, 129, 16], 32), Class::Metadata),
    (Block::v4([192, 0, 0, 192], 32), Class::Metadata),
    (
        Block::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
        Class::Metadata,
    ),
    (
        Block::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128),
        Class::Metadata,
    ),
    (
        Block::v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        Class::Metadata,
    ),
    (
        Block::v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128),
        Class::Metadata,
    ),
    // IPv4.
    (Block::v4([0, 0, 0, 0], 8), Class::Unspecified),
    (Block::v4([10, 0, 0, 0], 8), Class::Private),
    (Block::v4([100, 64, 0, 0], 10), Class::Shared),
    (Block::v4([127, 0, 0, 0], 8), Class::Loopback),
    (Block::v4([169, 254, 0, 0], 16), Class::LinkLocal),
    (Block::v4([172, 16, 0, 0], 12), Class::Private),
    (Block::v4([192, 0, 0, 0], 24), Class::Reserved),
    (Block::v4([192, 0, 2, 0], 24), Class::Documentation),
    (Block::v4([192, 88, 99, 0], 24), Class::Tunnel),
    (Block::v4([192, 168, 0, 0], 16), Class::Private),
    (Block::v4([198, 18, 0, 0], 15), Class::Benchmarking),
    (Block::v4([198, 51, 100, 0], 24), Class::Documentation),
    (Block::v4([203, 0, 113, 0], 24), Class::Documentation),
    (Block::v4([224, 0, 0, 0], 4), Class::Multicast),
    (Block::v4([255, 255, 255, 255], 32), Class::Multicast),
    (Block::v4([240, 0, 0, 0], 4), Class::Reserved),
    // IPv6.
    (Block::v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Class::Unspecified),
    (Block::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Class::Loopback),
    (MAPPED, Class::EmbeddedIpv4),
    (TRANSLATED, Class::EmbeddedIpv4),
    (COMPATIBLE, Class::EmbeddedIpv4),
    (NAT64, Class::Nat64),
    (NAT64_LOCAL, Class::Nat64),
    (TEREDO, Class::Tunnel),
    (
        Block::v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48),
        Class::Benchmarking,
    ),
    (
        Block::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
        Class::Reserved,
    ),
    (
        Block::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
        Class::Documentation,
    ),
    (SIX_TO_FOUR, Class::Tunnel),
    (
        Block::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
        Class::Documentation,
    ),
    (Block::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Class::Private),
    (
        Block::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
        Class::LinkLocal,
    ),
    // Site-local, the forerunner of unique local addresses.
    (Block::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Class::Private),
    (
        Block::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
        Class::Multicast,
    ),
];

const MAPPED: Block = Block::v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);
const TRANSLATED: Block = Block::v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96);
const COMPATIBLE: Block = Block::v6([0, 0, 0, 0, 0, 0, 0, 0], 96);
const NAT64: Block = Block::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const NAT64_LOCAL: Block = Block::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48);
const TEREDO: Block = Block::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);
const SIX_TO_FOUR: Block = Block::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);
/// All that is given out of IPv6.
const GIVEN_OUT: Block = Block::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What the address is; `None`: global unicast.
pub(super) fn class_of(address: IpAddr) -> Option<Class> {
    let known = SPECIAL.iter().find(|(block, _)| block.contains(address));
    if let Some((_, class)) = known {
        return Some(*class);
    }
    let IpAddr::V6(v6) = address else {
        return None;
    };
    if !GIVEN_OUT.contains(address) {
        return Some(Class::Reserved);
    }
    is_isatap(v6).then_some(Class::Tunnel)
}

/// The IPv4 addresses to which translators and tunnels carry what is sent to this one.
pub(super) fn carried_to(address: IpAddr) -> Vec<Ipv4Addr> {
    let IpAddr::V6(v6) = address else {
        return Vec::new();
    };
    let [_, _, c, d, e, f, g, h, _, j, k, l, m, n, o, p] = v6.octets();
    let last = Ipv4Addr::new(m, n, o, p);
    let is_in = |block: Block| block.contains(address);
    // Nobody is at an address that begins with a zero, to whom a packet could be carried.
    let somebody = |reading: &Ipv4Addr| reading.to_bits() >> 24 != 0;
    if is_in(NAT64_LOCAL) {
        // How long a translator's own prefix is, is not known: with 48, 56, 64 and 96 bits the address is at these places (RFC 6052),
        // and zeros are where it is not.
        let readings = [
            Ipv4Addr::new(g, h, j, k),
            Ipv4Addr::new(h, j, k, l),
            Ipv4Addr::new(j, k, l, m),
            last,
        ];
        return readings.into_iter().filter(somebody).collect();
    }
    if is_in(COMPATIBLE) {
        // `::1` is this machine, and no form of 0.0.0.1.
        return [last].into_iter().filter(somebody).collect();
    }
    if is_in(MAPPED) || is_in(TRANSLATED) || is_in(NAT64) || is_isatap(v6) {
        return vec![last];
    }
    if is_in(SIX_TO_FOUR) {
        return vec![Ipv4Addr::new(c, d, e, f)];
    }
    if is_in(TEREDO) {
        // The server, and the client, whose bits are turned round.
        return vec![Ipv4Addr::new(e, f, g, h), Ipv4Addr::new(!m, !n, !o, !p)];
    }
    Vec::new()
}

/// Whether the second half says that the packet goes through a tunnel to the IPv4 address at its end.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [.., e, f, _, _] = address.segments();
    f == 0x5efe && (e == 0 || e == 0x200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(text: &str) -> Vec<String> {
        let carried = carried_to(text.parse().unwrap());
        carried.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_translator_or_a_tunnel_makes_of_an_address_is_found() {
        for (address, meant) in [
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:0:10.0.0.1", "10.0.0.1"),
            ("::10.0.0.1", "10.0.0.1"),
            ("64:ff9b::10.0.0.1", "10.0.0.1"),
            ("64:ff9b:1::10.0.0.1", "10.0.0.1"),
            // The four lengths of a prefix (RFC 6052, 2.2), for 192.0.2.33.
            ("64:ff9b:1:c000:2:2100::", "192.0.2.33"),
            ("64:ff9b:1:ffc0:0:221::", "192.0.2.33"),
            ("64:ff9b:1:ff:c0:2:2100:0", "192.0.2.33"),
            ("2002:a00:1::", "10.0.0.1"),
            ("2001:0:7f00:1:0:0:f5ff:fffe", "127.0.0.1"),
            ("2001:0:7f00:1:0:0:f5ff:fffe", "10.0.0.1"),
            ("2a00::200:5efe:10.0.0.1", "10.0.0.1"),
        ] {
            assert!(
                carried(address).contains(&meant.to_owned()),
                "{address}: {:?}",
                carried(address)
            );
        }
        assert!(carried("2a00::1").is_empty());
        assert!(carried("10.0.0.1").is_empty());
    }

    #[test]
    fn what_anybody_may_reach_has_no_class() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450:4001::200e",
            "3ffe::1",
        ] {
            assert_eq!(class_of(address.parse().unwrap()), None, "{address}");
        }
    }
}
