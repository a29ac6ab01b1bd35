//! What is asked about due times: those to come, and what became of those that were.

use tickwheel_core::bounds::{LEDGER_MAX, UPCOMING_MAX};
use tickwheel_core::error::Violations;
use tickwheel_core::shape::{
    List, Maybe, Record, SPAN, TEXT, Visitor, WHEN, Words, needed, optional, place,
};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;

use super::asked::Asked;
use super::between::{Between, DUE_TIMES};
use super::documents::document;
use super::forms::Number;
use super::{record, tree};
use crate::answers::verdict_word;

/// What a caller of gRPC says by 0.
const RECORDS_DEFAULT: u32 = 100;

/// Which due times are shown.
pub(crate) struct PreviewQuery {
    count: u32,
    after: Option<TimestampMs>,
}

impl Record for PreviewQuery {
    fn blank() -> Self {
        Self {
            count: 5,
            after: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let count = Number {
            least: 1,
            most: u32::try_from(UPCOMING_MAX).unwrap_or(u32::MAX),
        };
        visit.field(
            optional("count", "How many due times."),
            count,
            place!(Self: count),
        );
        visit.field(
            optional(
                "after",
                "Due times after this instant; without it after now.",
            ),
            Maybe(WHEN),
            place!(Self: after),
        );
    }
}

/// The due times of a registered job.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn preview_job(asked: &Asked<'_>) -> Result<v1::PreviewJobRequest, Violations> {
    let query: PreviewQuery = record::of_query(asked.query, &[])?;
    Ok(v1::PreviewJobRequest {
        name: asked.name.to_owned(),
        spec: None,
        count: query.count,
        after_ms: query.after.map(TimestampMs::as_u64),
    })
}

/// The due times of a document that need not be registered.
///
/// # Errors
/// Everything that is wrong with the parameters and with the document.
pub fn preview_definition(asked: &Asked<'_>) -> Result<v1::PreviewJobRequest, Violations> {
    let query = preview_job(asked);
    let spec = match tree::checked(asked.body) {
        Ok(text) => document(text),
        Err(wrong) => Err(wrong.into()),
    };
    let mut found = Violations::new();
    match (found.keep(query), found.keep(spec)) {
        (Some(query), Some(spec)) => Ok(v1::PreviewJobRequest {
            spec: Some((&spec).into()),
            ..query
        }),
        (None, _) | (_, None) => Err(found),
    }
}

const VERDICTS: &[Verdict] = &[
    Verdict::Fired,
    Verdict::Skipped,
    Verdict::Missed,
    Verdict::Cancelled,
    Verdict::Unspecified,
];

/// How much of a ledger is shown.
pub(crate) struct LedgerQuery {
    limit: u32,
    due: Between,
    verdicts: Vec<Verdict>,
    cursor: String,
}

impl Record for LedgerQuery {
    fn blank() -> Self {
        Self {
            limit: RECORDS_DEFAULT,
            due: Between::default(),
            verdicts: Vec::new(),
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let limit = Number {
            least: 1,
            most: LEDGER_MAX,
        };
        let about = "At most so many records, the newest.";
        visit.field(optional("limit", about), limit, place!(Self: limit));
        DUE_TIMES.fields(visit, place!(Self: due));
        let words = Words {
            all: VERDICTS,
            word: verdict_word,
        };
        let verdicts = List {
            form: words,
            rule: "is given at most 5 times",
            least: 0,
            most: VERDICTS.len(),
        };
        let about = "Only those with this verdict; may be given more than once.";
        visit.field(optional("verdict", about), verdicts, place!(Self: verdicts));
        let about = "The `next_cursor` of the page before.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of the records of a ledger.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn get_ledger(asked: &Asked<'_>) -> Result<v1::GetLedgerRequest, Violations> {
    let query: LedgerQuery = record::of_query(asked.query, &["verdict"])?;
    Ok(v1::GetLedgerRequest {
        name: asked.name.to_owned(),
        limit: query.limit,
        from_ms: query.due.start_ms().unwrap_or_default(),
        to_ms: query.due.end_ms().unwrap_or_default(),
        verdicts: query.verdicts.into_iter().map(i32::from).collect(),
        cursor: query.cursor,
    })
}

/// Which due times are counted, and how finely.
pub(crate) struct StatsQuery {
    due: Between,
    cell: Option<u64>,
}

impl Record for StatsQuery {
    fn blank() -> Self {
        Self {
            due: Between::default(),
            cell: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        DUE_TIMES.fields(visit, place!(Self: due));
        let about = "The width of a cell, 1s to 31d; without it such that there are 120 at most.";
        visit.field(optional("cell", about), Maybe(SPAN), place!(Self: cell));
    }
}

/// How a job fared.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn get_job_stats(asked: &Asked<'_>) -> Result<v1::GetJobStatsRequest, Violations> {
    let query: StatsQuery = record::of_query(asked.query, &[])?;
    Ok(v1::GetJobStatsRequest {
        name: asked.name.to_owned(),
        from_ms: query.due.start_ms().unwrap_or_default(),
        to_ms: query.due.end_ms().unwrap_or_default(),
        cell_ms: query.cell.unwrap_or_default(),
    })
}

/// Which due time is explained.
pub(crate) struct ExplainQuery {
    at: TimestampMs,
}

impl Record for ExplainQuery {
    fn blank() -> Self {
        Self {
            at: TimestampMs::ZERO,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "The instant: 2026-03-29T02:30:00Z, or milliseconds since 1970.";
        visit.field(needed("at", about), WHEN, place!(Self: at));
    }
}

/// Why a job did or did not run at an instant.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn explain_job(asked: &Asked<'_>) -> Result<v1::ExplainJobRequest, Violations> {
    let query: ExplainQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ExplainJobRequest {
        name: asked.name.to_owned(),
        at_ms: query.at.as_u64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &'static str) -> Asked<'static> {
        Asked {
            name: "a/b",
            query,
            body: b"",
        }
    }

    #[test]
    fn parameters_are_bounded() {
        assert_eq!(get_ledger(&asked("limit=7")).unwrap().limit, 7);
        assert!(get_ledger(&asked("limit=100001")).is_err());
        assert!(explain_job(&asked("")).is_err());
        let at = explain_job(&asked("at=1970-01-01T00:00:01Z")).unwrap();
        assert_eq!(at.at_ms, 1_000);
        let preview = preview_job(&asked("count=2&after=5")).unwrap();
        assert_eq!((preview.count, preview.after_ms), (2, Some(5)));
    }
}
