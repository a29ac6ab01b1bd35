//! What a worker shows to trackers, and to which.

use tickwheel_proto::credential::{Credential, host, is_private};

/// A token, and where it may go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shows {
    pub(crate) credential: Credential,
    /// Hosts beyond loopback: names, or `*.` and what they end with.
    pub(crate) hosts: Vec<String>,
}

impl Shows {
    /// Whether the worker may speak with the tracker at `url`, whoever named it. A roster is what trackers read in Redis: whoever writes there
    /// must not be sent a token.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn may_go_to(&self, url: &str) -> Result<(), String> {
        if !self.credential.is_some() || is_private(url) {
            return Ok(());
        }
        let is_allowed = host(url).is_some_and(|host| {
            let named = |pattern: &String| match pattern.strip_prefix('*') {
                Some(end) => end.starts_with('.') && ends_with(host, end),
                None => host.eq_ignore_ascii_case(pattern),
            };
            self.hosts.iter().any(named)
        });
        if is_allowed {
            return Ok(());
        }
        Err(format!(
            "\"{url}\": a token is not sent there, where others on the way can read it: trackers speak no TLS themselves; `token_hosts` says to which \
             hosts it may go"
        ))
    }
}

fn ends_with(host: &str, end: &str) -> bool {
    let from = host.len().checked_sub(end.len());
    let tail = from.and_then(|from| host.get(from..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(hosts: &[&str]) -> Shows {
        Shows {
            credential: Credential::Text("tw_".to_owned()),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        }
    }

    #[test]
    fn a_token_goes_to_loopback_and_to_hosts_that_are_named() {
        let some = shows(&["tracker-1", "*.tw.internal"]);
        for url in [
            "http://127.0.0.1:7400",
            "http://localhost:7400",
            "http://tracker-1:7400",
            "http://TRACKER-1",
            "http://a.tw.internal:7400",
            "https://anywhere.example",
        ] {
            assert_eq!(some.may_go_to(url), Ok(()), "{url}");
        }
        for url in [
            "http://tracker-2:7400",
            "http://tracker-1.evil.example",
            "http://tw.internal",
            "http://eviltw.internal",
            "http://a.tw.internal@evil.example",
            "http://10.0.0.1:7400",
        ] {
            let refused = some.may_go_to(url).unwrap_err();
            assert!(refused.contains("token_hosts"), "{url}: {refused}");
        }
        assert!(
            shows(&["*"]).may_go_to("http://h").is_err(),
            "no wildcard for all"
        );
        let nothing = Shows::default();
        assert_eq!(nothing.may_go_to("http://tracker-2:7400"), Ok(()));
    }
}
