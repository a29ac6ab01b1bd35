//! What a tracker double knows of waiting_for_subtasks-out contexts: the items it took, and the results it hands out.

use std::collections::HashMap;

use bytes::Bytes;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{FetchResults, ResultsPage, Split, SplitConfirmation, SubtaskResult};

#[derive(Debug)]
pub(super) struct Fans {
    /// Items of each mapping context.
    pub(super) mapped: HashMap<String, Vec<Bytes>>,
    pub(super) results: HashMap<String, Vec<SubtaskResult>>,
    /// `None`: pages are not answered.
    pub(super) verdict: Option<(Verdict, String)>,
}

impl Default for Fans {
    fn default() -> Self {
        Self {
            mapped: HashMap::new(),
            results: HashMap::new(),
            verdict: Some((Verdict::Taken, String::new())),
        }
    }
}

impl Fans {
    /// Takes what it has not, refuses a gap.
    pub(super) fn split(&mut self, split: &Split) -> Option<SplitConfirmation> {
        let (mut verdict, mut error) = self.verdict.clone()?;
        let items = self.mapped.entry(split.context_id.clone()).or_default();
        let had = items.len() as u64;
        if verdict == Verdict::Taken {
            let reduces = !split.reduce.is_empty() && had == 0 && split.items.is_empty();
            if reduces && !split.mapped && !split.context_id.contains('~') {
                verdict = Verdict::Refused;
                error = format!(
                    "reduce: needs items that are mapped before (given: {})",
                    split.reduce
                );
            }
            match usize::try_from(had.wrapping_sub(split.offset)) {
                Ok(known) if split.offset <= had => {
                    items.extend(split.items.iter().skip(known).cloned());
                }
                _ => {
                    verdict = Verdict::Refused;
                    error = format!("offset: is at most {had} (given: {})", split.offset);
                }
            }
        }
        Some(SplitConfirmation {
            context_id: split.context_id.clone(),
            attempt: split.attempt,
            offset: split.offset,
            verdict: verdict.into(),
            error,
            taken: items.len() as u64,
        })
    }

    pub(super) fn page(&self, fetch: &FetchResults) -> Option<ResultsPage> {
        let (Verdict::Taken, _) = self.verdict.as_ref()? else {
            return None;
        };
        let all = self.results.get(&fetch.context_id);
        let from = usize::try_from(fetch.cursor).unwrap_or(usize::MAX);
        let limit = usize::try_from(fetch.limit).unwrap_or(usize::MAX);
        let results = all.into_iter().flatten().skip(from).take(limit).cloned();
        let results: Vec<SubtaskResult> = results.collect();
        Some(ResultsPage {
            context_id: fetch.context_id.clone(),
            attempt: fetch.attempt,
            cursor: fetch.cursor,
            next: fetch.cursor + results.len() as u64,
            results,
            error: String::new(),
        })
    }
}
