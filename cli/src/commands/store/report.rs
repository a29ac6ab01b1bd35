//! What the store commands print.

use std::fmt::Write as _;

use serde::Serialize;
use tickwheel_store::Store;
use tickwheel_store::check::{Checked, Finding, History};
use tickwheel_store::repair::{Rebuilt, Repair, Repaired};

use crate::failure::Failure;
use crate::output::Format;

/// A finding as it is shown.
#[derive(Debug, Serialize)]
struct FindingView {
    invariant: &'static str,
    kind: &'static str,
    partition: u16,
    subject: String,
    detail: String,
    meaning: &'static str,
    /// The script that repairs it; empty where a person has to decide.
    repair: &'static str,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            invariant: finding.invariant().id(),
            kind: finding.kind.as_str(),
            partition: finding.partition.as_u16(),
            subject: finding.subject.to_string(),
            detail: finding.detail.clone(),
            meaning: finding.kind.sentence(),
            repair: finding.kind.repair().unwrap_or_default(),
        }
    }
}

/// What a check looked at, and what it found.
#[derive(Debug, Serialize)]
pub(super) struct CheckReport {
    clean: bool,
    partitions: u16,
    keys: u64,
    entries: u64,
    jobs: u64,
    /// Places that grew faster than they were walked.
    unfinished: u64,
    calls: u64,
    longest_call_us: u64,
    /// Of the history a sample was looked at.
    sampled: bool,
    history: Vec<HistoryView>,
    findings: Vec<FindingView>,
    /// Findings beyond those that are listed.
    more: u64,
}

/// What ended contexts take of what they may.
#[derive(Debug, Serialize)]
struct HistoryView {
    kind: &'static str,
    bytes: u64,
    /// 0: no tracker has said it yet.
    budget_bytes: u64,
}

impl HistoryView {
    fn of(checked: &Checked) -> Vec<Self> {
        let (taken, budget) = (checked.history, checked.budget);
        [
            ("logs", taken.logs, budget.logs),
            ("results", taken.results, budget.results),
            ("dead", taken.dead, budget.dead),
        ]
        .map(|(kind, bytes, budget_bytes)| Self {
            kind,
            bytes,
            budget_bytes,
        })
        .into()
    }

    fn text(&self) -> String {
        let mib = |bytes: u64| format!("{}.{} MiB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20);
        let budget = match self.budget_bytes {
            0 => "no budget yet".to_owned(),
            bytes => format!("of {}", mib(bytes)),
        };
        format!("{}: {} {budget}", self.kind, mib(self.bytes))
    }
}

impl CheckReport {
    pub(super) fn new(store: &Store, checked: &Checked, history: History) -> Self {
        Self {
            clean: checked.is_clean(),
            partitions: store.partitions().as_u16(),
            keys: checked.keys,
            entries: checked.entries,
            jobs: checked.jobs,
            unfinished: checked.unfinished,
            calls: checked.calls,
            longest_call_us: checked.longest_us,
            sampled: history == History::Sample,
            history: HistoryView::of(checked),
            findings: checked.findings.iter().map(FindingView::from).collect(),
            more: checked.more,
        }
    }

    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        format.thing(self, || self.text())
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} partitions, {} keys, {} entries, {} jobs: looked at in {} calls, the longest took {:.1} ms\n",
            self.partitions,
            self.keys,
            self.entries,
            self.jobs,
            self.calls,
            std::time::Duration::from_micros(self.longest_call_us).as_secs_f64() * 1_000.0
        );
        if self.sampled {
            text.push_str("of the history of ended contexts a sample; --history: all of it\n");
        }
        if self.unfinished > 0 {
            // Writing to a string cannot fail.
            writeln!(
                text,
                "{} places grew faster than they were walked, and were left before their ends",
                self.unfinished
            )
            .ok();
        }
        for kind in &self.history {
            writeln!(text, "{}", kind.text()).ok();
        }
        for finding in &self.findings {
            let repair = if finding.repair.is_empty() {
                "a person has to decide".to_owned()
            } else {
                format!("repaired by {}", finding.repair)
            };
            // Writing to a string cannot fail.
            writeln!(
                text,
                "{} {} in partition {}: {}; {repair}",
                finding.invariant, finding.kind, finding.partition, finding.detail
            )
            .ok();
        }
        text.push_str(&match (self.findings.len(), self.more) {
            (0, 0) => "clean\n".to_owned(),
            (count, 0) => format!("{count} findings\n"),
            (count, more) => format!("{count} findings, and {more} more\n"),
        });
        text
    }

    /// Findings are a failure of the command.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.clean {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{} things are wrong in redis",
            u64::try_from(self.findings.len()).unwrap_or(u64::MAX) + self.more
        )))
    }
}

/// A repair as it is shown.
#[derive(Debug, Serialize)]
struct RepairView {
    #[serde(flatten)]
    finding: FindingView,
    /// repaired, clean (it was right when the script looked) or left.
    outcome: &'static str,
    done: Vec<String>,
}

/// A job that was put into the wheel again.
#[derive(Debug, Serialize)]
struct JobView {
    job: String,
    done: Vec<String>,
}

/// What repairs did, and the check after them.
#[derive(Debug, Serialize)]
pub(super) struct RepairReport {
    clean: bool,
    repaired: usize,
    left: usize,
    jobs: u64,
    rebuilt: Vec<JobView>,
    repairs: Vec<RepairView>,
    after: CheckReport,
}

impl RepairReport {
    pub(super) fn new(repairs: &[Repair], after: CheckReport) -> Self {
        let views: Vec<RepairView> = repairs.iter().map(view).collect();
        let count = |outcome: &str| views.iter().filter(|view| view.outcome == outcome).count();
        Self {
            clean: after.clean,
            repaired: count("repaired"),
            left: count("left"),
            jobs: after.jobs,
            rebuilt: Vec::new(),
            repairs: views,
            after,
        }
    }

    /// With what a rebuild did to the jobs.
    pub(super) fn with_jobs(self, rebuilt: &Rebuilt) -> Self {
        let views = rebuilt.changed.iter().map(|changed| JobView {
            job: changed.job.to_string(),
            done: changed.done.clone(),
        });
        Self {
            jobs: rebuilt.jobs,
            rebuilt: views.collect(),
            ..self
        }
    }

    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        format.thing(self, || self.text())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for job in &self.rebuilt {
            // Writing to a string cannot fail.
            writeln!(text, "{}: {}", job.job, job.done.join("; ")).ok();
        }
        for repair in &self.repairs {
            let finding = &repair.finding;
            let outcome = match repair.outcome {
                "repaired" => repair.done.join("; "),
                "clean" => "it was right when the script looked".to_owned(),
                _ => "a person has to decide".to_owned(),
            };
            writeln!(
                text,
                "{} {} in partition {}: {}\n  {outcome}",
                finding.invariant, finding.kind, finding.partition, finding.detail
            )
            .ok();
        }
        text.push_str(&self.after.text());
        text
    }

    /// What is still wrong is a failure of the command.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        self.after.verdict()
    }
}

fn view(repair: &Repair) -> RepairView {
    let (outcome, done) = match &repair.outcome {
        Repaired::Done(done) => ("repaired", done.clone()),
        Repaired::Clean => ("clean", Vec::new()),
        Repaired::Left => ("left", Vec::new()),
    };
    RepairView {
        finding: FindingView::from(&repair.finding),
        outcome,
        done,
    }
}
