//! Under which names the surface may be asked: a page in a browser can have its own name lead to this machine, and then read what is
//! served to this machine only. It still asks under that name.

use std::net::{IpAddr, SocketAddr};

use axum::http::{Request, StatusCode, Version, header};

/// Which names are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hosts {
    /// It listens on this machine only, which has few names.
    OfThisMachine,
    /// It listens to others, who know it by whatever name.
    Any,
}

impl Hosts {
    /// Those of the address that is listened on.
    pub(super) fn of(address: SocketAddr) -> Self {
        if address.ip().to_canonical().is_loopback() {
            Self::OfThisMachine
        } else {
            Self::Any
        }
    }

    /// Why a request is not answered.
    pub(super) fn refuse<B>(self, request: &Request<B>) -> Option<(StatusCode, &'static str)> {
        let mut given = request.headers().get_all(header::HOST).into_iter();
        let (host, another) = (given.next(), given.next());
        if another.is_some() || host.is_none() && request.version() == Version::HTTP_11 {
            return Some((StatusCode::BAD_REQUEST, "a request has one host\n"));
        }
        if self == Self::Any {
            return None;
        }
        let host = host.map(|host| host.to_str().unwrap_or_default());
        let authority = request
            .uri()
            .authority()
            .map(|authority| authority.as_str());
        let named = [host, authority];
        let foreign = named
            .into_iter()
            .flatten()
            .any(|name| !is_this_machine(name));
        let why = "this address is asked as localhost\n";
        foreign.then_some((StatusCode::MISDIRECTED_REQUEST, why))
    }
}

/// Whether `name`, with a port or without, is a name of loopback.
fn is_this_machine(name: &str) -> bool {
    let host = match name.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => name.split(':').next().unwrap_or_default(),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_few_names() {
        for name in [
            "localhost",
            "LOCALHOST:7480",
            "127.0.0.1:7480",
            "127.8.8.8",
            "[::1]:7480",
            "localhost.",
        ] {
            assert!(is_this_machine(name), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::2]",
            "127.0.0.1.evil.example:80",
            "xlocalhost",
        ] {
            assert!(!is_this_machine(name), "{name}");
        }
    }

    #[test]
    fn only_loopback_asks_for_names() {
        let at = |text: &str| Hosts::of(text.parse().unwrap());
        assert_eq!(at("127.0.0.1:1"), Hosts::OfThisMachine);
        assert_eq!(at("[::1]:1"), Hosts::OfThisMachine);
        assert_eq!(at("0.0.0.0:1"), Hosts::Any);
    }
}
