//! What a tracker double knows of fanned-out contexts: the items it took, and the results it hands out.

use std::collections::HashMap;

use bytes::Bytes;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{FetchResults, ResultsPage, Split, SplitConfirmation, SubtaskResult};

use super::TrackerDouble;

#[derive(Debug)]
pub(super) struct Fans {
    /// Items of each mapping context.
    mapped: HashMap<String, Vec<Bytes>>,
    results: HashMap<String, Vec<SubtaskResult>>,
    /// `None`: pages are not answered.
    verdict: Option<(Verdict, String)>,
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

impl TrackerDouble {
    /// From now on pages of items get this verdict and error; `None`: neither they nor questions for results are answered.
    pub fn answer_splits_with(&self, verdict: Option<(Verdict, String)>) {
        self.state.lock().fans.verdict = verdict;
    }

    /// The items this context has mapped, each once.
    #[must_use]
    pub fn mapped(&self, context_id: &str) -> Vec<Bytes> {
        let inner = self.state.lock();
        inner
            .fans
            .mapped
            .get(context_id)
            .cloned()
            .unwrap_or_default()
    }

    /// As if the context had mapped these in an earlier attempt, or through another tracker.
    pub fn set_mapped(&self, context_id: impl Into<String>, items: Vec<Bytes>) {
        self.state
            .lock()
            .fans
            .mapped
            .insert(context_id.into(), items);
    }

    /// What a reduce is given to read.
    pub fn set_results(&self, context_id: impl Into<String>, results: Vec<SubtaskResult>) {
        self.state
            .lock()
            .fans
            .results
            .insert(context_id.into(), results);
    }
}
