//! From where somebody calls, and by which certificate.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use tickwheel_core::access::Fingerprint;

/// The connection of whoever calls, as the extensions of a request tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// From where.
    pub(crate) address: IpAddr,
    /// The certificate that was shown, which an authority of `tls.client_ca` vouches for; `None`: none was.
    pub(crate) certificate: Option<Fingerprint>,
}

impl Origin {
    /// Somebody at this address.
    pub(crate) fn new(address: SocketAddr, certificate: Option<Fingerprint>) -> Self {
        let address = address.ip().to_canonical();
        Self {
            address,
            certificate,
        }
    }
}

/// As whom an address counts: whoever has one address of IPv6 has all of its network.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}
