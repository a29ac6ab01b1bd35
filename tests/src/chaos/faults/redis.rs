//! Redis restarted, hung, busy, full, and without room on its disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::ContextState;
use tokio::process::Command;
use tonic::Code;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::{submission, with_options};
use crate::harness::{Launch, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(40);
/// After Redis answers again, handlers start within this.
const RESUME_MAX_MS: u64 = 3_000;

fn durable() -> Plan {
    Plan {
        launch: Launch {
            durable: true,
            ..Launch::default()
        },
        ..Plan::default()
    }
}

/// Waits for the next start of a handler after `since`, and notes how long it took.
async fn resumed(case: &mut Case, stage: &Stage, since: u64) -> Result<()> {
    let start = until("handlers start again", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let next = runs.iter().map(|run| run.start_ms).find(|ms| *ms > since);
        next.context("none has")
    })
    .await?;
    let took = start - since;
    case.recovered(took);
    case.expect(took <= RESUME_MAX_MS, || {
        format!("handlers started again only after {took} ms")
    });
    Ok(())
}

/// Killed, and back with its append-only file.
pub(crate) async fn f17(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(durable()).await?;
    for down_ms in [500, 2_000] {
        case.mark();
        stage.rig.redis.kill().await?;
        pass(down_ms).await;
        stage.rig.redis.restart().await?;
        resumed(case, &stage, wall_ms()).await?;
        pass(1_500).await;
    }
    case.judge(&mut stage).await?;
    Ok(())
}

/// Flushed again and again under load.
pub(crate) async fn f18(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    case.mark();
    let mut wire = stage.rig.redis.wire().await?;
    for _ in 0..60 {
        wire.command(&["SCRIPT", "FLUSH"]).await?;
        pass(80).await;
    }
    case.judge(&mut stage).await?;
    let failed = case.figures().failed_calls.clone();
    case.expect(failed.is_empty(), || format!("calls failed: {failed:?}"));
    Ok(())
}

/// Stopped for half a minute, and then let go.
pub(crate) async fn f21(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let contexts = (0..30)
        .map(|_| with_options(submission("cancel_aware", 36_000), attempts(5)))
        .collect();
    let ids = stage.client(0)?.submit(contexts).await?;
    ids.iter().for_each(|id| stage.load.add(id));
    stage.ran(30).await?;
    pass(1_000).await;
    case.mark();
    stage.rig.redis.signal("STOP").await?;
    pass(2_000).await;
    let asked = wall_ms();
    let answer = stage.client(0)?.job("steady-1").await;
    case.note("call_gave_up_after_ms", wall_ms() - asked);
    let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
    case.expect(code == Code::Unavailable, || {
        format!("a call to a hung store ended with {code:?}")
    });
    pass(8_000).await;
    let (ready, _) = stage.http(0, "/readyz").await?;
    case.expect(ready == 503, || format!("/readyz answers {ready}"));
    pass(17_000).await;
    stage.rig.redis.signal("CONT").await?;
    resumed(case, &stage, wall_ms()).await?;
    case.judge(&mut stage).await?;
    let told = stage.rig.book.told()?.len();
    case.note("false_lease_losses", told);
    case.expect(told == 0, || {
        format!("{told} handlers were told that they lost their lease")
    });
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Somebody's script runs for six seconds; others are told BUSY.
pub(crate) async fn f22(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut wire = stage.rig.redis.wire().await?;
    wire.command(&["CONFIG", "SET", "busy-reply-threshold", "200"])
        .await?;
    // Scripts have no clock of their own, so it is found out how far they count in a while.
    let count = "for _ = 1, ARGV[1] do end return 1";
    let probe = wall_ms();
    wire.command(&["EVAL", count, "0", "5000000"]).await?;
    let rounds = 5_000_000 * 6_000 / (wall_ms() - probe).max(1);
    let began = case.mark();
    wire.command(&["EVAL", count, "0", &rounds.to_string()])
        .await?;
    case.note("busy_ms", wall_ms() - began);
    resumed(case, &stage, wall_ms()).await?;
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Over its memory limit while contexts run, wait for permits, and wait for their time.
pub(crate) async fn f23(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let contexts = (0..400).map(|_| submission("sleep", 1_200)).collect();
    let ids = stage.client(0)?.submit(contexts).await?;
    ids.iter().for_each(|id| stage.load.add(id));
    stage.ran(50).await?;
    let mut wire = stage.rig.redis.wire().await?;
    case.mark();
    wire.command(&["CONFIG", "SET", "maxmemory", "1"]).await?;
    let refused = stage.client(0)?.submit(vec![submission("ok", 1)]).await;
    let code = refused.map_or_else(|status| status.code(), |_| Code::Ok);
    case.expect(code == Code::ResourceExhausted, || {
        format!("a submission to a full store ended with {code:?}")
    });
    let settled = until("all of them end on a full store", LIMIT, async || {
        let snapshot = stage.rig.snapshot().await?;
        let ended = |id: &&String| {
            let mut ends = snapshot.partitions.iter().flat_map(|part| &part.settled);
            ends.any(|end| end.id.as_str() == **id)
        };
        let count = ids.iter().filter(ended).count();
        ensure!(count == ids.len(), "{count} of {} have", ids.len());
        Ok(count)
    })
    .await?;
    case.note("settled_on_a_full_store", settled);
    wire.command(&["CONFIG", "SET", "maxmemory", "0"]).await?;
    let back = wall_ms();
    // Trackers look at the memory each ten seconds.
    until("submissions are accepted", LIMIT, async || {
        stage.client(0)?.submit_one(submission("ok", 1)).await
    })
    .await?;
    case.recovered(wall_ms() - back);
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// A file system of its own that is as large as it says.
struct SmallDisk {
    dir: PathBuf,
}

impl SmallDisk {
    async fn mount(dir: &Path, megabytes: u32) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tickwheel"])
            .arg(dir)
            .status()
            .await?;
        ensure!(
            mounted.success(),
            "this fault needs the right to mount a file system of {megabytes} MB"
        );
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.dir.join("filler"))?;
        let block = [0; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        Ok(())
    }

    fn clear(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.dir.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server on it may still be ending: the mount goes when its last file is closed.
        let unmounted = std::process::Command::new("umount")
            .arg("-l")
            .arg(&self.dir)
            .status();
        unmounted.ok();
        std::fs::remove_dir(&self.dir).ok();
    }
}

/// The append-only file has no room to grow.
pub(crate) async fn f25(case: &mut Case) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("tickwheel-disk-{}", std::process::id()));
    let disk = SmallDisk::mount(&dir, 64).await?;
    let mut plan = durable();
    let arguments = [
        "--dir",
        &dir.display().to_string(),
        "--auto-aof-rewrite-percentage",
        "0",
    ];
    plan.launch.arguments = arguments.map(str::to_owned).to_vec();
    let mut stage = case.stage(plan).await?;
    case.mark();
    disk.fill()?;
    until("submissions are refused", LIMIT, async || {
        let answer = stage.client(0)?.submit(vec![submission("ok", 1)]).await;
        match answer {
            Ok(ids) => {
                ids.iter().for_each(|id| stage.load.add(id));
                anyhow::bail!("one was accepted")
            }
            Err(status) => {
                ensure!(status.code() == Code::Unavailable, "{status:?}");
                Ok(())
            }
        }
    })
    .await?;
    until("the tracker says that it is not ready", LIMIT, async || {
        let (ready, _) = stage.http(0, "/readyz").await?;
        ensure!(ready == 503, "/readyz answers {ready}");
        Ok(())
    })
    .await?;
    disk.clear()?;
    resumed(case, &stage, wall_ms()).await?;
    let id = until("submissions are accepted", LIMIT, async || {
        stage.client(0)?.submit_one(submission("ok", 1)).await
    })
    .await?;
    stage.load.add(&id);
    let context = stage.client(0)?.end_of(&id).await?;
    case.expect(context.state() == ContextState::Succeeded, || {
        format!("{id} is {}", context.state().as_str_name())
    });
    case.judge(&mut stage).await?;
    drop(stage);
    drop(disk);
    Ok(())
}
