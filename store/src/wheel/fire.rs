//! Firing a job outside its trigger: by hand, by a program, or because another job ended. Script: `lua/wheel/fire.lua`.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{ContextId, DedupKey, JobName};
use tickwheel_core::ledger::Reason;
use tickwheel_core::partition::partition_of;
use tickwheel_core::time::TimestampMs;

use crate::args::Args;
use crate::error::Error;
use crate::record::Upstream;
use crate::reply::Reply;
use crate::script::FIRE;
use crate::store::Store;

/// How long the firing for one end of an upstream context is remembered. Its outbox entry is delivered within seconds.
const AFTER_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Ends the unique part of a context that was given a body of its own.
pub(crate) const OWN_BODY: &str = "-b";

/// A firing asked for.
#[derive(Debug, Clone)]
pub struct Fire {
    /// Third part of the context's id.
    pub uniq: String,
    /// Its due time; absent: now.
    pub due: Option<TimestampMs>,
    /// Replaces the job's body.
    pub body: Option<Bytes>,
    /// At most one firing of the job with this key within the keep time.
    pub dedup: Option<(DedupKey, Duration)>,
}

/// What became of a [`Fire`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Fired {
    /// It is ready.
    Started(ContextId),
    /// It waits for an earlier context of the job.
    Queued(ContextId),
    /// The overlap policy refused it.
    Skipped(Reason),
    /// The key was used before, by this context.
    Duplicate(ContextId),
    /// There is no such job, or it does not follow the one whose end asked for it.
    NoJob,
}

impl Store {
    /// Fires `job` now. Its overlap policy holds; its trigger is untouched.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether it fired: repeat with a dedup key.
    pub async fn fire_job(&self, job: &JobName, fire: Fire) -> Result<Fired, Error> {
        self.redis.has_room()?;
        let dedup = fire
            .dedup
            .map(|(key, keep)| format!("{} {}@{job}", keep.as_millis(), key.name()));
        // What ran with another body than its job's says so in its id: the body goes with its end, and the job's must not run in its place.
        let own = if fire.body.is_some() { OWN_BODY } else { "" };
        let uniq = format!("{}{own}", fire.uniq);
        self.fire(job, (fire.due, &uniq), (fire.body, None), dedup)
            .await
    }

    /// Fires `follower` because `upstream` ended, if it follows the job of that context, and tells it so. Idempotent: one end is decided
    /// once, also when the overlap policy refuses it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn fire_after(
        &self,
        follower: &JobName,
        upstream: &Upstream,
    ) -> Result<Fired, Error> {
        let ended = &upstream.context;
        let id = ContextId::after(follower, ended.due(), ended, self.partitions);
        let unique = id
            .as_str()
            .split('@')
            .next()
            .and_then(|head| head.rsplit('.').next())
            .unwrap_or_default()
            .to_owned();
        // No key of a caller has such a name.
        let dedup = format!("{} !{unique}@{follower} once", AFTER_KEPT.as_millis());
        self.fire(
            follower,
            (None, &unique),
            (None, Some(upstream)),
            Some(dedup),
        )
        .await
    }

    async fn fire(
        &self,
        job: &JobName,
        (due, unique): (Option<TimestampMs>, &str),
        (body, upstream): (Option<Bytes>, Option<&Upstream>),
        dedup: Option<String>,
    ) -> Result<Fired, Error> {
        let partition = partition_of(job.as_str(), self.partitions);
        let job_of = upstream.and_then(|upstream| upstream.context.job());
        let job_of = job_of.map(|job| job.to_string());
        let told = upstream.map(ToString::to_string);
        let args = Args::new()
            .with("job", job.as_str())
            .with_optional_number("due_ms", due.map(TimestampMs::as_u64))
            .with("unique", unique)
            .with_flag("own_body", body.is_some())
            .with_optional("body", body)
            .with_optional("dedup", dedup)
            .with_optional("upstream", job_of)
            .with_optional("told", told)
            .alone();
        let keys = vec![self.keys.wheel(partition)];
        let (value, confirmed) = self.redis.call_kept(&FIRE, keys, args).await?;
        let (status, mut reply) = Reply::open(FIRE.name(), value)?;
        let fired = match status.as_str() {
            "STARTED" => Ok(Fired::Started(reply.parsed()?)),
            "QUEUED" => Ok(Fired::Queued(reply.parsed()?)),
            "SKIPPED" => Ok(Fired::Skipped(reply.parsed()?)),
            "DUPLICATE" => Ok(Fired::Duplicate(reply.parsed()?)),
            "NO_JOB" => Ok(Fired::NoJob),
            other => Err(Error::contract(FIRE.name(), other)),
        }?;
        let id = match &fired {
            Fired::Started(id) | Fired::Queued(id) | Fired::Duplicate(id) => Some(id),
            Fired::Skipped(_) | Fired::NoJob => None,
        };
        match confirmed {
            Ok(()) => Ok(fired),
            Err(error) => Err(error.of_contexts(id.into_iter().cloned())),
        }
    }
}
