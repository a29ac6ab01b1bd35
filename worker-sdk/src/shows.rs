//! What a worker shows to trackers, and to which.

use tickwheel_proto::credential::{Credential, host, is_private};
use tickwheel_proto::trust::Trust;

/// A token, where it may go, and who vouches for whoever is there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shows {
    pub(crate) credential: Credential,
    /// Hosts beyond loopback: names, or `*.` and what they end with.
    pub(crate) hosts: Vec<String>,
    pub(crate) trust: Trust,
}

impl Shows {
    /// Whether the worker may speak with the tracker at `url`, whoever named it; `seeds` are those that its user named. A roster is what trackers
    /// read in Redis: whoever writes there must not be sent a token, and must not turn TLS off.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn may_go_to(&self, url: &str, seeds: &[String]) -> Result<(), String> {
        let is_named = seeds.iter().any(|seed| seed == url);
        let is_encrypted = is_tls(url);
        if !is_named && !is_encrypted && seeds.iter().all(|seed| is_tls(seed)) {
            return Err(format!(
                "\"{url}\": it is without TLS, and this worker was told of trackers with TLS (https://) alone"
            ));
        }
        if !self.credential.is_some() || self.is_listed(url) {
            return Ok(());
        }
        if is_encrypted {
            return self.may_be_believed(url, seeds);
        }
        if is_private(url) {
            return Ok(());
        }
        Err(format!(
            "\"{url}\": a token is not sent there, where others on the way can read it: give the tracker a certificate ([tls]), so that it has https://, \
             or say by `token_hosts` to which hosts it may go all the same"
        ))
    }

    /// Whoever gets himself a certificate of some public authority is no tracker by that: its host has to be one that the user named, or its
    /// authority one that the user chose.
    fn may_be_believed(&self, url: &str, seeds: &[String]) -> Result<(), String> {
        let of = |seed: &String| is_tls(seed) && host(seed).is_some() && host(seed) == host(url);
        if self.trust.authorities().is_some() || seeds.iter().any(of) {
            return Ok(());
        }
        Err(format!(
            "\"{url}\": a token is not sent to a host that only a roster names, as any public authority could vouch for it: name the authority of your \
             trackers by `ca_file`, or the host in `token_hosts`"
        ))
    }

    fn is_listed(&self, url: &str) -> bool {
        host(url).is_some_and(|host| {
            let named = |pattern: &String| match pattern.strip_prefix('*') {
                Some(end) => end.starts_with('.') && ends_with(host, end),
                None => host.eq_ignore_ascii_case(pattern),
            };
            self.hosts.iter().any(named)
        })
    }
}

fn is_tls(url: &str) -> bool {
    url.starts_with("https://")
}

fn ends_with(host: &str, end: &str) -> bool {
    let from = host.len().checked_sub(end.len());
    let tail = from.and_then(|from| host.get(from..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "http://127.0.0.1:1";

    fn shows(hosts: &[&str]) -> Shows {
        Shows {
            credential: Credential::Text("tw_".to_owned()),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            trust: Trust::default(),
        }
    }

    fn seeds(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|&url| url.to_owned()).collect()
    }

    #[test]
    fn a_token_goes_to_loopback_and_to_hosts_that_are_named() {
        let some = shows(&["tracker-1", "*.tw.internal"]);
        let known = seeds(&[PLAIN]);
        for url in [
            "http://127.0.0.1:7400",
            "http://localhost:7400",
            "http://tracker-1:7400",
            "http://TRACKER-1",
            "http://a.tw.internal:7400",
            "https://a.tw.internal:7400",
        ] {
            assert_eq!(some.may_go_to(url, &known), Ok(()), "{url}");
        }
        for url in [
            "http://tracker-2:7400",
            "http://tracker-1.evil.example",
            "http://tw.internal",
            "http://eviltw.internal",
            "http://a.tw.internal@evil.example",
            "http://10.0.0.1:7400",
            "https://anywhere.example",
        ] {
            let refused = some.may_go_to(url, &known).unwrap_err();
            assert!(refused.contains("token_hosts"), "{url}: {refused}");
        }
        let refused = shows(&["*"]).may_go_to("http://h", &known);
        assert!(refused.is_err(), "no wildcard for all");
        let nothing = Shows::default();
        assert_eq!(nothing.may_go_to("http://tracker-2:7400", &known), Ok(()));
    }

    #[test]
    fn over_tls_a_token_goes_to_who_is_named_or_is_vouched_for_by_an_authority_of_ones_own() {
        let known = seeds(&["https://t.example:7400"]);
        let some = shows(&[]);
        for url in ["https://t.example:7400", "https://t.example:7401"] {
            assert_eq!(some.may_go_to(url, &known), Ok(()), "{url}");
        }
        let other = "https://u.example:7400";
        assert!(some.may_go_to(other, &known).is_err());
        let mut own = shows(&[]);
        own.trust = Trust::default().ca_file("/etc/tickwheel/ca.pem");
        assert_eq!(own.may_go_to(other, &known), Ok(()));
        assert!(
            own.may_go_to("http://u.example:7400", &seeds(&[PLAIN]))
                .is_err()
        );
    }

    #[test]
    fn no_roster_turns_tls_off() {
        let known = seeds(&["https://t.example:7400"]);
        let open = Shows::default();
        for some in [shows(&["t.example"]), open.clone()] {
            for url in ["http://t.example:7400", "http://127.0.0.1:7400"] {
                let refused = some.may_go_to(url, &known).unwrap_err();
                assert!(refused.contains("without TLS"), "{refused}");
            }
        }
        let mixed = seeds(&["https://t.example:7400", "http://u.example:7400"]);
        let listed = shows(&["u.example", "t.example"]);
        for url in ["http://u.example:7400", "http://t.example:7400"] {
            assert_eq!(listed.may_go_to(url, &mixed), Ok(()), "{url}");
        }
        assert_eq!(
            open.may_go_to("https://v.example", &seeds(&[PLAIN])),
            Ok(())
        );
    }
}
