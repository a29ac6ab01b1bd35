//! Commands about one job: which.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The job: namespace/name, or a name in the namespace `default`
    #[arg(value_name = "JOB")]
    pub(super) name: String,
}
