//! The script calls of a check, and their replies as facts. Scripts: `lua/check/`.

use std::collections::BTreeMap;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::{PartitionId, partition_of};

use super::facts::{
    At, ContextFacts, FanFacts, JobFacts, KeyFacts, LimitFacts, Occurrence, Place, QueueFacts,
    Record,
};
use crate::error::Error;
use crate::fields::Fields;
use crate::history::{Budget, Sizes};
use crate::record::{Held, Member};
use crate::reply::{Element, Reply};
use crate::script::{
    CHECK_CONTEXTS, CHECK_FANS, CHECK_JOBS, CHECK_KEYS, CHECK_LIMITS, CHECK_PAGE, Script,
};
use crate::store::Store;

/// Entries of one page.
const PAGE: u32 = 100;
/// Contexts, jobs and keys of one call.
pub(super) const CONTEXTS_STEP: usize = 32;
pub(super) const JOBS_STEP: usize = 10;
pub(super) const KEYS_STEP: usize = 100;
pub(super) const FANS_STEP: usize = 10;
/// Ledger records that are read of a job.
const RECORDS: u32 = 1_000;

/// One entry of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) text: Bytes,
    pub(crate) extra: String,
    /// Of a text that does not follow the grammar.
    pub(crate) digest: String,
}

impl Item {
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// A step of a place.
#[derive(Debug)]
pub(crate) struct Page {
    /// By Redis' clock.
    pub(crate) now: u64,
    pub(crate) items: Vec<Item>,
    /// The cursor of the next step; `None` behind the last.
    pub(crate) next: Option<String>,
}

/// A context that is looked up, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: ContextId,
    pub(crate) key: String,
    pub(crate) at: String,
    pub(crate) head: Bytes,
    pub(crate) ended: Vec<u32>,
}

impl Wanted {
    /// One that an index names.
    pub(crate) fn by_id(id: ContextId) -> Self {
        Self {
            id,
            key: String::new(),
            at: String::new(),
            head: Bytes::new(),
            ended: Vec::new(),
        }
    }
}

/// What [`Store::check_keys`] answers.
#[derive(Debug, Default)]
pub(crate) struct KeysRead {
    pub(crate) keys: Vec<KeyFacts>,
    /// Of the backlog.
    pub(crate) queues: Vec<QueueFacts>,
    /// How many contexts run.
    pub(crate) running: u64,
    /// When leases are looked at next.
    pub(crate) scan: Option<At>,
    /// What the history takes, and what it may take, where a tracker said so.
    pub(crate) history: Sizes,
    pub(crate) budget: Option<Budget>,
}

impl Store {
    async fn check_call(
        &self,
        script: &'static Script,
        partition: PartitionId,
        (status, args): (&str, Vec<Value>),
    ) -> Result<Reply, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(script, keys, args).await?;
        Reply::expect(script.name(), value, status)
    }

    /// A step of a place.
    pub(crate) async fn check_page(
        &self,
        partition: PartitionId,
        key: &str,
        cursor: &str,
    ) -> Result<Page, Error> {
        let args = vec![
            Value::from(""),
            Value::from(key),
            Value::from(cursor),
            Value::from(PAGE.to_string()),
        ];
        let reply = self
            .check_call(&CHECK_PAGE, partition, ("PAGE", args))
            .await?;
        Fields::read(reply, |fields| {
            let mut list = fields.list("items")?;
            let mut items = Vec::with_capacity(list.len());
            while !list.is_empty() {
                let mut item = list.list()?;
                items.push(Item {
                    text: item.bytes()?,
                    extra: String::from_utf8_lossy(&item.bytes()?).into_owned(),
                    digest: item.shown()?,
                });
            }
            let cursor = fields.required("cursor")?.shown()?;
            Ok(Page {
                now: fields.number("now_ms")?,
                items,
                next: Some(cursor).filter(|cursor| cursor != "0"),
            })
        })
    }

    /// Facts about contexts, at most [`CONTEXTS_STEP`]. `wide`: also ready sets that are not their own.
    pub(crate) async fn check_contexts(
        &self,
        partition: PartitionId,
        wide: bool,
        wanted: &[Wanted],
    ) -> Result<Vec<ContextFacts>, Error> {
        let mut args = vec![
            Value::from(""),
            Value::from(if wide { "1" } else { "0" }),
            Value::from(wanted.len().to_string()),
        ];
        for one in wanted {
            args.push(Value::from(one.id.as_str()));
            args.push(Value::from(one.key.as_str()));
            args.push(Value::from(one.at.as_str()));
            args.push(Value::Bytes(one.head.clone()));
        }
        let reply = self
            .check_call(&CHECK_CONTEXTS, partition, ("CONTEXTS", args))
            .await?;
        Fields::read(reply, |fields| {
            let (now, scan) = (fields.number("now_ms")?, at(fields, "scan")?);
            let mut contexts = fields.list("contexts")?;
            let mut facts = Vec::with_capacity(wanted.len());
            for one in wanted {
                facts.push(Fields::read(contexts.list()?, |fields| {
                    Ok(ContextFacts {
                        id: fields.required("id")?.parsed()?,
                        partition,
                        now,
                        retry: at(fields, "retry")?,
                        mark: fields.optional("mark")?.map(Element::shown).transpose()?,
                        watched: fields.flag("watched")?,
                        fair: at(fields, "fair")?,
                        occurrences: occurrences(fields.list("found")?)?,
                        scan: scan.clone(),
                        ended: one.ended.clone(),
                    })
                })?);
            }
            Ok(facts)
        })
    }

    /// Facts about split contexts, at most [`FANS_STEP`].
    pub(crate) async fn check_fans(
        &self,
        partition: PartitionId,
        roots: &[(ContextId, Vec<String>)],
    ) -> Result<Vec<FanFacts>, Error> {
        let args = roots
            .iter()
            .map(|(root, _)| Value::from(root.as_str()))
            .collect();
        let mut reply = self
            .check_call(&CHECK_FANS, partition, ("FANS", args))
            .await?;
        let mut facts = Vec::with_capacity(roots.len());
        for (_, keys) in roots {
            facts.push(Fields::read(reply.list()?, |fan| {
                let mut fields = BTreeMap::new();
                let mut list = fan.list("hash")?;
                while !list.is_empty() {
                    let field = list.shown()?;
                    fields.insert(field, list.shown()?);
                }
                Ok(FanFacts {
                    root: fan.required("root")?.parsed()?,
                    partition,
                    listed: fan.flag("listed")?,
                    fields,
                    running: fan.number("running")?,
                    retrying: fan.number("retrying")?,
                    waiting: fan.number("waiting")?,
                    lost: fan.flag("lost")?,
                    keys: keys.clone(),
                })
            })?);
        }
        Ok(facts)
    }

    /// Facts about limits whose counts do not agree.
    pub(crate) async fn check_limits(
        &self,
        partition: PartitionId,
    ) -> Result<Vec<LimitFacts>, Error> {
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&CHECK_LIMITS, keys, Vec::new()).await?;
        let (status, mut reply) = Reply::open(CHECK_LIMITS.name(), value)?;
        match status.as_str() {
            "LIMITS" => {}
            "MANY" => {
                tracing::warn!(%partition, "so much runs that what limits count was not looked at");
                return Ok(Vec::new());
            }
            other => return Err(Error::contract(CHECK_LIMITS.name(), other)),
        }
        let mut facts = Vec::with_capacity(reply.len());
        while !reply.is_empty() {
            let mut limit = reply.list()?;
            facts.push(LimitFacts {
                limit: limit.shown()?,
                partition,
                using: limit.number()?,
                left: limit.number()?,
                running: limit.number()?,
            });
        }
        Ok(facts)
    }

    /// Facts about jobs, at most [`JOBS_STEP`].
    pub(crate) async fn check_jobs(
        &self,
        partition: PartitionId,
        names: &[JobName],
    ) -> Result<Vec<JobFacts>, Error> {
        let mut args = vec![Value::from(""), Value::from(RECORDS.to_string())];
        args.extend(names.iter().map(|name| Value::from(name.as_str())));
        let mut reply = self
            .check_call(&CHECK_JOBS, partition, ("JOBS", args))
            .await?;
        let now = reply.number()?;
        let mut facts = Vec::with_capacity(names.len());
        while !reply.is_empty() {
            facts.push(Fields::read(reply.list()?, |job| {
                self.job_facts(partition, now, job)
            })?);
        }
        Ok(facts)
    }

    fn job_facts(
        &self,
        partition: PartitionId,
        now: u64,
        job: &mut Fields,
    ) -> Result<JobFacts, Error> {
        let name: JobName = job.required("name")?.parsed()?;
        let mut fields = BTreeMap::new();
        let mut list = job.list("hash")?;
        while !list.is_empty() {
            let field = list.shown()?;
            fields.insert(field, String::from_utf8_lossy(&list.bytes()?).into_owned());
        }
        let mut list = job.list("records")?;
        let mut records = Vec::with_capacity(list.len());
        while !list.is_empty() {
            // One that cannot be read is no firing; it is for people only.
            records.extend(list.shown()?.parse().ok());
        }
        let awaited = job.optional("awaited")?.map(Element::shown);
        Ok(JobFacts {
            partition,
            owner: partition_of(name.as_str(), self.partitions),
            name,
            now,
            fields,
            listed: job.flag("listed")?,
            entry: at(job, "entry")?,
            active: job.number("active")?,
            queued: job.number("queued")?,
            under_way: job.flag("under_way")?,
            ledger: job.number("ledger")?,
            runs: job.number("runs")?,
            records,
            awaited: awaited.transpose()?.unwrap_or_default(),
            gone: Vec::new(),
            untold: false,
        })
    }

    /// Facts about keys, at most [`KEYS_STEP`], and about the ready sets that the backlog names.
    pub(crate) async fn check_keys(
        &self,
        partition: PartitionId,
        names: &[String],
    ) -> Result<KeysRead, Error> {
        let args = names
            .iter()
            .map(|name| Value::from(name.as_str()))
            .collect();
        let reply = self
            .check_call(&CHECK_KEYS, partition, ("KEYS", args))
            .await?;
        Fields::read(reply, |fields| keys_read(partition, fields))
    }
}

fn keys_read(partition: PartitionId, fields: &mut Fields) -> Result<KeysRead, Error> {
    let (mut keys, mut queues) = (fields.list("keys")?, fields.list("backlog")?);
    let mut read = KeysRead::default();
    while !keys.is_empty() {
        let mut key = keys.list()?;
        read.keys.push(KeyFacts {
            name: String::from_utf8_lossy(&key.bytes()?).into_owned(),
            partition,
            kind: key.shown()?,
            size: key.number()?,
            ttl_ms: key.shown()?.parse().unwrap_or(-1),
        });
    }
    while !queues.is_empty() {
        let mut queue = queues.list()?;
        read.queues.push(QueueFacts {
            queue: queue.shown()?,
            partition,
            listed: true,
            waiting: queue.number()?,
        });
    }
    read.running = fields.number("running")?;
    read.scan = at(fields, "scan")?;
    read.history = Sizes {
        logs: fields.number("logs")?,
        results: fields.number("results")?,
        dead: fields.number("dead")?,
        events: 0,
    };
    read.budget = Budget::parse(&fields.text_or_empty("budget")?);
    Ok(read)
}

/// A score, where there is one.
fn at(fields: &mut Fields, name: &'static str) -> Result<Option<At>, Error> {
    let score = fields.optional(name)?.map(Element::shown).transpose()?;
    Ok(score.map(|score| At::parse(&score)))
}

fn occurrences(mut list: Reply) -> Result<Vec<Occurrence>, Error> {
    let mut occurrences = Vec::with_capacity(list.len());
    while !list.is_empty() {
        occurrences.push(Fields::read(list.list()?, occurrence)?);
    }
    Ok(occurrences)
}

fn occurrence(spot: &mut Fields) -> Result<Occurrence, Error> {
    let place = spot.required("place")?.shown()?;
    let key = spot.required("key")?.shown()?;
    let text = spot.bytes("text")?;
    let at = at(spot, "score")?;
    let body_len = usize::try_from(spot.number("body")?).unwrap_or(usize::MAX);
    let name = key.split_once(':').map_or("", |(_, name)| name);
    let place = match place.as_str() {
        "wheel" => Place::Wheel,
        "held" => Place::Held,
        "ready" => Place::Ready(name.replace(':', " ")),
        "queue" => Place::Queue(name.to_owned()),
        "fan" => Place::Fan(name.to_owned()),
        other => return Err(Error::contract(CHECK_CONTEXTS.name(), other)),
    };
    let head = String::from_utf8_lossy(&text).into_owned();
    let record = match place {
        Place::Held => Held::parse(text).map(Record::Running),
        Place::Wheel | Place::Ready(_) | Place::Queue(_) | Place::Fan(_) => {
            Member::parse(text).map(Record::Waiting)
        }
    };
    Ok(Occurrence {
        place,
        at,
        record: record.unwrap_or(Record::Unreadable),
        body_len,
        head,
    })
}
