//! Who is alive: trackers and workers with their reports. Scripts: `lua/tracker/`.

use std::collections::HashMap;
use std::time::Duration;

use fred::types::Value;
use tickwheel_core::id::{GroupName, TrackerId, WorkerId};
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::{BEAT, RETIRE};
use crate::store::Store;

/// Workers listed at most.
const LISTED_MAX: i64 = 10_000;

/// A live tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackerSign {
    /// Its id.
    pub id: TrackerId,
    /// Where workers reach it.
    pub url: String,
}

/// A worker's sign of life.
#[derive(Debug, Clone)]
pub struct WorkerSign {
    /// The worker.
    pub worker: WorkerId,
    /// Its group.
    pub group: GroupName,
    /// Fields of its hash, when there is a new report.
    pub report: Option<Vec<(&'static str, String)>>,
}

/// What a beat is answered.
#[derive(Debug, Clone)]
pub struct Beaten {
    /// Redis' time.
    pub now: TimestampMs,
    /// The live trackers.
    pub live: Vec<TrackerSign>,
    /// How often limits of groups were given or taken away so far.
    pub limits_changed: u64,
}

/// A worker as the roster knows it.
#[derive(Debug, Clone)]
pub struct WorkerView {
    /// The worker.
    pub id: WorkerId,
    /// Its group.
    pub group: GroupName,
    /// When its last sign expires.
    pub expires: TimestampMs,
    /// Its report: handlers, permits, running, host, …
    pub fields: HashMap<String, String>,
}

impl WorkerView {
    /// A field of the report as a number; 0 when it is absent.
    #[must_use]
    pub fn number(&self, field: &str) -> u64 {
        self.fields
            .get(field)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0)
    }

    /// A field of the report as text.
    #[must_use]
    pub fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .map(String::as_str)
            .unwrap_or_default()
    }
}

impl Store {
    /// Writes a sign of life of `tracker` (unless `None`) and of up to 1,000 workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: beat again.
    pub async fn beat(
        &self,
        tracker: Option<&TrackerSign>,
        ttl: Duration,
        workers: &[WorkerSign],
    ) -> Result<Beaten, Error> {
        let mut args = vec![
            Value::from(""),
            Value::from(
                tracker
                    .map(|sign| format!("{} {}", sign.id, sign.url))
                    .unwrap_or_default(),
            ),
            Value::from(ttl.as_millis().to_string()),
            Value::from(workers.len().to_string()),
        ];
        for sign in workers {
            args.push(Value::from(sign.group.as_str()));
            args.push(Value::from(sign.worker.as_str()));
            let lines = sign
                .report
                .iter()
                .flatten()
                .map(|(name, value)| format!("{name} {}\n", value.replace('\n', " ")));
            args.push(Value::from(lines.collect::<String>()));
        }
        let value = self
            .redis
            .call(&BEAT, vec![self.keys.trackers()], args)
            .await?;
        let mut reply = Reply::expect(BEAT.name(), value, "BEATEN")?;
        let now = TimestampMs::new(reply.number()?);
        let live = reply
            .texts()?
            .iter()
            .filter_map(|text| tracker_sign(text))
            .collect();
        Ok(Beaten {
            now,
            live,
            limits_changed: reply.number()?,
        })
    }

    /// Forgets `tracker` and those of `workers` whose last sign, written with `ttl`, is older than `silent` (zero: in any case); answers with
    /// the workers.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: their signs expire by themselves.
    pub async fn retire(
        &self,
        tracker: Option<&TrackerSign>,
        (silent, ttl): (Duration, Duration),
        workers: &[(GroupName, WorkerId)],
    ) -> Result<Vec<WorkerId>, Error> {
        let mut args = vec![
            Value::from(""),
            Value::from(
                tracker
                    .map(|sign| format!("{} {}", sign.id, sign.url))
                    .unwrap_or_default(),
            ),
            Value::from(silent.as_millis().to_string()),
            Value::from(ttl.as_millis().to_string()),
            Value::from(workers.len().to_string()),
        ];
        for (group, worker) in workers {
            args.push(Value::from(group.as_str()));
            args.push(Value::from(worker.as_str()));
        }
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

    /// The live workers of `group`, or of every group.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_workers(&self, group: Option<&GroupName>) -> Result<Vec<WorkerView>, Error> {
        let redis = &self.redis;
        let groups = match group {
            Some(group) => vec![group.clone()],
            None => {
                let names: Vec<String> = redis.read("HKEYS", vec![self.keys.groups()]).await?;
                names.iter().filter_map(|name| name.parse().ok()).collect()
            }
        };
        let now = self.time().await?;
        let mut workers = Vec::new();
        for group in groups {
            let [key, low] = [self.keys.workers(&group), format!("({}", now.as_u64())];
            let most = LISTED_MAX.to_string();
            let range = [
                &key,
                &low,
                "+inf",
                "BYSCORE",
                "LIMIT",
                "0",
                &most,
                "WITHSCORES",
            ];
            let range = range.map(ToOwned::to_owned).to_vec();
            let live: Vec<(String, f64)> = redis.read("ZRANGE", range).await?;
            for (id, expires) in live {
                let Ok(id) = id.parse::<WorkerId>() else {
                    continue;
                };
                let fields: HashMap<String, String> =
                    redis.read("HGETALL", vec![self.keys.worker(&id)]).await?;
                let expires = TimestampMs::new(expires.to_string().parse().unwrap_or(0));
                workers.push(WorkerView {
                    id,
                    group: group.clone(),
                    expires,
                    fields,
                });
            }
        }
        Ok(workers)
    }

    /// The live trackers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_trackers(&self) -> Result<Vec<TrackerSign>, Error> {
        Ok(self.beat(None, Duration::from_secs(1), &[]).await?.live)
    }
}

fn tracker_sign(text: &str) -> Option<TrackerSign> {
    let (id, url) = text.split_once(' ')?;
    Some(TrackerSign {
        id: id.parse().ok()?,
        url: url.to_owned(),
    })
}
