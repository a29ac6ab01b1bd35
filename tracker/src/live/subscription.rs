//! One stream: what its caller watches, where he is in it, and what comes next.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::id::ContextId;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::{level_to_wire, state_to_wire};
use tickwheel_proto::v1;
use tickwheel_proto::v1::stream_event::Event;
use tickwheel_store::context::{LogLine, LogPage};
use tickwheel_store::record::Settled;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::guardian::{Guardian, Over};
use super::logs::{self, Behind, Log};
use super::overview::Snapshot;
use super::ring::{Batch, Next, Place};
use super::runs::Runs;
use super::seats::Seat;
use super::topic::Cursor;
use super::wish::Filter;
use crate::metrics::measure;

/// Whoever is sent away may come again after this, and as long again at random: not all at once.
const COME_AGAIN_MS: u64 = 1_000;
/// Runs that a stream is told of in a second.
const RUNS_A_SECOND: usize = 500;

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) now: Option<watch::Receiver<Option<Arc<Snapshot>>>>,
    pub(super) runs: Option<Follows>,
    pub(super) logs: Vec<Followed>,
}

/// Where the stream is among the ends of runs.
#[derive(Debug)]
pub(super) struct Follows {
    pub(super) runs: Arc<Runs>,
    /// Told of each look.
    pub(super) looks: watch::Receiver<u64>,
    pub(super) at: Place,
    /// Something in front of it is missing: so many, or 0 where nobody knows.
    pub(super) missed: Option<u64>,
    pub(super) pace: Pace,
}

/// How many runs a stream was told of in this second: who watches everything of a busy cluster is told of some, and how many more there were.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    told: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            told: 0,
        }
    }

    /// How many of these are told.
    fn allow(&mut self, runs: usize) -> usize {
        let now = Instant::now();
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.told) = (now, 0);
        }
        let allowed = runs.min(RUNS_A_SECOND - self.told);
        self.told += allowed;
        allowed
    }
}

/// Where the stream is in a log.
#[derive(Debug)]
pub(super) struct Followed {
    log: Arc<Log>,
    cursor: String,
    next: Instant,
    is_over: bool,
}

impl Followed {
    pub(super) fn new(log: Arc<Log>, cursor: String) -> Self {
        Self {
            log,
            cursor,
            next: Instant::now(),
            is_over: false,
        }
    }
}

/// A stream of one caller.
#[derive(Debug)]
pub(crate) struct Subscription {
    reader: Reader,
    guardian: Guardian,
    is_over: bool,
    _seat: Seat,
}

/// Goes through what is watched.
#[derive(Debug)]
struct Reader {
    watched: Watched,
    filter: Filter,
    /// Whether errors and lines are shown.
    shows_payload: bool,
}

impl Subscription {
    pub(super) fn new(
        watched: Watched,
        (filter, shows_payload): (Filter, bool),
        guardian: Guardian,
        seat: Seat,
    ) -> Self {
        Self {
            reader: Reader {
                watched,
                filter,
                shows_payload,
            },
            guardian,
            is_over: false,
            _seat: seat,
        }
    }

    /// Tells when the stream has to end, for who cannot wait for the next event.
    pub(crate) fn guardian(&self) -> Guardian {
        self.guardian.clone()
    }

    /// The next event, when there is one; `None` behind the last one. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<v1::StreamEvent> {
        if self.is_over {
            return None;
        }
        let over = tokio::select! {
            biased;
            over = self.guardian.over() => over,
            event = self.reader.told() => {
                let cursor = self.reader.cursor().to_string();
                return Some(v1::StreamEvent { cursor, event: Some(event) });
            }
        };
        self.is_over = true;
        Some(self.bye(over))
    }

    /// The last event.
    fn bye(&self, over: Over) -> v1::StreamEvent {
        let (reason, comes_again) = match over {
            Over::Draining => ("the tracker stops: another one goes on with it", true),
            Over::Expelled => ("what was shown is not good any more", false),
        };
        let retry_ms = if comes_again {
            COME_AGAIN_MS + rand::random_range(0..COME_AGAIN_MS)
        } else {
            0
        };
        let bye = v1::Bye {
            reason: reason.to_owned(),
            retry_ms,
        };
        v1::StreamEvent {
            cursor: self.reader.cursor().to_string(),
            event: Some(Event::Bye(bye)),
        }
    }
}

impl Reader {
    /// Where it goes on.
    fn cursor(&self) -> Cursor {
        Cursor {
            runs: self.watched.runs.as_ref().map(|place| place.at.point()),
            logs: self
                .watched
                .logs
                .iter()
                .map(|one| one.cursor.clone())
                .collect(),
        }
    }

    async fn told(&mut self) -> Event {
        loop {
            if let Some(event) = self.newest_now() {
                return event;
            }
            if let Some(event) = self.next_runs() {
                return event;
            }
            if let Some(event) = self.next_lines().await {
                return event;
            }
            let Watched { now, runs, logs } = &mut self.watched;
            let look = logs.iter().filter(|one| !one.is_over);
            let look = look.map(|one| one.next).min();
            tokio::select! {
                () = changed(now.as_mut()) => {}
                () = changed(runs.as_mut().map(|place| &mut place.looks)) => {}
                () = async { match look {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                } } => {}
            }
        }
    }

    fn newest_now(&mut self) -> Option<Event> {
        let now = self.watched.now.as_mut()?;
        if !now.has_changed().unwrap_or(false) {
            return None;
        }
        let seen = now.borrow_and_update().clone()?;
        Some(Event::Now(seen.shown(&self.filter.sight)))
    }

    fn next_runs(&mut self) -> Option<Event> {
        let place = self.watched.runs.as_mut()?;
        if let Some(count) = place.missed.take() {
            return Some(missed("runs", count));
        }
        place.looks.mark_unchanged();
        loop {
            match place.runs.next(&mut place.at)? {
                Next::Missed(count) => return Some(missed("runs", count)),
                Next::Batch(batch) => {
                    let chosen = chosen(&batch, &place.at, &self.filter);
                    let over = chosen.len() - place.pace.allow(chosen.len());
                    // What is missing is told behind what is there.
                    place.missed = match (batch.skipped, over) {
                        (true, _) => Some(0),
                        (false, 0) => None,
                        (false, over) => u64::try_from(over).ok(),
                    };
                    let newest = chosen.into_iter().skip(over);
                    let runs: Vec<v1::EndedRun> =
                        newest.map(|run| ended(run, self.shows_payload)).collect();
                    if !runs.is_empty() {
                        return Some(Event::Runs(v1::EndedRuns { runs }));
                    }
                    if let Some(count) = place.missed.take() {
                        return Some(missed("runs", count));
                    }
                }
            }
        }
    }

    /// Lines of the first log whose time has come and that has some.
    async fn next_lines(&mut self) -> Option<Event> {
        for one in &mut self.watched.logs {
            if one.is_over || one.next > Instant::now() {
                continue;
            }
            match one.log.behind(&one.cursor).await {
                Ok(Behind::Page(page)) => {
                    one.cursor.clone_from(&page.cursor);
                    return Some(lines(one.log.run(), &page, self.shows_payload));
                }
                Ok(Behind::Nothing) => one.next = Instant::now() + logs::LOOK_EVERY,
                Ok(Behind::End) => {
                    one.is_over = true;
                    return Some(Event::Log(v1::LogLines {
                        context_id: one.log.run().to_string(),
                        ended: true,
                        ..v1::LogLines::default()
                    }));
                }
                Err(error) => {
                    tracing::debug!(%error, "a log that is followed was not answered");
                    measure::store_error(&error);
                    one.next = Instant::now() + logs::LOOK_EVERY;
                }
            }
        }
        None
    }
}

/// Returns when there is something new; never, where nothing is watched.
async fn changed<T>(receiver: Option<&mut watch::Receiver<T>>) {
    if let Some(receiver) = receiver
        && receiver.changed().await.is_ok()
    {
        // To be found by who looks for it.
        receiver.mark_changed();
        return;
    }
    std::future::pending::<()>().await;
}

fn missed(topic: &str, count: u64) -> Event {
    Event::Lagged(v1::Lagged {
        topic: topic.to_owned(),
        dropped: count,
    })
}

/// The ends of a batch that are new to a stream, chosen, and in sight.
fn chosen<'a>(batch: &'a Batch, at: &Place, filter: &Filter) -> Vec<&'a Settled> {
    let new = batch.ended.iter().filter(|settled| !at.knows(settled));
    new.filter(|settled| filter.takes(settled)).collect()
}

fn ended(settled: &Settled, shows_payload: bool) -> v1::EndedRun {
    fn text<T: ToString>(name: Option<&T>) -> String {
        name.map(ToString::to_string).unwrap_or_default()
    }
    v1::EndedRun {
        id: settled.id.to_string(),
        job: settled.id.job().map(String::from).unwrap_or_default(),
        state: state_to_wire(settled.state.word()).into(),
        group: text(settled.group.as_ref()),
        handler: text(settled.handler.as_ref()),
        attempt: settled.attempt.as_u32(),
        failures: settled.failures,
        worker: text(settled.worker.as_ref()),
        claimed_ms: settled.claimed.map_or(0, TimestampMs::as_u64),
        ended_ms: settled.ended.as_u64(),
        error: if shows_payload {
            settled.message.clone()
        } else {
            String::new()
        },
    }
}

fn lines(run: &ContextId, page: &LogPage, shows_payload: bool) -> Event {
    let line = |line: &LogLine| v1::LoggedLine {
        time_ms: line.at.as_u64(),
        attempt: line.attempt.as_u32(),
        level: level_to_wire(line.level).into(),
        line: if shows_payload {
            line.text.clone()
        } else {
            String::new()
        },
    };
    Event::Log(v1::LogLines {
        context_id: run.to_string(),
        lines: page.lines.iter().map(line).collect(),
        ended: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_told_of_so_many_runs_in_a_second() {
        let mut pace = Pace::new();
        assert_eq!(
            (pace.allow(400), pace.allow(400), pace.allow(1)),
            (400, 100, 0)
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pace.allow(900), RUNS_A_SECOND);
    }
}
