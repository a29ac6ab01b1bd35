//! Records and keys that no script writes, in one partition and in the keys of the cluster, under load.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tickwheel_core::job::{JobSpec, Overlap, Trigger};
use tonic::Code;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::loss::Loss;
use crate::chaos::stage::{Plan, Stage};
use crate::chaos::verdict::{live, percentile};
use crate::garbage::{self, Garbage, Names};
use crate::harness::jobs::{delayed, job, submission, with_options};
use crate::harness::wire::Wire;
use crate::harness::{Registered, operator, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(30);
/// How late other partitions may be beyond what they were before, 99 of 100 first starts.
const OTHERS_MORE_MAX_MS: u64 = if cfg!(debug_assertions) { 250 } else { 25 };
/// Rounds of check, repair and what a person does.
const ROUNDS_MAX: usize = 4;
/// A job of the partition whose lists get garbage: its history is not judged afterwards.
const JOB: &str = "garbled";

/// Garbage beside what is there, then keys of wrong types, each for a while; then check, repair, and a person.
pub(crate) async fn f59(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let names = names(&stage).await?;
    let partition = names.partition;
    pass(3_000).await;
    let before = lateness(&stage, partition, 0..wall_ms())?;

    let (tag, cluster) = (format!("{{tw:{partition}}}:"), "{tw}:");
    let mut wire = stage.rig.redis.wire().await?;
    let mut records = garbage::of_partition(&tag, &names);
    records.extend(garbage::of_cluster(cluster, &names));
    let began = case.mark();
    let written = put(&mut wire, &records).await?;
    case.note("records_of_garbage", written);
    goes_on(case, &stage, partition, "garbage").await?;
    pass(4_000).await;
    let aside = stage.rig.store.counters().await?.put_aside;
    case.note("put_aside_by_turns", aside);
    case.expect(aside > 0, || "no turn put anything aside".to_owned());

    // Where nothing is, so that nothing is destroyed by it: what the fault takes stays known.
    let wrong = wrong_types(&mut wire, &tag, cluster, &names).await?;
    case.note("keys_of_a_wrong_type", wrong.len());
    pass(4_000).await;
    let after = lateness(&stage, partition, began..wall_ms())?;
    case.note("others_late_p99_ms_before", before);
    case.note("others_late_p99_ms", after);
    case.expect(after <= before + OTHERS_MORE_MAX_MS, || {
        format!("the other partitions were {after} ms late, before it {before} ms")
    });
    case.loss = Loss {
        strangers: vec![".z-".to_owned(), ".s-".to_owned()],
        ..Loss::default()
    };
    mend(case, &stage, &mut wire).await?;
    goes_on(case, &stage, partition, "the repair").await?;
    case.judge(&mut stage).await?;
    Ok(())
}

/// What is there already: a job of a partition, a context of it, a worker.
async fn names(stage: &Stage) -> Result<Names> {
    let spec = JobSpec {
        overlap: Overlap::Queue(10),
        ..job(JOB, "ok", Trigger::Manual)?
    };
    let name = spec.name.to_string();
    let partition = stage.rig.store.partition_of_job(&spec.name).as_u16();
    let mut client = stage.client(0)?;
    Registered::apply(&mut client, vec![spec]).await?;
    client.run(JOB).await?;
    let of_it = format!("{partition}.");
    let root = until("a context of the partition", LIMIT, async || {
        let context = with_options(submission("ok", 1), attempts(3));
        let context = delayed(context, Duration::from_secs(25));
        let id = client.clone().submit_one(context).await?;
        stage.load.add(&id);
        ensure!(id.starts_with(&of_it), "{id} is in another");
        Ok(id)
    })
    .await?;
    let worker = stage.workers.first().context("a worker")?;
    Ok(Names {
        partition,
        group: "default".to_owned(),
        handler: "ok".to_owned(),
        job: name,
        root,
        worker: worker.id.clone(),
    })
}

/// Writes it; answers with how many pieces Redis took.
async fn put(wire: &mut Wire, pieces: &[Garbage]) -> Result<usize> {
    let mut taken = 0;
    for one in pieces {
        taken += usize::from(wire.raw(&one.words).await?);
    }
    ensure!(
        taken * 2 > pieces.len(),
        "{taken} of {} were taken",
        pieces.len()
    );
    Ok(taken)
}

/// Keys of wrong types where none is, and in place of those of the cluster; answers with their names.
async fn wrong_types(
    wire: &mut Wire,
    tag: &str,
    cluster: &str,
    names: &Names,
) -> Result<Vec<String>> {
    let mut put = Vec::new();
    for one in garbage::wrong_types_of_partition(tag, names) {
        let key = format!("{tag}{}", one.key);
        if wire.command(&["EXISTS", &key]).await?.text() == "0" && wire.raw(&one.words).await? {
            put.push(key);
        }
    }
    for one in garbage::wrong_types_of_cluster(cluster, names) {
        if wire.raw(&one.words).await? {
            put.push(format!("{cluster}{}", one.key));
        }
    }
    Ok(put)
}

/// How late the first starts in other partitions were that fell into `span`, 99 of 100.
fn lateness(stage: &Stage, partition: u16, span: std::ops::Range<u64>) -> Result<u64> {
    let of_it = format!("{partition}.");
    let runs = stage.rig.book.read()?;
    let others = runs
        .iter()
        .filter(|run| run.attempt == 1 && span.contains(&run.start_ms));
    let mut late: Vec<u64> = others
        .filter(|run| !run.context.starts_with(&of_it))
        .map(crate::harness::Run::lateness_ms)
        .collect();
    late.sort_unstable();
    Ok(percentile(&late, 99))
}

/// What is accepted from now on in the partition runs.
async fn goes_on(case: &mut Case, stage: &Stage, partition: u16, after: &str) -> Result<()> {
    let since = wall_ms();
    let of_it = format!("{partition}.");
    let ran = until("the partition goes on", LIMIT, async || {
        let accounts = stage.load.accounts();
        let fresh: BTreeSet<&str> = accounts
            .accepted
            .iter()
            .filter(|(id, at)| id.starts_with(&of_it) && *at > since)
            .map(|(id, _)| &**id)
            .collect();
        let runs = stage.rig.book.read()?;
        let mut ran = runs.iter().filter(|run| fresh.contains(&*run.context));
        ran.next()
            .map(|run| run.start_ms)
            .with_context(|| format!("{} contexts of it were accepted, none ran", fresh.len()))
    })
    .await;
    match ran {
        Ok(start) => case.recovered(start - since),
        Err(error) => case.fail(format!("after {after}: {error:#}")),
    }
    Ok(())
}

/// `store check`, `store repair`, and by hand what is left to a person, until a check finds nothing.
async fn mend(case: &mut Case, stage: &Stage, wire: &mut Wire) -> Result<()> {
    let url = stage.rig.redis.url();
    let command = |verb| {
        [
            "store",
            verb,
            "--json",
            "--history",
            "--rest",
            "0",
            "--redis",
            &*url,
        ]
    };
    let found = findings(&command("check")).await?;
    case.note("found_by_the_check", found.len());
    case.expect(!found.is_empty(), || {
        "store check finds nothing wrong with garbage".to_owned()
    });
    // The one key of the cluster that no heartbeat makes anew: its limits would be lost without a word.
    let mut by_hand = Vec::new();
    if put_by(wire, "{tw}:limits").await {
        by_hand.push("{tw}:limits".to_owned());
    }
    for _ in 0..ROUNDS_MAX {
        operator::tickwheel(&command("repair")).await?;
        let left = findings(&command("check")).await?;
        // What waits under a garbled name may come out only when it is moved.
        if left.is_empty() && stage.rig.snapshot().await.is_ok() {
            case.note("done_by_hand", by_hand.len());
            // A history that cannot be read goes with its job, where that is still there.
            if let Err(status) = stage.client(0)?.delete(JOB).await {
                ensure!(status.code() == Code::NotFound, "delete: {status}");
            }
            return send_away(case, stage).await;
        }
        for finding in &left {
            if by_a_person(finding, wire).await? {
                by_hand.push(
                    finding
                        .get("detail")
                        .map(Value::to_string)
                        .unwrap_or_default(),
                );
            }
        }
        pass(1_000).await;
    }
    let left = findings(&command("check")).await?;
    let first: Vec<String> = left.iter().take(12).map(Value::to_string).collect();
    case.fail(format!(
        "after {ROUNDS_MAX} repairs, {} findings are left: {first:#?}",
        left.len()
    ));
    Ok(())
}

/// What a check prints.
async fn findings(words: &[&str]) -> Result<Vec<Value>> {
    let output = operator::tickwheel(words).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&said).with_context(|| format!("{output:?}"))?;
    let found = report.get("findings").and_then(Value::as_array);
    Ok(found.context("findings")?.clone())
}

/// What docs/operations.md says under "What is left to a person". True when there was something to do.
async fn by_a_person(finding: &Value, wire: &mut Wire) -> Result<bool> {
    let text = |field: &str| finding.get(field).and_then(Value::as_str).unwrap_or("");
    let partition = finding.get("partition").and_then(Value::as_u64);
    let (partition, subject) = (partition.context("a partition")?, text("subject"));
    let key = match text("kind") {
        "unknown_key" => format!("{{tw:{partition}}}:{subject}"),
        "bad_job" => format!("{{tw:{partition}}}:job:{subject}"),
        _ => return Ok(false),
    };
    Ok(put_by(wire, &key).await)
}

/// Moves a key out of the way; false when it is there no more.
async fn put_by(wire: &mut Wire, key: &str) -> bool {
    let moved = format!("aside:{key}");
    wire.command(&["RENAME", key, &moved]).await.is_ok()
}

/// Contexts that nobody submitted, and that no repair can tell from others, are cancelled.
async fn send_away(case: &mut Case, stage: &Stage) -> Result<()> {
    let snapshot = stage.rig.snapshot().await?;
    let mut client = stage.client(0)?;
    let strange: Vec<String> = live(&snapshot)
        .into_iter()
        .filter(|id| case.loss.is_strange(id))
        .collect();
    for id in &strange {
        // One that ends by itself meanwhile is gone as well.
        client.cancel(id).await.ok();
    }
    case.note("strangers_cancelled", strange.len());
    Ok(())
}
