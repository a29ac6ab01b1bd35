//! The model's leases: settling, renewing, releasing, reaping and cancelling.

use crate::memory::{Context, DISPATCH_MS, Failure, Model};

impl Model {
    /// The letter that lease/settle answers with.
    pub(crate) fn settle(
        &mut self,
        (id, attempt, foreign): (&str, u32, bool),
        outcome: &str,
        (random, after): (u32, u64),
    ) -> char {
        let Some(held) = self.held.get(id).cloned() else {
            return 'G';
        };
        if held.context.attempt != attempt {
            return 'L';
        }
        if foreign {
            return 'F';
        }
        self.held.remove(id);
        if outcome == "succeeded" {
            self.end(&held.context, "succeeded");
            return 'S';
        }
        let how = Failure {
            state: if ["cancelled", "timed_out"].contains(&outcome) {
                outcome
            } else {
                "failed"
            },
            random,
            retry_after: (outcome == "retry_after").then_some(after),
            is_final: outcome == "fatal",
            lost: false,
        };
        if self.fail(held, &how) { 'R' } else { 'S' }
    }

    pub(crate) fn renew(&mut self, (id, attempt, foreign): (&str, u32, bool)) -> char {
        let now = self.now;
        let Some(held) = self
            .held
            .get_mut(id)
            .filter(|held| held.context.attempt == attempt)
        else {
            return 'L';
        };
        if foreign {
            return 'F';
        }
        held.expires = now + held.context.options().lease_ms;
        match held.cancel {
            Some((_, until)) => {
                held.expires = held.expires.min(until);
                'C'
            }
            None => 'K',
        }
    }

    pub(crate) fn release(&mut self, (id, attempt, foreign): (&str, u32, bool)) -> &'static str {
        let held = self.held.get(id);
        if foreign || held.is_none_or(|held| held.context.attempt != attempt) {
            return "0";
        }
        let held = self.held.remove(id).unwrap();
        if held.cancel.is_some_and(|(reason, _)| reason != "TIMED_OUT") {
            self.end(&held.context, "cancelled");
        } else {
            self.put_ready(held.context);
        }
        "1"
    }

    pub(crate) fn reap(&mut self, evicted: &str) {
        let now = self.now;
        let mut soonest = now + DISPATCH_MS;
        for id in self.held.keys().cloned().collect::<Vec<_>>() {
            let held = self.held.get_mut(&id).unwrap();
            let mut how = Failure {
                state: "failed",
                random: 500_000,
                retry_after: Some(0),
                is_final: false,
                lost: true,
            };
            if let Some((reason, _)) = held.cancel.filter(|(_, until)| *until <= now) {
                how.state = if reason == "TIMED_OUT" {
                    "timed_out"
                } else {
                    "cancelled"
                };
                (how.retry_after, how.lost) = (None, false);
            } else if held.expires <= now || held.worker == evicted {
                how.is_final = held.context.options().fail_on_lease_lost;
            } else {
                if held.cancel.is_none() && held.deadline > 0 && held.deadline <= now {
                    held.cancel = Some(("TIMED_OUT", now + held.context.options().cancel_grace_ms));
                }
                let end = held
                    .cancel
                    .map(|(_, until)| until)
                    .or(Some(held.deadline).filter(|at| *at > 0));
                soonest = soonest.min(held.expires).min(end.unwrap_or(u64::MAX));
                continue;
            }
            let held = self.held.remove(&id).unwrap();
            self.fail(held, &how);
        }
        if self.held.is_empty() {
            self.wheel.remove("!reap");
        } else {
            self.wheel
                .insert("!reap".to_owned(), soonest.max(now + 250));
        }
    }

    /// The status word that context/cancel answers with.
    pub(crate) fn cancel(&mut self, id: &str, reason: &'static str) -> &'static str {
        let now = self.now;
        if let Some(held) = self.held.get_mut(id) {
            let until = match held.cancel {
                Some(("TIMED_OUT", until)) => until,
                Some(_) => return "RUNNING",
                None => now + held.context.options().cancel_grace_ms,
            };
            held.cancel = Some((reason, until));
            self.scan_by(until);
            return "RUNNING";
        }
        let prefix = format!("{id} ");
        let in_wheel = self
            .wheel
            .keys()
            .find(|entry| entry.starts_with(&prefix))
            .cloned();
        let context = match in_wheel {
            Some(member) => {
                self.wheel.remove(&member);
                self.retry.remove(id);
                Some(Context::parse(&member))
            }
            None => self.ready.remove(id).or_else(|| self.unqueue(id)),
        };
        let Some(context) = context else {
            return "NOWHERE";
        };
        self.end(&context, "cancelled");
        "ENDED"
    }
}
