//! `tickwheel dev`: everything in one process, until Ctrl-C.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Config, ConfigArgs, Environment, Override};
use crate::dev::{DevCluster, DevOptions};
use crate::failure::Failure;
use crate::output::put;
use crate::shutdown::Shutdown;
use crate::telemetry;

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// What a development cluster can be told; `quickstart` takes the same.
#[derive(Debug, Args)]
pub(crate) struct ClusterArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Use this Redis instead of starting one
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Where the Redis that is started keeps its data
    #[arg(long, value_name = "DIR", default_value = ".tickwheel")]
    data_dir: PathBuf,
    /// Where workers and clients reach the tracker
    #[arg(long, value_name = "ADDRESS")]
    grpc_listen: Option<String>,
    /// Where the tracker answers health, readiness, metrics, the HTTP API and xcron; off: nowhere
    #[arg(long, value_name = "ADDRESS")]
    http_listen: Option<String>,
}

impl ClusterArgs {
    /// What was configured. Life-cycle messages would hide what a person wants to see here, so only warnings are logged
    /// unless something else is asked for. Nobody is asked for a token: the tracker listens on loopback, or does not start.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let defaults = [("log.level", "warn"), ("access.mode", "open")];
        let defaults = defaults.map(|(key, value)| Override {
            source: "default of this command".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        });
        let flags = [
            Override::flag(
                "--grpc-listen",
                "tracker.grpc_listen",
                self.grpc_listen.as_ref(),
            ),
            Override::flag(
                "--http-listen",
                "tracker.http_listen",
                self.http_listen.as_ref(),
            ),
            Override::flag("--redis", "redis.url", self.redis.as_ref()),
        ];
        config::load_with_defaults(
            defaults,
            &self.config,
            &Environment::of_process(),
            flags.into_iter().flatten().collect(),
        )
    }

    pub(crate) fn options(self, config: Config) -> DevOptions {
        DevOptions {
            config,
            redis: self.redis,
            data_dir: self.data_dir,
        }
    }
}

pub(crate) async fn run(args: DevArgs) -> Result<(), Failure> {
    let config = args.cluster.load()?;
    if args.cluster.config.print_config {
        return put(&config.to_toml());
    }
    telemetry::start(&config.log)?;
    let mut shutdown = Shutdown::listen()?;
    let mut cluster = start(args.cluster.options(config), &mut shutdown).await?;
    put(&welcome(&cluster))?;
    tokio::select! {
        () = shutdown.requested() => {}
        // Without Redis there is nothing to hand over to.
        () = cluster.redis_ended() => return Err(Failure::broken("the Redis server has ended by itself")),
    }
    put("stopping: worker, tracker, Redis (Ctrl-C again: at once)\n")?;
    cluster.stop_unless(&mut shutdown).await;
    Ok(())
}

/// Starts the cluster, unless a signal comes first; then nothing is left behind either, as a Redis that was started is
/// killed when the start is dropped.
pub(crate) async fn start(
    options: DevOptions,
    shutdown: &mut Shutdown,
) -> Result<DevCluster, Failure> {
    tokio::select! {
        started = Box::pin(DevCluster::start(options)) => started,
        () = shutdown.requested() => Err(Failure::failed("stopped while starting")),
    }
}

/// Where everything is, and what to do next.
pub(crate) fn welcome(cluster: &DevCluster) -> String {
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "tickwheel".to_owned());
    let server = cluster.server();
    let server = if server == "http://127.0.0.1:7400" {
        String::new()
    } else {
        format!(" --server {server}")
    };
    let mut text = format!("tickwheel {} is running\n\n", env!("CARGO_PKG_VERSION"));
    for (name, value) in cluster.addresses() {
        text.push_str(&format!("  {name:<8} {value}\n"));
    }
    text.push_str(&format!(
        "\nnext:\n  {program} submit echo --body '{{\"hello\":\"wheel\"}}' --wait{server}\n  \
         {program} apply -f deploy/examples/quickstart.yaml{server}\n  \
         {program} job list{server}\n\nCtrl-C stops.\n"
    ));
    text
}
