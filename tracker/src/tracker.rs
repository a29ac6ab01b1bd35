//! Starting and stopping a tracker: the order in which its parts come up, and the reverse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::zone::table;
use tickwheel_proto::v1::TrackerMessage;
use tickwheel_store::epoch::Guard;
use tickwheel_store::setup::Server as StoreServer;
use tickwheel_store::{Redis, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::http::health::Health;
use crate::matching::lane_sweep;
use crate::membership::roster;
use crate::metrics::gauges;
use crate::planning::renew;
use crate::redis_health::fitness::{self, Fitness};
use crate::redis_health::hearing;
use crate::rpc::shared::Shared;
use crate::surfaces::{Doors, Surfaces};
use crate::wheel::turner::Turner;

/// A stopping tracker waits this long for settlements that are on their way.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// A running tracker.
#[derive(Debug)]
pub struct Tracker {
    engine: Arc<Engine>,
    health: Arc<Health>,
    durability: String,
    grpc_addr: SocketAddr,
    http_addr: Option<SocketAddr>,
    stop_turning: CancellationToken,
    stop_serving: CancellationToken,
    turning: JoinHandle<()>,
    beating: JoinHandle<()>,
    fitness: JoinHandle<()>,
    hearing: JoinHandle<()>,
    renewing: JoinHandle<()>,
    _guard: Guard,
    surfaces: Surfaces,
}

impl Tracker {
    /// Connects to Redis, checks it, and serves. When this returns, the tracker turns the wheel and takes workers and callers.
    ///
    /// # Errors
    /// Says what is wrong and what to do: a configuration that breaks a rule, an address in use, a Redis that does not answer, is too
    /// old, evicts keys, or holds a cluster with another partition count.
    pub async fn start(config: Config) -> Result<Self, Error> {
        config.validate().map_err(Error::Config)?;
        // Before anybody is told of this tracker: an address that is taken stops the start.
        let doors = Doors::open(&config).await?;
        let (grpc_addr, http_addr) = (doors.grpc_addr, doors.http_addr);
        let (store, server) = open(&config).await?;
        let guard = store.guard().await?;
        let (incarnation, tracker_id) = store.next_incarnation().await?;
        let url = config
            .advertise_url
            .clone()
            .unwrap_or_else(|| format!("http://{grpc_addr}"));
        let (heard, hearing) = store.redis().hear(wake_channels(&store)).await?;
        let engine = Arc::new(Engine::new(config.clone(), store.clone(), tracker_id, url));
        let health = Arc::new(Health::new());
        let shared = Arc::new(Shared::new(
            Arc::clone(&engine),
            incarnation,
            server.clone(),
        ));
        let (stop_turning, stop_serving) = (CancellationToken::new(), CancellationToken::new());
        roster::beat(&engine, &health).await;
        let surfaces = doors.serve(&engine, shared, &health, &stop_serving)?;
        let beating = tokio::spawn(roster::run(
            Arc::clone(&engine),
            Arc::clone(&health),
            stop_turning.clone(),
        ));
        let hearing = hearing::watch(hearing, Arc::clone(&health), stop_turning.clone());
        let hearing = tokio::spawn(hearing);
        let fitness = Fitness {
            store: store.clone(),
            health: Arc::clone(&health),
            eviction: config.eviction,
            promises: config.durability.clone(),
            history: config.history,
        };
        let fitness = fitness.watch(server.clone(), stop_turning.clone());
        let gauges = gauges::watch(Arc::clone(&engine), stop_turning.clone());
        let lanes = lane_sweep::watch(Arc::clone(&engine), stop_turning.clone());
        let fitness = tokio::spawn(async move {
            tokio::join!(fitness, gauges, lanes);
        });
        let renewing = tokio::spawn(renew::run(Arc::clone(&engine), stop_turning.clone()));
        let turning =
            tokio::spawn(Turner::new(Arc::clone(&engine)).run(heard, stop_turning.clone()));
        tracing::info!(tracker = %engine.tracker_id, grpc = %grpc_addr, http = ?http_addr, zones = %table(), "tracker started");
        Ok(Self {
            engine,
            health,
            durability: server.durability,
            grpc_addr,
            http_addr,
            stop_turning,
            stop_serving,
            turning,
            beating,
            fitness,
            hearing,
            renewing,
            _guard: guard,
            surfaces,
        })
    }

    /// Where workers and clients reach it.
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Where health and metrics are served.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http_addr
    }

    /// Its id, unique per start.
    #[must_use]
    pub fn id(&self) -> &TrackerId {
        &self.engine.tracker_id
    }

    /// What can be lost with this Redis, and under which failure, in one sentence.
    #[must_use]
    pub fn durability(&self) -> &str {
        &self.durability
    }

    /// Stops gracefully: no more turns, signs off so that the other trackers take over, lets settlements on their way be written, ends
    /// the streams. Returns within [`Config::drain_timeout`]; what is cut off then is repaired by the ends of leases.
    pub async fn stop(self) {
        let limit = self.engine.config.drain_timeout;
        self.health.drain();
        tracing::info!(tracker = %self.engine.tracker_id, "tracker stops");
        if tokio::time::timeout(limit, self.wind_down()).await.is_err() {
            tracing::warn!(
                seconds = limit.as_secs(),
                "did not stop in time; leases repair what was cut off"
            );
        }
    }

    async fn wind_down(self) {
        self.stop_turning.cancel();
        // A task that panicked has nothing left to wind down.
        self.turning.await.ok();
        self.beating.await.ok();
        self.fitness.await.ok();
        self.hearing.await.ok();
        self.renewing.await.ok();
        for session in self.engine.sessions.all() {
            session
                .send(TrackerMessage {
                    drain: true,
                    ..TrackerMessage::default()
                })
                .ok();
        }
        settle_down(&self.engine).await;
        for session in self.engine.sessions.all() {
            session.end(Status::unavailable("the tracker stops"));
        }
        self.stop_serving.cancel();
        self.surfaces.ended().await;
    }
}

fn wake_channels(store: &Store) -> Vec<String> {
    let partitions = store.partitions().partitions();
    partitions
        .map(|partition| store.keys().wake(partition))
        .collect()
}

/// Connects to Redis, opens the cluster, and says what can be lost with it.
async fn open(config: &Config) -> Result<(Store, StoreServer), Error> {
    let partitions = PartitionCount::new(config.partitions)
        .map_err(|violation| Error::Config(violation.into()))?;
    let redis = Redis::connect(&config.redis_url).await?;
    let opened = Store::open_on(redis, &config.prefix, partitions, config.eviction).await;
    let (store, server) = opened?;
    fitness::report(&server, config.eviction, &config.durability);
    // A mode that these servers do not have stops the start, not the first call.
    for mode in config.durability.modes() {
        store.durable(mode, config.durability.wait)?;
    }
    Ok((store, server))
}

/// Waits until nothing is on its way into Redis, at most [`FLUSH_TIMEOUT`].
async fn settle_down(engine: &Engine) {
    engine.tasks.close();
    if tokio::time::timeout(FLUSH_TIMEOUT, engine.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            tasks = engine.tasks.len(),
            "some settlements are still on their way; the workers report them elsewhere"
        );
    }
}
