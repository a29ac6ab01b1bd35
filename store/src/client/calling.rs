//! How a script is called: as a function of the library that Redis keeps, or, where there are no functions, by its digest.
//!
//! A function costs a call nothing but its own work, as all that scripts are made of is kept; a text is run anew in each call. Servers that
//! do not know the library are given it when they say so: one that was flushed, one that joined a cluster, one that a copy was made of
//! before. Servers that refuse it, as they know no functions or the user may not use them, are called by texts from then on.

mod known;

use std::sync::atomic::{AtomicBool, Ordering};

use fred::clients::Client;
use fred::interfaces::{ClientLike, FunctionInterface, LuaInterface};
use fred::types::{ClusterHash, CustomCommand, Value};
use tokio::time::Instant;

use super::info::primary_of;
use super::setup::{ASK_AGAIN_MAX, ASK_AGAIN_MIN, RIDE_OUT, Topology, never_there, sorted};
use crate::error::Error;
use crate::script::{INSPECTION, LIBRARY, Script};

/// Which way scripts are called.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    by_text: AtomicBool,
}

impl Ways {
    /// True while functions are called.
    pub(crate) fn by_function(&self) -> bool {
        !self.by_text.load(Ordering::Relaxed)
    }

    /// Takes down that a server refused functions; `reason` is its answer.
    pub(crate) fn refuse_functions(&self, reason: &str) {
        if !self.by_text.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                reason,
                "redis refuses functions: scripts are called by their texts, which takes it longer; allow `FCALL` and `FUNCTION`"
            );
        }
    }

    /// Scripts are called by their texts.
    pub(crate) fn call_by_text(&self) {
        self.by_text.store(true, Ordering::Relaxed);
    }
}

/// The server knows the way, but not what is called.
pub(crate) fn is_unknown(reply: &str) -> bool {
    reply.starts_with("NOSCRIPT") || reply.starts_with("ERR Function not found")
}

/// The server has no functions, or none for this user, and that will not pass by itself.
pub(crate) fn has_no_functions(reply: &str) -> bool {
    let of_functions = ["fcall", "function"];
    let lower = reply.to_ascii_lowercase();
    (lower.starts_with("noperm") || lower.starts_with("err unknown"))
        && of_functions.iter().any(|word| lower.contains(word))
}

/// The server takes no writes now, and a library is one; it may run scripts all the same.
fn takes_no_writes(reply: &str) -> bool {
    ["OOM", "READONLY", "MISCONF", "NOREPLICAS"]
        .iter()
        .any(|word| reply.starts_with(word))
}

/// Refusals after which the script has not run, and that pass by themselves.
fn did_nothing(reply: &str) -> bool {
    [
        "TRYAGAIN",
        "LOADING",
        "BUSY ",
        "MASTERDOWN",
        "READONLY",
        "MOVED",
        "ASK ",
        // The client's own words for either.
        "Too many redirections",
    ]
    .iter()
    .any(|word| reply.starts_with(word))
}

/// What the next command of a call is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Function,
    Digest,
    /// With the text in the same command: a script that was loaded may be flushed before it is called.
    Text,
}

async fn send(
    client: &Client,
    step: Step,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, fred::error::Error> {
    match step {
        Step::Function => client.fcall(script.function(), keys, args).await,
        Step::Digest => client.evalsha(script.sha1(), keys, args).await,
        Step::Text => client.eval(script.text(), keys, args).await,
    }
}

/// Runs a script on `client`; refusals that certainly did nothing are ridden out.
///
/// # Errors
/// As sorted by [`Error`].
pub(super) async fn run(
    client: &Client,
    (topology, ways): (Topology, &Ways),
    script: &'static Script,
    (mut keys, args): (Vec<String>, Vec<Value>),
) -> Result<Value, Error> {
    if topology == Topology::Cluster {
        keys.extend(keys.first().and_then(|key| never_there(key)));
    }
    let step = if ways.by_function() {
        Step::Function
    } else {
        Step::Digest
    };
    match send(client, step, script, keys.clone(), args.clone()).await {
        Ok(value) => Ok(value),
        // Rare, and large: every call would carry its state along.
        Err(error) => {
            Box::pin(ride_out(
                client,
                (topology, ways),
                script,
                (keys, args),
                (step, error),
            ))
            .await
        }
    }
}

/// Goes on after the first answer of a script was an error.
async fn ride_out(
    client: &Client,
    (topology, ways): (Topology, &Ways),
    script: &'static Script,
    (keys, args): (Vec<String>, Vec<Value>),
    (mut step, mut error): (Step, fred::error::Error),
) -> Result<Value, Error> {
    let give_up = Instant::now() + RIDE_OUT;
    let mut pause = ASK_AGAIN_MIN;
    let mut loaded = false;
    loop {
        let reply = error.details();
        if step == Step::Function && has_no_functions(reply) {
            ways.refuse_functions(reply);
            step = Step::Text;
        } else if is_unknown(reply) && step != Step::Text {
            step = match step {
                Step::Function if !loaded => {
                    loaded = true;
                    let key = keys.first().map(String::as_str).unwrap_or_default();
                    load_beside(client, ways, key).await
                }
                Step::Function | Step::Digest | Step::Text => Step::Text,
            };
        } else if !did_nothing(reply) || Instant::now() + pause > give_up {
            let primary = if reply.starts_with("READONLY") && topology != Topology::Cluster {
                primary(client).await
            } else {
                None
            };
            let mut sorted = sorted(script, error);
            if let (Error::Unavailable { reason, .. }, Some(primary)) = (&mut sorted, primary) {
                *reason = format!("{reason} It is a replica: {}", primary_at(&primary));
            }
            return Err(sorted);
        } else {
            if reply.starts_with("READONLY") {
                // The server behind this address became a replica, and the connection outlived that. An error shows in the next call.
                client.force_reconnection().await.ok();
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_AGAIN_MAX);
        }
        error = match send(client, step, script, keys.clone(), args.clone()).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
    }
}

/// Where the primary is of a server that says that it is a replica.
async fn primary(client: &Client) -> Option<String> {
    let command = CustomCommand::new_static("INFO", ClusterHash::Random, false);
    let said: Result<String, _> = client.custom(command, vec!["replication"]).await;
    primary_of(&said.ok()?)
}

/// What to do about a server that is a replica of `primary`.
pub(crate) fn primary_at(primary: &str) -> String {
    format!(
        "its primary is {primary}, name that in the URL of redis, or use redis-sentinel://, which finds it"
    )
}

/// Gives the server of `key` the library, and answers with the next step of a call. A server that cannot take it now, as it is full, is
/// called by texts meanwhile.
async fn load_beside(client: &Client, ways: &Ways, key: &str) -> Step {
    let slot = ClusterHash::Custom(fred::util::redis_keyslot(key.as_bytes()));
    let load = async |text: &str| {
        let command = CustomCommand::new_static("FUNCTION", slot.clone(), false);
        let loaded: Result<Value, _> = client.custom(command, vec!["LOAD", "REPLACE", text]).await;
        loaded
    };
    match load(LIBRARY.text()).await {
        Ok(_) => {
            if let Err(error) = load(INSPECTION.text()).await {
                tracing::debug!(%error, "what people ask with redis-cli is not loaded");
            }
            Step::Function
        }
        Err(error) => {
            if has_no_functions(error.details()) {
                ways.refuse_functions(error.details());
            }
            Step::Digest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_without_effect_are_ridden_out() {
        for reply in [
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "BUSY Redis is busy running a script",
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
        ] {
            assert!(did_nothing(reply), "{reply}");
        }
        for reply in [
            "BUSYKEY Target key name already exists",
            "MISCONF Errors writing to the AOF file",
            "timed out",
            "OOM",
        ] {
            assert!(!did_nothing(reply), "{reply}");
        }
    }

    #[test]
    fn a_server_without_functions_is_told_from_one_without_the_library() {
        assert!(is_unknown("ERR Function not found"));
        assert!(!has_no_functions("ERR Function not found"));
        for refused in [
            "ERR unknown command 'FCALL', with args beginning with: 'tickwheel_1'",
            "ERR unknown command `FUNCTION`, with args beginning with: `LOAD`",
            "NOPERM this user has no permissions to run the 'fcall' command",
            "NOPERM this user has no permissions to run the 'function|load' command",
        ] {
            assert!(has_no_functions(refused), "{refused}");
        }
        assert!(!has_no_functions(
            "NOPERM this user has no permissions to access one of the keys"
        ));
    }
}
