//! wheel/turn, misfire: the script decides as `tickwheel_core::catch_up::decide` does, for every policy and both kinds of due times.

use crate::call::{Part, T};
use crate::harness::{Harness, fresh, ms};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tickwheel_core::catch_up::{Verdict, decide};
use tickwheel_core::job::{Misfire, MisfirePolicy};
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};

/// A job and the moment its due times are found.
#[derive(Debug, Clone)]
struct Case {
    misfire: Misfire,
    /// Steps from one due time to the next; one value: a fixed rate.
    steps: Vec<u64>,
    count: usize,
    late_ms: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let misfire = (
        0_usize..3,
        1_u32..6,
        0_u64..9_000,
        prop::option::of(0_u64..20_000),
    )
        .prop_map(
            |(policy, limit, tolerance_ms, catch_up_window_ms)| Misfire {
                policy: MisfirePolicy::ALL[policy],
                limit,
                tolerance_ms,
                catch_up_window_ms,
            },
        );
    let steps = prop_oneof![
        prop::collection::vec(10_u64..3_000, 1..=1),
        prop::collection::vec(1_u64..3_000, 2..30)
    ];
    (misfire, steps, 1_usize..25, 0_u64..2_000).prop_map(|(misfire, steps, count, late_ms)| Case {
        misfire,
        steps,
        count,
        late_ms,
    })
}

impl Case {
    fn is_rate(&self) -> bool {
        self.steps.len() == 1
    }

    fn dues(&self) -> Vec<u64> {
        let steps = self.steps.iter().copied().cycle().take(if self.is_rate() {
            200
        } else {
            self.steps.len()
        });
        let mut due = T;
        std::iter::once(T)
            .chain(steps.map(|step| {
                due += step;
                due
            }))
            .collect()
    }

    fn now(&self) -> u64 {
        let dues = self.dues();
        dues[self.count.min(dues.len() - 1)] + self.late_ms
    }
}

/// Every due time of a ledger with what became of it; a run of due times has those of `dues` between its ends.
fn decided(ledger: &[&str], dues: &[u64]) -> Vec<(u64, Verdict)> {
    let mut decided = Vec::new();
    for text in ledger {
        let record: LedgerRecord = text.parse().unwrap();
        let (from, to) = (record.from.as_u64(), record.to.as_u64());
        let run: Vec<u64> = dues
            .iter()
            .copied()
            .filter(|due| (from..=to).contains(due))
            .collect();
        assert_eq!(u64::try_from(run.len()).unwrap(), record.count, "{text}");
        let verdict = match record.verdict {
            LedgerVerdict::Fired => Verdict::Fire,
            LedgerVerdict::Skipped
            | LedgerVerdict::Missed
            | LedgerVerdict::Cancelled
            | LedgerVerdict::Redefined => Verdict::Missed(record.reason.unwrap()),
        };
        decided.extend(run.into_iter().map(|due| (due, verdict)));
    }
    decided
}

async fn check(test: &Harness, case: &Case) -> Result<(), TestCaseError> {
    for key in test.keys().await {
        test.command(&["DEL", &key]).await;
    }
    let part = Part::new(test);
    let (dues, now, misfire) = (case.dues(), case.now(), case.misfire);
    let plan: Vec<String> = dues[1..].iter().map(u64::to_string).collect();
    let (limit, tolerance) = (misfire.limit.to_string(), misfire.tolerance_ms.to_string());
    let catch_up = misfire
        .catch_up_window_ms
        .map(|window| window.to_string())
        .unwrap_or_default();
    let (period, plan) = (case.steps[0].to_string(), plan.join(" "));
    let (kind, plan) = if case.is_rate() {
        ("fixed_rate", "")
    } else {
        ("cron", plan.as_str())
    };
    let fields = [
        ("kind", kind),
        ("period", &period),
        ("plan", plan),
        ("plan_end", "1"),
        ("misfire", misfire.policy.as_str()),
        ("misfire_limit", &limit),
        ("tolerance", &tolerance),
        ("catch_up", &catch_up),
        ("overlap", "parallel"),
        ("overlap_limit", "9999"),
    ];
    part.put_job("d/j", T, &fields).await;
    while part.turn(now, 1_000, &[]).await.more {}
    let state = part.state().await;
    let come: Vec<_> = dues
        .iter()
        .copied()
        .filter(|due| *due <= now)
        .map(ms)
        .collect();
    let expected: Vec<_> = decide(&come, ms(now), &misfire)
        .into_iter()
        .map(|(due, verdict)| (due.as_u64(), verdict))
        .collect();
    prop_assert_eq!(decided(&state.list("ledger:d/j"), &dues), &expected[..]);
    let fired = expected
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Fire)
        .count();
    prop_assert_eq!(state.zset("ready:g:h").len(), fired);
    let next = dues
        .iter()
        .copied()
        .find(|due| *due > now)
        .map(|due| due.to_string())
        .unwrap_or_default();
    prop_assert_eq!(state.field("job:d/j", "next"), next.as_str());
    prop_assert_eq!(state.zset("wheel").len(), usize::from(!next.is_empty()));
    Ok(())
}

#[test]
fn the_script_decides_as_the_reference_does() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let Some(test) = runtime.block_on(fresh()) else {
        return;
    };
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&cases(), |case| runtime.block_on(check(&test, &case)))
        .unwrap();
}
