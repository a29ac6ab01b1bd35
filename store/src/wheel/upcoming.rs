//! What users have in the wheels of all partitions, the earliest first. Script: `lua/wheel/upcoming.lua`.
//!
//! It is a list as those of contexts are (`context/list.rs`): merged over the partitions, within a budget, with a cursor of one point.

use tickwheel_core::access::Sight;
use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use crate::args::Args;
use crate::context::{Answer, Ask, ITEMS_MAX, Lists, MergedList, PageBounds, Section};
use crate::error::Error;
use crate::reply::Reply;
use crate::script::UPCOMING;
use crate::store::Store;

/// What comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// A context that never ran.
    Run(ContextId),
    /// Another attempt of a context.
    Retry {
        /// The context.
        id: ContextId,
        /// Its attempts so far.
        attempts: u32,
    },
    /// The next firing of a job.
    Job {
        /// Its name.
        name: JobName,
        /// The due time that fires; `None` while it is not known.
        due: Option<TimestampMs>,
    },
    /// A context that has not started by then expires.
    Deadline(ContextId),
}

/// Which of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComingKind {
    /// A context that never ran.
    Run,
    /// Another attempt of a context.
    Retry,
    /// The next firing of a job.
    Job,
    /// A start deadline.
    Deadline,
}

impl ComingKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Run, Self::Retry, Self::Job, Self::Deadline];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Retry => "retry",
            Self::Job => "job",
            Self::Deadline => "deadline",
        }
    }
}

/// An entry of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// What it is.
    pub coming: Coming,
    /// When it comes: for a job with its jitter, for another attempt behind its back-off.
    pub at: TimestampMs,
    /// The workers that it is for.
    pub group: GroupName,
    /// What runs.
    pub handler: HandlerName,
    /// 0 to 4.
    pub priority: u8,
}

/// Which entries are listed; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpcomingFilter {
    /// What they are: one of these; none: anything.
    pub kinds: Vec<ComingKind>,
    /// How the name of their job begins. With a slash at its end it is a namespace, and has also what belongs to no job of it. Empty: any.
    pub prefix: String,
    /// The workers they are for.
    pub group: Option<GroupName>,
    /// Their handler.
    pub handler: Option<HandlerName>,
    /// They come before this.
    pub until: Option<TimestampMs>,
    /// Who looks; `None`: somebody who sees everything.
    pub sight: Option<Sight>,
}

impl Upcoming {
    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        match &self.coming {
            Coming::Run(id) | Coming::Retry { id, .. } | Coming::Deadline(id) => id.namespace(),
            Coming::Job { name, .. } => name.namespace(),
        }
    }

    fn is_in(&self, sight: &Sight) -> bool {
        let (group, handler) = (self.group.as_str(), self.handler.as_str());
        sight.has(self.namespace(), Some(group), Some(handler))
    }
}

/// One `{ kind, name, score, facts }`.
fn entry(mut item: Reply) -> Result<Upcoming, Error> {
    let damaged = || Error::damaged(UPCOMING.name(), "an entry");
    let (kind, name) = (item.text()?, item.text()?);
    let at = TimestampMs::new(item.number()?);
    let facts = item.text()?;
    let mut facts = facts.splitn(4, ' ');
    let mut next = || facts.next().ok_or_else(damaged);
    let number: u64 = next()?.parse().map_err(|_| damaged())?;
    let group = GroupName::new(next()?).map_err(|_| damaged())?;
    let handler = HandlerName::new(next()?).map_err(|_| damaged())?;
    let priority = next()?.parse().map_err(|_| damaged())?;
    let id = || name.parse::<ContextId>().map_err(|_| damaged());
    let coming = match kind.as_str() {
        "run" => Coming::Run(id()?),
        "retry" => Coming::Retry {
            id: id()?,
            attempts: u32::try_from(number).map_err(|_| damaged())?,
        },
        "job" => Coming::Job {
            name: JobName::new(&name).map_err(|_| damaged())?,
            due: (number > 0).then(|| TimestampMs::new(number)),
        },
        "deadline" => Coming::Deadline(id()?),
        _ => return Err(damaged()),
    };
    Ok(Upcoming {
        coming,
        at,
        group,
        handler,
        priority,
    })
}

/// What is listed, and where.
struct Wanted<'a> {
    filter: &'a UpcomingFilter,
    partitions: Vec<PartitionId>,
}

impl Lists for Wanted<'_> {
    type Item = Upcoming;

    const NAME: &'static str = "wheel/upcoming";

    fn sections(&self) -> &[Section] {
        &[Section::Timed]
    }

    fn partitions(&self) -> &[PartitionId] {
        &self.partitions
    }

    fn start_of(&self, _section: Section) -> String {
        String::new()
    }

    fn is_limited(&self) -> bool {
        let sight = self.filter.sight.as_ref();
        sight.is_some_and(|sight| !sight.is_everything())
    }

    /// But for the end: an age counts from each page anew.
    fn chosen_by(&self) -> String {
        let filter = UpcomingFilter {
            until: None,
            ..self.filter.clone()
        };
        format!("{filter:?}")
    }

    async fn ask(&self, store: &Store, ask: Ask<'_>) -> Result<Answer<Upcoming>, Error> {
        let filter = self.filter;
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.as_str()).collect();
        let args = Args::new()
            .with_filled("position", ask.point)
            .with_number("limit", ask.items.clamp(1, ITEMS_MAX))
            .with_number("look", ask.look.max(1))
            .with_filled("kinds", &kinds.join(" "))
            .with_filled("prefix", &filter.prefix)
            .with_optional("group", filter.group.as_ref().map(GroupName::as_str))
            .with_optional("handler", filter.handler.as_ref().map(HandlerName::as_str))
            .with_optional_number("until", filter.until.map(TimestampMs::as_u64))
            .alone();
        let wheel = vec![store.keys.wheel(ask.partition)];
        let value = store.redis.call(&UPCOMING, wheel, args).await?;
        let reply = Reply::expect(UPCOMING.name(), value, "PAGE")?;
        ask.read(UPCOMING.name(), reply, |item| {
            let found = entry(item)?;
            let sight = filter.sight.as_ref();
            let is_seen = sight.is_none_or(|sight| found.is_in(sight));
            Ok(is_seen.then_some(found))
        })
    }

    fn bytes_of(_item: &Upcoming) -> usize {
        0
    }
}

impl Store {
    /// A page of what users have in the wheels, over all partitions, the earliest first; of one time the lower partition first. What stays
    /// is listed once, also while more come.
    ///
    /// Dropping the call leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of this list; [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_upcoming(
        &self,
        filter: &UpcomingFilter,
        cursor: &str,
        bounds: PageBounds,
    ) -> Result<MergedList<Upcoming>, Error> {
        let wanted = Wanted {
            filter,
            partitions: self.partitions.partitions().collect(),
        };
        self.list_merged(&wanted, None, cursor, bounds).await
    }
}
