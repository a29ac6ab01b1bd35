//! Who may do what at a tracker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tickwheel_core::error::Violations;

/// Whether whoever calls has to show who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessMode {
    /// By a token, which says what may be done.
    Tokens,
    /// No: whoever reaches the tracker may do everything.
    Open,
}

/// Who is let in, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Tokens, unless told otherwise.
    pub mode: AccessMode,
    /// Whether it may listen beyond loopback although anybody is let in, or without TLS.
    pub insecure_listen: bool,
    /// Where the first token of an admin is written, once; or where one is that shall be the first.
    pub bootstrap_token_file: Option<PathBuf>,
    /// How long is believed what was read of a token; a change is heard of with the next heartbeat. 100 ms..=5 s: a token that was revoked is
    /// refused within this, whatever happens to heartbeats, and its streams are ended within twice of it.
    pub recheck: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            mode: AccessMode::Tokens,
            insecure_listen: false,
            bootstrap_token_file: None,
            recheck: Duration::from_secs(5),
        }
    }
}

impl Access {
    /// Anybody who reaches the tracker may do everything: for programs that listen on loopback.
    #[must_use]
    pub fn open() -> Self {
        Self {
            mode: AccessMode::Open,
            ..Self::default()
        }
    }

    /// What is wrong with it for a tracker that listens there.
    pub(super) fn check(
        &self,
        listens: [Option<SocketAddr>; 2],
        is_encrypted: bool,
        violations: &mut Violations,
    ) {
        let far = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
        if self.mode == AccessMode::Open && !self.insecure_listen {
            for address in listens.into_iter().flatten().filter(far) {
                let rule = "is \"open\" only while grpc_listen and http_listen are loopback addresses, as whoever reaches the tracker may do everything then: \
                            use \"tokens\" (docs/security.md), or say that this is meant: access.insecure_listen = true";
                violations.add("access.mode", rule, address);
            }
        }
        if !is_encrypted && !self.insecure_listen {
            for address in listens.into_iter().flatten().filter(far) {
                let rule = "is given while grpc_listen or http_listen is no loopback address, as others on the way could read tokens and bodies: name a \
                            certificate and its key ([tls], docs/security.md), or say that this is meant, as a proxy speaks TLS or the network is only \
                            yours: access.insecure_listen = true";
                violations.add("tls.cert", rule, address);
            }
        }
        if !(Duration::from_millis(100)..=Duration::from_secs(5)).contains(&self.recheck) {
            violations.add(
                "access.recheck",
                "is 100ms..=5s",
                format_args!("{:?}", self.recheck),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(access: &Access, grpc: &str, http: Option<&str>) -> Vec<String> {
        wrong_with((access, true), grpc, http)
    }

    fn wrong_with(
        (access, is_encrypted): (&Access, bool),
        grpc: &str,
        http: Option<&str>,
    ) -> Vec<String> {
        let mut found = Violations::new();
        let listens = [Some(grpc), http].map(|text| text.map(|text| text.parse().unwrap()));
        access.check(listens, is_encrypted, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everybody_is_let_in_on_loopback_only_unless_that_is_meant() {
        let (open, tokens) = (Access::open(), Access::default());
        for near in [
            "127.0.0.1:1",
            "127.8.0.1:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(wrong(&open, near, Some(near)), Vec::<String>::new());
            assert_eq!(
                wrong_with((&tokens, false), near, Some(near)),
                Vec::<String>::new()
            );
        }
        for far in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "192.168.0.1:1"] {
            let said = wrong(&open, far, None);
            assert!(
                said.len() == 1 && said[0].contains("access.insecure_listen"),
                "{said:?}"
            );
            assert_eq!(wrong(&open, "127.0.0.1:1", Some(far)).len(), 1);
            assert_eq!(wrong(&tokens, far, Some(far)), Vec::<String>::new());
            let meant = Access {
                insecure_listen: true,
                ..Access::open()
            };
            assert_eq!(wrong(&meant, far, Some(far)), Vec::<String>::new());
            let said = wrong_with((&tokens, false), "127.0.0.1:1", Some(far));
            assert!(
                said.len() == 1
                    && said[0].contains("tls.cert")
                    && said[0].contains("access.insecure_listen"),
                "{said:?}"
            );
            assert_eq!(wrong_with((&meant, false), far, None), Vec::<String>::new());
        }
    }
}
