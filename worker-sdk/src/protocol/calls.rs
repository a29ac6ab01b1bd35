//! Questions of attempts to a tracker: pages of items, pages of results. Each waits here for its answer.
//!
//! A question is asked again through another tracker when its stream breaks or no answer comes: the number it carries makes that harmless.
//! It ends with its attempt.

use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{ResultsPage, SplitConfirmation, WorkerMessage};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Protocol;
use super::call::{Call, CallKey};
use super::frame::Room;
use crate::attempt::{Attempt, AttemptKey, later};
use crate::bounds::{CALL_PATIENCE, CALL_PAUSE};
use crate::fan::{Answer, Reply, Request};

impl Protocol {
    /// Asks the tracker the attempt came from. One question of a kind and number at a time: a second one takes the place of the first.
    pub(crate) fn ask(&mut self, attempt: &Attempt, request: Request) -> Reply {
        let (reply, answer) = oneshot::channel();
        let Some(link) = self.running.get(&attempt.key).map(|running| running.link) else {
            return answer;
        };
        let key = CallKey {
            attempt: attempt.key.clone(),
            is_split: request.is_split(),
            number: request.number(),
        };
        let call = Call {
            request,
            reply,
            sent: None,
            again_at: None,
        };
        self.calls.insert(key.clone(), call);
        let target = self.route(link);
        self.queue_call(key, target);
        answer
    }

    fn queue_call(&mut self, key: CallKey, target: Option<usize>) {
        self.queue(target).calls.push_back(key);
        if let Some(target) = target {
            self.wake(target);
        }
    }

    /// The attempt has ended, or nothing it asks counts any more: who waits learns that the lease is lost.
    pub(super) fn drop_calls(&mut self, attempt: &AttemptKey) {
        if !self.calls.is_empty() {
            self.calls.retain(|key, _| key.attempt != *attempt);
        }
    }

    pub(super) fn fill_calls(
        &mut self,
        index: usize,
        frame: &mut WorkerMessage,
        room: &mut Room,
        now: Instant,
    ) {
        let most = self.settings.frame.questions;
        let Self { links, calls, .. } = self;
        let Some(link) = links.get_mut(index) else {
            return;
        };
        while frame.split.len() + frame.fetch.len() < most && room.has_half() {
            let Some(key) = link.queue.calls.front() else {
                break;
            };
            // Answered or given up meanwhile, or queued twice.
            let Some(call) = calls.get_mut(key).filter(|call| call.again_at.is_none()) else {
                link.queue.calls.pop_front();
                continue;
            };
            if !room.take(call.request.weight()) {
                break;
            }
            link.queue.calls.pop_front();
            call.sent = Some(index);
            call.again_at = Some(later(now, CALL_PATIENCE));
            match &call.request {
                Request::Split(split) => frame.split.push((**split).clone()),
                Request::Fetch(fetch) => frame.fetch.push(fetch.clone()),
            }
        }
        if !(frame.split.is_empty() && frame.fetch.is_empty()) {
            self.wake_timer(later(now, CALL_PATIENCE));
        }
    }

    pub(super) fn split_confirmed(&mut self, confirmation: SplitConfirmation, now: Instant) {
        let key = CallKey {
            attempt: AttemptKey::new(&confirmation.context_id, confirmation.attempt),
            is_split: true,
            number: confirmation.offset,
        };
        match confirmation.verdict() {
            Verdict::Unavailable => {
                if let Some(call) = self.calls.get_mut(&key) {
                    let at = later(now, CALL_PAUSE);
                    call.again_at = Some(at);
                    self.wake_timer(at);
                }
            }
            Verdict::Stale => self.fence(&key.attempt, now),
            // An answer to an earlier question at the same place, asked twice: it does not stand for these items.
            Verdict::Taken if confirmation.taken < self.needed(&key) => {}
            Verdict::Taken | Verdict::Refused | Verdict::Unspecified => {
                self.answer(&key, Answer::Split(confirmation));
            }
        }
    }

    /// What Redis has when it has taken the items of this call.
    fn needed(&self, key: &CallKey) -> u64 {
        let items = match self.calls.get(key).map(|call| &call.request) {
            Some(Request::Split(split)) => split.items.len() as u64,
            Some(Request::Fetch(_)) | None => 0,
        };
        key.number + items
    }

    pub(super) fn results_arrived(&mut self, page: ResultsPage) {
        let key = CallKey {
            attempt: AttemptKey::new(&page.context_id, page.attempt),
            is_split: false,
            number: page.cursor,
        };
        self.answer(&key, Answer::Results(page));
    }

    fn answer(&mut self, key: &CallKey, answer: Answer) {
        if let Some(call) = self.calls.remove(key) {
            // Whoever asked may have been dropped.
            call.reply.send(answer).ok();
        }
    }

    /// Asks again what was asked over this link.
    pub(super) fn calls_of_broken(&mut self, index: usize) {
        self.ask_calls_again(|call| call.sent == Some(index));
    }

    /// Asks again what has waited long enough. Returns when to look again.
    pub(super) fn overdue_calls(&mut self, now: Instant) -> Option<Instant> {
        self.ask_calls_again(|call| call.again_at.is_some_and(|at| at <= now));
        self.calls.values().filter_map(|call| call.again_at).min()
    }

    fn ask_calls_again(&mut self, which: impl Fn(&Call) -> bool) {
        let mut again = Vec::new();
        for (key, call) in &mut self.calls {
            if which(call) && call.again_at.take().is_some() {
                again.push((key.clone(), call.sent));
            }
        }
        for (key, sent) in again {
            let other = sent.and_then(|silent| self.other_live_link(silent));
            let target = other.or_else(|| self.route(sent.unwrap_or_default()));
            self.queue_call(key, target);
        }
    }
}
