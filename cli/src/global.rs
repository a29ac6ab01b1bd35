//! What commands have in common: the global flags, what is done with them, and how values on the command line are read.

use std::time::Duration;

use clap::Args;
use tickwheel_client::Client;
use tickwheel_core::time::{parse_duration, parse_instant};
use tickwheel_core::{Durability, TimestampMs};

use crate::client;
use crate::failure::Failure;
use crate::output::Format;
use crate::zones;

/// What every client command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The URL of any tracker
    #[arg(
        long,
        global = true,
        env = "TICKWHEEL_SERVER",
        default_value = "http://127.0.0.1:7400",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// How results are printed
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// Longest time for a call, or for a wait [default: 10s for a call, none for a wait]
    #[arg(long, global = true, value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
    /// How far a write has come when it is confirmed: async, replicated(N) or replicated:N, fsynced [default: as the
    /// tracker has it for the namespace]
    #[arg(long, global = true, value_name = "MODE")]
    pub(crate) durability: Option<Durability>,
    /// Which table of time zones due times are worked out by
    #[arg(
        long,
        global = true,
        env = zones::VARIABLE,
        value_enum,
        default_value_t,
        value_name = "TABLE"
    )]
    pub(crate) zone_table: zones::Choice,
}

impl Global {
    /// Connects to the tracker that the flags name.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let client = client::connect(&self.server, self.timeout).await?;
        Ok(match self.durability {
            Some(durability) => client.durable(durability),
            None => client,
        })
    }
}

/// A span on the command line, such as `90s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|v| v.rule)
}

/// An instant on the command line: RFC 3339, or milliseconds since the epoch.
pub(crate) fn instant(text: &str) -> Result<TimestampMs, String> {
    parse_instant(text).map_err(|v| v.rule)
}

/// A JSON text; it is sent as it was written, so that its numbers stay exact.
pub(crate) fn json(text: &str) -> Result<String, String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("is not JSON: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_every_digit() {
        let body = json("{\"n\": 9007199254740993}").unwrap();
        assert_eq!(body, "{\"n\": 9007199254740993}");
    }
}
