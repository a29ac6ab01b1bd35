//! A few faults of the rig, and some seconds of random ones: `make chaos` runs all of them.

use anyhow::{Result, bail};
use tickwheel_tests::bins;
use tickwheel_tests::chaos::catalogue::find;
use tickwheel_tests::chaos::seed::Seed;
use tickwheel_tests::chaos::{Case, Figures, random};
use tickwheel_tests::harness::{Rig, RigOptions};

async fn has_redis() -> Result<bool> {
    Ok(Rig::start(None, RigOptions::default()).await?.is_some())
}

fn held(case: Case, ended: Result<()>) -> Result<Figures> {
    let (figures, dir) = case.end(ended);
    if !figures.held {
        bail!(
            "{}: {:#?}, logs in {dir:?}",
            figures.fault,
            figures.failures
        );
    }
    Ok(figures)
}

async fn provoke(id: &str) -> Result<()> {
    if !has_redis().await? {
        return Ok(());
    }
    let Some(fault) = find(id) else {
        bail!("no fault {id}");
    };
    let mut case = Case::new(fault.id, bins!(), 7, false);
    let ended = (fault.run)(&mut case).await;
    held(case, ended).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_context_ends_before_the_workers_do() -> Result<()> {
    provoke("F13").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_takes_settlements() -> Result<()> {
    provoke("F23").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_faults_lose_nothing_and_start_no_attempt_twice() -> Result<()> {
    random_faults(false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_over_tls_with_certificates_and_bound_tokens() -> Result<()> {
    random_faults(true).await
}

async fn random_faults(secure: bool) -> Result<()> {
    const SECONDS: u64 = 8;
    if !has_redis().await? {
        return Ok(());
    }
    let schedule = random::schedule(SECONDS, false, &mut Seed::new(7));
    let mut case = Case::new("random", bins!(), 7, false);
    case.secure = secure;
    let ended = random::run(&mut case, SECONDS, &schedule).await;
    let figures = held(case, ended)?;
    assert!(figures.submitted > 100, "{figures:?}");
    Ok(())
}
