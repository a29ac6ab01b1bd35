//! What tests say and ask of waiting_for_subtasks-out contexts.

use bytes::Bytes;
use tickwheel_proto::v1::SubtaskResult;
use tickwheel_proto::v1::split_confirmation::Verdict;

use super::TrackerDouble;

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
