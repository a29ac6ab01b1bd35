//! Who watches what: one hub in each tracker, whatever wire somebody comes by.
//!
//! What is watched is read from Redis once for all, and not at all while nobody watches. A stream keeps its place and nothing else: what it has
//! not taken stays where it is for all, and who is too slow is told how much he missed.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::access::Permission;
use tickwheel_store::Store;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::beat::Beats;
use super::guardian::Guardian;
use super::logs::{LOGS_MAX, Logs};
use super::overview::{Overviews, Snapshot};
use super::runs::Runs;
use super::seats::Seats;
use super::source::Source;
use super::subscription::{Followed, Follows, Subscription, Watched};
use super::topic::{Cursor, Topic};
use super::view::{At, Views};
use super::wish::Wish;
use crate::access::{Authority, Caller};
use crate::error::Error;
use crate::metrics::measure;
use crate::outcomes::SettledIn;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hub {
    overviews: Arc<Overviews>,
    now: Arc<Source<Option<Arc<Snapshot>>>>,
    runs: Arc<Runs>,
    logs: Logs,
    beats: Arc<Beats>,
    views: Views,
    authority: Arc<Authority>,
    /// Between two looks at what a caller showed.
    recheck: Duration,
    seats: Seats,
    stop: CancellationToken,
}

impl Hub {
    /// Streams are looked after every `recheck`.
    pub(crate) fn new(
        store: Store,
        (overviews, settled): (Arc<Overviews>, Arc<SettledIn>),
        (authority, recheck): (Arc<Authority>, Duration),
    ) -> Arc<Self> {
        let news = Arc::new(Notify::new());
        let now = Arc::new(Source::new(Arc::clone(&news)));
        Arc::new(Self {
            overviews,
            now: Arc::clone(&now),
            runs: Runs::new(store.clone(), settled, Arc::clone(&news)),
            logs: Logs::new(store),
            beats: Beats::new(now, news),
            views: Views::default(),
            authority,
            recheck,
            seats: Seats::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Ends every stream, and takes no new one: another tracker goes on with them.
    pub(crate) fn end(&self) {
        self.stop.cancel();
    }

    /// A stream of what is wished, for a caller who may have it.
    ///
    /// # Errors
    /// [`Error::Busy`] when there are too many, [`Error::Draining`], and what the store says.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        caller: &Caller,
        wish: Wish,
    ) -> Result<Subscription, Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Draining);
        }
        let seat = self.seats.take(caller.token())?;
        let Wish {
            topics,
            filter,
            cursor,
        } = wish;
        let Cursor { runs, logs } = cursor;
        let mut watched = Watched {
            beats: None,
            now: None,
            runs: None,
            at: At::default(),
            logs: Vec::new(),
        };
        let mut cursors = logs.into_iter();
        for topic in topics {
            match topic {
                Topic::Now => watched.now = Some(self.watch_now()),
                Topic::Runs => {
                    let looks = self.runs.watch().await?;
                    let (at, missed) = match runs {
                        Some(point) => self.runs.find(point),
                        None => (self.runs.newest(), false),
                    };
                    watched.runs = Some(Follows {
                        runs: Arc::clone(&self.runs),
                        _looks: looks,
                    });
                    watched.at.place = Some(at);
                    watched.at.missed = missed.then_some(0);
                }
                Topic::Log(run) => {
                    let log = self.logs.follow(&run).ok_or_else(|| {
                        Error::Busy(format!(
                            "{LOGS_MAX} logs are followed at this tracker: ask another one, or read pages of the log"
                        ))
                    })?;
                    let cursor = cursors.next().unwrap_or_default();
                    watched.logs.push(Followed::new(log, cursor));
                }
            }
        }
        // Behind what is watched: its first beat knows of it.
        watched.beats =
            (watched.now.is_some() || watched.runs.is_some()).then(|| self.beats.watch());
        let guardian = Guardian::new(
            (Arc::clone(&self.authority), caller.clone()),
            self.recheck,
            self.stop.clone(),
        );
        let shows_payload = caller.may(Permission::ReadPayload);
        let view = self.views.find(filter, shows_payload);
        Ok(Subscription::new(watched, view, guardian, seat))
    }

    fn watch_now(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        let (now, overviews) = (Arc::clone(&self.now), Arc::clone(&self.overviews));
        self.now.watch(|| {
            tokio::spawn(look_on(now, overviews));
        })
    }
}

/// Looks while somebody watches.
async fn look_on(now: Arc<Source<Option<Arc<Snapshot>>>>, overviews: Arc<Overviews>) {
    while !now.is_left() {
        match overviews.now().await {
            Ok(seen) => now.show(Some(seen)),
            Err(error) => {
                tracing::debug!(%error, "how the cluster is was not answered");
                measure::store_error(&error);
            }
        }
        // From now on, so that the next look is one.
        sleep(overviews.every()).await;
    }
}
