//! One visit to one partition, and a look at one. Scripts: `lua/wheel/turn.lua`, `lua/wheel/look.lua`, `lua/wheel/delivered.lua`.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{ContextId, GroupName, JobName, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::fields::Fields;
use crate::lease::{AttemptRef, Holding};
use crate::limit::{self, LimitInput, LimitReport};
use crate::placement::PlacementOffer;
use crate::record::{Member, Queue};
use crate::reply::Reply;
use crate::script::{DELIVERED, LOOK, TURN};
use crate::seldom::Seldom;
use crate::store::Store;
use crate::wheel::offer::{Offer, SentHandlers};

/// One damage may have hit many.
static UNREAD: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// Bounds of one turn.
#[derive(Debug, Clone, Copy)]
pub struct TurnLimits {
    /// Until a claimed context must be accepted or settled, 100 ms ..= 1 h.
    pub dispatch_lease: Duration,
    /// Entries taken from the wheel, and contexts claimed, 1..=1000.
    pub entries: u32,
}

/// What a turn is told besides the permits.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Who fits the placements that it may meet.
    pub placements: &'a [PlacementOffer],
    /// 1..=2147483646, for placements that choose by chance.
    pub random: u32,
    /// The limits of groups, where some have any.
    pub limits: Option<&'a LimitInput>,
    /// Handlers that some worker here has, besides those of the offers; of use where more waits than a turn tells of.
    pub served: &'a [Served],
}

/// Handlers of a group that some worker here has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The group.
    pub group: GroupName,
    /// Names of handlers.
    pub handlers: Vec<String>,
}

/// A context claimed for a worker; its member carries the attempt number to dispatch.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who runs it.
    pub worker: WorkerId,
    /// What to run.
    pub member: Member,
}

impl Claim {
    /// Its attempt and its worker.
    #[must_use]
    pub fn holding(&self) -> Holding {
        Holding {
            attempt: AttemptRef {
                context: self.member.id.clone(),
                attempt: self.member.attempt,
            },
            worker: self.worker.clone(),
        }
    }
}

/// A follower that has to be told of the end of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The job to fire.
    pub follower: JobName,
    /// The context that ended.
    pub upstream: ContextId,
    /// How it ended.
    pub state: ContextState,
    /// The entry as the script knows it.
    pub text: String,
}

/// What a turn found and did.
#[derive(Debug, Clone)]
pub struct Turned {
    /// Redis' clock.
    pub now: TimestampMs,
    /// Score of the wheel's head.
    pub next: Option<TimestampMs>,
    /// Due entries are left: turn again at once.
    pub more: bool,
    /// Claimed contexts, to dispatch. One whose record cannot be read is not among them: it ends with its dispatch leases, and the others
    /// do not end with it.
    pub claims: Vec<Claim>,
    /// Ready sets that are not empty, with their sizes.
    pub backlog: Vec<(Queue, u64)>,
    /// Jobs whose plan ran low or out.
    pub plan: Vec<JobName>,
    /// Followers to fire.
    pub outbox: Vec<OutboxEntry>,
    /// Leases have to be looked at.
    pub scan: bool,
    /// Due times that became contexts, were skipped by overlap policy, were missed.
    pub counts: TurnCounts,
    /// Contexts to split, as they wait, without their bodies.
    pub opens: Vec<Member>,
    /// Roots whose parts wait for certain workers: do these live?
    pub looks: Vec<PinnedParts>,
    /// Workers for which parts wait, at most 64.
    pub pinned: Vec<Pinned>,
    /// What is to be shared of limits.
    pub reports: Vec<LimitReport>,
    /// Something waits for a limit.
    pub limited: bool,
    /// A limit was asked for of which nothing was known: what stands behind it waits for the answer.
    pub awaiting_grant: bool,
    /// More waits than `backlog` tells of: of what the turn was not told is served, perhaps all.
    pub untold: bool,
}

/// Parts that wait for a certain worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The worker.
    pub worker: WorkerId,
    /// The queue of the parts, with the placement that says what each takes.
    pub queue: Queue,
}

/// Parts of a root that wait for certain workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedParts {
    /// The root.
    pub root: ContextId,
    /// The workers.
    pub workers: Vec<WorkerId>,
}

/// What became of the due times of jobs in one turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TurnCounts {
    /// Became contexts.
    pub fired: u64,
    /// Skipped by the overlap policy.
    pub skipped: u64,
    /// Missed.
    pub missed: u64,
    /// Records that no turn can use, put aside: `{tw:p}:quarantine` has them.
    pub aside: u64,
    /// Offers of workers, placements and workers of placements that the script could not read and left out.
    pub unread: u64,
    /// What the turn told of that cannot be read, and stays where it is: `tickwheel store check` names it.
    pub unreadable: u64,
}

/// What waits in a partition.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Redis' clock.
    pub now: TimestampMs,
    /// Score of the wheel's head.
    pub head: Option<TimestampMs>,
    /// Ready sets with the due time of their first context.
    pub ready: Vec<(Queue, TimestampMs)>,
}

impl Store {
    /// Turns `partition` once. The tracker dispatches the claims; a lost reply is repaired by the end of the dispatch leases.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether the turn happened.
    pub async fn turn(
        &self,
        partition: PartitionId,
        offers: &[Offer],
        limits: TurnLimits,
    ) -> Result<Turned, Error> {
        let told = Told {
            placements: &[],
            random: 1,
            limits: None,
            served: &[],
        };
        self.turn_told(partition, offers, told, limits).await
    }

    /// The same, for contexts with a placement as well.
    ///
    /// # Errors
    /// As [`Store::turn`].
    pub async fn turn_placements(
        &self,
        partition: PartitionId,
        offers: &[Offer],
        (placements, random): (&[PlacementOffer], u32),
        limits: TurnLimits,
    ) -> Result<Turned, Error> {
        let told = Told {
            placements,
            random,
            limits: None,
            served: &[],
        };
        self.turn_told(partition, offers, told, limits).await
    }

    /// The same, with all that a turn can be told.
    ///
    /// # Errors
    /// As [`Store::turn`].
    pub async fn turn_told(
        &self,
        partition: PartitionId,
        offers: &[Offer],
        told: Told<'_>,
        limits: TurnLimits,
    ) -> Result<Turned, Error> {
        let Told {
            placements,
            random,
            served,
            ..
        } = told;
        let mut args: Vec<Value> = Vec::with_capacity(6 + 4 * offers.len() + 3 * placements.len());
        args.push(Value::from(""));
        args.push(Value::from(limits.dispatch_lease.as_millis().to_string()));
        args.push(Value::from(limits.entries.to_string()));
        let room = 1_000_usize.saturating_sub(offers.len());
        let served = served.get(..room).unwrap_or(served);
        args.push(Value::from((offers.len() + served.len()).to_string()));
        let mut handlers = SentHandlers::default();
        for (number, offer) in (1..).zip(offers) {
            args.push(Value::from(offer.worker.as_str()));
            args.push(Value::from(offer.group.as_str()));
            let more = if offer.soon { "+" } else { "" };
            let units = if placements.is_empty() || offer.units.is_empty() {
                String::new()
            } else {
                format!(" {}", offer.units.to_record())
            };
            args.push(Value::from(format!("{}{more}{units}", offer.permits)));
            args.push(handlers.of(offer, number));
        }
        for of_group in served {
            args.push(Value::from("-"));
            args.push(Value::from(of_group.group.as_str()));
            args.push(Value::from("0"));
            args.push(Value::from(of_group.handlers.join(",")));
        }
        if !placements.is_empty() {
            args.push(Value::from(random.to_string()));
            args.push(Value::from(placements.len().to_string()));
            args.extend(placements.iter().flat_map(PlacementOffer::args));
        }
        if let Some(told) = told.limits {
            args.push(Value::from(told.text()));
        }
        let value = self
            .redis
            .call(&TURN, vec![self.keys.wheel(partition)], args)
            .await?;
        turned(value)
    }

    /// Looks at `partition` without moving anything.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn look(&self, partition: PartitionId) -> Result<Looked, Error> {
        self.look_for(partition, &[]).await
    }

    /// The same; where much waits, for these handlers: at most 256, with one for each group.
    ///
    /// # Errors
    /// As [`Store::look`].
    pub async fn look_for(
        &self,
        partition: PartitionId,
        served: &[Served],
    ) -> Result<Looked, Error> {
        let mut args = vec![Value::from("")];
        for Served { group, handlers } in served {
            args.push(Value::from(format!("{group} !fan")));
            let handlers = handlers.iter();
            args.extend(handlers.map(|handler| Value::from(format!("{group} {handler}"))));
        }
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&LOOK, keys, args).await?;
        let mut reply = Reply::expect(LOOK.name(), value, "LOOKED")?;
        let now = TimestampMs::new(reply.number()?);
        let head = reply.optional_number()?.map(TimestampMs::new);
        let mut list = reply.list()?;
        let mut ready = Vec::new();
        while !list.is_empty() {
            let (queue, due) = (list.bytes()?, list.number()?);
            // One that cannot be read is named by `store check`.
            ready.extend(readable(&queue).map(|queue| (queue, TimestampMs::new(due))));
        }
        Ok(Looked { now, head, ready })
    }

    /// Takes delivered entries out of the outbox of `partition`. Idempotent.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: deliver and confirm again later.
    pub async fn delivered(
        &self,
        partition: PartitionId,
        entries: &[OutboxEntry],
    ) -> Result<(), Error> {
        for chunk in entries.chunks(1000) {
            let mut args = vec![Value::from(chunk.len().to_string())];
            args.extend(chunk.iter().map(|entry| Value::from(entry.text.as_str())));
            let value = self
                .redis
                .call(&DELIVERED, vec![self.keys.wheel(partition)], args)
                .await?;
            Reply::expect(DELIVERED.name(), value, "DELIVERED")?;
        }
        Ok(())
    }
}

fn turned(value: Value) -> Result<Turned, Error> {
    Fields::read(Reply::expect(TURN.name(), value, "TURNED")?, |fields| {
        let mut unreadable = 0;
        let backlog = backlog(fields.list_or_empty("backlog")?, &mut unreadable)?;
        let plan = fields.list_or_empty("plan")?;
        let plan = all(plan, &mut unreadable, |text| readable(&text))?;
        let outbox = fields.list_or_empty("outbox")?;
        let outbox = all(outbox, &mut unreadable, |text| outbox_entry(&text))?;
        let opens = fields.list_or_empty("opens")?;
        let opens = all(opens, &mut unreadable, |text| Member::parse(text).ok())?;
        let looks = fields.list_or_empty("looks")?;
        let looks = all(looks, &mut unreadable, |text| pinned_parts(&text))?;
        let pinned = pinned(fields.list_or_empty("pinned")?, &mut unreadable)?;
        let (reports, lost) = limit::reports(fields.list_or_empty("reports")?)?;
        let limited = fields.count("limited")?;
        Ok(Turned {
            now: TimestampMs::new(fields.number("now_ms")?),
            next: fields.optional_number("next_ms")?.map(TimestampMs::new),
            more: fields.flag("more")?,
            claims: claims(fields.list_or_empty("claims")?)?,
            backlog,
            plan,
            outbox,
            scan: fields.flag("scan")?,
            counts: TurnCounts {
                fired: fields.count("fired")?,
                skipped: fields.count("skipped")?,
                missed: fields.count("missed")?,
                aside: fields.count("aside")?,
                unread: fields.count("unread")?,
                unreadable: unreadable + lost,
            },
            opens,
            looks,
            pinned,
            reports,
            limited: limited > 0,
            awaiting_grant: limited == 2,
            untold: fields.flag("untold")?,
        })
    })
}

fn backlog(mut list: Reply, unreadable: &mut u64) -> Result<Vec<(Queue, u64)>, Error> {
    let mut backlog = Vec::with_capacity(list.len() / 2);
    while !list.is_empty() {
        let (queue, waiting) = (readable(&list.bytes()?), list.number()?);
        match queue {
            Some(queue) => backlog.push((queue, waiting)),
            None => *unreadable += 1,
        }
    }
    Ok(backlog)
}

fn pinned(mut list: Reply, unreadable: &mut u64) -> Result<Vec<Pinned>, Error> {
    let mut pinned = Vec::with_capacity(list.len() / 2);
    while !list.is_empty() {
        match (readable(&list.bytes()?), readable(&list.bytes()?)) {
            (Some(worker), Some(queue)) => pinned.push(Pinned { worker, queue }),
            _ => *unreadable += 1,
        }
    }
    Ok(pinned)
}

fn claims(mut list: Reply) -> Result<Vec<Claim>, Error> {
    let mut claims = Vec::with_capacity(list.len() / 2);
    while !list.is_empty() {
        let worker = list.parsed()?;
        match Member::parse(list.bytes()?) {
            Ok(mut member) => {
                member.attempt = member.attempt.next();
                claims.push(Claim { worker, member });
            }
            Err(error) => {
                if let Some(kept_back) = UNREAD.say(&error.to_string()) {
                    tracing::error!(%error, kept_back, "a claimed context cannot be read");
                }
            }
        }
    }
    Ok(claims)
}

/// What can be read of a list; the rest is counted.
fn all<T>(
    mut list: Reply,
    unreadable: &mut u64,
    read: impl Fn(Bytes) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::with_capacity(list.len());
    while !list.is_empty() {
        match read(list.bytes()?) {
            Some(one) => found.push(one),
            None => *unreadable += 1,
        }
    }
    Ok(found)
}

/// A text of a type with a grammar.
fn readable<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    str::from_utf8(text).ok()?.parse().ok()
}

fn pinned_parts(text: &[u8]) -> Option<PinnedParts> {
    let mut words = str::from_utf8(text).ok()?.split(' ');
    let root = words.next()?.parse().ok()?;
    // A field of the root that names no worker stands for none.
    let workers = words.filter_map(|word| word.parse().ok()).collect();
    Some(PinnedParts { root, workers })
}

fn outbox_entry(text: &[u8]) -> Option<OutboxEntry> {
    let text = str::from_utf8(text).ok()?;
    let mut words = text.split(' ');
    let follower = words.next()?.parse().ok()?;
    let upstream = words.next()?.parse().ok()?;
    let state = words.next()?.parse().ok()?;
    Some(OutboxEntry {
        follower,
        upstream,
        state,
        text: text.to_owned(),
    })
}
