//! What is answered: one file per noun. These types are the bodies of the HTTP API and what the command line prints as JSON or YAML.
//!
//! Times are milliseconds since 1970 by Redis' clock, under names that end in `_ms`; 0 stands for never. Bodies and results are exact: text
//! as it is (`…_text`), other bytes in base64 (`…_base64`), and neither where there are none.

mod access;
mod applied;
mod cluster;
mod dead;
mod exact;
mod fan;
mod group;
mod job;
mod job_stats;
mod ledger;
mod limits;
mod live;
mod log;
mod looked;
mod overview;
mod preview;
mod problem;
mod run;
mod session;
mod submitted;
mod upcoming;
mod wheel;
mod words;
mod worker;

pub use access::{AuditEvent, AuditPage, MadeToken, Revoked, Scope, Token, TokenPage};
pub use applied::{Applied, AppliedList};
pub use cluster::Cluster;
pub use dead::{DeadChanged, DeadPage};
pub use exact::exact;
pub use fan::{Fan, Subtask, SubtaskPage};
pub use group::{Group, GroupList};
pub use job::{Deleted, Job, JobPage};
pub use job_stats::{JobStats, Spread, StatsCell};
pub use ledger::{Explained, LedgerPage, LedgerRecord, RunExplained};
pub use limits::{Limits, LimitsList};
pub use live::{Bye, EndedRun, EndedRuns, Lagged, LogLines, StreamEvent};
pub use log::{LogLine, LogPage};
pub use looked::Looked;
pub use overview::{EndedLately, GroupNumbers, Overview, Totals};
pub use preview::Preview;
pub use problem::{Problem, Violation};
pub use run::{PastAttempt, Run, RunPage, Upstream};
pub use session::{LoginLink, Session};
pub use submitted::{Submitted, SubmittedList};
pub use upcoming::{Upcoming, UpcomingPage, upcoming_word};
pub use wheel::{Wheel, WheelBucket, WheelCounts, WheelKinds};
pub use words::{job_state_word, run_state_word, verdict_word};
pub use worker::{Resource, Worker, WorkerList};
