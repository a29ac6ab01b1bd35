//! The options of a context as text: `-`, or `k=v` separated by commas, with only what differs from the defaults.
//!
//! Most contexts have none, and a byte less in a member is a byte less for each waiting context; so the keys are letters.

use std::fmt;
use std::str::FromStr;

use tickwheel_core::fairness::FairnessKey;
use tickwheel_core::id::{DedupName, WorkerId};
use tickwheel_core::job::{Backoff, ContextOptions, Priority, RetryPolicy};
use tickwheel_core::routing::PlacementId;

use super::Upstream;

/// What holds for a context besides its priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How often it is tried.
    pub retry: RetryPolicy,
    /// Milliseconds an attempt may take (`t`).
    pub timeout_ms: Option<u64>,
    /// Milliseconds a cancelled attempt has to settle (`g`).
    pub cancel_grace_ms: u64,
    /// Milliseconds from its due time to its start, or it expires (`s`).
    pub start_deadline_ms: Option<u64>,
    /// Milliseconds after its due time at which it was last asked to run again; the start deadline counts from then (`d`).
    pub again_ms: u64,
    /// Milliseconds a running lease holds (`l`).
    pub lease_ms: u64,
    /// A lost lease ends it (`x`).
    pub fail_on_lease_lost: bool,
    /// The worker that lost or refused the last attempt: the next one goes to another if there is one (`a`).
    pub avoid: Option<WorkerId>,
    /// Where it may run, and who takes it (`c`).
    pub placement: Option<PlacementId>,
    /// What consistent hashing knows it by (`h`).
    pub hash: Option<u32>,
    /// Its key among those that share the permits of the group (`k`).
    pub key: Option<FairnessKey>,
    /// What its dedup key is called (`u`): the key is free again when it is cancelled before it ever started.
    pub dedup: Option<DedupName>,
    /// What the key weighs (`v`).
    pub weight: u32,
    /// How many workers died or fell silent with it since one last reported an end of it (`o`).
    pub orphaned: u32,
    /// The one worker that may run its next attempt (`w`).
    pub only: Option<WorkerId>,
    /// A tracker splits it as its job's model says (`m`).
    pub split: bool,
    /// The part of its root that it is (`p`).
    pub part: Option<PartKind>,
    /// The end that it follows (`f`).
    pub upstream: Option<Upstream>,
    /// Among the dead: the bytes of its body, which was too great to be kept (`n`).
    pub body_dropped: Option<u64>,
}

/// What a subtask is to its root: `<letter>:<total>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartKind {
    /// Which kind.
    pub kind: SubtaskKind,
    /// Subtasks in all; 0: not known.
    pub total: u64,
}

/// The kinds of subtasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubtaskKind {
    /// An item that a handler mapped.
    Map,
    /// One worker's part of a broadcast.
    Broadcast,
    /// An item of a sharded context.
    Shard,
    /// An index of an indexed context.
    Index,
    /// Runs when all others have ended.
    Reduce,
}

const KINDS: [(SubtaskKind, &str); 5] = [
    (SubtaskKind::Map, "m"),
    (SubtaskKind::Broadcast, "b"),
    (SubtaskKind::Shard, "s"),
    (SubtaskKind::Index, "i"),
    (SubtaskKind::Reduce, "r"),
];

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = KINDS.iter().find(|(kind, _)| *kind == self.kind);
        write!(
            f,
            "{}:{}",
            letter.map_or("", |(_, letter)| letter),
            self.total
        )
    }
}

impl FromStr for PartKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (letter, total) = text.split_once(':').ok_or(())?;
        let (kind, _) = KINDS.iter().find(|(_, known)| *known == letter).ok_or(())?;
        Ok(Self {
            kind: *kind,
            total: total.parse().map_err(drop)?,
        })
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::from(&ContextOptions::default())
    }
}

impl From<&ContextOptions> for Options {
    fn from(options: &ContextOptions) -> Self {
        Self {
            retry: options.retry,
            timeout_ms: options.timeout_ms,
            cancel_grace_ms: options.cancel_grace_ms,
            start_deadline_ms: options.start_deadline_ms,
            again_ms: 0,
            lease_ms: options.lease_ms,
            fail_on_lease_lost: options.fail_on_lease_lost,
            avoid: None,
            placement: None,
            hash: None,
            key: None,
            dedup: None,
            weight: 1,
            orphaned: 0,
            only: None,
            split: false,
            part: None,
            upstream: None,
            body_dropped: None,
        }
    }
}

impl Options {
    /// The options as their user gave them; the priority stands beside them in a record.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> ContextOptions {
        ContextOptions {
            priority,
            retry: self.retry,
            timeout_ms: self.timeout_ms,
            cancel_grace_ms: self.cancel_grace_ms,
            start_deadline_ms: self.start_deadline_ms,
            lease_ms: self.lease_ms,
            fail_on_lease_lost: self.fail_on_lease_lost,
        }
    }
}

impl Options {
    /// Its fairness key, behind that what it weighs where that is not 1; and its dedup key.
    fn keys(&self) -> impl Iterator<Item = String> {
        let fairness = self.key.as_ref().map(|key| match self.weight {
            1 => format!("k={key}"),
            weight => format!("k={key},v={weight}"),
        });
        let dedup = self.dedup.as_ref().map(|name| format!("u={name}"));
        fairness.into_iter().chain(dedup)
    }

    /// What earlier attempts and other contexts left behind.
    fn past(&self) -> impl Iterator<Item = String> {
        let dropped = self.body_dropped;
        let texts = [
            self.avoid.as_ref().map(|avoid| format!("a={avoid}")),
            (self.orphaned > 0).then(|| format!("o={}", self.orphaned)),
            self.only.as_ref().map(|only| format!("w={only}")),
            dropped.map(|bytes| format!("n={bytes}")),
            self.upstream.as_ref().map(|end| format!("f={end}")),
        ];
        texts.into_iter().flatten()
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = ContextOptions::default();
        let mut separator = "";
        let mut item = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            write!(f, "{separator}{text}")?;
            separator = ",";
            Ok::<(), fmt::Error>(())
        };
        if self.lease_ms != default.lease_ms {
            item(f, format_args!("l={}", self.lease_ms))?;
        }
        if let Some(timeout_ms) = self.timeout_ms {
            item(f, format_args!("t={timeout_ms}"))?;
        }
        if self.cancel_grace_ms != default.cancel_grace_ms {
            item(f, format_args!("g={}", self.cancel_grace_ms))?;
        }
        if self.retry.max_attempts != default.retry.max_attempts {
            item(f, format_args!("r={}", self.retry.max_attempts))?;
        }
        if (self.retry.backoff, self.retry.full_jitter)
            != (default.retry.backoff, default.retry.full_jitter)
        {
            let jitter = u8::from(self.retry.full_jitter);
            match self.retry.backoff {
                Backoff::Fixed { delay_ms } => {
                    item(f, format_args!("b=f:{delay_ms}:{delay_ms}:{jitter}"))?;
                }
                Backoff::Exponential { delay_ms, cap_ms } => {
                    item(f, format_args!("b=e:{delay_ms}:{cap_ms}:{jitter}"))?;
                }
            }
        }
        if let Some(start_deadline_ms) = self.start_deadline_ms {
            item(f, format_args!("s={start_deadline_ms}"))?;
        }
        if self.again_ms > 0 {
            item(f, format_args!("d={}", self.again_ms))?;
        }
        if self.fail_on_lease_lost {
            item(f, format_args!("x=1"))?;
        }
        if let Some(placement) = &self.placement {
            item(f, format_args!("c={placement}"))?;
        }
        if let Some(hash) = self.hash {
            item(f, format_args!("h={hash}"))?;
        }
        for text in self.keys() {
            item(f, format_args!("{text}"))?;
        }
        if self.split {
            item(f, format_args!("m=1"))?;
        }
        if let Some(part) = &self.part {
            item(f, format_args!("p={part}"))?;
        }
        for text in self.past() {
            item(f, format_args!("{text}"))?;
        }
        if separator.is_empty() {
            f.write_str("-")
        } else {
            Ok(())
        }
    }
}

impl FromStr for Options {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut options = Self::default();
        if text == "-" {
            return Ok(options);
        }
        for pair in text.split(',') {
            let (letter, value) = pair.split_once('=').ok_or(())?;
            let number = || value.parse::<u64>().map_err(drop);
            match letter {
                "l" => options.lease_ms = number()?,
                "t" => options.timeout_ms = Some(number()?),
                "g" => options.cancel_grace_ms = number()?,
                "r" => options.retry.max_attempts = value.parse().map_err(drop)?,
                "b" => {
                    (options.retry.backoff, options.retry.full_jitter) = backoff(value).ok_or(())?;
                }
                "s" => options.start_deadline_ms = Some(number()?),
                "d" => options.again_ms = number()?,
                "x" => options.fail_on_lease_lost = value == "1",
                "a" => options.avoid = Some(WorkerId::new(value).map_err(drop)?),
                "c" => options.placement = Some(value.parse().map_err(drop)?),
                "h" => options.hash = Some(value.parse().map_err(drop)?),
                "k" => options.key = Some(value.parse().map_err(drop)?),
                "u" => options.dedup = Some(value.parse().map_err(drop)?),
                "v" => options.weight = value.parse().map_err(drop)?,
                "o" => options.orphaned = value.parse().map_err(drop)?,
                "w" => options.only = Some(WorkerId::new(value).map_err(drop)?),
                "m" => options.split = value == "1",
                "p" => options.part = Some(value.parse()?),
                "f" => options.upstream = Some(value.parse()?),
                "n" => options.body_dropped = Some(number()?),
                _ => return Err(()),
            }
        }
        Ok(options)
    }
}

/// `<f|e>:<delay>:<cap>:<0|1>`.
fn backoff(text: &str) -> Option<(Backoff, bool)> {
    let mut parts = text.split(':');
    let kind = parts.next()?;
    let delay_ms = parts.next()?.parse().ok()?;
    let cap_ms = parts.next()?.parse().ok()?;
    let full_jitter = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let backoff = match kind {
        "f" => Backoff::Fixed { delay_ms },
        "e" => Backoff::Exponential { delay_ms, cap_ms },
        _ => return None,
    };
    parts.next().is_none().then_some((backoff, full_jitter))
}
