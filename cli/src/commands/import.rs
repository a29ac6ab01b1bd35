//! `tickwheel import …`: jobs of other schedulers as documents, on standard output, with a report on standard error. Needs no server.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tickwheel_core::zone::Zone;
use tickwheel_core::{GroupName, HandlerName, Namespace, TimestampMs};

use crate::failure::Failure;
use crate::import::{Kind, Report, Settings, import};
use crate::instant::now_ms;
use crate::manifest::Source;
use crate::output::put;

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// The lines of a crontab; each command becomes data for a handler
    Crontab(CrontabArgs),
    /// Kubernetes CronJobs, in YAML or JSON; each Pod becomes data for a handler
    Cronjob(SourceArgs),
    /// The table xxl_job_info of xxl-job: a dump in SQL, or CSV with a header
    XxlJob(SourceArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CrontabArgs {
    /// It is one of the system, as /etc/crontab, with a user before each command
    #[arg(long)]
    system: bool,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The file, or - for standard input
    file: PathBuf,
    /// Namespace of jobs whose source names none [default: default]
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<Namespace>,
    /// Group of jobs whose source names none [default: default; executor-N for rows of xxl-job]
    #[arg(long, value_name = "GROUP")]
    group: Option<GroupName>,
    /// Zone of expressions whose source names none, say Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Handler of jobs whose source names none [default: run-command for a crontab, run-container for a CronJob]
    #[arg(long, value_name = "HANDLER")]
    handler: Option<HandlerName>,
    /// Also write the report to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(crate) fn run(command: ImportCommand) -> Result<(), Failure> {
    match command {
        ImportCommand::Crontab(args) => convert(
            Kind::Crontab {
                system: args.system,
            },
            args.source,
        ),
        ImportCommand::Cronjob(args) => convert(Kind::Cronjob, args),
        ImportCommand::XxlJob(args) => convert(Kind::XxlJob, args),
    }
}

fn convert(kind: Kind, args: SourceArgs) -> Result<(), Failure> {
    if let Some(zone) = &args.time_zone {
        Zone::parse(zone).map_err(|wrong| Failure::usage(format!("--time-zone {}", wrong.rule)))?;
    }
    let settings = Settings {
        namespace: args.namespace.unwrap_or_default(),
        group: args.group,
        time_zone: args.time_zone,
        handler: args.handler,
        now: TimestampMs::new(now_ms()),
    };
    let file = args.file.display();
    let refused = |why: String| Failure::usage(format!("{file} {why}"));
    let source = Source::open(&args.file).map_err(refused)?;
    let imported = import(kind, source.text(), &settings).map_err(refused)?;
    put(&imported.documents)?;
    tell(&imported.report, args.report)?;
    match imported.report.missing() {
        None => Ok(()),
        Some((missing, all)) => Err(Failure::failed(format!(
            "{missing} of {all} entries were not imported, see above"
        ))),
    }
}

fn tell(report: &Report, file: Option<PathBuf>) -> Result<(), Failure> {
    // Nobody is left to tell when standard error is gone.
    drop(std::io::stderr().write_all(report.text().as_bytes()));
    let Some(file) = file else {
        return Ok(());
    };
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| Failure::broken(format!("cannot write the report as JSON: {error}")))?;
    std::fs::write(&file, json + "\n")
        .map_err(|error| Failure::usage(format!("{} cannot be written: {error}", file.display())))
}
