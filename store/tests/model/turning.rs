//! The model's turn: what is due, and the firings of jobs.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::catch_up::{Verdict, decide};
use tickwheel_core::time::TimestampMs;
use tickwheel_reference::overlap::{self, OverlapDecision};

use crate::call::{Offer, State, Turned};
use crate::memory::{Context, Kind, Model, OFFER_MS};

/// What a turn puts back into the wheel, and what it counts.
#[derive(Default)]
struct Visit {
    again: Vec<(String, u64)>,
    fresh: BTreeSet<String>,
    fired: u64,
    skipped: u64,
    limit: u64,
}

impl Model {
    /// Does what the script does in a turn, with the claims it made.
    pub(crate) fn turn(&mut self, limit: u64, offers: &[Offer<'_>], turned: &Turned, real: &State) {
        let mut visit = Visit {
            limit,
            ..Visit::default()
        };
        let mut due: Vec<(u64, String)> = self
            .wheel
            .iter()
            .filter(|(_, at)| **at <= self.now)
            .map(|(entry, at)| (*at, entry.clone()))
            .collect();
        due.sort();
        due.truncate(usize::try_from(limit).unwrap());
        for (_, entry) in &due {
            self.wheel.remove(entry);
        }
        for (_, entry) in due {
            match entry.as_bytes()[0] {
                b'@' => self.fire_due(&mut visit, &entry[1..]),
                b'#' => self.expire(entry[1..].split(' ').next().unwrap()),
                b'!' | b'&' => visit.again.push((entry, self.now + OFFER_MS)),
                _ => {
                    let context = Context::parse(&entry);
                    self.retry.remove(&context.id);
                    visit.fresh.insert(context.id.clone());
                    self.put_ready(context);
                }
            }
        }
        self.end_late(&mut visit);
        self.claim(limit, offers, turned, real);
        self.wheel.extend(visit.again);
    }

    /// Fresh contexts behind their start deadline end instead of becoming ready.
    fn end_late(&mut self, visit: &mut Visit) {
        for id in std::mem::take(&mut visit.fresh) {
            if self
                .ready
                .get(&id)
                .is_some_and(|context| context.is_late(self.now))
            {
                self.expire(&id);
            }
        }
    }

    pub(crate) fn expire(&mut self, id: &str) {
        let waits = |context: &Context| context.failures == 0;
        if let Some(context) = self.ready.get(id).cloned().filter(waits) {
            self.ready.remove(id);
            self.end(&context, "expired");
        } else if let Some(context) = self.unqueue(id) {
            self.end(&context, "expired");
        }
    }

    pub(crate) fn unqueue(&mut self, id: &str) -> Option<Context> {
        self.queue.values_mut().find_map(|queue| {
            let key = queue
                .iter()
                .find(|(_, context)| context.id == id)
                .map(|(key, _)| key.clone())?;
            queue.remove(&key)
        })
    }

    fn fire_due(&mut self, visit: &mut Visit, name: &str) {
        let (now, entry) = (self.now, format!("@{name}"));
        let room = visit
            .limit
            .saturating_sub(visit.fired + visit.skipped)
            .min(100);
        if room == 0 {
            visit.again.push((entry, now));
            return;
        }
        let job = self.jobs[name].clone();
        if job.finished {
            return;
        }
        let Some(first) = job.next else {
            visit
                .again
                .extend((job.kind == Kind::Cron).then_some((entry, now + OFFER_MS)));
            return;
        };
        let mut dues = vec![first];
        match job.kind {
            Kind::Rate => dues.extend(
                (1..)
                    .map(|i| first + i * job.period)
                    .take_while(|due| *due <= now),
            ),
            Kind::Cron => dues.extend(job.plan.iter().copied().take_while(|due| *due <= now)),
            Kind::Delay | Kind::Manual => {}
        }
        if job.kind == Kind::Cron
            && dues.len() == job.plan.len() + 1
            && dues[dues.len() - 1] + job.misfire.tolerance_ms < now
        {
            visit.again.push((entry, now + OFFER_MS));
            return;
        }
        let times: Vec<TimestampMs> = dues.iter().copied().map(TimestampMs::new).collect();
        let verdicts = decide(&times, TimestampMs::new(now), &job.misfire);
        let missed = self.note_missed(name, &verdicts);
        let (mut done, mut last_fired) = (missed, false);
        for due in &dues[missed..] {
            let fired = self.jobs[name].fired;
            if done - missed == usize::try_from(room).unwrap()
                || job.max_runs.is_some_and(|most| fired >= most)
            {
                break;
            }
            last_fired = self.fire_at(visit, name, *due);
            done += 1;
        }
        self.follow(visit, name, (&dues, done), last_fired);
    }

    /// Notes the missed due times in runs of one reason; answers how many there are.
    fn note_missed(&mut self, name: &str, verdicts: &[(TimestampMs, Verdict)]) -> usize {
        let mut runs: Vec<(u64, u64, usize, String)> = Vec::new();
        for (due, verdict) in verdicts {
            let Verdict::Missed(reason) = verdict else {
                break;
            };
            let (due, reason) = (due.as_u64(), reason.to_string());
            match runs.last_mut().filter(|run| run.3 == reason) {
                Some(run) => (run.1, run.2) = (due, run.2 + 1),
                None => runs.push((due, due, 1, reason)),
            }
        }
        for (from, to, count, reason) in &runs {
            let dues = if *count == 1 {
                from.to_string()
            } else {
                format!("{from}-{to}x{count}")
            };
            self.note(name, format!("{dues} M {reason}"));
        }
        runs.iter().map(|run| run.2).sum()
    }

    fn note(&mut self, job: &str, record: String) {
        self.ledger.entry(job.to_owned()).or_default().push(record);
    }

    fn fire_at(&mut self, visit: &mut Visit, name: &str, due: u64) -> bool {
        let context = Context {
            id: format!("3.{due}.f@{name}"),
            attempt: 0,
            failures: 0,
            rest: self.jobs[name].tmpl.clone(),
        };
        if self.jobs[name].overlap.word() == "replace"
            && !self.active.entry(name.to_owned()).or_default().is_empty()
        {
            self.end_late(visit);
        }
        let id = context.id.clone();
        match self.offer(name, context, "s") {
            Err(reason) => {
                visit.skipped += 1;
                self.note(name, format!("{due} S {reason}"));
                false
            }
            Ok(started) => {
                visit.fresh.extend(started.then_some(id));
                visit.fired += 1;
                self.jobs.get_mut(name).unwrap().fired += 1;
                let late = self.now - due;
                self.note(name, format!("{due} F +{late}"));
                true
            }
        }
    }

    /// Offers a firing to the overlap policy: true when it is ready, false when it waits for others, or why it is refused.
    pub(crate) fn offer(
        &mut self,
        name: &str,
        context: Context,
        origin: &'static str,
    ) -> Result<bool, String> {
        let policy = self.jobs[name].overlap;
        let count = |model: &Self| {
            let queued = model.queue.get(name).map_or(0, BTreeMap::len);
            let active = model.active.get(name).map_or(0, BTreeMap::len);
            (
                u64::try_from(active).unwrap(),
                u64::try_from(queued).unwrap(),
            )
        };
        let (active, queued) = count(self);
        let mut start = match overlap::decide(&policy, active, queued) {
            OverlapDecision::Start => true,
            OverlapDecision::Queue | OverlapDecision::Replace => false,
            OverlapDecision::Skip(reason) => return Err(reason.to_string()),
        };
        if policy.word() == "replace" && active > 0 {
            let queued: Vec<String> = self
                .queue
                .get(name)
                .into_iter()
                .flatten()
                .map(|(_, context)| context.id.clone())
                .collect();
            let running: Vec<String> = self.active[name].keys().cloned().collect();
            for id in queued.into_iter().chain(running) {
                self.cancel(&id, "REPLACED");
            }
            start = count(self).0 == 0;
        }
        self.wheel.extend(context.watch());
        if start {
            self.active
                .entry(name.to_owned())
                .or_default()
                .insert(context.id.clone(), origin);
            self.put_ready(context);
        } else {
            let queue = self.queue.entry(name.to_owned()).or_default();
            queue.insert((context.due(), context.member()), context);
        }
        Ok(start)
    }

    /// Arms what follows the first `done` of `dues`.
    fn follow(
        &mut self,
        visit: &mut Visit,
        name: &str,
        (dues, done): (&[u64], usize),
        last_fired: bool,
    ) {
        let now = self.now;
        let job = self.jobs.get_mut(name).unwrap();
        job.last = dues[..done].last().copied().or(job.last);
        let used_up = job.max_runs.is_some_and(|most| job.fired >= most);
        let planned = std::mem::take(&mut job.plan);
        job.next = match job.kind {
            _ if used_up => None,
            Kind::Rate => Some(dues[0] + u64::try_from(done).unwrap() * job.period),
            Kind::Delay | Kind::Manual => (!last_fired).then_some(now + job.period),
            Kind::Cron => {
                let all: Vec<u64> = dues[..1].iter().chain(&planned).copied().collect();
                job.plan = all.iter().skip(done + 1).copied().collect();
                all.get(done).copied()
            }
        };
        job.finished = used_up;
        match job.next {
            Some(next) => visit.again.push((format!("@{name}"), next)),
            None if job.kind == Kind::Cron && !used_up => {
                visit.again.push((format!("@{name}"), now + OFFER_MS));
            }
            None => {}
        }
    }
}
