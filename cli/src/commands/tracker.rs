//! `tickwheel tracker`: one stateless tracker, until SIGTERM.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tickwheel_tracker::Tracker;
use tickwheel_tracker::config::{
    Access, AccessMode, Asked, Clients, Eviction, History, Quota, Quotas, Rates, Tls, Xcron,
};
use tickwheel_tracker::durability::Promises;

use crate::config::{
    self, ClientAuth, Config, ConfigArgs, Environment, Listen, Mode, Override, QuotasSection,
    RatesSection, TlsSection,
};
use crate::failure::Failure;
use crate::output::put;
use crate::shutdown::Shutdown;
use crate::telemetry;

#[derive(Debug, Args)]
pub(crate) struct TrackerArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Redis, where everything is kept
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Begins every key
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Where workers and clients reach it
    #[arg(long, value_name = "ADDRESS")]
    grpc_listen: Option<String>,
    /// Where it answers health, readiness, metrics, the HTTP API and xcron; off: nowhere
    #[arg(long, value_name = "ADDRESS")]
    http_listen: Option<String>,
    /// The URL under which workers reach it, if that is not grpc-listen
    #[arg(long, value_name = "URL")]
    advertise_url: Option<String>,
    /// Parts of the wheel; fixed when the cluster is created
    #[arg(long, value_name = "N")]
    partitions: Option<String>,
}

impl TrackerArgs {
    fn overrides(&self) -> Vec<Override> {
        [
            Override::flag("--redis", "redis.url", self.redis.as_ref()),
            Override::flag("--prefix", "redis.prefix", self.prefix.as_ref()),
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
            Override::flag(
                "--advertise-url",
                "tracker.advertise_url",
                self.advertise_url.as_ref(),
            ),
            Override::flag(
                "--partitions",
                "tracker.partitions",
                self.partitions.as_ref(),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

pub(crate) async fn run(args: TrackerArgs) -> Result<(), Failure> {
    let config = config::load(&args.config, &Environment::of_process(), args.overrides())?;
    if args.config.print_config {
        return put(&config.to_toml());
    }
    telemetry::start(&config.log)?;
    let mut shutdown = Shutdown::listen()?;
    let tracker = tokio::select! {
        started = Tracker::start(tracker_config(&config)) => started.map_err(|e| tracker_failure(&e))?,
        () = shutdown.requested() => return Ok(()),
    };
    tracing::info!(
        tracker = %tracker.id(),
        scheme = tracker.scheme(),
        grpc = %tracker.grpc_addr(),
        http = ?tracker.http_addr(),
        redis = %config.redis.url.masked(),
        durability = tracker.durability(),
        "the tracker turns"
    );
    shutdown.requested().await;
    tracing::info!("stopping: handing over");
    tracker.stop().await;
    Ok(())
}

/// The tracker's own configuration, made from the sections.
pub(crate) fn tracker_config(config: &Config) -> tickwheel_tracker::Config {
    let Config {
        tracker,
        redis,
        access,
        durability,
        history,
        ..
    } = config;
    tickwheel_tracker::Config {
        redis_url: redis.url.0.clone(),
        redis_tls: redis.tls(),
        prefix: redis.prefix.clone(),
        partitions: tracker.partitions,
        grpc_listen: tracker.grpc_listen,
        grpc_connections: tracker.grpc_connections,
        grpc_connections_per_address: tracker.grpc_connections_per_address,
        http_listen: http_address(tracker.http_listen),
        advertise_url: Some(tracker.advertise_url.clone()).filter(|url| !url.is_empty()),
        dispatch_lease: tracker.dispatch_lease.0,
        heartbeat_interval: tracker.heartbeat_interval.0,
        turn_limit: tracker.turn_limit,
        drain_timeout: tracker.drain_timeout.0,
        durability: Promises {
            default: durability.default,
            namespaces: durability.namespaces.0.clone(),
            wait: durability.wait.0,
        },
        history: History {
            logs_mib: history.logs_mib,
            results_mib: history.results_mib,
            dead_mib: history.dead_mib,
            keep: history.keep.0,
            once_keep: history.once_keep.0,
        },
        access: Access {
            mode: match access.mode {
                Mode::Tokens => AccessMode::Tokens,
                Mode::Open => AccessMode::Open,
            },
            insecure_listen: access.insecure_listen,
            bootstrap_token_file: Some(&access.bootstrap_token_file)
                .filter(|file| !file.is_empty())
                .map(PathBuf::from),
            ..Access::default()
        },
        rates: rates(config),
        quotas: quotas(&config.quotas),
        tls: tls(&config.tls),
        xcron: xcron(config),
        eviction: if redis.allow_eviction {
            Eviction::Tolerated
        } else {
            Eviction::Refused
        },
    }
}

/// What each namespace may take.
fn quotas(section: &QuotasSection) -> Quotas {
    let QuotasSection {
        contexts_per_second,
        contexts_per_second_of,
        jobs,
        jobs_of,
    } = section;
    Quotas {
        contexts_per_second: Quota {
            default: contexts_per_second.0,
            namespaces: contexts_per_second_of.0.clone(),
        },
        jobs: Quota {
            default: jobs.0,
            namespaces: jobs_of.0.clone(),
        },
    }
}

/// What each token may ask for.
fn rates(config: &Config) -> Rates {
    let RatesSection {
        viewer_calls,
        submitter_calls,
        operator_calls,
        admin_calls,
        bytes,
    } = &config.rates;
    Rates {
        viewer_calls: viewer_calls.0,
        submitter_calls: submitter_calls.0,
        operator_calls: operator_calls.0,
        admin_calls: admin_calls.0,
        bytes: bytes.0,
    }
}

/// The files of a certificate, where one is named; a file that is not is one that cannot be read.
fn tls(section: &TlsSection) -> Option<Tls> {
    let TlsSection {
        cert,
        key,
        client_ca,
        client_auth,
    } = section;
    // Who says how certificates are asked for must not be left without.
    let asks = !client_ca.is_empty() || *client_auth != ClientAuth::Unsaid;
    // Whoever asks for certificates has one.
    let is_named = asks || [cert, key].iter().any(|file| !file.is_empty());
    let clients = asks.then(|| Clients {
        ca: client_ca.into(),
        asked: match client_auth {
            ClientAuth::Unsaid | ClientAuth::Required => Asked::Required,
            ClientAuth::Optional => Asked::Optional,
        },
    });
    is_named.then(|| Tls {
        clients,
        ..Tls::new(cert, key)
    })
}

/// With what this configuration says of where workers may call: theirs should say the same.
fn xcron(config: &Config) -> Xcron {
    let section = &config.xcron;
    Xcron {
        enabled: section.enabled,
        zone: section.zone.clone(),
        max_attempts: section.max_attempts.0,
        retry_delay: section.retry_delay.0,
        guard: config.http_handler.guard(),
    }
}

fn http_address(listen: Listen) -> Option<SocketAddr> {
    match listen {
        Listen::Off => None,
        Listen::At(address) => Some(address),
    }
}

/// A start that may succeed later is unavailable; one that needs another configuration is wrong usage; damage is neither.
pub(crate) fn tracker_failure(error: &tickwheel_tracker::Error) -> Failure {
    use tickwheel_store::Error as StoreError;
    use tickwheel_tracker::Error;

    let message = format!("the tracker does not start: {error}");
    if error.is_retryable() {
        Failure::unavailable(message)
    } else if matches!(
        error,
        Error::Store(StoreError::Contract { .. } | StoreError::Damaged { .. })
    ) {
        Failure::broken(message)
    } else {
        Failure::usage(message)
    }
}
