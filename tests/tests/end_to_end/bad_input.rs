//! Bad input gets an answer that names field, rule and value, before anything is written.

mod cases;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use cases::{Case, ON_THE_WIRE, POLICIES, TRIGGERS};
use prost::Message as _;
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::{after, every, job, submission};
use tickwheel_tests::harness::{Client, Small};
use tonic::{Code, Status};

fn good() -> Result<JobSpec> {
    job("bad", "ok", every(1_000))
}

/// The bad job of a case, on the wire.
fn bad<T: Clone>(good: &T, change: fn(&mut T), wire: fn(&T) -> v1::JobSpec) -> v1::JobSpec {
    let mut bad = good.clone();
    change(&mut bad);
    wire(&bad)
}

/// What is wrong with the answer to a bad job; nothing when it names field and rule.
async fn judge(
    client: &mut Client,
    name: &str,
    job: v1::JobSpec,
    field: &str,
    rule: &str,
) -> Option<String> {
    let found = match violations(name, apply(client, vec![job]).await) {
        Ok(found) => found,
        Err(error) => return Some(format!("{error:#}")),
    };
    let field = format!("jobs[0].{field}");
    let field = field.trim_end_matches('.');
    let named = |one: &v1::Violation| {
        one.field.starts_with(field) && format!("{} {}", one.rule, one.given).contains(rule)
    };
    let holds = found.iter().any(named);
    (!holds).then(|| format!("{name}: `{field}` and `{rule}` are not named: {found:?}"))
}

/// The violations of a refusal.
fn violations<T: std::fmt::Debug>(
    name: &str,
    answer: std::result::Result<T, Status>,
) -> Result<Vec<v1::Violation>> {
    let status = answer
        .err()
        .with_context(|| format!("{name} was accepted"))?;
    ensure!(status.code() == Code::InvalidArgument, "{name}: {status:?}");
    let detail = v1::ErrorDetail::decode(status.details())?;
    ensure!(
        detail.code == "INVALID" && !detail.violations.is_empty(),
        "{name}: {detail:?}"
    );
    let complete = detail
        .violations
        .iter()
        .all(|one| !one.field.is_empty() && !one.rule.is_empty());
    ensure!(
        complete,
        "{name}: a violation without field or rule: {detail:?}"
    );
    Ok(detail.violations)
}

async fn apply(
    client: &mut Client,
    jobs: Vec<v1::JobSpec>,
) -> std::result::Result<v1::ApplyJobsResponse, Status> {
    Ok(client
        .raw
        .apply_jobs(v1::ApplyJobsRequest {
            jobs,
            dry_run: false,
            ..v1::ApplyJobsRequest::default()
        })
        .await?
        .into_inner())
}

async fn ensure_nothing_written(small: &Small) -> Result<()> {
    let snapshot = small.rig.snapshot().await?;
    let keys: Vec<&str> = snapshot
        .partitions
        .iter()
        .flat_map(|partition| &partition.keys)
        .map(|key| key.name.as_str())
        // What a tracker writes when it starts.
        .filter(|name| !["epoch", "traces"].contains(name))
        .collect();
    ensure!(
        keys.is_empty(),
        "refused, and yet these were written: {keys:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_job_is_refused_with_field_rule_and_value() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let (spec, mut problems) = (good()?, Vec::new());
    let on_wire = v1::JobSpec::from(&spec);
    let wrong_specs = TRIGGERS.iter().chain(POLICIES);
    let specs = wrong_specs.map(|(name, change, field, rule): &Case<JobSpec>| {
        (
            *name,
            bad(&spec, *change, |spec| spec.into()),
            *field,
            *rule,
        )
    });
    let wires = ON_THE_WIRE.iter().map(|(name, change, field, rule)| {
        (*name, bad(&on_wire, *change, Clone::clone), *field, *rule)
    });
    for (name, job, field, rule) in specs.chain(wires) {
        problems.extend(judge(&mut small.client, name, job, field, rule).await);
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    ensure_nothing_written(&small).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_mistakes_of_all_jobs_come_back_at_once_and_nothing_is_written() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let good = good()?;
    let specs = [
        good.clone(),
        JobSpec {
            name: JobName::new("one")?,
            max_runs: Some(0),
            ledger_limit: 0,
            ..good.clone()
        },
        JobSpec {
            name: JobName::new("two")?,
            trigger: every(0),
            ..good.clone()
        },
    ];
    let found = violations(
        "three jobs",
        apply(
            &mut small.client,
            specs.iter().map(v1::JobSpec::from).collect(),
        )
        .await,
    )?;
    for field in [
        "jobs[1].max_runs",
        "jobs[1].ledger_limit",
        "jobs[2].trigger",
    ] {
        ensure!(
            found.iter().any(|one| one.field.starts_with(field)),
            "{field} is not named: {found:?}"
        );
    }
    ensure!(
        !found.iter().any(|one| one.field.starts_with("jobs[0]")),
        "{found:?}"
    );
    let twice = vec![v1::JobSpec::from(&good), v1::JobSpec::from(&good)];
    let found = violations(
        "two jobs of one name",
        apply(&mut small.client, twice).await,
    )?;
    ensure!(
        found
            .iter()
            .any(|one| one.field.contains("name") && one.given.contains("bad")),
        "{found:?}"
    );
    ensure_nothing_written(&small).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_is_refused_by_name_in_one_call_and_over_several() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let spec = |name: &str, upstream: &str| job(name, "ok", after(upstream, AfterOn::Succeeded)?);
    let circle = [spec("a", "c")?, spec("b", "a")?, spec("c", "b")?];
    let found = violations(
        "a circle",
        apply(
            &mut small.client,
            circle.iter().map(v1::JobSpec::from).collect(),
        )
        .await,
    )?;
    let names = ["default/a", "default/b", "default/c"];
    ensure!(
        found
            .iter()
            .any(|one| names.iter().all(|name| one.given.contains(name))),
        "{found:?}"
    );
    let found = violations(
        "a job after itself",
        apply(&mut small.client, vec![v1::JobSpec::from(&spec("a", "a")?)]).await,
    )?;
    ensure!(
        found
            .iter()
            .any(|one| one.given == "default/a -> default/a"),
        "{found:?}"
    );
    ensure_nothing_written(&small).await?;
    small
        .client
        .apply(&[
            job("a", "ok", Trigger::Manual)?,
            spec("b", "a")?,
            spec("c", "b")?,
        ])
        .await?;
    let found = violations(
        "a circle closed later",
        apply(&mut small.client, vec![v1::JobSpec::from(&spec("a", "c")?)]).await,
    )?;
    ensure!(
        found
            .iter()
            .any(|one| names.iter().all(|name| one.given.contains(name))),
        "{found:?}"
    );
    ensure!(
        small.client.job("a").await?.revision == 1,
        "a refused job was changed"
    );
    small.rig.check().await
}

fn submissions() -> Vec<(&'static str, Vec<v1::Submission>, &'static str)> {
    let changed = |change: fn(&mut v1::Submission)| {
        let mut one = submission("ok", 1);
        change(&mut one);
        vec![submission("ok", 1), one]
    };
    let body = changed(|one| one.body = Bytes::from(vec![0; 262_145]));
    let handler = changed(|one| one.handler = "a b".to_owned());
    let no_handler = changed(|one| one.handler = String::new());
    let group = changed(|one| one.group = "a b".to_owned());
    let key = changed(|one| one.dedup_key = "a\nb".to_owned());
    let lease = changed(|one| {
        let options = v1::ContextOptions::default();
        one.options = Some(v1::ContextOptions {
            lease_ms: Some(1),
            ..options
        });
    });
    vec![
        ("a body over 256 KiB", body, "contexts[1].body"),
        ("a handler with a space", handler, "contexts[1].handler"),
        ("no handler", no_handler, "contexts[1].handler"),
        ("a group with a space", group, "contexts[1].group"),
        ("a key with a line break", key, "contexts[1].dedup_key"),
        ("a lease of 1 ms", lease, "contexts[1].options.lease_ms"),
        ("nothing", vec![], "contexts"),
        (
            "1,001 contexts",
            vec![submission("ok", 1); 1_001],
            "contexts",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_submissions_are_refused_and_none_of_their_call_is_accepted() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    for (name, contexts, field) in submissions() {
        let answer = small
            .client
            .raw
            .submit(v1::SubmitRequest { contexts })
            .await;
        let found = violations(name, answer)?;
        ensure!(
            found.iter().any(|one| one.field.starts_with(field)),
            "{name}: {field} is not named: {found:?}"
        );
    }
    ensure_nothing_written(&small).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_exist_is_not_found_and_bad_ids_are_refused() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let codes = [
        small.client.job("nobody").await.map(drop),
        small.client.pause("nobody").await.map(drop),
        small.client.resume("nobody").await.map(drop),
        small.client.delete("nobody").await.map(drop),
        small.client.run("nobody").await.map(drop),
        small
            .client
            .context("0.1700000000000.f@default/nobody")
            .await
            .map(drop),
        small
            .client
            .cancel("0.1700000000000.1-000001")
            .await
            .map(drop),
    ]
    .map(|answer| answer.err().map(|status| status.code()));
    ensure!(
        codes.iter().all(|code| *code == Some(Code::NotFound)),
        "{codes:?}"
    );
    for id in [
        "",
        "x",
        "9999.1.f",
        "0.x.f",
        "0.1700000000000.F@a",
        "7.1700000000000.f@a b",
    ] {
        let code = small
            .client
            .context(id)
            .await
            .err()
            .map(|status| status.code());
        ensure!(
            code == Some(Code::InvalidArgument),
            "context `{id}`: {code:?}"
        );
    }
    let code = small
        .client
        .job("a b")
        .await
        .err()
        .map(|status| status.code());
    ensure!(code == Some(Code::InvalidArgument), "{code:?}");
    ensure_nothing_written(&small).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integers_above_2_to_the_53_and_binary_bodies_stay_as_they_are() -> Result<()> {
    const EXACT: u64 = (1 << 53) + 1;
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let body = Bytes::from(format!("{{\"order\":{EXACT}}}"));
    let spec = JobSpec {
        max_runs: Some(EXACT),
        body: body.clone(),
        ..job("exact", "ok", every(60_000))?
    };
    small.client.apply(&[spec]).await?;
    let seen = small.client.job("exact").await?.spec.context("a spec")?;
    ensure!(
        seen.max_runs == Some(EXACT) && seen.body == body,
        "{seen:?}"
    );
    let run = small.client.run("exact").await?;
    ensure!(
        small.client.end_of(&run.id).await?.result == body,
        "the body changed on its way"
    );
    let binary = Bytes::from_iter((0..=255_u8).cycle().take(4_096));
    let id = small
        .client
        .submit_one(v1::Submission {
            body: binary.clone(),
            ..submission("ok", 0)
        })
        .await?;
    ensure!(
        small.client.end_of(&id).await?.result == binary,
        "bytes changed on their way"
    );
    small.rig.drained(Duration::from_secs(10)).await?;
    small.rig.check().await
}
