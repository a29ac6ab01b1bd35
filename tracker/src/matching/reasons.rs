//! Why nobody takes a context, for people.

use std::sync::Arc;

use tickwheel_core::routing::{Ineligible, Mode, Placement};
use tickwheel_store::record::Queue;

use super::eligibility::{Matching, Taken};
use crate::sessions::{Offered, Session};

impl Matching {
    /// Why a context of this queue waits for a worker, in words.
    pub(crate) fn waits_for_worker(&self, queue: &Queue) -> String {
        let (group, handler) = (&queue.group, &queue.handler);
        let offered = self.sessions.offered(group, handler.as_str());
        if offered == Offered::ByNobody {
            return format!("no worker offers it: handler `{handler}` in group `{group}`");
        }
        let dispatching = "it is about to be dispatched".to_owned();
        let Some(id) = queue.placement else {
            return if offered == Offered::Free {
                dispatching
            } else {
                format!("all permits of group `{group}` are in use")
            };
        };
        let Some(placement) = self.placements.get(&id) else {
            return if self.placements.is_missing(&id) {
                format!(
                    "its placement `{id}` is not there: submit it again, or apply its job again"
                )
            } else {
                dispatching
            };
        };
        let workers = self.fitting(&placement, queue);
        if workers.is_empty() {
            let (group, handler) = (&queue.group, queue.handler.as_str());
            return nobody_fits(&placement, queue, &self.sessions.offering(group, handler));
        }
        if self.takes(queue) == Taken::Now {
            return dispatching;
        }
        if placement.routing.policy.mode() == Mode::First {
            let first = workers.first().map(|session| session.worker.to_string());
            return format!(
                "it waits for worker `{}`, the first by its routing policy {}",
                first.unwrap_or_default(),
                placement.routing.policy
            );
        }
        let count = workers.len();
        let with_permit = |session: &Arc<Session>| session.credit().available() > 0;
        if !workers.iter().any(with_permit) {
            return format!("all permits of the {count} workers that fit are in use");
        }
        format!(
            "none of the {count} workers that fit has {} free",
            placement.requires
        )
    }
}

/// How many of the workers are left out, and by which rule.
fn nobody_fits(placement: &Placement, queue: &Queue, offering: &[Arc<Session>]) -> String {
    let mut counts: Vec<(Ineligible, u32)> = Vec::new();
    let mut total = 0_u32;
    for session in offering {
        total += 1;
        if let Err(ineligible) = placement.fits(&session.profile()) {
            match counts.iter_mut().find(|(known, _)| *known == ineligible) {
                Some((_, count)) => *count += 1,
                None => counts.push((ineligible, 1)),
            }
        }
    }
    let reasons: Vec<String> = counts
        .into_iter()
        .map(|(ineligible, count)| format!("{ineligible} {count}"))
        .collect();
    let mut asked = Vec::new();
    asked.extend(placement.workers.select.iter().map(ToString::to_string));
    if !placement.requires.is_empty() {
        asked.push(placement.requires.to_string());
    }
    let condition = if asked.is_empty() {
        String::new()
    } else {
        format!(": {}", asked.join("; "))
    };
    let workers = if total == 1 { "worker" } else { "workers" };
    format!(
        "no worker fits: of {total} {workers} that offer handler `{}`, {}{condition}",
        queue.handler,
        reasons.join(", ")
    )
}
