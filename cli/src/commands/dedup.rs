//! A caller's own key: what `submit` and `job run` have in common.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tickwheel_api::answers::run_state_word;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::duration;

#[derive(Debug, Default, Args)]
pub(crate) struct DedupArgs {
    /// A key of your own, any text of up to 256 bytes: it stands for one run, unless that is cancelled before it starts
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "KEY"
    )]
    pub(crate) dedup_key: String,
    /// How long the key stands for it, from its due time on [default: 24h]
    #[arg(long, value_parser = duration, value_name = "DURATION", requires = "dedup_key")]
    dedup_keep: Option<Duration>,
    /// What becomes of it when the key stands for another one [default: return_existing]
    #[arg(long, value_enum, value_name = "POLICY", requires = "dedup_key")]
    dedup_reuse: Option<ReuseArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReuseArg {
    /// Show the other one
    #[value(name = "return_existing")]
    ReturnExisting,
    /// Fail, and show the other one
    Reject,
    /// Cancel the other one if it waits; if it runs, it goes on
    Replace,
}

impl DedupArgs {
    pub(crate) fn keep_ms(&self) -> Option<u64> {
        let keep = self.dedup_keep?;
        Some(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn reuse(&self) -> i32 {
        let reuse = match self.dedup_reuse {
            None => v1::DedupReuse::Unspecified,
            Some(ReuseArg::ReturnExisting) => v1::DedupReuse::ReturnExisting,
            Some(ReuseArg::Reject) => v1::DedupReuse::Reject,
            Some(ReuseArg::Replace) => v1::DedupReuse::Replace,
        };
        reuse.into()
    }
}

/// Why a submission that was to be rejected failed; `None` when it did not.
pub(crate) fn rejection(submitted: &v1::Submitted) -> Option<Failure> {
    submitted.rejected.then(|| {
        let state = run_state_word(submitted.state());
        Failure::failed(format!(
            "rejected: the key stands for {}, which is {state}",
            submitted.id
        ))
    })
}
