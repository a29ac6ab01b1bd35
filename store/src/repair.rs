//! Repairing what a check found, and deriving the wheel anew from the definitions. Scripts: `lua/repair/`.
//!
//! Each repair is one script on one partition that looks again before it writes: on a live cluster it does nothing to what has become
//! right meanwhile, and doing it twice changes nothing.

mod rebuild;
mod room;

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;

use crate::args::Args;
use crate::check::{Checked, Finding, History, JobFacts, Kind, Name, Pace, Subject};
use crate::error::Error;
use crate::reply::Reply;
use crate::script::{
    REPAIR_CONTEXT, REPAIR_FAN, REPAIR_INDEX, REPAIR_JOB, REPAIR_KEY, REPAIR_LIMITS,
    REPAIR_QUARANTINE, Script,
};
use crate::store::Store;

pub use rebuild::{Rebuilt, RebuiltJob};

/// What one repair may uncover the next one repairs: a record put aside leaves its job's mark, a mark taken away lets the queue go on.
/// What a key of a wrong type hid is seen once it is out of the way.
const ROUNDS_MAX: u32 = 5;
/// Places where a context was seen that one call is given.
const HINTS_MAX: usize = 20;
/// Keys of a split context that one call is given.
const FAN_KEYS_MAX: usize = 100;
/// Calls for one job whose queue is cleared away.
const CALLS_MAX: u32 = 1_000;

/// What became of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repaired {
    /// What the script did, in words.
    Done(Vec<String>),
    /// There was nothing to do any more.
    Clean,
    /// A person has to decide.
    Left,
}

/// One finding with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was found.
    pub finding: Finding,
    /// What was done about it.
    pub outcome: Repaired,
}

/// What a repair of the whole cluster did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repairs {
    /// Each finding, in the order of the repairs.
    pub repairs: Vec<Repair>,
    /// The check after the last repair.
    pub after: Checked,
}

/// Ready sets first, as contexts are looked for in those that the backlog names; jobs last, as they go on by what is active.
fn order(finding: &Finding) -> u8 {
    match finding.subject {
        Subject::Key(_) => 0,
        Subject::Queue(_) | Subject::Scan => 1,
        Subject::Entry(_) => 2,
        Subject::Fan(_) | Subject::Context(_) => 3,
        Subject::Job(_) => 4,
        Subject::Limit(_) => 5,
    }
}

impl Store {
    /// Checks the whole cluster and repairs what it finds, until a check finds nothing that a script could repair.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer; what was repaired so far stays repaired.
    pub async fn repair(&self, pace: Pace) -> Result<Repairs, Error> {
        self.repair_of(pace, History::All).await
    }

    /// The same by checks that look at so much of the history.
    ///
    /// # Errors
    /// As [`Store::repair`].
    pub async fn repair_of(&self, pace: Pace, history: History) -> Result<Repairs, Error> {
        let mut repairs = Vec::new();
        let check = || Box::pin(self.check_watched(pace, history, |_| {}));
        let mut checked = check().await?;
        for _ in 0..ROUNDS_MAX {
            checked.findings.sort_by_key(order);
            let mut changed = false;
            for finding in std::mem::take(&mut checked.findings) {
                let outcome = match self.repair_one(&finding).await {
                    // What one repair cannot do holds up no other.
                    Err(error @ (Error::Contract { .. } | Error::Damaged { .. })) => {
                        tracing::error!(?finding, %error, "left as it is");
                        Repaired::Left
                    }
                    repaired => repaired?,
                };
                changed |= outcome != Repaired::Left;
                let known = repairs
                    .iter()
                    .any(|repair: &Repair| repair.finding == finding && outcome == repair.outcome);
                if !known {
                    repairs.push(Repair { finding, outcome });
                }
            }
            checked = check().await?;
            if checked.is_clean() || !changed {
                break;
            }
        }
        Ok(Repairs {
            repairs,
            after: checked,
        })
    }

    /// Repairs one finding.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn repair_one(&self, finding: &Finding) -> Result<Repaired, Error> {
        if finding.kind.repair().is_none() {
            return Ok(Repaired::Left);
        }
        match (&finding.subject, finding.kind) {
            (_, Kind::Malformed | Kind::WrongPartition) => self.put_aside(finding).await,
            (Subject::Context(id), kind) if kind != Kind::TooMany => {
                self.repair_context(finding, id.as_str()).await
            }
            (Subject::Job(job), Kind::TooMany) => {
                let ledger = self
                    .repair_key(finding.partition, &format!("ledger:{job}"))
                    .await?;
                let runs = self
                    .repair_key(finding.partition, &format!("runs:{job}"))
                    .await?;
                Ok(if ledger == Repaired::Clean {
                    runs
                } else {
                    ledger
                })
            }
            (Subject::Job(job), Kind::DeletionStuck) => match self.finish_deletion(job).await {
                Ok(deleted) => Ok(Repaired::Done(vec![format!(
                    "its deletion was finished, {} waiting contexts were cancelled",
                    deleted.cancelled
                )])),
                Err(Error::NotFound { .. }) => Ok(Repaired::Clean),
                Err(error) => Err(error),
            },
            (Subject::Job(job), Kind::FollowerUntold) => {
                let told = self.follow_again(job).await?;
                match self.repair_job(finding.partition, job, &[]).await? {
                    Repaired::Done(done) => {
                        Ok(Repaired::Done(told.into_iter().chain(done).collect()))
                    }
                    Repaired::Clean | Repaired::Left if told.is_some() => {
                        Ok(Repaired::Done(told.into_iter().collect()))
                    }
                    left @ (Repaired::Clean | Repaired::Left) => Ok(left),
                }
            }
            (Subject::Job(job), kind) => {
                let gone = if kind == Kind::FollowerGone {
                    self.followers_gone(job).await?
                } else {
                    Vec::new()
                };
                self.repair_job(finding.partition, job, &gone).await
            }
            (Subject::Fan(root), _) => self.repair_fan(finding, root.as_str()).await,
            (Subject::Limit(_), _) => {
                let args = vec![Value::from("")];
                let call = self.repair_call(&REPAIR_LIMITS, finding.partition, args);
                Ok(call.await?.1)
            }
            (Subject::Key(key), Kind::WrongType) => self.move_aside(finding.partition, key).await,
            (Subject::Key(key), _) => self.repair_key(finding.partition, key).await,
            (Subject::Queue(queue), _) => self.repair_index(finding, "backlog", queue).await,
            (Subject::Scan, _) => self.repair_index(finding, "scan", "").await,
            (Subject::Entry(entry), _) => self.repair_index(finding, "delivery", entry).await,
            (Subject::Context(_), _) => Ok(Repaired::Left),
        }
    }

    async fn repair_context(&self, finding: &Finding, id: &str) -> Result<Repaired, Error> {
        let ended = finding.evidence.iter().find(|seen| seen.key == "events");
        let in_sets =
            |key: &str| key == "wheel" || key.starts_with("ready:") || key.starts_with("queue:");
        let seen: Vec<_> = finding
            .evidence
            .iter()
            .filter(|seen| in_sets(&seen.key) && !seen.text.is_empty())
            .take(HINTS_MAX)
            .collect();
        let mut args = vec![
            Value::from(""),
            Value::from(id),
            Value::from(ended.map_or("", |ended| ended.text.as_str())),
            Value::from(seen.len().to_string()),
        ];
        for one in seen {
            args.push(Value::from(one.key.as_str()));
            args.push(Value::from(one.at.as_str()));
            args.push(Value::from(one.text.as_str()));
        }
        let (_, outcome) = self
            .repair_call(&REPAIR_CONTEXT, finding.partition, args)
            .await?;
        Ok(outcome)
    }

    /// Puts one job right; `gone` are followers that do not exist.
    async fn repair_job(
        &self,
        partition: PartitionId,
        job: &JobName,
        gone: &[JobName],
    ) -> Result<Repaired, Error> {
        let mut done = Vec::new();
        for _ in 0..CALLS_MAX {
            let mut args = vec![Value::from(""), Value::from(job.as_str())];
            args.extend(gone.iter().take(100).map(|name| Value::from(name.as_str())));
            let (status, outcome) = self.repair_call(&REPAIR_JOB, partition, args).await?;
            if let Repaired::Done(words) = outcome {
                done.extend(words);
            }
            if status != "MORE" {
                break;
            }
        }
        if done.is_empty() {
            return Ok(Repaired::Clean);
        }
        Ok(Repaired::Done(done))
    }

    /// Followers of `job` that do not exist, or do not follow it.
    async fn followers_gone(&self, job: &JobName) -> Result<Vec<JobName>, Error> {
        let named = std::slice::from_ref(job);
        let partition = self.partition_of_job(job);
        let mut gone = Vec::new();
        for facts in self.check_jobs(partition, named).await? {
            for (name, on) in facts.followers() {
                let Ok(follower) = JobName::new(name) else {
                    continue;
                };
                if self.edge_of(&follower).await? != Some((job.clone(), on.to_owned())) {
                    gone.push(follower);
                }
            }
        }
        Ok(gone)
    }

    /// The job that `follower` follows, and which of its ends count; `None` when it follows none, or does not exist.
    async fn edge_of(&self, follower: &JobName) -> Result<Option<(JobName, String)>, Error> {
        let named = std::slice::from_ref(follower);
        let partition = self.partition_of_job(follower);
        let facts = self.check_jobs(partition, named).await?;
        Ok(facts.iter().find_map(|facts| {
            let (upstream, on) = facts.follows()?;
            Some((JobName::new(upstream).ok()?, on.to_owned()))
        }))
    }

    /// Has the job that `follower` follows tell it, in words; `None` when it follows none.
    async fn follow_again(&self, follower: &JobName) -> Result<Option<String>, Error> {
        let Some((upstream, on)) = self.edge_of(follower).await? else {
            return Ok(None);
        };
        let named = std::slice::from_ref(&upstream);
        let owner = self.partition_of_job(&upstream);
        let facts = self.check_jobs(owner, named).await?;
        let mut told = facts.iter().flat_map(JobFacts::followers);
        let Ok(word) = on.parse() else {
            return Ok(None);
        };
        if told.any(|told| told == (follower.as_str(), on.as_str())) {
            return Ok(None);
        }
        match self.add_follower(&upstream, follower, word).await {
            Ok(()) => Ok(Some(format!("{upstream} tells it of its ends"))),
            // A hundred others follow it already: a person has to decide.
            Err(Error::Full(why)) => Ok(Some(why)),
            Err(error) => Err(error),
        }
    }

    async fn repair_fan(&self, finding: &Finding, root: &str) -> Result<Repaired, Error> {
        let mut args = vec![Value::from(""), Value::from(root)];
        args.extend(
            finding
                .evidence
                .iter()
                .take(FAN_KEYS_MAX)
                .map(|seen| Value::from(seen.key.as_str())),
        );
        let (_, outcome) = self
            .repair_call(&REPAIR_FAN, finding.partition, args)
            .await?;
        Ok(outcome)
    }

    async fn repair_key(&self, partition: PartitionId, key: &str) -> Result<Repaired, Error> {
        let args = vec![Value::from(key)];
        let (_, outcome) = self.repair_call(&REPAIR_KEY, partition, args).await?;
        Ok(outcome)
    }

    /// Moves a key out of the way that has another type than its name says.
    async fn move_aside(&self, partition: PartitionId, key: &str) -> Result<Repaired, Error> {
        let Some((_, kind)) = Name::parse(key) else {
            return Ok(Repaired::Left);
        };
        let args = vec![Value::from(key), Value::from(kind)];
        Ok(self.repair_call(&REPAIR_KEY, partition, args).await?.1)
    }

    async fn repair_index(
        &self,
        finding: &Finding,
        what: &'static str,
        name: &str,
    ) -> Result<Repaired, Error> {
        let args = vec![Value::from(""), Value::from(what), Value::from(name)];
        let (_, outcome) = self
            .repair_call(&REPAIR_INDEX, finding.partition, args)
            .await?;
        Ok(outcome)
    }

    async fn put_aside(&self, finding: &Finding) -> Result<Repaired, Error> {
        let why: String = finding.to_string().chars().take(120).collect();
        let mut done = Vec::new();
        for seen in &finding.evidence {
            let (key, at) = match (seen.key.as_str(), &finding.subject) {
                ("held", Subject::Context(id)) => ("held", id.as_str()),
                (key, Subject::Context(_)) if key.starts_with("fan:") => (key, "root"),
                (key, _) => (key, seen.at.as_str()),
            };
            let is_sorted = ["wheel", "jobs", "dead", "ready", "queue"]
                .iter()
                .any(|kind| key.split(':').next() == Some(kind));
            let text = if seen.text.is_empty() {
                if is_sorted { "hex:" } else { "-" }
            } else {
                seen.text.as_str()
            };
            let args = Args::new()
                .with("key", key)
                .with("at", at)
                .with("text", text)
                .with("why", why.as_str())
                .alone();
            let (_, outcome) = self
                .repair_call(&REPAIR_QUARANTINE, finding.partition, args)
                .await?;
            if let Repaired::Done(words) = outcome {
                done.extend(words);
            }
        }
        if finding.evidence.is_empty() {
            return Ok(Repaired::Left);
        }
        Ok(if done.is_empty() {
            Repaired::Clean
        } else {
            Repaired::Done(done)
        })
    }

    async fn repair_call(
        &self,
        script: &'static Script,
        partition: PartitionId,
        args: Vec<Value>,
    ) -> Result<(String, Repaired), Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(script, keys, args).await?;
        let (status, mut reply) = Reply::open(script.name(), value)?;
        match status.as_str() {
            "CLEAN" => Ok((status, Repaired::Clean)),
            "REPAIRED" | "MORE" => {
                let mut words = Vec::with_capacity(reply.len());
                while !reply.is_empty() {
                    words.push(reply.text()?);
                }
                Ok((status, Repaired::Done(words)))
            }
            other => Err(Error::contract(script.name(), other)),
        }
    }
}
