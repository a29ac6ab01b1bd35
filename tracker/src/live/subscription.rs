//! One stream: what its caller watches, where he is in it, and what comes next.

use std::sync::Arc;

use tickwheel_core::id::ContextId;
use tickwheel_proto::convert::level_to_wire;
use tickwheel_proto::v1;
use tickwheel_proto::v1::stream_event::Event;
use tickwheel_store::context::{LogLine, LogPage};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::beat::Beat;
use super::guardian::{Guardian, Over};
use super::logs::{self, Behind, Log};
use super::overview::Snapshot;
use super::ring::Place;
use super::runs::Runs;
use super::seats::Seat;
use super::topic::Cursor;
use super::view::{At, Told, View};
use crate::metrics::measure;

/// Whoever is sent away may come again after this, and as long again at random: not all at once.
const COME_AGAIN_MS: u64 = 1_000;
/// What is watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// Where there is more than logs.
    pub(super) beats: Option<watch::Receiver<Beat>>,
    pub(super) now: Option<watch::Receiver<Option<Arc<Snapshot>>>>,
    pub(super) runs: Option<Follows>,
    pub(super) at: At,
    pub(super) logs: Vec<Followed>,
}

/// The ends of runs.
#[derive(Debug)]
pub(super) struct Follows {
    pub(super) runs: Arc<Runs>,
    /// While there is one, they are read.
    pub(super) _looks: watch::Receiver<u64>,
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
    view: Arc<View>,
    /// How the cluster was as it was told last.
    seen: Option<Arc<Snapshot>>,
}

impl Subscription {
    pub(super) fn new(watched: Watched, view: Arc<View>, guardian: Guardian, seat: Seat) -> Self {
        Self {
            reader: Reader {
                watched,
                view,
                seen: None,
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

    /// What comes next, when there is something; `None` behind the last. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Arc<Told>> {
        if self.is_over {
            return None;
        }
        let over = tokio::select! {
            biased;
            over = self.guardian.over() => over,
            told = self.reader.told() => return Some(told),
        };
        self.is_over = true;
        Some(Arc::new(Told::new(vec![self.bye(over)])))
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
            runs: self.watched.at.place.map(|place| place.point()),
            logs: self.log_cursors(),
        }
    }

    fn log_cursors(&self) -> Vec<String> {
        let logs = self.watched.logs.iter();
        logs.map(|one| one.cursor.clone()).collect()
    }

    async fn told(&mut self) -> Arc<Told> {
        loop {
            if let Some(told) = self.next_beat() {
                return told;
            }
            if let Some(event) = self.next_lines().await {
                let cursor = self.cursor().to_string();
                let event = Some(event);
                return Arc::new(Told::new(vec![v1::StreamEvent { cursor, event }]));
            }
            let Watched { beats, logs, .. } = &mut self.watched;
            let look = logs.iter().filter(|one| !one.is_over);
            let look = look.map(|one| one.next).min();
            tokio::select! {
                () = changed(beats.as_mut()) => {}
                () = async { match look {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                } } => {}
            }
        }
    }

    /// What is told at a beat that was not looked at yet.
    fn next_beat(&mut self) -> Option<Arc<Told>> {
        let logs = self.log_cursors();
        let beats = self.watched.beats.as_mut()?;
        if !beats.has_changed().unwrap_or(false) {
            return None;
        }
        let beat = beats.borrow_and_update().clone();
        if beat.number == 0 {
            return None;
        }
        // A beat from before somebody looked again has how it was when somebody looked last.
        let looked = |now: &watch::Receiver<Option<Arc<Snapshot>>>| now.borrow().is_some();
        let has_now = self.watched.now.as_ref().is_some_and(looked)
            && !same(beat.now.as_ref(), self.seen.as_ref());
        if has_now {
            self.seen.clone_from(&beat.now);
        }
        let Watched { runs, at, .. } = &mut self.watched;
        let next = |place: &mut Place| runs.as_ref().and_then(|it| it.runs.next(place));
        self.view.tell(&beat, (at, next), has_now, &logs)
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
                    return Some(lines(one.log.run(), &page, self.view.shows_payload));
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

/// Whether it is the same look.
fn same(one: Option<&Arc<Snapshot>>, other: Option<&Arc<Snapshot>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, _) => true,
        (Some(_), None) => false,
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
