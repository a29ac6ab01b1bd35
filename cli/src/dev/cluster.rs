//! The three of them together: started in the order Redis, tracker, worker, and stopped in the opposite order.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use tickwheel_tracker::Tracker;
use tickwheel_worker::{RunningWorker, Trust};

use super::builtin::{builtin_worker, trust};
use super::datadir::DataDir;
use super::lateness::Lateness;
use super::redis::OwnRedis;
use crate::commands::tracker::{tracker_config, tracker_failure};
use crate::config::{Config, Listen, Secret, TrackerSection};
use crate::failure::Failure;
use crate::shutdown::Shutdown;

/// What a development cluster is made of.
#[derive(Debug)]
pub(crate) struct DevOptions {
    pub(crate) config: Config,
    /// Use this Redis instead of one of our own.
    pub(crate) redis: Option<String>,
    /// Where our own Redis keeps its data.
    pub(crate) data_dir: PathBuf,
}

/// A running development cluster.
#[derive(Debug)]
pub(crate) struct DevCluster {
    redis: Option<OwnRedis>,
    tracker: Tracker,
    worker: RunningWorker,
    trust: Trust,
    redis_cli: String,
    pub(crate) lateness: Lateness,
}

impl DevCluster {
    /// Starts everything; what was started is stopped again when something fails.
    ///
    /// # Errors
    /// Usage, when Redis is not installed or the data directory is in use; otherwise what the parts say.
    pub(crate) async fn start(options: DevOptions) -> Result<Self, Failure> {
        let mut config = options.config;
        let redis = match options.redis {
            Some(url) => {
                config.redis.url = Secret(url);
                None
            }
            None => {
                let redis = OwnRedis::start(DataDir::take(&options.data_dir)?).await?;
                config.redis.own(redis.url());
                Some(redis)
            }
        };
        match start_on_redis(&mut config).await {
            Ok((tracker, worker, lateness)) => Ok(Self {
                redis,
                tracker,
                worker,
                trust: trust(&config.worker),
                redis_cli: config.redis.cli_line(),
                lateness,
            }),
            Err(failure) => {
                stop_redis(redis).await;
                Err(failure)
            }
        }
    }

    /// Where the API is.
    pub(crate) fn server(&self) -> String {
        url(&self.tracker)
    }

    /// Who vouches for it.
    pub(crate) fn trust(&self) -> Trust {
        self.trust.clone()
    }

    /// The lines that tell a person where everything is.
    pub(crate) fn addresses(&self) -> Vec<(&'static str, String)> {
        let http = match self.tracker.http_addr() {
            Some(address) => format!(
                "{}://{address}  (the console; /api/v1, /healthz, /readyz, /metrics)",
                self.tracker.scheme()
            ),
            None => "off".to_owned(),
        };
        let redis = match &self.redis {
            Some(redis) => format!("{}  (data in {})", redis.cli_line(), redis.dir().display()),
            None => self.redis_cli.clone(),
        };
        vec![
            ("gRPC", self.server()),
            ("HTTP", http),
            ("Redis", redis),
            ("promise", self.tracker.durability().to_owned()),
        ]
    }

    /// Returns when our own Redis has ended, which it should not. Cancellation safe.
    pub(crate) async fn redis_ended(&mut self) {
        match &mut self.redis {
            Some(redis) => redis.ended().await,
            None => std::future::pending().await,
        }
    }

    /// As [`DevCluster::stop`]; another signal ends it at once. Redis is killed then, its append-only file stays intact.
    pub(crate) async fn stop_unless(self, shutdown: &mut Shutdown) {
        tokio::select! {
            () = self.stop() => {}
            () = shutdown.requested() => tracing::warn!("stopped without handing over"),
        }
    }

    /// Stops worker, tracker and Redis, in this order, so that each can still hand over to the next.
    async fn stop(self) {
        match self.worker.drain().await {
            Ok(stopped) => tracing::debug!(?stopped, "the worker has ended"),
            Err(e) => tracing::error!(error = %e, "the worker did not drain"),
        }
        self.tracker.stop().await;
        stop_redis(self.redis).await;
    }
}

async fn start_on_redis(
    config: &mut Config,
) -> Result<(Tracker, RunningWorker, Lateness), Failure> {
    move_taken_defaults(&mut config.tracker);
    let tracker = Tracker::start(tracker_config(config))
        .await
        .map_err(|e| tracker_failure(&e))?;
    config.worker.tracker_url = url(&tracker);
    let lateness = Lateness::default();
    match builtin_worker(config, &lateness) {
        Ok(worker) => Ok((tracker, worker, lateness)),
        Err(failure) => {
            tracker.stop().await;
            Err(failure)
        }
    }
}

fn url(tracker: &Tracker) -> String {
    format!("{}://{}", tracker.scheme(), tracker.grpc_addr())
}

async fn stop_redis(redis: Option<OwnRedis>) {
    if let Some(redis) = redis {
        redis.stop().await;
    }
}

/// Another program may use the default ports; one that the user chose is left as it is, and refused if it is taken.
fn move_taken_defaults(tracker: &mut TrackerSection) {
    let defaults = TrackerSection::default();
    if tracker.grpc_listen == defaults.grpc_listen {
        tracker.grpc_listen = free_or_other(tracker.grpc_listen);
    }
    if let Listen::At(address) = tracker.http_listen
        && tracker.http_listen == defaults.http_listen
    {
        tracker.http_listen = Listen::At(free_or_other(address));
    }
}

fn free_or_other(wanted: SocketAddr) -> SocketAddr {
    if TcpListener::bind(wanted).is_ok() {
        return wanted;
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_ne!(free_or_other(address), address);
        drop(taken);
        assert_eq!(free_or_other(address), address);
    }
}
