//! Limits of groups: their definitions, what a turn is told of them, and their sharing between partitions.
//! Scripts: `lua/limit/*.lua`; in a turn, `lua/lib/limits/shares.lua`.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use fred::types::Value;
use tickwheel_core::access::TokenId;
use tickwheel_core::id::GroupName;
use tickwheel_core::limits::{GroupLimits, Limit, LimitName};
use tickwheel_core::partition::{PartitionId, partition_of};
use tickwheel_core::pause::GroupPause;
use tickwheel_core::time::TimestampMs;

use crate::args::Args;
use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::{
    DEFINE_LIMITS, LIMIT_STATE, LIMIT_USING, LIST_LIMITS, PAUSE_GROUP, SHARE_LIMIT,
};
use crate::seldom::Seldom;
use crate::store::Store;

/// Limits of one call.
const SHARED_MAX: usize = 64;
/// Limits of one call that only reads.
const LISTED_MAX: usize = 1000;

/// One damage may have hit many.
static UNREAD: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// What a turn left of a limit: to be shared with the other partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitReport {
    /// Which.
    pub limit: LimitName,
    /// Numbers the reports of a partition: only a greater one counts.
    pub report: u64,
    /// Contexts of the partition that run under it, and more that it may run from what it was granted.
    pub holds: u64,
    /// Starts that the partition was granted and did not use.
    pub unspent: u64,
    /// Contexts more that the partition would run now.
    pub wanted: u64,
    /// Contexts that wait in the partition for it.
    pub waiting: u64,
}

/// What a partition was granted of a limit, for its next turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which.
    pub limit: LimitName,
    /// The report that it answers.
    pub report: u64,
    /// Contexts of the partition that may run.
    pub allowed: u64,
    /// Contexts of it that may start.
    pub starts: u64,
    /// Nobody else waits: what ends may be used again by the partition.
    pub kept: bool,
    /// When a start may be free.
    pub again: Option<Duration>,
}

/// What one turn is told of limits.
#[derive(Debug, Clone, Default)]
pub struct LimitInput {
    /// A line for each group that has limits, as [`GroupLimits::line`] makes it.
    pub groups: Vec<String>,
    /// What the partition was granted since its last turn.
    pub grants: Vec<Grant>,
    /// What other partitions wait for.
    pub recalled: Vec<LimitName>,
    /// When limits of groups changed last: what was granted before goes back.
    pub changed: Option<TimestampMs>,
}

impl LimitInput {
    /// The argument of the script.
    pub(crate) fn text(&self) -> String {
        let mut text = "limits".to_owned();
        for group in &self.groups {
            text.push_str("\ng ");
            text.push_str(group);
        }
        for grant in &self.grants {
            let Grant {
                limit,
                report,
                allowed,
                starts,
                kept,
                ..
            } = grant;
            let mode = if *kept { 'k' } else { 'w' };
            // Writing into a text does not fail.
            write!(text, "\nt {report} {allowed} {starts} {mode} {limit}").ok();
        }
        if let Some(changed) = self.changed {
            write!(text, "\nn {}", changed.as_u64()).ok();
        }
        for limit in &self.recalled {
            write!(text, "\nr {limit}").ok();
        }
        text
    }
}

/// The limits of all groups.
#[derive(Debug, Clone, Default)]
pub struct Defined {
    /// How often limits were given or taken away so far.
    pub changes: u64,
    /// When that was last done.
    pub changed: Option<TimestampMs>,
    /// In the order of their names.
    pub groups: Vec<(GroupName, GroupLimits)>,
    /// Groups that are paused, in the order of their names.
    pub paused: Vec<(GroupName, GroupPause)>,
    /// What could not be read; nobody is held back by it.
    pub unreadable: u64,
}

/// How much of a limit is used, over all partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitState {
    /// Contexts that run under it, where what runs is limited.
    pub running: u64,
    /// Contexts that partitions were granted: those that run, and more that may.
    pub granted: u64,
    /// Contexts that were waiting when their partitions last reported.
    pub waiting: u64,
    /// Partitions that take part.
    pub partitions: u64,
}

impl Store {
    /// The partition in which a limit lies.
    #[must_use]
    pub fn owner_of_limit(&self, limit: &LimitName) -> PartitionId {
        partition_of(&format!("limit {limit}"), self.partitions)
    }

    /// Shares limits that lie in the partition `owner`, for the reports of `reporter`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether they were shared: the partition reports again.
    pub async fn share_limits(
        &self,
        owner: PartitionId,
        reporter: PartitionId,
        reports: &[(LimitReport, Limit)],
    ) -> Result<Vec<Grant>, Error> {
        let mut grants = Vec::with_capacity(reports.len());
        for chunk in reports.chunks(SHARED_MAX) {
            let mut args = vec![
                Value::from(""),
                Value::from(reporter.to_string()),
                Value::from(chunk.len().to_string()),
            ];
            for (report, limit) in chunk {
                args.extend(share_args(report, limit));
            }
            let keys = vec![self.keys.wheel(owner)];
            let value = self.redis.call(&SHARE_LIMIT, keys, args).await?;
            let mut reply = Reply::expect(SHARE_LIMIT.name(), value, "SHARED")?;
            reply.number()?;
            while !reply.is_empty() {
                grants.push(Fields::read(reply.list()?, grant)?);
            }
        }
        Ok(grants)
    }

    /// Gives a group its limits; with none, takes them away. The caller checked them.
    ///
    /// # Errors
    /// [`Error::Full`] when as many groups have limits as may; [`Error::Unavailable`] when it is unknown.
    pub async fn define_limits(
        &self,
        group: &GroupName,
        limits: &GroupLimits,
    ) -> Result<(), Error> {
        let text = if limits.is_empty() {
            String::new()
        } else {
            serde_json::to_string(limits).unwrap_or_default()
        };
        let args = vec![Value::from(group.as_str()), Value::from(text)];
        let keys = vec![self.keys.limits()];
        let value = self.redis.call(&DEFINE_LIMITS, keys, args).await?;
        let (status, _) = Reply::open(DEFINE_LIMITS.name(), value)?;
        match status.as_str() {
            "DEFINED" => Ok(()),
            "LIMITS_FULL" => Err(Error::Full(format!(
                "group: at most 1,000 groups have limits, and they do, so none for `{group}`: take away those of a group that needs none"
            ))),
            _ => Err(Error::contract(DEFINE_LIMITS.name(), status)),
        }
    }

    /// Pauses a group: none of its contexts starts, whatever its limits. Answers with since when it is paused. The caller checked the note.
    ///
    /// # Errors
    /// [`Error::Full`] when as many groups are paused as may be; [`Error::Unavailable`] when it is unknown.
    pub async fn pause_group(
        &self,
        group: &GroupName,
        by: Option<&TokenId>,
        note: &str,
    ) -> Result<TimestampMs, Error> {
        let args = Args::new()
            .with("group", group.as_str())
            .with_optional("by", by.map(|token| token.as_str().to_owned()))
            .with_filled("note", note)
            .alone();
        let keys = vec![self.keys.limits()];
        let value = self.redis.call(&PAUSE_GROUP, keys, args).await?;
        let (status, mut reply) = Reply::open(PAUSE_GROUP.name(), value)?;
        match status.as_str() {
            "PAUSED" => Ok(TimestampMs::new(reply.number()?)),
            "PAUSES_FULL" => Err(Error::Full(format!(
                "group: at most 1,000 groups are paused, and they are, so not `{group}`: resume one"
            ))),
            _ => Err(Error::contract(PAUSE_GROUP.name(), status)),
        }
    }

    /// Resumes a group. Nothing changes for one that is not paused.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether it was resumed.
    pub async fn resume_group(&self, group: &GroupName) -> Result<(), Error> {
        let args = Args::new()
            .with("group", group.as_str())
            .with_flag("resume", true)
            .alone();
        let keys = vec![self.keys.limits()];
        let value = self.redis.call(&PAUSE_GROUP, keys, args).await?;
        Reply::expect(PAUSE_GROUP.name(), value, "RESUMED").map(drop)
    }

    /// The limits of all groups, and which are paused.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_limits(&self) -> Result<Defined, Error> {
        let keys = vec![self.keys.limits()];
        let value = self.redis.call(&LIST_LIMITS, keys, vec![]).await?;
        let reply = Reply::expect(LIST_LIMITS.name(), value, "LIMITS")?;
        Fields::read(reply, defined)
    }

    /// How much of each limit is used, in the order of `names`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn limit_states(&self, names: &[LimitName]) -> Result<Vec<LimitState>, Error> {
        let mut states = Vec::with_capacity(names.len());
        for name in names {
            let keys = vec![self.keys.wheel(self.owner_of_limit(name))];
            let value = self.redis.call(&LIMIT_STATE, keys, vec![key_name(name)]);
            let mut reply = Reply::expect(LIMIT_STATE.name(), value.await?, "STATE")?;
            states.push(LimitState {
                running: 0,
                granted: reply.number()?,
                waiting: reply.number()?,
                partitions: reply.number()?,
            });
        }
        for partition in self.partitions.partitions() {
            for (names, states) in names.chunks(LISTED_MAX).zip(states.chunks_mut(LISTED_MAX)) {
                let args = names.iter().map(|name| Value::from(name.to_string()));
                let keys = vec![self.keys.wheel(partition)];
                let value = self.redis.call(&LIMIT_USING, keys, args.collect()).await?;
                let mut reply = Reply::expect(LIMIT_USING.name(), value, "USING")?;
                for state in states {
                    state.running += reply.number()?;
                }
            }
        }
        Ok(states)
    }
}

/// The name of a limit in the key of its owner.
fn key_name(limit: &LimitName) -> Value {
    Value::from(limit.to_string().replace(' ', ":"))
}

fn share_args(report: &LimitReport, limit: &Limit) -> [Value; 9] {
    let text = |number: u64| Value::from(number.to_string());
    let bound = |bound: Option<u32>| Value::from(bound.map_or_else(String::new, |n| n.to_string()));
    let per = limit.rate.map_or_else(String::new, |rate| {
        format!("{} {}", rate.per_ms, rate.burst)
    });
    [
        key_name(&report.limit),
        text(report.report),
        text(report.holds),
        text(report.unspent),
        text(report.wanted),
        text(report.waiting),
        bound(limit.concurrency),
        bound(limit.rate.map(|rate| rate.starts)),
        Value::from(per),
    ]
}

fn grant(fields: &mut Fields) -> Result<Grant, Error> {
    let name = fields.text("limit")?.replace(':', " ");
    let limit = name
        .parse()
        .map_err(|_| Error::contract(SHARE_LIMIT.name(), name))?;
    Ok(Grant {
        limit,
        report: fields.number("report")?,
        allowed: fields.number("allowed")?,
        starts: fields.number("starts")?,
        kept: fields.text("mode")? == "k",
        again: fields
            .optional_number("again_ms")?
            .map(Duration::from_millis),
    })
}

fn defined(fields: &mut Fields) -> Result<Defined, Error> {
    let (changes, changed) = (fields.number("changes")?, fields.number("changed_ms")?);
    let mut unreadable = fields.number("unreadable")?;
    let limits = |text: &[u8]| serde_json::from_slice(text).ok();
    let groups = by_group(fields.list("groups")?, limits, &mut unreadable)?;
    let pause = |text: &[u8]| str::from_utf8(text).ok().and_then(GroupPause::parse);
    let paused = by_group(fields.list("paused")?, pause, &mut unreadable)?;
    Ok(Defined {
        changes,
        changed: Some(changed).filter(|at| *at > 0).map(TimestampMs::new),
        groups,
        paused,
        unreadable,
    })
}

/// Reads what stands beside the name of each group, in the order of their names. What cannot be read was written by a newer program, or by
/// nobody: it is counted, and holds nobody back.
fn by_group<T>(
    mut list: Reply,
    read: impl Fn(&[u8]) -> Option<T>,
    unreadable: &mut u64,
) -> Result<Vec<(GroupName, T)>, Error> {
    let mut groups = Vec::with_capacity(list.len());
    while !list.is_empty() {
        let mut one = list.list()?;
        let (group, text) = (one.bytes()?, one.bytes()?);
        let group = String::from_utf8_lossy(&group);
        match (group.parse::<GroupName>(), read(&text)) {
            (Ok(group), Some(found)) => groups.push((group, found)),
            _ => {
                *unreadable += 1;
                if let Some(kept_back) = UNREAD.say(&group) {
                    tracing::error!(%group, kept_back, "the limits of a group, or its pause, cannot be read");
                }
            }
        }
    }
    groups.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(groups)
}

/// A report of a turn; `None` when its name is none of a limit.
fn report(fields: &mut Fields) -> Result<Option<LimitReport>, Error> {
    let name = fields.bytes("limit")?;
    let limit = str::from_utf8(&name)
        .ok()
        .and_then(|name| name.parse().ok());
    let (report, holds) = (fields.number("report")?, fields.number("holds")?);
    let (unspent, wanted) = (fields.number("unspent")?, fields.number("wanted")?);
    let waiting = fields.number("waiting")?;
    Ok(limit.map(|limit| LimitReport {
        limit,
        report,
        holds,
        unspent,
        wanted,
        waiting,
    }))
}

/// Reads the reports of a turn, and counts those of names that are none of a limit.
pub(crate) fn reports(mut list: Reply) -> Result<(Vec<LimitReport>, u64), Error> {
    let (mut reports, mut unreadable) = (Vec::new(), 0);
    while !list.is_empty() {
        match Fields::read(list.list()?, report)? {
            Some(report) => reports.push(report),
            None => unreadable += 1,
        }
    }
    Ok((reports, unreadable))
}
