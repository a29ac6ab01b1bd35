//! Calls of the scripts at a time of the test's own.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "of the client's many kinds of values a reply has three"
)]

#[path = "state.rs"]
mod state;

use std::collections::BTreeMap;

use fred::types::Value;
use tickwheel_core::partition::PartitionId;

use crate::harness::{Harness, call_words, partition};

pub(crate) use state::{State, field, items, pairs, text, texts};

/// The clock of tests that do not move it.
pub(crate) const T: u64 = 1_000_000;
/// Above every due time: one priority's share of the scores of a ready set.
const SPAN: u64 = 1 << 44;

/// One partition of a test.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) test: &'a Harness,
    pub(crate) id: PartitionId,
}

/// The reply of wheel/turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turned {
    pub(crate) next: Option<u64>,
    pub(crate) more: bool,
    /// Worker and member.
    pub(crate) claims: Vec<(String, String)>,
    pub(crate) backlog: BTreeMap<String, u64>,
    pub(crate) plan: Vec<String>,
    pub(crate) outbox: Vec<String>,
    pub(crate) scan: bool,
    /// Fired, skipped, missed.
    pub(crate) counts: [u64; 3],
    /// Records that were put aside.
    pub(crate) aside: u64,
    /// Not all that waits was told of.
    pub(crate) untold: bool,
}

/// A worker with free permits: id, group, permits, handlers.
pub(crate) type Offer<'a> = (&'a str, &'a str, u64, &'a str);

/// The score of a ready context.
pub(crate) fn ready_score(priority: u64, due: u64) -> u64 {
    (4 - priority) * SPAN + due
}

impl<'a> Part<'a> {
    pub(crate) fn new(test: &'a Harness) -> Self {
        Self {
            test,
            id: partition(3),
        }
    }

    /// `{prefix:3}:name`.
    pub(crate) fn key(&self, name: &str) -> String {
        self.test.key(self.id, name)
    }

    /// Calls a script, which must not raise an error; its reply without the status word.
    pub(crate) async fn call(&self, name: &str, status: &str, args: &[&str]) -> Vec<Value> {
        let words = call_words(name, &self.key("wheel"), args);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut reply = items(&self.test.command(&words).await);
        assert_eq!(text(&reply[0]), status, "{name} {args:?} answers {reply:?}");
        reply.remove(0);
        reply
    }

    /// Calls a script; its status word and the rest as texts, nested lists dropped.
    pub(crate) async fn answer(&self, name: &str, args: &[&str]) -> Vec<String> {
        let words = call_words(name, &self.key("wheel"), args);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.test.texts(&words).await
    }

    /// Submits contexts: when, unique part, rest, dedup. Answers with the indexes and ids of those whose dedup key was taken.
    pub(crate) async fn submit(&self, now: u64, contexts: &[[&str; 4]]) -> Vec<String> {
        let (now, count) = (now.to_string(), contexts.len().to_string());
        let mut args = vec![now.as_str(), count.as_str()];
        args.extend(contexts.iter().flatten());
        let reply = self.call("wheel/submit", "ACCEPTED", &args).await;
        assert_eq!(text(&reply[0]), now);
        texts(&reply[1])
    }

    /// Turns with a dispatch lease of 2,000 ms.
    pub(crate) async fn turn(&self, now: u64, limit: u64, offers: &[Offer<'_>]) -> Turned {
        self.turn_told(now, limit, offers, "").await
    }

    /// The same, told what there is to know of limits.
    pub(crate) async fn turn_told(
        &self,
        now: u64,
        limit: u64,
        offers: &[Offer<'_>],
        limits: &str,
    ) -> Turned {
        let words = [
            now.to_string(),
            "2000".to_owned(),
            limit.to_string(),
            offers.len().to_string(),
        ];
        let permits: Vec<String> = offers.iter().map(|offer| offer.2.to_string()).collect();
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        for ((worker, group, _, handlers), permits) in offers.iter().zip(&permits) {
            args.extend([*worker, *group, permits.as_str(), *handlers]);
        }
        args.extend((!limits.is_empty()).then_some(limits));
        let reply = self.call("wheel/turn", "TURNED", &args).await;
        let of = |name: &str| field(&reply, name);
        let count = |name: &str| text(of(name)).parse().unwrap_or_default();
        assert_eq!(text(of("now_ms")), now.to_string());
        Turned {
            next: text(of("next_ms")).parse().ok(),
            more: text(of("more")) == "1",
            claims: pairs(&texts(of("claims")))
                .map(|(worker, member)| (worker, claimed(&member)))
                .collect(),
            backlog: pairs(&texts(of("backlog")))
                .map(|(queue, size)| (queue, size.parse().unwrap()))
                .collect(),
            plan: texts(of("plan")),
            outbox: texts(of("outbox")),
            scan: text(of("scan")) == "1",
            counts: ["fired", "skipped", "missed"].map(count),
            aside: count("aside"),
            untold: text(of("untold")) == "1",
        }
    }

    /// Settles attempts: context, attempt, outcome, payload. Answers with a letter for each.
    pub(crate) async fn settle(&self, now: u64, settlements: &[[&str; 4]]) -> String {
        let ids: Vec<&str> = settlements.iter().map(|[id, ..]| *id).collect();
        let workers = self.holders(&ids).await;
        let workers: Vec<&str> = workers.iter().map(String::as_str).collect();
        self.settle_by(now, &workers, settlements).await
    }

    /// An attempt with the worker that holds its context, as a script wants it; with `w` where nobody does.
    pub(crate) async fn holder(&self, id: &str, attempt: &str) -> String {
        format!("{attempt} {}", self.holders(&[id]).await[0])
    }

    /// The workers that hold contexts; `w` for one that nobody holds.
    async fn holders(&self, ids: &[&str]) -> Vec<String> {
        let held = self.key("held");
        let mut workers = Vec::with_capacity(ids.len());
        for id in ids {
            let value = self.test.text(&["HGET", &held, id]).await;
            workers.push(value.split(' ').nth(1).unwrap_or("w").to_owned());
        }
        workers
    }

    /// The same, each reported by the worker of its place.
    pub(crate) async fn settle_by(
        &self,
        now: u64,
        workers: &[&str],
        settlements: &[[&str; 4]],
    ) -> String {
        let (names, numbers) = numbered(workers);
        let holders: Vec<String> = (settlements.iter().zip(numbers))
            .map(|([_, attempt, ..], number)| format!("{attempt} {number}"))
            .collect();
        let (plain, others): (Vec<_>, Vec<_>) = settlements
            .iter()
            .enumerate()
            .partition(|(_, [_, _, outcome, payload])| (*outcome, *payload) == ("succeeded", ""));
        let (now, count) = (now.to_string(), plain.len().to_string());
        let rest = others.len().to_string();
        let mut args = vec![now.as_str(), names.as_str(), count.as_str()];
        args.extend((plain.iter()).flat_map(|(at, [id, ..])| [*id, holders[*at].as_str()]));
        args.push(&rest);
        for (at, [id, _, outcome, payload]) in &others {
            args.extend([*id, holders[*at].as_str(), *outcome, *payload]);
        }
        let verdicts = text(&self.call("lease/settle", "SETTLED", &args).await[1]);
        let mut ordered: Vec<_> = plain.iter().chain(&others).zip(verdicts.chars()).collect();
        ordered.sort_by_key(|((index, _), _)| *index);
        ordered.into_iter().map(|(_, verdict)| verdict).collect()
    }

    /// Renews attempts: a letter for each, and the leases and reasons.
    pub(crate) async fn renew(&self, now: u64, attempts: &[[&str; 2]]) -> (String, Vec<String>) {
        let ids: Vec<&str> = attempts.iter().map(|[id, _]| *id).collect();
        let workers = self.holders(&ids).await.join(" ");
        self.renew_by(now, &workers, attempts).await
    }

    /// The same, by workers separated by spaces: each asks for the attempt of its place.
    pub(crate) async fn renew_by(
        &self,
        now: u64,
        workers: &str,
        attempts: &[[&str; 2]],
    ) -> (String, Vec<String>) {
        let args = held_by(now, workers, attempts);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let reply = self.call("lease/renew", "RENEWED", &args).await;
        (text(&reply[1]), texts(&reply[2]))
    }

    /// Releases attempts: how many were held.
    pub(crate) async fn release(&self, now: u64, attempts: &[[&str; 2]]) -> String {
        let ids: Vec<&str> = attempts.iter().map(|[id, _]| *id).collect();
        let workers = self.holders(&ids).await.join(" ");
        self.release_by(now, &workers, attempts).await.0
    }

    /// The same, by workers separated by spaces, each for the attempt of its place: how many were released, and how many others hold.
    pub(crate) async fn release_by(
        &self,
        now: u64,
        workers: &str,
        attempts: &[[&str; 2]],
    ) -> (String, String) {
        let args = held_by(now, workers, attempts);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let reply = self.call("lease/release", "RELEASED", &args).await;
        (text(&reply[0]), text(&reply[1]))
    }

    /// Scans all leases in one page: what was lost, how many ran out of grace, whom to tell.
    pub(crate) async fn reap(
        &self,
        now: u64,
        evicted: &[&str],
    ) -> (Vec<String>, String, Vec<String>) {
        let (now, count) = (now.to_string(), evicted.len().to_string());
        let mut args = vec![
            now.as_str(),
            "0",
            "1000",
            "",
            "500000",
            "2000",
            count.as_str(),
        ];
        args.extend(evicted);
        let reply = self.call("lease/reap", "REAPED", &args).await;
        let of = |name: &str| field(&reply, name);
        assert_eq!(text(of("cursor")), "0", "a small set is one page");
        (
            texts(of("lost")),
            text(of("timed_out")),
            texts(of("cancels")),
        )
    }

    /// Cancels a context: the status word and what follows it.
    pub(crate) async fn cancel(&self, now: u64, id: &str) -> Vec<String> {
        self.answer("context/cancel", &[&now.to_string(), id]).await
    }

    /// Fires a job by hand, due now.
    pub(crate) async fn fire(&self, now: u64, job: &str, unique: &str) -> Vec<String> {
        self.answer(
            "wheel/fire",
            &[&now.to_string(), job, "", unique, "0", "", ""],
        )
        .await
    }

    /// Writes a job that is due at `next`, with the usual fields but for `changes`, and its place in the wheel.
    pub(crate) async fn put_job(&self, job: &str, next: u64, changes: &[(&str, &str)]) {
        let next = next.to_string();
        let mut fields: BTreeMap<&str, &str> = [
            ("state", "active"),
            ("kind", "fixed_rate"),
            ("next", next.as_str()),
            ("period", "1000"),
            ("end_at", ""),
            ("max_runs", ""),
            ("fired", "0"),
            ("jitter", "0"),
            ("plan", ""),
            ("plan_end", "0"),
            ("misfire", "fire_once"),
            ("misfire_limit", "100"),
            ("tolerance", "5000"),
            ("catch_up", ""),
            ("overlap", "discard"),
            ("overlap_limit", ""),
            ("tmpl", "g h 2 - body"),
            ("ledger_limit", "1000"),
            ("runs_limit", "100"),
            ("after", ""),
            ("followed_by", ""),
            ("last", ""),
            ("followers", ""),
            ("manual", "0"),
        ]
        .into();
        fields.extend(changes.iter().copied());
        let (target, wheel, entry) = (
            self.key(&format!("job:{job}")),
            self.key("wheel"),
            format!("@{job}"),
        );
        let mut words = vec!["HSET", target.as_str()];
        words.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
        self.test.command(&words).await;
        if !next.is_empty() {
            self.test.command(&["ZADD", &wheel, &next, &entry]).await;
        }
    }

    /// Writes a lone context that runs, claimed at [`T`] by `w` with a dispatch lease of 2,000 ms.
    pub(crate) async fn hold(&self, id: &str, attempt: &str, options: &str) {
        let value = format!("{attempt} w {T} {} 0 - g h 2 {options} body", T + 2000);
        self.test
            .command(&["HSET", &self.key("held"), id, &value])
            .await;
    }

    /// Everything in the partition.
    pub(crate) async fn state(&self) -> State {
        let pattern = format!("{}*", self.key(""));
        // The key leads to the right server of a cluster.
        let wheel = self.key("wheel");
        let found = self
            .test
            .command(&["EVAL", state::DUMP, "1", &wheel, &pattern])
            .await;
        State::read(&found)
    }
}

/// Each worker once, separated by spaces, and the place of each in that list, the first being 1.
fn numbered(workers: &[&str]) -> (String, Vec<usize>) {
    let mut known: Vec<&str> = Vec::new();
    let mut numbers = Vec::with_capacity(workers.len());
    for worker in workers {
        if !known.contains(worker) {
            known.push(worker);
        }
        let place = known.iter().position(|one| one == worker);
        numbers.push(place.unwrap_or_default() + 1);
    }
    (known.join(" "), numbers)
}

/// The arguments of a call for attempts that workers, separated by spaces, hold.
fn held_by(now: u64, workers: &str, attempts: &[[&str; 2]]) -> Vec<String> {
    let workers: Vec<&str> = workers.split(' ').collect();
    let (names, numbers) = numbered(&workers);
    let mut args = vec![now.to_string(), names, attempts.len().to_string()];
    for ([id, attempt], number) in attempts.iter().zip(numbers) {
        args.extend([(*id).to_owned(), format!("{attempt} {number}")]);
    }
    args
}

/// A claimed member with the number of its attempt: the script answers with the member as it waited.
fn claimed(member: &str) -> String {
    let (id, rest) = member.split_once(' ').unwrap();
    let (attempt, rest) = rest.split_once(':').unwrap();
    format!("{id} {}:{rest}", attempt.parse::<u64>().unwrap() + 1)
}
