//! Which contexts a turn may claim is a choice of the script: the model checks that it may, and takes it over.

use std::collections::BTreeMap;

use crate::call::{Offer, State, Turned};
use crate::memory::{Context, DISPATCH_MS, Held, Model};

/// The permits that are left, and who serves a ready set.
struct Offers<'a> {
    offers: &'a [Offer<'a>],
    free: BTreeMap<&'a str, u64>,
}

impl<'a> Offers<'a> {
    fn serving(&self, context: &Context) -> Vec<&'a str> {
        let queue = context.queue();
        let (group, handler) = queue.split_once(' ').unwrap();
        let serves =
            |offer: &&Offer<'_>| offer.1 == group && offer.3.split(',').any(|one| one == handler);
        self.offers
            .iter()
            .filter(serves)
            .map(|offer| offer.0)
            .collect()
    }

    /// Takes a permit of `worker`, which must have one, and be another than the one to avoid where there is another.
    fn take(&mut self, worker: &str, context: &Context) {
        let workers = self.serving(context);
        let free = self.free.get(worker).copied().unwrap_or(0);
        assert!(
            workers.contains(&worker) && free > 0,
            "{worker} has no permit for {context:?}"
        );
        let avoided = context
            .options()
            .avoid
            .is_some_and(|avoid| avoid.as_str() == worker);
        let alone = workers
            .iter()
            .all(|other| *other == worker || self.free[other] == 0);
        assert!(!avoided || alone, "{context:?} avoids {worker}");
        *self.free.get_mut(worker).unwrap() -= 1;
    }

    fn are_left_for(&self, context: &Context) -> bool {
        self.serving(context)
            .into_iter()
            .any(|worker| self.free[worker] > 0)
    }
}

impl Model {
    /// Checks each claim against what waits, and that nothing waits beside a free permit.
    pub(crate) fn claim(
        &mut self,
        limit: u64,
        offers: &[Offer<'_>],
        turned: &Turned,
        real: &State,
    ) {
        let free = offers.iter().map(|offer| (offer.0, offer.2)).collect();
        let mut offers = Offers { offers, free };
        let late = self
            .ready
            .values()
            .filter(|context| context.is_late(self.now));
        let late: Vec<String> = late.map(|context| context.id.clone()).collect();
        for (worker, member) in &turned.claims {
            self.claim_one(worker, member, &mut offers, |id| {
                late.iter().any(|late| late == id) || is_claimed(turned, id)
            });
        }
        if u64::try_from(turned.claims.len()).unwrap() < limit {
            for context in self.ready.values() {
                let idle = offers.are_left_for(context) && !late.contains(&context.id);
                assert!(!idle, "{context:?} waits beside a free permit");
            }
        }
        // A limit may leave the entry of a start deadline in the wheel; the claim then finds it out, or not.
        for id in late {
            let record = format!("{id}\texpired");
            if real
                .settled
                .iter()
                .any(|settled| settled.starts_with(&record))
            {
                self.expire(&id);
            }
        }
    }

    /// `passed_by` tells which of those before it in its ready set need not be claimed before it.
    fn claim_one(
        &mut self,
        worker: &str,
        member: &str,
        offers: &mut Offers<'_>,
        passed_by: impl Fn(&str) -> bool,
    ) {
        let now = self.now;
        let mut context = Context::parse(member);
        let waiting = self.ready.remove(&context.id);
        let mut waiting = waiting.unwrap_or_else(|| panic!("{member} does not wait"));
        let ahead = |other: &&Context| {
            let first = (other.score(), other.member()) < (waiting.score(), waiting.member());
            first && other.queue() == waiting.queue() && !passed_by(&other.id)
        };
        let passed: Vec<&Context> = self.ready.values().filter(ahead).collect();
        assert!(passed.is_empty(), "{member} was claimed before {passed:?}");
        waiting.attempt += 1;
        assert_eq!(waiting, context, "W2");
        offers.take(worker, &context);
        let timeout = context.options().timeout_ms;
        self.scan_by(now + timeout.unwrap_or(DISPATCH_MS).min(DISPATCH_MS));
        context.attempt = waiting.attempt;
        let held = Held {
            worker: worker.to_owned(),
            claimed: now,
            expires: now + DISPATCH_MS,
            deadline: timeout.map_or(0, |timeout| now + timeout),
            cancel: None,
            context,
        };
        self.held.insert(held.context.id.clone(), held);
    }
}

fn is_claimed(turned: &Turned, id: &str) -> bool {
    let start = format!("{id} ");
    turned
        .claims
        .iter()
        .any(|(_, member)| member.starts_with(&start))
}
