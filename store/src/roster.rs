//! Who is alive: trackers and workers with their reports. Scripts: `lua/tracker/`.

mod census;
mod drained;
mod report;

use std::time::Duration;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{GroupName, TrackerId, WorkerId};
use tickwheel_core::time::TimestampMs;

use crate::args::Args;
use crate::error::Error;
use crate::fields::Fields;
use crate::identity::Identity;
use crate::listed::Listed;
use crate::reply::{Element, Reply};
use crate::script::{HEARTBEAT, RETIRE};
use crate::store::Store;
pub use census::{Census, GroupCensus};
pub use report::{ReportedResource, WorkerReport};

/// Workers listed at most.
const LISTED_MAX: i64 = 10_000;

/// A live tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTracker {
    /// Its id.
    pub id: TrackerId,
    /// Where workers reach it.
    pub url: String,
}

/// A worker's heartbeat.
#[derive(Debug, Clone)]
pub struct WorkerHeartbeat {
    /// The worker.
    pub worker: WorkerId,
    /// Its group.
    pub group: GroupName,
    /// What it says of itself, when that is new.
    pub report: Option<WorkerReport>,
}

/// What a heartbeat is answered.
#[derive(Debug, Clone)]
pub struct HeartbeatReply {
    /// Redis' time.
    pub now: TimestampMs,
    /// The live trackers.
    pub live: Vec<LiveTracker>,
    /// How often limits of groups were given or taken away so far.
    pub limits_changed: u64,
    /// How often tokens were made, changed or revoked so far.
    pub tokens_changed: u64,
    /// How often workers were drained, or took work again, so far.
    pub drains_changed: u64,
    /// Keys of a wrong type. Those of the roster were made anew.
    pub damaged: Vec<String>,
}

/// A worker as the roster knows it.
#[derive(Debug, Clone)]
pub struct WorkerView {
    /// The worker.
    pub id: WorkerId,
    /// Its group.
    pub group: GroupName,
    /// When its last heartbeat expires.
    pub expires: TimestampMs,
    /// Since when it takes no more work, where somebody said so and that was asked for.
    pub drained: Option<TimestampMs>,
    /// What it said of itself last.
    pub report: WorkerReport,
}

/// Who is silent for so long that it is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Silence {
    /// Its last heartbeat is older than this; zero: in any case.
    pub longer_than: Duration,
    /// With which its heartbeats were written.
    pub ttl: Duration,
}

/// The longest time for which a heartbeat is good, as `lua/lib/bounds.lua` has it.
const TTL_MAX_MS: u64 = 600_000;

impl Store {
    /// Writes a heartbeat of `tracker` (unless `None`) and of up to 1,000 workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: call again.
    pub async fn heartbeat(
        &self,
        tracker: Option<&LiveTracker>,
        ttl: Duration,
        workers: &[WorkerHeartbeat],
    ) -> Result<HeartbeatReply, Error> {
        let mut args = vec![
            Value::from(""),
            Value::from(
                tracker
                    .map(|tracker| format!("{} {}", tracker.id, tracker.url))
                    .unwrap_or_default(),
            ),
            Value::from(ttl.as_millis().to_string()),
            Value::from(workers.len().to_string()),
        ];
        for heartbeat in workers {
            args.push(Value::from(heartbeat.group.as_str()));
            args.push(Value::from(heartbeat.worker.as_str()));
            args.push(Value::from(report_lines(heartbeat)));
        }
        let value = self
            .redis
            .call(&HEARTBEAT, vec![self.keys.trackers()], args)
            .await?;
        let reply = Reply::expect(HEARTBEAT.name(), value, "WRITTEN")?;
        Fields::read(reply, |fields| {
            let mut list = fields.list("live")?;
            let mut live = Vec::with_capacity(list.len());
            while !list.is_empty() {
                // What is no tracker is passed by.
                live.extend(live_tracker(&String::from_utf8_lossy(&list.bytes()?)));
            }
            let (identity, age) = Identity::parse(&fields.text("store")?);
            let trackers = u64::try_from(live.len()).unwrap_or(u64::MAX);
            self.redis.fence().seen(&identity, age, trackers);
            let damaged = fields.optional("damaged")?.map(Element::texts);
            Ok(HeartbeatReply {
                now: TimestampMs::new(fields.number("now_ms")?),
                live,
                limits_changed: fields.number("changes")?,
                tokens_changed: fields.count("tokens")?,
                drains_changed: fields.count("drains")?,
                damaged: damaged.transpose()?.unwrap_or_default(),
            })
        })
    }

    /// Forgets `tracker` and those of `workers`, as far as they are silent; answers with the workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: their heartbeats expire by themselves.
    pub async fn retire(
        &self,
        tracker: Option<&LiveTracker>,
        silence: Silence,
        workers: &[(GroupName, WorkerId)],
    ) -> Result<Vec<WorkerId>, Error> {
        let tracker = tracker.map(|tracker| format!("{} {}", tracker.id, tracker.url));
        let pairs = workers.iter().flat_map(|(group, worker)| {
            [Value::from(group.as_str()), Value::from(worker.as_str())]
        });
        let args = Args::new()
            .with_optional("tracker", tracker)
            .with_number("silent_ms", silence.longer_than.as_millis())
            .with_number("ttl_ms", silence.ttl.as_millis())
            .with_number("workers", workers.len())
            .items(pairs);
        let value = self
            .redis
            .call(&RETIRE, vec![self.keys.trackers()], args)
            .await?;
        let mut reply = Reply::expect(RETIRE.name(), value, "RETIRED")?;
        let mut retired = Vec::new();
        let mut list = reply.list()?;
        while !list.is_empty() {
            retired.push(list.parsed()?);
        }
        Ok(retired)
    }

    /// All live workers of `group`, or of every group, for whoever decides by who is not among them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer; [`Error::Damaged`] when some may be missing.
    pub async fn list_workers(&self, group: Option<&GroupName>) -> Result<Vec<WorkerView>, Error> {
        let listed = self.workers(group).await?;
        if listed.unreadable == 0 {
            return Ok(listed.items);
        }
        let unreadable = format!("{} keys or records of workers", listed.unreadable);
        Err(Error::damaged("roster", unreadable))
    }

    /// The live workers of `group`, or of every group, and since when they are drained, as far as that can be read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn read_workers(
        &self,
        group: Option<&GroupName>,
    ) -> Result<Listed<WorkerView>, Error> {
        let mut listed = self.workers(group).await?;
        let drained = listed.readable("drained", self.drained_workers().await)?;
        let drained = drained.unwrap_or_default();
        for view in &mut listed.items {
            view.drained = drained.get(&view.id).copied();
        }
        Ok(listed)
    }

    /// The same without who is drained.
    async fn workers(&self, group: Option<&GroupName>) -> Result<Listed<WorkerView>, Error> {
        let redis = &self.redis;
        let mut listed = Listed::default();
        let groups = match group {
            Some(group) => vec![group.clone()],
            None => {
                let names = redis.read("HKEYS", vec![self.keys.groups()]).await;
                let names: Option<Vec<Bytes>> = listed.readable("groups", names)?;
                let mut groups = Vec::new();
                // `!` is where the next look for groups to forget begins.
                let names = names.unwrap_or_default();
                for name in names.into_iter().filter(|name| &name[..] != b"!") {
                    let name = String::from_utf8_lossy(&name);
                    let group = name.parse().map_err(|_| Error::damaged("groups", name));
                    groups.extend(listed.readable("groups", group)?);
                }
                groups
            }
        };
        let now = self.time().await?;
        for group in groups {
            let [key, low] = [self.keys.workers(&group), format!("({}", now.as_u64())];
            // What is good for longer was written by nobody who lives.
            let high = now.as_u64().saturating_add(TTL_MAX_MS).to_string();
            let most = LISTED_MAX.to_string();
            let range = [
                &key,
                &low,
                &high,
                "BYSCORE",
                "LIMIT",
                "0",
                &most,
                "WITHSCORES",
            ];
            let range = range.map(ToOwned::to_owned).to_vec();
            let live = redis.read("ZRANGE", range).await;
            let live: Option<Vec<(Bytes, f64)>> = listed.readable("workers", live)?;
            for (id, expires) in live.unwrap_or_default() {
                let worker = self.worker(&id, &group, expires).await;
                listed.add("workers", worker)?;
            }
        }
        Ok(listed)
    }

    async fn worker(
        &self,
        id: &[u8],
        group: &GroupName,
        expires: f64,
    ) -> Result<WorkerView, Error> {
        let id = String::from_utf8_lossy(id);
        let id: WorkerId = id.parse().map_err(|_| Error::damaged("workers", &id))?;
        let read = self.redis.read("HGETALL", vec![self.keys.worker(&id)]);
        let fields: Vec<(Bytes, Bytes)> = read.await?;
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        let fields = fields
            .into_iter()
            .map(|(name, value)| (text(name), text(value)));
        Ok(WorkerView {
            id,
            group: group.clone(),
            expires: millis(expires),
            drained: None,
            report: WorkerReport::read(&fields.collect()),
        })
    }

    /// The live trackers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_trackers(&self) -> Result<Vec<LiveTracker>, Error> {
        Ok(self
            .heartbeat(None, Duration::from_secs(1), &[])
            .await?
            .live)
    }
}

/// A score as a time.
fn millis(score: f64) -> TimestampMs {
    TimestampMs::new(score.to_string().parse().unwrap_or(u64::MAX))
}

/// `<name> <value>` for each field; empty without a report.
fn report_lines(heartbeat: &WorkerHeartbeat) -> String {
    let Some(report) = &heartbeat.report else {
        return String::new();
    };
    let group = ("group", heartbeat.group.as_str().to_owned());
    let fields = report.fields().into_iter().chain([group]);
    let lines = fields.map(|(name, value)| format!("{name} {}\n", value.replace('\n', " ")));
    lines.collect()
}

fn live_tracker(text: &str) -> Option<LiveTracker> {
    let (id, url) = text.split_once(' ')?;
    Some(LiveTracker {
        id: id.parse().ok()?,
        url: url.to_owned(),
    })
}
