//! Every field of every message at its extremes, to a tracker that runs: each call has an answer that is the caller's to understand, what is
//! refused changes nothing, lists go on, the store is whole, and the log stays short.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1;
use tickwheel_proto::wire::schema::{Field, Kind, MESSAGES, Method};
use tickwheel_store::check::Pace;
use tickwheel_store::{Redis, Store};
use tonic::{Code, Status};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::harness::{Caller, api, configured, every, job, serving, submission};
use super::raw::{call, methods};

/// Calls of one run.
const CALLS: u32 = 600;
/// Lines of a warning or worse that all of them together may cause.
const LINES_MAX: u64 = 40;
/// No call takes longer, but one that waits.
const WITHIN: Duration = Duration::from_secs(10);

/// Choices that make a message; when they are used up, nothing more is given.
struct Tape<'a> {
    choices: std::slice::Iter<'a, u16>,
    names: &'a [String],
    /// Few fields, and most texts are names that exist: a message that has a chance to be accepted.
    mild: bool,
}

impl Tape<'_> {
    fn next(&mut self) -> usize {
        self.choices.next().copied().unwrap_or_default().into()
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        let at = self.next() % all.len();
        all.get(at).cloned().unwrap()
    }

    fn message(&mut self, place: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in MESSAGES.get(place).unwrap().fields {
            if self.mild && self.next().is_multiple_of(2) {
                continue;
            }
            let times = match (self.next() % 8, field.repeated) {
                (0..3, _) => 0,
                (3, true) => 17,
                (4, true) => 2,
                _ => 1,
            };
            for _ in 0..times {
                self.field(field, &mut bytes);
            }
        }
        bytes
    }

    fn field(&mut self, field: &Field, bytes: &mut Vec<u8>) {
        let (wire, content) = match field.kind {
            Kind::Text => (2, self.text().into_bytes()),
            Kind::Bytes => (2, self.body()),
            Kind::Message(inner) => (2, self.message(inner)),
            Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum => (0, varint(self.number())),
            Kind::Float => {
                let all = [
                    f32::NAN,
                    f32::INFINITY,
                    f32::NEG_INFINITY,
                    3e38,
                    -1e30,
                    -0.0,
                    1e-45,
                ];
                (5, self.one_of(&all).to_le_bytes().to_vec())
            }
        };
        bytes.extend(varint(u64::from(field.number) << 3 | wire));
        if wire == 2 {
            bytes.extend(varint(content.len() as u64));
        }
        bytes.extend(content);
    }

    fn text(&mut self) -> String {
        let known = self.next() % 3;
        if known == 0 || self.mild && known == 1 {
            return self.one_of(self.names);
        }
        let all = [
            "",
            "a",
            "default/a",
            "/",
            "a//b",
            "../x",
            "--help",
            "-",
            "a b",
            "é",
            "\0",
            "\n",
            "\u{1b}]0;x\u{7}",
            "\u{9b}31m",
            "\u{202e}x",
            "@",
            ":",
            "~",
            "!reap",
            "{tw:0}",
            "*",
            "/a/b",
            "18446744073709551615",
            "-1",
            "1.1767225600000.1-000001",
            "900.1767225600000.1-000001",
            "0.18446744073709551615.f@default/a",
            "0.1.f@default/a~r",
            "* * * * *",
            "0 0 0 29 2 ? 2399",
            "*/7 */5 */3 * 1-5",
            "Europe/Berlin",
            "UTC",
            "round_robin",
            "consistent_hash",
            "specified",
            "gpu && !(cores >= 18446744073709551615)",
            "waiting",
            "succeeded",
            "running/99999999999999999999:1",
            "gpu",
            "memory",
            "cpu",
        ];
        match self.next() % 12 {
            0 => "x".repeat(129),
            1 => "9".repeat(400),
            2 => "é".repeat(5_000),
            3 => "(".repeat(1_000),
            4 => "* ".repeat(200),
            _ => self.one_of(&all).to_owned(),
        }
    }

    fn body(&mut self) -> Vec<u8> {
        match self.next() % 6 {
            0 => Vec::new(),
            1 => vec![0xff; 16],
            2 => b"[".repeat(20_000),
            3 => br#"{"a":{"b":18446744073709551616}}"#.to_vec(),
            4 => vec![b'x'; 262_145],
            _ => br#"{"a":{"b":"acme"}}"#.to_vec(),
        }
    }

    fn number(&mut self) -> u64 {
        self.one_of(&[
            0,
            1,
            2,
            3,
            5,
            10,
            60,
            100,
            1_000,
            1_001,
            65_536,
            100_001,
            1 << 31,
            u64::from(u32::MAX),
            1 << 32,
            1 << 44,
            (1 << 44) - 1,
            1 << 53,
            1 << 63,
            u64::MAX,
            u64::MAX - 1,
        ])
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Lines of the log.
static LINES: AtomicU64 = AtomicU64::new(0);

struct Counting;

impl Subscriber for Counting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("tickwheel")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        LINES.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What only a call changes: jobs by name and revision, limits, contexts that were submitted alone.
#[derive(Debug, PartialEq, Eq)]
struct State {
    jobs: BTreeSet<(String, u64)>,
    limits: BTreeSet<String>,
    contexts: BTreeSet<String>,
}

async fn state(caller: &mut Caller) -> State {
    let jobs = v1::ListJobsRequest {
        page_size: 1_000,
        ..Default::default()
    };
    let jobs = caller.rpc.list_jobs(jobs).await.unwrap().into_inner().jobs;
    let limits = caller.rpc.list_limits(v1::ListLimitsRequest {}).await;
    // What runs and waits changes without a call, and the keys come in any order.
    let groups = limits.unwrap().into_inner().groups.into_iter();
    let limits = groups.map(|group| {
        let keys: BTreeMap<_, _> = group.keys.iter().collect();
        format!(
            "{} {:?} {:?} {keys:?}",
            group.group, group.all, group.per_key
        )
    });
    let mut contexts = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = v1::ListContextsRequest {
            page_size: 1_000,
            cursor,
            ..Default::default()
        };
        let page = caller.rpc.list_contexts(page).await.unwrap().into_inner();
        contexts.extend(page.contexts.into_iter().map(|context| context.id));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    contexts.retain(|id| !id.contains('@'));
    let named = jobs
        .into_iter()
        .map(|job| (job.spec.unwrap().name, job.revision));
    State {
        jobs: named.collect(),
        limits: limits.collect(),
        contexts,
    }
}

/// Whether a caller can understand what became of its call.
fn is_an_answer(status: &Status) -> bool {
    [
        Code::InvalidArgument,
        Code::NotFound,
        Code::FailedPrecondition,
        Code::ResourceExhausted,
    ]
    .contains(&status.code())
}

/// Whether it was done.
async fn tried(
    caller: &mut Caller,
    method: &Method,
    message: Vec<u8>,
) -> Result<bool, TestCaseError> {
    let before = state(caller).await;
    let shown = format!("{}({message:02x?})", method.name);
    let shown = shown.chars().take(2_000).collect::<String>();
    let answer = tokio::time::timeout(WITHIN, call(&caller.channel, method, Bytes::from(message)));
    let Ok(answer) = answer.await else {
        prop_assert!(method.name == "WaitContext", "no answer: {shown}");
        return Ok(true);
    };
    let done = answer.is_ok();
    if let Err(status) = answer {
        prop_assert!(is_an_answer(&status), "{status:?} of {shown}");
        let after = state(caller).await;
        prop_assert_eq!(before.jobs, after.jobs, "{}", &shown);
        prop_assert_eq!(before.limits, after.limits, "{}", &shown);
        let new = after.contexts.difference(&before.contexts).count();
        prop_assert_eq!(new, 0, "{}", &shown);
    }
    Ok(done)
}

/// What calls may be about.
fn jobs() -> Vec<v1::JobSpec> {
    vec![job("t/asked", api()), job("t/timed", every(3_600_000))]
}

#[test]
fn extremes_are_answered_and_change_only_what_they_say() {
    let Some(config) = configured() else {
        return;
    };
    // Other tests of the process may have theirs.
    tracing::subscriber::set_global_default(Counting).ok();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (prefix, url) = (config.prefix.clone(), config.redis_url.clone());
    let eviction = config.eviction;
    let mut caller = runtime.block_on(serving(config));
    let names = runtime.block_on(async {
        caller.apply(jobs()).await.unwrap();
        let contexts = vec![submission(0), submission(3_600_000)];
        let submitted = caller.submit(contexts).await.unwrap();
        let mut names: Vec<_> = submitted.into_iter().map(|one| one.id).collect();
        names.extend(["t/asked", "t/timed", "default", "mail"].map(str::to_owned));
        names
    });
    let all: Vec<_> = methods().collect();
    let settings = ProptestConfig {
        cases: CALLS,
        max_shrink_iters: 50,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let strategy = (0..all.len(), prop::collection::vec(any::<u16>(), 0..300));
    let caller = RefCell::new(caller);
    let accepted = RefCell::new(BTreeSet::new());
    let result = TestRunner::new(settings).run(&strategy, |(at, choices)| {
        let method = all[at];
        let mut tape = Tape {
            choices: choices.iter(),
            names: &names,
            mild: choices.len().is_multiple_of(2),
        };
        let message = tape.message(method.takes);
        let done = runtime.block_on(tried(&mut caller.borrow_mut(), method, message))?;
        if done {
            accepted.borrow_mut().insert(method.name);
        }
        // Calls that come later have jobs to be about.
        if done && method.name == "DeleteJob" {
            runtime.block_on(caller.borrow_mut().apply(jobs())).unwrap();
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    for method in &all {
        let long = Bytes::from([&[0x0a_u8][..], &varint(8 << 20), &vec![b'x'; 8 << 20]].concat());
        let status = runtime
            .block_on(call(&caller.borrow().channel, method, long))
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{}", method.name);
    }
    // What is refused only would show nothing. More than half are done as a rule; by chance alone it is never a third.
    let accepted = accepted.into_inner();
    println!(
        "{} of {} methods were done: {accepted:?}",
        accepted.len(),
        all.len()
    );
    assert!(
        accepted.len() * 3 > all.len(),
        "only {accepted:?} were done"
    );
    let lines = LINES.load(Ordering::Relaxed);
    assert!(lines <= LINES_MAX, "{lines} lines in the log");
    let found = runtime.block_on(async {
        let redis = Redis::connect(&url).await.unwrap();
        let partitions = PartitionCount::new(4).unwrap();
        let opened = Store::open_on(redis, &prefix, partitions, eviction).await;
        opened.unwrap().0.check(Pace::default()).await.unwrap()
    });
    assert!(found.is_clean(), "{found:?}");
}
