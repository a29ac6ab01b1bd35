//! What the commands on the store have in common: where Redis is, how gently to walk, and how to print.

use clap::Args;
use tickwheel_store::check::{History, Pace};
use tickwheel_store::{Redis, Store};

use crate::config::{self, Config, ConfigArgs, Environment, Override};
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Format;

/// Where Redis is, how gently to walk, and how to print.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Redis, where everything is kept
    #[arg(long, value_name = "URL")]
    pub(super) redis: Option<String>,
    /// Begins every key
    #[arg(long, value_name = "PREFIX")]
    pub(super) prefix: Option<String>,
    /// Rest after each call for this share of its time; 0: never
    #[arg(long, default_value_t = 1.0, value_name = "SHARE", value_parser = share)]
    pub(super) rest: f64,
    /// The same as --output json
    #[arg(long)]
    pub(super) json: bool,
}

/// How much of the history a check looks at.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Look at all of the history (ends, the dead, logs, results, dedup keys), and not only at a sample of it
    #[arg(long)]
    pub(super) history: bool,
}

impl HistoryArgs {
    pub(super) fn scope(&self) -> History {
        if self.history {
            History::All
        } else {
            History::Sample
        }
    }
}

/// A share on the command line.
fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share: &f64| (0.0..=100.0).contains(share))
        .ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

impl StoreArgs {
    pub(super) fn pace(&self) -> Pace {
        Pace { rest: self.rest }
    }

    pub(super) fn output(&self, global: &Global) -> Format {
        if self.json {
            Format::Json
        } else {
            global.output
        }
    }

    pub(super) async fn open(&self) -> Result<Store, Failure> {
        let (redis, config) = self.connect().await?;
        Store::attach(redis, &config.redis.prefix)
            .await
            .map_err(|error| failure(&error))
    }

    pub(super) async fn connect(&self) -> Result<(Redis, Config), Failure> {
        let flags = [
            Override::flag("--redis", "redis.url", self.redis.as_ref()),
            Override::flag("--prefix", "redis.prefix", self.prefix.as_ref()),
        ];
        let flags = flags.into_iter().flatten().collect();
        let config = config::load(&self.config, &Environment::of_process(), flags)?;
        let redis = Redis::connect_with(&config.redis.url.0, &config.redis.tls())
            .await
            .map_err(|error| failure(&error))?;
        Ok((redis, config))
    }
}

/// Whatever keeps a check from its end has one exit code, so that it is not mistaken for a finding.
pub(super) fn failure(error: &tickwheel_store::Error) -> Failure {
    Failure::usage(format!("could not check: {error}"))
}
