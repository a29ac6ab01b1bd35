//! The ledger of a job: what became of each due time, and why.

use std::fmt;
use std::str::FromStr;

use crate::error::Violation;
use crate::id::ContextId;
use crate::time::TimestampMs;
use crate::word::word_enum;

word_enum! {
    /// What became of a due time.
    LedgerVerdict {
        /// A context was created.
        Fired = "fired",
        /// The overlap policy or a pause let it pass.
        Skipped = "skipped",
        /// It was popped too late.
        Missed = "missed",
        /// The job ended or was deleted before it.
        Cancelled = "cancelled",
        /// From here on another revision, or a resumed job, decides.
        Redefined = "redefined",
    }
}

word_enum! {
    /// Why a due time did not fire.
    Reason {
        /// Policy `skip`.
        MisfireSkip = "misfire_skip",
        /// Policy `fire_once`.
        MisfireCollapsed = "misfire_collapsed",
        /// Policy `fire_all`.
        MisfireLimit = "misfire_limit",
        /// Outside the window.
        CatchUpWindow = "catch_up_window",
        /// Policy `discard`.
        OverlapDiscard = "overlap_discard",
        /// Policy `parallel`.
        OverlapParallel = "overlap_parallel",
        /// Policy `queue`.
        OverlapQueueFull = "overlap_queue_full",
        /// Policy `queue_one`.
        OverlapCollapsed = "overlap_collapsed",
        /// The job was paused.
        Paused = "paused",
        /// `max_runs` was reached.
        MaxRuns = "max_runs",
        /// The job was deleted.
        Deleted = "deleted",
    }
}

impl Reason {
    /// The reason as a sentence for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::MisfireSkip => {
                "It was popped later than its tolerance, and the misfire policy is skip."
            }
            Self::MisfireCollapsed => {
                "It was popped later than its tolerance, and a newer late due time fired for it (misfire policy fire_once)."
            }
            Self::MisfireLimit => {
                "It was popped later than its tolerance, and the newer ones used up the limit of the misfire policy fire_all."
            }
            Self::CatchUpWindow => "It was older than the catch-up window when it was popped.",
            Self::OverlapDiscard => {
                "An earlier context was still active, and the overlap policy is discard."
            }
            Self::OverlapParallel => {
                "As many contexts were active as the overlap policy parallel allows."
            }
            Self::OverlapQueueFull => {
                "An earlier context was still active, and as many waited for it as the overlap policy queue allows."
            }
            Self::OverlapCollapsed => {
                "An earlier context was still active and one waited for it already (overlap policy queue_one)."
            }
            Self::Paused => "The job was paused.",
            Self::MaxRuns => "The job had fired max_runs times.",
            Self::Deleted => "The job was deleted.",
        }
    }
}

/// One line of a ledger.
///
/// Its text form, as it stands in Redis:
///
/// | text | meaning |
/// |---|---|
/// | `<due> F +<ms>` | fired, decided `<ms>` after the due time |
/// | `<due> F +0 <context id>` | fired by hand, by the API or by another job |
/// | `<due> S <reason>`, `M`, `C` | skipped, missed, cancelled |
/// | `<from>-<to>x<count> M <reason>` | the same for a run of due times |
/// | `<now> R <revision>` | from here on this revision decides |
///
/// A reason may be followed by `+<ms>` from the last due time to the decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LedgerRecord {
    /// The first due time it stands for.
    pub from: TimestampMs,
    /// The last one; equal to `from` for a single due time.
    pub to: TimestampMs,
    /// How many due times it stands for, 1 at least.
    pub count: u64,
    /// What became of them.
    pub verdict: LedgerVerdict,
    /// Why; `None` for fired ones and redefinitions.
    pub reason: Option<Reason>,
    /// When it was decided; `None` where the record does not say.
    pub decided_ms: Option<TimestampMs>,
    /// The context, where it does not follow from the due time.
    pub context_id: Option<ContextId>,
    /// The revision a redefinition made.
    pub revision: Option<u64>,
}

impl LedgerRecord {
    /// A single due time that fired, `decided_ms` being when.
    #[must_use]
    pub fn fired(due: TimestampMs, decided_ms: TimestampMs) -> Self {
        let decided_ms = Some(decided_ms.max(due));
        Self {
            decided_ms,
            ..Self::single(due, LedgerVerdict::Fired)
        }
    }

    /// A single due time that did not fire.
    #[must_use]
    pub fn passed(due: TimestampMs, verdict: LedgerVerdict, reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..Self::single(due, verdict)
        }
    }

    /// The instant from which another revision decides.
    #[must_use]
    pub fn redefined(now: TimestampMs, revision: u64) -> Self {
        let decided_ms = Some(now);
        Self {
            revision: Some(revision),
            decided_ms,
            ..Self::single(now, LedgerVerdict::Redefined)
        }
    }

    fn single(due: TimestampMs, verdict: LedgerVerdict) -> Self {
        Self {
            from: due,
            to: due,
            count: 1,
            verdict,
            reason: None,
            decided_ms: None,
            context_id: None,
            revision: None,
        }
    }
}

impl fmt::Display for LedgerRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.from.as_u64())?;
        if self.count > 1 {
            write!(f, "-{}x{}", self.to.as_u64(), self.count)?;
        }
        write!(f, " {}", letter(self.verdict))?;
        if let Some(reason) = self.reason {
            write!(f, " {reason}")?;
        }
        match (self.revision, self.decided_ms) {
            (Some(revision), _) => write!(f, " {revision}")?,
            (None, Some(decided)) => write!(f, " +{}", decided.ms_since(self.to))?,
            (None, None) => {}
        }
        match &self.context_id {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}

impl FromStr for LedgerRecord {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        parse(text).ok_or_else(|| {
            Violation::new(
                "ledger",
                "is a record like `<due> F +<ms>` or `<due> M <reason>`",
                text,
            )
        })
    }
}

const fn letter(verdict: LedgerVerdict) -> char {
    match verdict {
        LedgerVerdict::Fired => 'F',
        LedgerVerdict::Skipped => 'S',
        LedgerVerdict::Missed => 'M',
        LedgerVerdict::Cancelled => 'C',
        LedgerVerdict::Redefined => 'R',
    }
}

fn parse(text: &str) -> Option<LedgerRecord> {
    let mut words = text.split(' ');
    let (from, to, count) = dues(words.next()?)?;
    let mark = words.next()?;
    let verdict = LedgerVerdict::ALL
        .iter()
        .copied()
        .find(|one| mark == letter(*one).to_string())?;
    let mut record = LedgerRecord {
        to,
        count,
        ..LedgerRecord::single(from, verdict)
    };
    match verdict {
        LedgerVerdict::Redefined => {
            record.revision = Some(words.next()?.parse().ok()?);
            record.decided_ms = Some(from);
        }
        LedgerVerdict::Fired => record.decided_ms = Some(decided(to, words.next()?)?),
        LedgerVerdict::Skipped | LedgerVerdict::Missed | LedgerVerdict::Cancelled => {
            record.reason = Some(words.next()?.parse().ok()?);
            if let Some(word) = words.next() {
                record.decided_ms = Some(decided(to, word)?);
            }
        }
    }
    if let Some(word) = words.next() {
        record.context_id = Some(word.parse().ok()?);
    }
    words.next().is_none().then_some(record)
}

/// `<due>` or `<from>-<to>x<count>`.
fn dues(word: &str) -> Option<(TimestampMs, TimestampMs, u64)> {
    let instant = |digits: &str| digits.parse().ok().map(TimestampMs::new);
    let Some((from, rest)) = word.split_once('-') else {
        let due = instant(word)?;
        return Some((due, due, 1));
    };
    let (to, count) = rest.split_once('x')?;
    let (from, to, count) = (instant(from)?, instant(to)?, count.parse().ok()?);
    (from <= to && count > 1).then_some((from, to, count))
}

fn decided(due: TimestampMs, word: &str) -> Option<TimestampMs> {
    let late_ms = word.strip_prefix('+')?.parse().ok()?;
    Some(due.plus_ms(late_ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_documented_form_is_read_and_written_back() {
        for text in [
            "1767225600000 F +3",
            "1767225600000 F +0 7.1767225600000.a0123456789@default/x",
            "1767225600000 S overlap_discard",
            "1767225600000 C deleted",
            "1767225600000 M catch_up_window +9000",
            "1767225600000-1767229200000x61 M misfire_collapsed",
            "1767225600000 R 4",
        ] {
            let record: LedgerRecord = text.parse().unwrap();
            assert_eq!(record.to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "17 X +3",
            "17 F",
            "17 F 3",
            "17 M unknown_reason",
            "17-16x2 M paused",
            "17-18x1 M paused",
            "17 R",
            "17 F +3 no-id",
            "17 S paused +1 7.1767225600000.f@a/b more",
        ] {
            assert!(text.parse::<LedgerRecord>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_reason_has_a_sentence() {
        for reason in Reason::ALL {
            assert!(reason.sentence().ends_with('.'));
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
    }

    fn any_record() -> impl Strategy<Value = LedgerRecord> {
        let due = (0_u64..1 << 44).prop_map(TimestampMs::new);
        let reason = (0..Reason::ALL.len()).prop_map(|one| Reason::ALL[one]);
        prop_oneof![
            (due.clone(), 0_u64..1 << 30)
                .prop_map(|(due, late)| LedgerRecord::fired(due, due.plus_ms(late))),
            (due.clone(), reason.clone()).prop_map(|(due, why)| LedgerRecord::passed(
                due,
                LedgerVerdict::Skipped,
                why
            )),
            (due.clone(), 1_u64..1 << 30, 2_u64.., reason).prop_map(|(due, span, count, why)| {
                let to = due.plus_ms(span);
                let one = LedgerRecord::passed(due, LedgerVerdict::Missed, why);
                LedgerRecord { to, count, ..one }
            }),
            (due, any::<u64>()).prop_map(|(now, revision)| LedgerRecord::redefined(now, revision)),
        ]
    }

    proptest! {
        #[test]
        fn a_record_round_trips(record in any_record()) {
            prop_assert_eq!(record.to_string().parse::<LedgerRecord>(), Ok(record));
        }
    }
}
