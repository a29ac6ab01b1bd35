//! A worker that now and then reports of an attempt which another worker runs, as a mixed-up SDK or a hostile one does. Nothing may come
//! of it: who holds an attempt is in Redis.

use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::{Assignment, LogLine, Rejection, Settlement, WorkerMessage};

use super::Worker;
use super::state::{Key, primary, reference};
use crate::fans;
use crate::work::Work;
use crate::world::with;

/// One look in so many reports something.
const RARE: u64 = 12;
/// Of the handlers that started last, those that are looked at.
const RECENT: usize = 40;

/// An item that nobody may run.
const FORGED: &str = "forged";

impl Worker {
    /// Says so when a part runs that was mapped by a worker which did not run its root.
    pub(super) fn must_not_run(assignment: &Assignment) {
        if assignment.body == FORGED {
            let context = &assignment.context_id;
            with(|world| {
                world.fail(format!(
                    "W2: {context} runs, mapped by a worker that did not hold its root"
                ));
            });
        }
    }

    /// Reports of something that another worker runs, if the dice say so and there is any.
    pub(super) fn forge(&self) {
        let found = with(|world| {
            if !world.rng.one_in(RARE) {
                return None;
            }
            let kind = world.rng.below(5);
            let recent = world.runs.iter().rev().take(RECENT);
            let run = recent
                .filter(|run| run.worker != self.id && run.end_ms.is_none())
                .last()?;
            Some((kind, (run.context.clone(), run.attempt)))
        });
        let Some((kind, key)) = found else {
            return;
        };
        let link = {
            let mut state = self.state();
            state.forged.insert(key.clone());
            primary(&state)
        };
        if let Some(link) = link {
            with(|world| world.note(|| format!("{} forges {} attempt {}", self.id, key.0, key.1)));
            self.send(link, report(kind, &key));
        }
    }

    /// A settlement of another worker's attempt was taken.
    pub(super) fn must_be_refused(&self, key: &Key, verdict: Verdict) {
        let taken = matches!(
            verdict,
            Verdict::Settled | Verdict::Retrying | Verdict::Refused
        );
        if taken && self.state().forged.contains(key) {
            let (context, attempt) = key;
            with(|world| {
                world.fail(format!(
                    "W2: {} settled attempt {attempt} of {context}, which another worker holds",
                    self.id
                ));
            });
        }
    }
}

fn report(kind: u64, key: &Key) -> WorkerMessage {
    let (context_id, attempt) = key.clone();
    let mut frame = WorkerMessage::default();
    match kind {
        0 | 1 => frame.settle.push(Settlement {
            context_id,
            attempt,
            outcome: if kind == 0 {
                Outcome::Succeeded
            } else {
                Outcome::Failed
            }
            .into(),
            error: "forged".to_owned(),
            ..Settlement::default()
        }),
        2 => frame.rejected.push(Rejection {
            context_id,
            attempt,
            reason: Reason::Busy.into(),
            handler: String::new(),
        }),
        3 => {
            frame.renew.push(reference(key));
            frame.log.push(LogLine {
                context_id,
                attempt,
                line: "forged".to_owned(),
                ..LogLine::default()
            });
        }
        _ => {
            let mut page = fans::page(&key.0, key.1, Work::read(b"0 0 0 0 1"));
            page.items = vec![FORGED.into()];
            frame.split.push(page);
        }
    }
    frame
}
