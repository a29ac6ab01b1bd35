//! Asks the tracker about the watched jobs, about once per second, and keeps the books.

use std::time::Duration;

use tickwheel_client::Client;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::{ContextId, TimestampMs};
use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;
use tokio::time::{Instant, sleep};

use super::audit::{Span, broken_chain, lost_dues, lost_followers};
use super::book::{Book, News};
use super::summary::Summary;
use crate::failure::Failure;

/// Between two looks at the same job. A job whose runs are kept by the hundred and that fires 50 times a second is still
/// seen completely.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The newest records and contexts that are asked for in one look.
const LOOK_AT: u32 = 500;

/// What is due this long before the pause has long been decided when the job is paused.
const DECIDED_WITHIN: Duration = Duration::from_secs(1);

/// How long what runs at the pause may take to settle.
const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// One watched job.
#[derive(Debug)]
struct Watched {
    spec: JobSpec,
    name: String,
    first_due_ms: Option<u64>,
    book: Book,
    broken: bool,
}

/// The watched jobs.
#[derive(Debug)]
pub(crate) struct Watch {
    client: Client,
    jobs: Vec<Watched>,
    partitions: PartitionCount,
    started: Instant,
}

impl Watch {
    /// Wakes the jobs that an earlier quickstart has paused, runs those on demand once, and begins the books at
    /// `since_ms`.
    pub(crate) async fn begin(
        client: Client,
        specs: &[JobSpec],
        since_ms: u64,
    ) -> Result<Self, Failure> {
        let mut jobs = Vec::new();
        for spec in specs {
            let name = spec.name.to_string();
            let job = resumed(&client, &name).await?;
            jobs.push(Watched {
                first_due_ms: job.next_due_ms,
                book: Book::new(since_ms),
                broken: false,
                spec: spec.clone(),
                name,
            });
        }
        let count = u16::try_from(cluster(&client).await?.partitions).ok();
        let watch = Self {
            client,
            jobs,
            partitions: count
                .and_then(|n| PartitionCount::new(n).ok())
                .unwrap_or_default(),
            started: Instant::now(),
        };
        for job in watch
            .jobs
            .iter()
            .filter(|j| j.spec.trigger == Trigger::Manual)
        {
            watch.run_once(&job.name).await?;
        }
        Ok(watch)
    }

    /// Looks at every job; what is new comes back in the order it happened.
    pub(crate) async fn look(&mut self) -> Result<Vec<News>, Failure> {
        let mut news = Vec::new();
        for job in &mut self.jobs {
            let mut ledger = self.client.ledger(&job.name, LOOK_AT).await?;
            for record in &mut ledger.records {
                name_context(record, &job.spec, self.partitions);
            }
            news.extend(job.book.add_records(&job.name, ledger.records));
            let contexts = v1::ListContextsRequest {
                job: job.name.clone(),
                page_size: LOOK_AT,
                ..v1::ListContextsRequest::default()
            };
            let page = self.client.list(contexts).await?;
            news.extend(job.book.add_contexts(page.contexts));
        }
        news.sort_by_key(News::at_ms);
        Ok(news)
    }

    /// Pauses what the clock drives, lets what runs settle, and counts. `show` gets the last news.
    pub(crate) async fn end(mut self, mut show: impl FnMut(Vec<News>)) -> Result<Summary, Failure> {
        let cut_ms = redis_time(&self.client).await?;
        sleep(DECIDED_WITHIN).await;
        for job in &mut self.jobs {
            let now = get(&self.client, &job.name).await?;
            job.broken = broken_chain(&job.spec, &now, cut_ms);
        }
        self.pause().await?;
        let settling = Instant::now();
        loop {
            show(self.look().await?);
            if self.settled().await? || settling.elapsed() > SETTLE_LIMIT {
                break;
            }
            sleep(LOOK_EVERY / 2).await;
        }
        show(self.look().await?);
        Ok(self.count(cut_ms))
    }

    async fn pause(&self) -> Result<(), Failure> {
        for job in self
            .jobs
            .iter()
            .filter(|j| is_driven_by_clock(&j.spec.trigger))
        {
            let note = "the quickstart has ended; `tickwheel job resume` starts it again";
            self.client.pause_job(&job.name, note).await?;
        }
        Ok(())
    }

    /// Whether nothing of the jobs runs or waits any more. A context whose end was not among the newest is asked for by
    /// its id.
    async fn settled(&mut self) -> Result<bool, Failure> {
        let mut settled = true;
        for job in &mut self.jobs {
            let now = get(&self.client, &job.name).await?;
            settled &= now.active.is_empty() && now.queued == 0;
            for id in job.book.open() {
                if let Ok(context) = self.client.get(&id).await {
                    job.book.add_contexts(vec![context]);
                }
            }
            settled &= job.book.open().is_empty();
        }
        Ok(settled && self.lost_followers(u64::MAX) == 0)
    }

    fn count(&self, cut_ms: u64) -> Summary {
        use v1::ContextState::{Cancelled, Expired, Failed, Succeeded, TimedOut};
        let mut summary = Summary {
            jobs: self.jobs.len(),
            seconds: self.started.elapsed().as_secs(),
            lost: self.lost_followers(u64::MAX),
            ..Summary::default()
        };
        for job in &self.jobs {
            let span = Span {
                first_due_ms: job.first_due_ms,
                cut_ms,
            };
            let never_ended = u64::try_from(job.book.open().len()).unwrap_or(u64::MAX);
            summary.fired += job.book.count(Verdict::Fired);
            summary.skipped += job.book.count(Verdict::Skipped);
            summary.missed += job.book.count(Verdict::Missed);
            summary.succeeded += job.book.count_states(&[Succeeded]);
            summary.failed += job.book.count_states(&[Failed, TimedOut, Expired]);
            summary.cancelled += job.book.count_states(&[Cancelled]);
            summary.lost +=
                lost_dues(&job.spec, &span, &job.book) + never_ended + u64::from(job.broken);
        }
        summary
    }

    fn lost_followers(&self, cut_ms: u64) -> u64 {
        let followers = self.jobs.iter().filter_map(|job| match &job.spec.trigger {
            Trigger::After { job: upstream, on } => {
                let upstream = self.jobs.iter().find(|j| j.spec.name == *upstream)?;
                Some(lost_followers(*on, &upstream.book, &job.book, cut_ms))
            }
            Trigger::Cron { .. }
            | Trigger::FixedRate { .. }
            | Trigger::FixedDelay { .. }
            | Trigger::Once { .. }
            | Trigger::Manual => None,
        });
        followers.sum()
    }

    async fn run_once(&self, name: &str) -> Result<(), Failure> {
        let request = v1::RunJobRequest {
            name: name.to_owned(),
            ..v1::RunJobRequest::default()
        };
        self.client.run_job(request).await?;
        Ok(())
    }
}

/// The context of a scheduled firing follows from the job and the due time, so a ledger need not keep its id.
fn name_context(record: &mut v1::LedgerRecord, spec: &JobSpec, partitions: PartitionCount) {
    if record.context_id.is_empty() && record.verdict() == Verdict::Fired {
        let due = TimestampMs::new(record.due_ms);
        record.context_id = ContextId::firing(&spec.name, due, partitions).into();
    }
}

/// Redis' clock, which alone says what is due.
pub(crate) async fn redis_time(client: &Client) -> Result<u64, Failure> {
    Ok(cluster(client).await?.redis_time_ms)
}

async fn cluster(client: &Client) -> Result<v1::Cluster, Failure> {
    Ok(client.cluster().await?)
}

async fn get(client: &Client, name: &str) -> Result<v1::Job, Failure> {
    Ok(client.get_job(name).await?)
}

async fn resumed(client: &Client, name: &str) -> Result<v1::Job, Failure> {
    let job = get(client, name).await?;
    if job.state() != v1::JobState::Paused {
        return Ok(job);
    }
    Ok(client.resume_job(name).await?)
}

fn is_driven_by_clock(trigger: &Trigger) -> bool {
    match trigger {
        Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. } => true,
        Trigger::Manual | Trigger::After { .. } => false,
    }
}
