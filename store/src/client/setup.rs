//! How every client of this program is set up, and what its commands have in common.

use std::time::Duration;

use fred::types::Builder;
use fred::types::config::{Config, Options, ReconnectPolicy, TcpConfig};

use crate::error::Error;
use crate::script::Script;

/// No command waits longer. A frozen server would otherwise hold its callers for ever, as the client has no limit of its own.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);
/// A server that says that it cannot now, and certainly did nothing, is asked again for this long: a slot that moves, a node that loads
/// its data, another client's long script.
pub const RIDE_OUT: Duration = Duration::from_secs(5);
/// Between two of these questions, at first and at most.
pub(super) const ASK_AGAIN_MIN: Duration = Duration::from_millis(5);
pub(super) const ASK_AGAIN_MAX: Duration = Duration::from_millis(200);
/// Reconnecting starts at this delay and doubles up to [`RECONNECT_MAX`], without end.
pub(super) const RECONNECT_MIN: Duration = Duration::from_millis(50);
pub(super) const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// What the servers form together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One server, with or without replicas.
    Single,
    /// A primary that sentinels name.
    Sentinel,
    /// A Redis Cluster.
    Cluster,
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// For commands that may be repeated: they follow their keys, and are sent again when a connection breaks.
pub(super) fn repeatable() -> Options {
    Options {
        max_attempts: Some(3),
        max_redirections: Some(5),
        ..Options::default()
    }
}

/// How every client of this program is set up; `patience` is how long a command may take.
pub(super) fn builder(config: Config, patience: Duration) -> Builder {
    let mut builder = Builder::from_config(config);
    builder
        .with_performance_config(|performance| {
            performance.default_command_timeout = patience;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_TIMEOUT;
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            // A script that may have run is not sent again behind the caller's back. The client counts a redirection as an attempt,
            // so it tells of them, having learnt where the slot is now, and `run` asks again.
            connection.max_command_attempts = 1;
            connection.max_redirections = 0;
            connection.unresponsive.max_timeout = Some(patience * 2);
            connection.tcp = TcpConfig {
                nodelay: Some(true),
                ..TcpConfig::default()
            };
        })
        .set_policy(ReconnectPolicy::new_exponential(
            0,
            millis(RECONNECT_MIN),
            millis(RECONNECT_MAX),
            2,
        ));
    builder
}

/// A key that no server has, in the slot of `key`.
///
/// While a slot moves between nodes, each node has some of its keys, and a script would see those only: a running context would seem
/// gone. A call whose keys are not all on one side is refused with TRYAGAIN before it begins, so a key that is on neither side makes the
/// partition stand still until its slot has arrived, which takes milliseconds.
pub(super) fn never_there(key: &str) -> Option<String> {
    Some(format!("{}}}:~", key.split_once('}')?.0))
}

pub(crate) fn sorted(script: &'static Script, error: fred::error::Error) -> Error {
    Error::from_redis(script.name(), error, |text| script.locate(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_is_never_there_shares_the_slot() {
        let (wheel, absent) = ("{tw:7}:wheel", never_there("{tw:7}:wheel").unwrap());
        assert_eq!(absent, "{tw:7}:~");
        let slot = |key: &str| fred::util::redis_keyslot(key.as_bytes());
        assert_eq!(slot(wheel), slot(&absent));
        assert_eq!(never_there("plain"), None);
    }
}
