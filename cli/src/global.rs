//! What commands have in common: the global flags, what is done with them, and how values on the command line are read.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use tickwheel_client::{
    CA_FILE_VARIABLE, CLIENT_CERT_VARIABLE, CLIENT_KEY_VARIABLE, Client, Credential,
    TOKEN_FILE_VARIABLE, TOKEN_VARIABLE, Trust,
};
use tickwheel_core::time::{parse_duration, parse_instant};
use tickwheel_core::{Durability, TimestampMs};

use crate::client::{self, Showing};
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
    /// A file with the token to show to the tracker [default: what TICKWHEEL_TOKEN holds, if it is set]
    #[arg(long, global = true, env = TOKEN_FILE_VARIABLE, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A file with the certificates of the authorities that vouch for a tracker with https://, in PEM [default: those that this system knows]
    #[arg(long, global = true, env = CA_FILE_VARIABLE, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A file with the certificate to show to a tracker that asks for one, in PEM
    #[arg(long, global = true, env = CLIENT_CERT_VARIABLE, value_name = "FILE")]
    pub(crate) client_cert: Option<PathBuf>,
    /// A file with its private key, in PEM
    #[arg(long, global = true, env = CLIENT_KEY_VARIABLE, value_name = "FILE")]
    pub(crate) client_key: Option<PathBuf>,
    /// Show the token to a tracker on another machine without TLS too, where others on the way may read it
    #[arg(long, global = true, env = "TICKWHEEL_PLAINTEXT_TOKEN", value_parser = FalseyValueParser::new())]
    pub(crate) plaintext_token: bool,
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
        let credential = match &self.token_file {
            Some(file) if !file.as_os_str().is_empty() => Credential::File(file.clone()),
            Some(_) | None => Credential::of_variables(|name| {
                let is_text = name == TOKEN_VARIABLE;
                is_text.then(|| std::env::var(name).ok()).flatten()
            }),
        };
        let showing = Showing {
            credential,
            in_plaintext: self.plaintext_token,
            trust: self.trust(),
        };
        let client = client::connect(&self.server, self.timeout, showing).await?;
        Ok(match self.durability {
            Some(durability) => client.durable(durability),
            None => client,
        })
    }
}

impl Global {
    /// Who vouches for the tracker, and who this is to it.
    fn trust(&self) -> Trust {
        let named = |file: &Option<PathBuf>| {
            let file = file.clone();
            file.filter(|file| !file.as_os_str().is_empty())
        };
        let mut trust = Trust::default();
        if let Some(file) = named(&self.ca_file) {
            trust = trust.ca_file(file);
        }
        if let Some(file) = named(&self.client_cert) {
            trust = trust.client_cert(file);
        }
        if let Some(file) = named(&self.client_key) {
            trust = trust.client_key(file);
        }
        trust
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
