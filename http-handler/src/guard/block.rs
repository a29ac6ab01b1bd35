//! Blocks of addresses: what all of them have in common is their first bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use tickwheel_core::Violation;

/// An address and its neighbours, as `10.0.0.0/8` says it; `10.1.2.3` is a block of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    network: IpAddr,
    bits: u8,
}

impl Block {
    pub(super) const fn v4(network: [u8; 4], bits: u8) -> Self {
        let [a, b, c, d] = network;
        let network = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
        Self { network, bits }
    }

    pub(super) const fn v6(network: [u16; 8], bits: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = network;
        let network = IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h));
        Self { network, bits }
    }

    pub(super) const fn one(address: IpAddr) -> Self {
        let bits = width(address);
        Self {
            network: address,
            bits,
        }
    }

    /// Whether the block has this one address and no other.
    pub(super) const fn is_one(self) -> bool {
        self.bits == width(self.network)
    }

    /// Whether the address is in the block; one of the other family never is, however it is written.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        self.network.is_ipv4() == address.is_ipv4()
            && common(left(self.network) ^ left(address), self.bits)
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The bits of the address, the first one in front, so that both families are compared alike.
fn left(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Whether none of the first `bits` differ. A shift by the whole width leaves nothing.
fn common(differ: u128, bits: u8) -> bool {
    differ
        .checked_shr(128_u32.saturating_sub(u32::from(bits)))
        .unwrap_or(0)
        == 0
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() {
            write!(f, "{}", self.network)
        } else {
            write!(f, "{}/{}", self.network, self.bits)
        }
    }
}

impl FromStr for Block {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = |rule| Violation::new("", rule, text);
        let (network, bits) = match text.split_once('/') {
            None => (text, None),
            Some((network, bits)) => (network, Some(bits)),
        };
        let network: IpAddr = network
            .parse()
            .map_err(|_| wrong("is an address or a block such as 10.0.0.0/8"))?;
        let bits = match bits {
            None => width(network),
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= width(network))
                .ok_or_else(|| wrong("has a length of at most 32, or 128 for IPv6"))?,
        };
        // Whoever writes 10.1.0.0/8 means another block than this one would be.
        let beyond = left(network)
            .checked_shl(u32::from(bits))
            .unwrap_or_default();
        if beyond != 0 {
            return Err(wrong("has no bits behind its length, as 10.0.0.0/8"));
        }
        Ok(Self { network, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_what_begins_alike() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "ffff::1", "1.2.3.4"),
            ("fc00::/7", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("::ffff:0.0.0.0/96", "::ffff:127.0.0.1", "127.0.0.1"),
        ] {
            let read: Block = block.parse().unwrap();
            assert!(read.contains(inside.parse().unwrap()), "{block} {inside}");
            assert!(
                !read.contains(outside.parse().unwrap()),
                "{block} {outside}"
            );
            assert_eq!(read.to_string(), block);
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "10.1.0.0/8",
            "10.0/8",
            "::1/129",
            "fe80::1%eth0",
            "010.0.0.1",
        ] {
            assert!(text.parse::<Block>().is_err(), "{text}");
        }
    }
}
