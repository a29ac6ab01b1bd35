//! How the parts of a tracker know each other: each is made here, once, and is given its neighbours.
//!
//! Whoever comes later may know whoever came before, never the other way round. There is no state in any of them that matters: everything a
//! crash would take is in Redis.

use std::sync::Arc;

use tickwheel_store::Store;
use tickwheel_store::roster::LiveTracker;
use tickwheel_store::setup::Server;
use tickwheel_store::wheel::TurnLimits;
use tokio_util::task::TaskTracker;

use crate::access::{AccessUpkeep, Audit, Authority};
use crate::batches::Calls;
use crate::config::Config;
use crate::dispatch::{Dispatch, Refusals};
use crate::fan_out::{Expansion, LostParts, MapPages, ResultPages};
use crate::health::{Health, Stuck};
use crate::inbound::Inbound;
use crate::limits::Limits;
use crate::live::{Hub, Overviews, Rings};
use crate::matching::Matching;
use crate::membership::{Drains, Evictions, Expulsions, Heartbeat, LostTrackers, Roster};
use crate::outcomes::{
    AttemptLogs, Outbox, Reaper, Releases, Renewals, SettledIn, Settlements, Told, Waits,
};
use crate::planning::Planner;
use crate::rates::Rates;
use crate::redis_health::{Outage, Room};
use crate::rpc::api::{ApiContext, Asked, Ids};
use crate::rpc::intake::Intake;
use crate::rpc::worker::Streams;
use crate::seldom::{LINE_EVERY, Seldom};
use crate::sessions::Sessions;
use crate::wheel::{FollowUp, Rng, Turner, Visits};

/// Who a tracker is, and what stands around it.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) store: Store,
    pub(crate) own: LiveTracker,
    /// A number that no other start of a tracker has.
    pub(crate) incarnation: u64,
    /// What Redis said about itself.
    pub(crate) server: Server,
    pub(crate) health: Arc<Health>,
    /// Whether trackers that workers lost are dialled, to see whether they are there.
    pub(crate) probes: bool,
}

/// Work that a graceful stop waits for.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) settling: TaskTracker,
    /// Calls with what is submitted, waited for when nothing more is.
    pub(crate) submitting: TaskTracker,
}

impl Background {
    fn of(settling: TaskTracker, api: &ApiContext) -> Self {
        Self {
            settling,
            submitting: api.intake.tasks(),
        }
    }
}

/// A tracker whose parts are connected; nothing runs yet.
#[derive(Debug)]
pub(crate) struct Wired {
    pub(crate) tasks: Background,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) turner: Turner,
    /// Workers come in here.
    pub(crate) streams: Arc<Streams>,
    /// Callers come in here.
    pub(crate) api: Arc<ApiContext>,
    /// Those who watch.
    pub(crate) hub: Arc<Hub>,
    /// Writes down who was refused, and ends the streams of workers that may not stay.
    pub(crate) watches: (AccessUpkeep, Expulsions),
}

/// Parts that several others know.
struct Common {
    store: Store,
    tasks: TaskTracker,
    sessions: Arc<Sessions>,
    matching: Arc<Matching>,
    limits: Arc<Limits>,
    outage: Arc<Outage>,
    roster: Arc<Roster>,
    releases: Arc<Releases>,
    reaper: Arc<Reaper>,
    waits: Arc<Waits>,
    room: Arc<Room>,
    drains: Arc<Drains>,
    settled: Arc<SettledIn>,
}

/// Connects the parts of a tracker.
pub(crate) fn wire(config: &Config, around: Surroundings) -> Wired {
    let (store, tasks) = (around.store.clone(), TaskTracker::new());
    let calls = Calls::new(store.partitions(), tasks.clone());
    let sessions = Arc::new(Sessions::default());
    let audit = Arc::new(Audit::new(store.clone(), around.own.id.clone()));
    let submissions = config.quotas.contexts_per_second.clone();
    let rates = Arc::new(Rates::new(config.rates.clone(), submissions));
    let (kept, shared) = (Arc::clone(&audit), Arc::clone(&rates));
    let authority = Authority::new(&config.access, store.clone(), kept, shared);
    let authority = Arc::new(authority);
    let (outage, room) = (Arc::default(), Arc::new(Room::new(store.clone())));
    let common = Common {
        matching: Matching::new(store.clone(), Arc::clone(&sessions)),
        limits: Limits::new(store.clone(), tasks.clone()),
        roster: Roster::new(around.own, store.partitions(), Arc::clone(&sessions)),
        releases: Releases::new(&calls, store.clone(), Arc::clone(&room)),
        reaper: Reaper::new(
            store.clone(),
            config.dispatch_lease,
            Arc::clone(&sessions),
            (Arc::clone(&outage), Arc::clone(&room)),
            tasks.clone(),
        ),
        waits: Waits::new(store.clone()),
        drains: Drains::new(store.clone(), Arc::clone(&sessions)),
        settled: Arc::default(),
        room,
        outage,
        sessions,
        tasks,
        store,
    };
    let stuck = Arc::new(Stuck::default());
    let heartbeat = Heartbeat {
        store: common.store.clone(),
        every: config.heartbeat_interval,
        ttl: config.heartbeat_ttl(),
        roster: Arc::clone(&common.roster),
        sessions: Arc::clone(&common.sessions),
        limits: Arc::clone(&common.limits),
        authority: Arc::clone(&authority),
        rates: Arc::clone(&rates),
        drains: Arc::clone(&common.drains),
        outage: Arc::clone(&common.outage),
        health: around.health,
        stuck: Arc::clone(&stuck),
        next_worker: 0,
    };
    let turner = Turner::new(visits(config, &common), Arc::clone(&common.roster), stuck);
    let expulsions = Expulsions {
        every: config.access.recheck / 2,
        authority: Arc::clone(&authority),
        sessions: Arc::clone(&common.sessions),
    };
    let upkeep = AccessUpkeep::new(Arc::clone(&authority), audit);
    let intake = Intake::new(common.store.clone());
    let asked = asked(config, &common, (&authority, rates));
    let (store, new) = (common.store.clone(), (Ids::new(around.incarnation), intake));
    let api = ApiContext::new(config, store, asked, new, around.server);
    let streams = streams(config, &common, (&calls, authority), around.probes);
    Wired {
        tasks: Background::of(common.tasks, &api),
        sessions: common.sessions,
        roster: common.roster,
        heartbeat,
        turner,
        streams,
        hub: Arc::clone(&api.hub),
        api,
        watches: (upkeep, expulsions),
    }
}

/// What calls ask.
fn asked(
    config: &Config,
    common: &Common,
    (authority, rates): (&Arc<Authority>, Arc<Rates>),
) -> Asked {
    let overviews = Overviews::new(common.store.clone(), Arc::clone(&common.roster));
    let overviews = Arc::new(overviews);
    let hub = Hub::new(
        common.store.clone(),
        (Arc::clone(&overviews), Arc::clone(&common.settled)),
        (Arc::clone(authority), config.access.recheck / 2),
    );
    Asked {
        authority: Arc::clone(authority),
        rates,
        matching: Arc::clone(&common.matching),
        limits: Arc::clone(&common.limits),
        waits: Arc::clone(&common.waits),
        drains: Arc::clone(&common.drains),
        overviews,
        rings: Rings::new(common.store.clone()),
        hub,
    }
}

/// What turns need, and what follows from them.
fn visits(config: &Config, common: &Common) -> Visits {
    let (store, tasks) = (&common.store, &common.tasks);
    Visits {
        store: store.clone(),
        turn_limits: TurnLimits {
            dispatch_lease: config.dispatch_lease,
            entries: config.turn_limit,
        },
        sessions: Arc::clone(&common.sessions),
        matching: Arc::clone(&common.matching),
        limits: Arc::clone(&common.limits),
        dispatch: Dispatch::new(
            Arc::clone(&common.sessions),
            Arc::clone(&common.matching),
            Arc::clone(&common.releases),
            config.dispatch_lease,
        ),
        releases: Arc::clone(&common.releases),
        follow_up: FollowUp {
            planner: Planner::new(store.clone(), tasks.clone()),
            outbox: Outbox::new(store.clone(), tasks.clone()),
            expansion: Expansion::new(
                store.clone(),
                Arc::clone(&common.sessions),
                Arc::clone(&common.matching),
                tasks.clone(),
            ),
            lost_parts: LostParts::new(store.clone(), Arc::clone(&common.sessions), tasks.clone()),
            limits: Arc::clone(&common.limits),
            outage: Arc::clone(&common.outage),
            reaper: Arc::clone(&common.reaper),
        },
        outage: Arc::clone(&common.outage),
        room: Arc::clone(&common.room),
        draws: Rng::of(&common.roster.own.id),
        unread_offers: Seldom::new(LINE_EVERY),
    }
}

/// What the streams of workers need.
fn streams(
    config: &Config,
    common: &Common,
    (calls, authority): (&Calls, Arc<Authority>),
    probes: bool,
) -> Arc<Streams> {
    let (store, tasks) = (&common.store, &common.tasks);
    let (sessions, roster) = (&common.sessions, &common.roster);
    let attempt_logs = AttemptLogs::new(store.clone(), tasks.clone());
    let renewals = Renewals::new(calls, store.clone(), Arc::clone(&common.room));
    let inbound = Inbound {
        partitions: store.partitions(),
        sessions: Arc::clone(sessions),
        settlements: Settlements::new(
            calls,
            store.clone(),
            Arc::clone(&attempt_logs),
            Told {
                waits: Arc::clone(&common.waits),
                room: Arc::clone(&common.room),
                settled: Arc::clone(&common.settled),
            },
            tasks.clone(),
        ),
        attempt_logs,
        lost_trackers: LostTrackers::new(
            config,
            store.clone(),
            Arc::clone(roster),
            Arc::clone(&renewals),
            probes,
        ),
        renewals,
        refusals: Refusals {
            partitions: store.partitions(),
            sessions: Arc::clone(sessions),
            releases: Arc::clone(&common.releases),
        },
        map_pages: MapPages::new(calls, store.clone()),
        results: ResultPages::new(store.clone(), tasks.clone()),
    };
    let evictions = Evictions::new(
        config,
        store.clone(),
        Arc::clone(sessions),
        Arc::clone(roster),
        Arc::clone(&common.reaper),
    );
    Streams::new(
        config,
        (Arc::clone(sessions), authority),
        Arc::clone(roster),
        inbound,
        (evictions, Arc::clone(&common.drains)),
    )
}
