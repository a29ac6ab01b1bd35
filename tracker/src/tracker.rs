//! Starting and stopping a tracker: the order in which its parts come up, and the reverse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::error::Violations;
use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::zone::table;
use tickwheel_proto::credential::host;
use tickwheel_proto::v1::TrackerMessage;
use tickwheel_store::epoch::Guard;
use tickwheel_store::roster::LiveTracker;
use tickwheel_store::setup::Server as StoreServer;
use tickwheel_store::{Redis, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;

use crate::access::bootstrap;
use crate::config::{AccessMode, Config};
use crate::error::Error;
use crate::health::Health;
use crate::live::Hub;
use crate::matching::PlacementSweep;
use crate::membership::Roster;
use crate::periodic::{self, Periodic};
use crate::planning::forget::OnceForgetting;
use crate::planning::renew::PlanRenewal;
use crate::redis_health::{self, HistoryTending, Settings};
use crate::sessions::Sessions;
use crate::surfaces::{Doors, Surfaces};
use crate::tls::{Reload, Serving};
use crate::wheel::{HeldGauges, ScriptCounters};
use crate::wiring::{Background, Surroundings, Wired, wire};

/// A stopping tracker waits this long for settlements that are on their way.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// A running tracker.
#[derive(Debug)]
pub struct Tracker {
    own: LiveTracker,
    health: Arc<Health>,
    sessions: Arc<Sessions>,
    hub: Arc<Hub>,
    /// Background work that a stop waits for.
    background: Background,
    durability: String,
    grpc_addr: SocketAddr,
    http_addr: Option<SocketAddr>,
    scheme: &'static str,
    drain_timeout: Duration,
    stop_turning: CancellationToken,
    stop_serving: CancellationToken,
    /// What turns, gives heartbeats and looks until it is told to stop.
    loops: Vec<JoinHandle<()>>,
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
        let tls = serving(&config).map_err(Error::Config)?;
        // Before anybody is told of this tracker: an address that is taken stops the start.
        let doors = Doors::open(&config).await?;
        let (grpc_addr, http_addr) = (doors.grpc_addr, doors.http_addr);
        let (store, server) = open(&config).await?;
        let guard = guarded(&config, &store).await?;
        let (incarnation, tracker_id) = store.next_incarnation().await?;
        let (heard, hearing) = store.hear().await?;
        let own = LiveTracker {
            id: tracker_id,
            url: advertised(&config, grpc_addr),
        };
        let health = Arc::new(Health::new());
        let around = Surroundings {
            store: store.clone(),
            own: own.clone(),
            incarnation,
            server: server.clone(),
            health: Arc::clone(&health),
            probes: true,
        };
        let mut wired = wire(&config, around);
        let (stop_turning, stop_serving) = (CancellationToken::new(), CancellationToken::new());
        // The first turn wants the roster.
        wired.heartbeat.run_once().await;
        let encrypted = (&config, tls.as_ref());
        let surfaces = doors.serve(encrypted, &wired, &health, &stop_serving)?;
        let mut loops = upkeep((&config, tls), &store, &wired.roster, &stop_turning);
        let Wired {
            tasks,
            sessions,
            heartbeat,
            turner,
            hub,
            watches,
            ..
        } = wired;
        let stop = &stop_turning;
        loops.extend([spawn(watches.0, stop), spawn(watches.1, stop)]);
        let settings = Settings {
            store,
            health: Arc::clone(&health),
            eviction: config.eviction,
            promises: config.durability.clone(),
            known: server.clone(),
        };
        loops.push(spawn(settings, stop));
        let hearing = redis_health::watch_hearing(hearing, Arc::clone(&health), stop.clone());
        loops.push(tokio::spawn(hearing));
        loops.push(tokio::spawn(heartbeat.run(stop.clone())));
        loops.push(tokio::spawn(turner.run(heard, stop.clone())));
        tracing::info!(tracker = %own.id, grpc = %grpc_addr, http = ?http_addr, zones = %table(), "tracker started");
        Ok(Self {
            own,
            health,
            sessions,
            hub,
            background: tasks,
            durability: server.durability(),
            grpc_addr,
            http_addr,
            scheme: scheme(&config),
            drain_timeout: config.drain_timeout,
            stop_turning,
            stop_serving,
            loops,
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

    /// How URLs of both begin: `https`, or `http` without TLS.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Its id, unique per start.
    #[must_use]
    pub fn id(&self) -> &TrackerId {
        &self.own.id
    }

    /// What can be lost with this Redis, and under which failure, in one sentence.
    #[must_use]
    pub fn durability(&self) -> &str {
        &self.durability
    }

    /// Stops gracefully: no more turns, signs off so that the other trackers take over, lets settlements on their way be written, ends
    /// the streams. Returns within [`Config::drain_timeout`]; what is cut off then is repaired by the ends of leases.
    pub async fn stop(self) {
        let limit = self.drain_timeout;
        self.health.drain();
        tracing::info!(tracker = %self.own.id, "tracker stops");
        if tokio::time::timeout(limit, self.wind_down()).await.is_err() {
            tracing::warn!(
                seconds = limit.as_secs(),
                "did not stop in time; leases repair what was cut off"
            );
        }
    }

    async fn wind_down(self) {
        self.stop_turning.cancel();
        self.hub.end();
        for one in self.loops {
            // A task that panicked has nothing left to wind down.
            one.await.ok();
        }
        self.sessions.tell_all(|| TrackerMessage {
            drain: true,
            ..TrackerMessage::default()
        });
        settle_down(&self.background.settling, "settlements").await;
        for session in self.sessions.all() {
            session.end(Status::unavailable("the tracker stops"));
        }
        self.stop_serving.cancel();
        self.surfaces.ended().await;
        // What was taken in while the rest settled.
        settle_down(&self.background.submitting, "submissions").await;
    }
}

/// What is looked after beside turning: placements, plans, history, figures for the metrics, and the certificate.
fn upkeep(
    (config, tls): (&Config, Option<Arc<Serving>>),
    store: &Store,
    roster: &Arc<Roster>,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let (store, roster) = (|| store.clone(), || Arc::clone(roster));
    let placements = PlacementSweep {
        store: store(),
        roster: roster(),
    };
    let gauges = HeldGauges {
        store: store(),
        roster: roster(),
    };
    let history = HistoryTending {
        budget: config.history.of_partition(store().partitions()),
        store: store(),
    };
    let counters = ScriptCounters { store: store() };
    let once = OnceForgetting::new(store(), roster(), config.history.once_keep);
    let reload = tls.map(|tls| spawn(Reload::new(tls), stop));
    let others = [
        spawn(placements, stop),
        spawn(gauges, stop),
        spawn(history, stop),
        spawn(counters, stop),
        spawn(once, stop),
        spawn(PlanRenewal::new(store()), stop),
    ];
    others.into_iter().chain(reload).collect()
}

fn spawn(periodic: impl Periodic + 'static, stop: &CancellationToken) -> JoinHandle<()> {
    let stop = stop.clone();
    tokio::spawn(async move {
        periodic::run(periodic, stop).await;
    })
}

/// What workers are told of this tracker.
fn advertised(config: &Config, grpc: SocketAddr) -> String {
    let given = config.advertise_url.clone();
    given.unwrap_or_else(|| format!("{}://{grpc}", scheme(config)))
}

fn scheme(config: &Config) -> &'static str {
    if config.tls.is_some() {
        "https"
    } else {
        "http"
    }
}

/// The certificate, where there is one, for the host that workers are told of.
fn serving(config: &Config) -> Result<Option<Arc<Serving>>, Violations> {
    let Some(tls) = config.tls.clone() else {
        return Ok(None);
    };
    let url = advertised(config, config.grpc_listen);
    let host = host(&url).unwrap_or_default().to_owned();
    Serving::start(tls, host).map(Arc::new).map(Some)
}

/// Takes down how new the store is, and sees to it that somebody may do something with it.
async fn guarded(config: &Config, store: &Store) -> Result<Guard, Error> {
    let guard = store.guard().await?;
    if let Some(file) = &config.access.bootstrap_token_file
        && config.access.mode == AccessMode::Tokens
    {
        bootstrap(store, file).await?;
    }
    Ok(guard)
}

/// Connects to Redis, opens the cluster, and says what can be lost with it.
async fn open(config: &Config) -> Result<(Store, StoreServer), Error> {
    let partitions = PartitionCount::new(config.partitions)
        .map_err(|violation| Error::Config(violation.into()))?;
    let redis = Redis::connect_with(&config.redis_url, &config.redis_tls).await?;
    let opened = Store::open_on(redis, &config.prefix, partitions, config.eviction).await;
    let (store, server) = opened?;
    redis_health::report(&server, config.eviction, &config.durability);
    // A mode that these servers do not have stops the start, not the first call.
    for mode in config.durability.modes() {
        store.durable(mode, config.durability.wait)?;
    }
    Ok((store, server))
}

/// Waits until nothing is on its way into Redis, at most [`FLUSH_TIMEOUT`].
async fn settle_down(background: &TaskTracker, what: &str) {
    background.close();
    if tokio::time::timeout(FLUSH_TIMEOUT, background.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            tasks = background.len(),
            "some {what} are still on their way; who waits for an answer asks another tracker"
        );
    }
}
