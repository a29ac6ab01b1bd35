//! How many files and connections this process may have open, and for whom.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for Redis, logs and what a runtime needs, whatever peers do.
const RESERVED: u64 = 64;
/// With fewer, a tracker of a busy cluster runs out of them.
const ENOUGH: u64 = 4_096;
/// As many as a system allows without being told otherwise.
const WANTED: u64 = 1 << 20;

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Of workers and callers.
    pub(crate) grpc: u32,
    /// Of whoever asks for health and metrics.
    pub(crate) http: u32,
}

/// Raises what this process may have open as far as it may itself, and divides it.
pub(crate) fn room(grpc: u32, http: u32) -> Room {
    let limit = raised();
    let room = divided(limit, Room { grpc, http });
    if limit < ENOUGH {
        tracing::warn!(
            limit,
            grpc = room.grpc,
            http = room.http,
            "this process may have few files open: raise the limit (ulimit -n, LimitNOFILE) to {ENOUGH} or more"
        );
    }
    room
}

fn raised() -> u64 {
    let now = getrlimit(Resource::Nofile);
    let soft = now.current.unwrap_or(u64::MAX);
    let most = now.maximum.unwrap_or(u64::MAX).min(WANTED);
    if soft >= most {
        return soft;
    }
    let wanted = Rlimit {
        current: Some(most),
        maximum: now.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => most,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files stays as it is");
            soft
        }
    }
}

/// A quarter of what is left besides the reserve for HTTP, the rest for gRPC.
fn divided(limit: u64, wanted: Room) -> Room {
    let left = limit.saturating_sub(RESERVED);
    let most = |part: u64| u32::try_from(part).unwrap_or(u32::MAX);
    let http = wanted.http.min(most(left / 4)).max(1);
    let grpc = wanted
        .grpc
        .min(most(left.saturating_sub(http.into())))
        .max(1);
    Room { grpc, http }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_descriptors_are_divided_and_many_are_not_an_issue() {
        let wanted = Room {
            grpc: 2_000,
            http: 256,
        };
        assert_eq!(divided(1 << 20, wanted), wanted);
        assert_eq!(
            divided(200, wanted),
            Room {
                grpc: 102,
                http: 34
            }
        );
        assert_eq!(divided(10, wanted), Room { grpc: 1, http: 1 });
    }

    #[test]
    fn the_limit_is_raised_as_far_as_the_process_may() {
        let limit = raised();
        let now = getrlimit(Resource::Nofile);
        let most = now.maximum.unwrap_or(u64::MAX).min(WANTED);
        assert!(limit >= most || now.current == Some(limit));
    }
}
