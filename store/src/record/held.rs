//! A context while it runs: the value of its field in `held`.

use std::str::FromStr;

use bytes::Bytes;
use tickwheel_core::id::{AttemptNo, WorkerId};
use tickwheel_core::limits::LimitName;
use tickwheel_core::time::TimestampMs;

use super::{Fields, Rest};
use crate::error::Error;

/// `<attempt>:<failures> <worker> <claimed> <expires> <deadline|0>[<limits>] <cancel|-> <rest>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The running attempt.
    pub attempt: AttemptNo,
    /// Attempts before it that failed, timed out or lost their lease.
    pub failures: u32,
    /// Who runs it.
    pub worker: WorkerId,
    /// When the worker was given it.
    pub claimed: TimestampMs,
    /// When its lease ends unless renewed.
    pub expires: TimestampMs,
    /// When the attempt is cancelled as timed out.
    pub deadline: Option<TimestampMs>,
    /// The limits it counts under.
    pub limits: HeldLimits,
    /// Set once the worker has to be told to stop.
    pub cancel: Option<HeldCancel>,
    /// What runs.
    pub rest: Rest,
}

/// `g` when it counts under the limit of its group, `k` under that of its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldLimits {
    /// That of its group.
    pub group: bool,
    /// That of its key.
    pub key: bool,
}

/// `<REASON>@<grace until>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCancel {
    /// Why, as the record has it: a word of [`CancelReason`](tickwheel_core::cancel::CancelReason), or one of a newer version.
    pub reason: String,
    /// The attempt may settle until then; afterwards its lease is taken.
    pub grace_until: TimestampMs,
}

impl FromStr for HeldCancel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (reason, until) = text.split_once('@').ok_or(())?;
        Ok(Self {
            reason: reason.to_owned(),
            grace_until: TimestampMs::new(until.parse().map_err(|_| ())?),
        })
    }
}

impl Held {
    /// The names of the limits that it counts under.
    #[must_use]
    pub fn counts_under(&self) -> Vec<LimitName> {
        let name = |key| LimitName {
            group: self.rest.group.clone(),
            key,
        };
        let group = self.limits.group.then(|| name(None));
        let key = self.rest.options.key.clone().filter(|_| self.limits.key);
        group
            .into_iter()
            .chain(key.map(|key| name(Some(key))))
            .collect()
    }

    /// Reads a held value; the body shares its memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the text does not follow the grammar.
    pub fn parse(text: Bytes) -> Result<Self, Error> {
        let mut fields = Fields::new("record/held", text);
        let (attempt, failures) = fields.counts()?;
        let worker = fields.parse()?;
        let claimed = TimestampMs::new(fields.parse()?);
        let expires = TimestampMs::new(fields.parse()?);
        let (deadline, limits) = deadline(fields.field()?)?;
        let cancel = match fields.field()? {
            "-" => None,
            text => Some(
                text.parse()
                    .map_err(|()| Error::damaged("record/held", text))?,
            ),
        };
        let rest = Rest::read(&mut fields)?;
        Ok(Self {
            attempt: AttemptNo::new(attempt),
            failures,
            worker,
            claimed,
            expires,
            deadline,
            limits,
            cancel,
            rest,
        })
    }
}

/// `<ms|0>[g][k]`.
fn deadline(text: &str) -> Result<(Option<TimestampMs>, HeldLimits), Error> {
    let wrong = || Error::damaged("record/held", text);
    let digits = text.trim_end_matches(['g', 'k']);
    let letters = text.strip_prefix(digits).ok_or_else(wrong)?;
    if !["", "g", "k", "gk"].contains(&letters) {
        return Err(wrong());
    }
    let at: u64 = digits.parse().map_err(|_| wrong())?;
    let limits = HeldLimits {
        group: letters.contains('g'),
        key: letters.contains('k'),
    };
    Ok((Some(at).filter(|ms| *ms > 0).map(TimestampMs::new), limits))
}
