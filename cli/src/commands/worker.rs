//! `tickwheel worker`: the built-in handlers, until SIGTERM; and `tickwheel worker list`, `drain` and
//! `undrain`.

use clap::{Args, Subcommand};
use tickwheel_api::answers::Worker;

use crate::config::{self, ConfigArgs, Environment, Override};
use crate::dev::{Lateness, builtin_worker};
use crate::failure::Failure;
use crate::global::Global;
use crate::output::{put, tell_unreadable};
use crate::shutdown::Shutdown;
use crate::telemetry;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct WorkerArgs {
    #[command(subcommand)]
    command: Option<WorkerCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum WorkerCommand {
    /// List the live workers with their load
    List(ListArgs),
    /// Let a worker take no more work; what it runs goes on
    Drain(WorkerRefArgs),
    /// Let a worker take work again
    Undrain(WorkerRefArgs),
}

#[derive(Debug, Args)]
struct WorkerRefArgs {
    /// The worker, as `worker list` shows it
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those of this group
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "GROUP"
    )]
    group: String,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Any one tracker; the worker learns of the others from it
    #[arg(long, visible_alias = "tracker", value_name = "URL")]
    tracker_url: Option<String>,
    /// The group whose contexts it takes
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Begins the worker's id
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How many handlers run at once
    #[arg(long, value_name = "N")]
    permits: Option<String>,
    /// Which handlers it has: demo, http, or both [default: demo,http]
    #[arg(long, value_name = "HANDLERS")]
    handlers: Option<String>,
    /// What the handler http may call although it is not public, say 10.1.0.0/16,*.corp.example
    #[arg(long, value_name = "BLOCKS|HOSTS")]
    allow: Option<String>,
    /// What the handler http never calls, whatever is allowed
    #[arg(long, value_name = "BLOCKS|HOSTS")]
    deny: Option<String>,
    /// The ports that the handler http may call [default: 80,443,8080,8443]
    #[arg(long, value_name = "PORTS")]
    ports: Option<String>,
}

impl RunArgs {
    fn overrides(&self) -> Vec<Override> {
        [
            Override::flag(
                "--tracker-url",
                "worker.tracker_url",
                self.tracker_url.as_ref(),
            ),
            Override::flag("--group", "worker.group", self.group.as_ref()),
            Override::flag("--name", "worker.name", self.name.as_ref()),
            Override::flag("--permits", "worker.permits", self.permits.as_ref()),
            Override::flag("--handlers", "worker.handlers", self.handlers.as_ref()),
            Override::flag("--allow", "http_handler.allow", self.allow.as_ref()),
            Override::flag("--deny", "http_handler.deny", self.deny.as_ref()),
            Override::flag("--ports", "http_handler.ports", self.ports.as_ref()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

pub(crate) async fn run(global: &Global, args: WorkerArgs) -> Result<(), Failure> {
    match args.command {
        Some(WorkerCommand::List(args)) => list(global, args).await,
        Some(WorkerCommand::Drain(args)) => {
            let client = global.connect().await?;
            let worker = client.drain_worker(&args.id).await?;
            global.output.list(&[Worker::from(worker)])
        }
        Some(WorkerCommand::Undrain(args)) => {
            let client = global.connect().await?;
            let worker = client.undrain_worker(&args.id).await?;
            global.output.list(&[Worker::from(worker)])
        }
        None => work(args.run).await,
    }
}

async fn list(global: &Global, args: ListArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let answer = client.workers(Some(&args.group)).await?;
    tell_unreadable(answer.unreadable);
    let workers: Vec<_> = answer.workers.into_iter().map(Worker::from).collect();
    global.output.list(&workers)
}

async fn work(args: RunArgs) -> Result<(), Failure> {
    let config = config::load(&args.config, &Environment::of_process(), args.overrides())?;
    if args.config.print_config {
        return put(&config.to_toml());
    }
    telemetry::start(&config.log)?;
    let mut shutdown = Shutdown::listen()?;
    let worker = builtin_worker(&config, &Lateness::default())?;
    shutdown.requested().await;
    tracing::info!("stopping: finishing what runs");
    let stopped = worker
        .drain()
        .await
        .map_err(|e| Failure::broken(format!("the worker did not drain: {e}")))?;
    tracing::info!(?stopped, "stopped");
    Ok(())
}
