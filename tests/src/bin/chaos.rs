//! The fault rig: `chaos --list`, `--fault F07`, `--all`, or random faults for `--seconds` from `--seed`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use tickwheel_tests::chaos::catalogue::{CATALOGUE, Fault, find};
use tickwheel_tests::chaos::seed::Seed;
use tickwheel_tests::chaos::{Case, Figures, random, report};
use tickwheel_tests::harness::{Bins, roles};

/// Provokes faults in a cluster of real processes, and checks what was promised.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Args {
    /// Random faults for so many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What everything random follows from; the same seed gives the same schedule.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Random faults: only kills of trackers and workers every two seconds, and of Redis every minute.
    #[arg(long)]
    kills: bool,
    /// Random faults: everybody speaks TLS and shows a certificate; callers show tokens, workers such as are bound to their certificate.
    #[arg(long)]
    secure: bool,
    /// These faults of the catalogue, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "F07")]
    fault: Vec<String>,
    /// Every fault of the catalogue.
    #[arg(long)]
    all: bool,
    /// Prints the catalogue.
    #[arg(long)]
    list: bool,
    /// Ends with a line of JSON.
    #[arg(long)]
    json: bool,
    /// Writes the rows of the faults into the table of this file.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Keeps logs and the run book also when all is well.
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<ExitCode> {
    // The rig starts its trackers and workers from the same program, under their names.
    let called = std::env::args().next().unwrap_or_default();
    match Path::new(&called)
        .file_name()
        .and_then(|name| name.to_str())
    {
        Some("rig-tracker") => return roles::tracker().map(|()| ExitCode::SUCCESS),
        Some("rig-worker") => return roles::worker().map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let args = Args::parse();
    if args.list {
        return list();
    }
    let names = tempfile::tempdir()?;
    let bins = bins(names.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(chaos(&args, bins))
}

fn list() -> Result<ExitCode> {
    for fault in CATALOGUE {
        writeln!(std::io::stdout(), "{}  {}", fault.id, fault.title)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// This program under the names of its roles.
fn bins(dir: &Path) -> Result<Bins> {
    let this = std::env::current_exe()?;
    let named = |name: &str| -> Result<&'static str> {
        let path = dir.join(name);
        std::os::unix::fs::symlink(&this, &path)?;
        Ok(String::leak(path.display().to_string()))
    };
    Ok(Bins {
        tracker: named("rig-tracker")?,
        worker: named("rig-worker")?,
    })
}

async fn chaos(args: &Args, bins: Bins) -> Result<ExitCode> {
    let faults = if args.all {
        CATALOGUE.iter().collect()
    } else {
        let named = args.fault.iter().map(|id| {
            let known = || format!("no fault {id}: `chaos --list` prints them");
            find(id).with_context(known)
        });
        named.collect::<Result<Vec<&Fault>>>()?
    };
    let mut all = Vec::new();
    for fault in &faults {
        say(&format!("{}  {}", fault.id, fault.title))?;
        let mut case = Case::new(fault.id, bins, args.seed, args.keep);
        case.secure = args.secure;
        let ended = (fault.run)(&mut case).await;
        let secure = if args.secure { " --secure" } else { "" };
        let replay = format!("chaos --fault {} --seed {}{secure}", fault.id, args.seed);
        all.push(tell(case.end(ended), &replay)?);
    }
    if faults.is_empty() {
        all.push(random_faults(args, bins).await?);
    }
    if let Some(path) = &args.write {
        report::write_table(path, &all)?;
    }
    if args.json {
        let line = match all.as_slice() {
            [one] => serde_json::to_value(one)?,
            _ => report::summary(&all),
        };
        say(&line.to_string())?;
    }
    let held = all.iter().all(|figures| figures.held);
    Ok(if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn random_faults(args: &Args, bins: Bins) -> Result<Figures> {
    let schedule = random::schedule(args.seconds, args.kills, &mut Seed::new(args.seed));
    for fault in &schedule {
        say(&fault.to_string())?;
    }
    let mut case = Case::new("random", bins, args.seed, args.keep);
    case.secure = args.secure;
    let ended = random::run(&mut case, args.seconds, &schedule).await;
    let kills = if args.kills { " --kills" } else { "" };
    let secure = if args.secure { " --secure" } else { "" };
    let replay = format!(
        "chaos --seconds {} --seed {}{kills}{secure}",
        args.seconds, args.seed
    );
    tell(case.end(ended), &replay)
}

/// Says how a fault went: figures when it held, else why not, where the logs are, and how to see it again.
fn tell((figures, dir): (Figures, Option<PathBuf>), replay: &str) -> Result<Figures> {
    let Figures {
        submitted,
        completed,
        lost,
        same_fence_twice,
        stale_accepted,
        reruns,
        recovery_p99_ms,
        late_max_ms,
        seconds,
        ..
    } = &figures;
    let verdict = if figures.held { "held" } else { "DID NOT HOLD" };
    say(&format!(
        "     {verdict} in {seconds} s: {completed} of {submitted} completed, lost {lost}, same fence twice {same_fence_twice}, \
         stale accepted {stale_accepted}, re-runs {reruns}, recovery p99 {recovery_p99_ms} ms, latest start {late_max_ms} ms"
    ))?;
    for (name, value) in &figures.notes {
        say(&format!("     {name}: {value}"))?;
    }
    for failure in &figures.failures {
        say(&format!("     - {failure}"))?;
    }
    if let Some(dir) = dir {
        say(&format!("     logs and run book: {}", dir.display()))?;
    }
    if !figures.held {
        say(&format!("     again: {replay}"))?;
    }
    Ok(figures)
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
