//! Logs of runs that somebody follows: a page is read once, however many follow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::id::ContextId;
use tickwheel_store::context::LogPage;
use tickwheel_store::{Error, Store};
use tokio::time::Instant;

/// Between two looks at the end of a log.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks whether its run has ended.
const END_EVERY: Duration = Duration::from_secs(1);
/// Logs that are followed at once.
pub(crate) const LOGS_MAX: usize = 128;
/// Pages of a log that are kept for others who follow it; a longer one is read again.
const PAGES_MAX: usize = 4;
const PAGE_BYTES_MAX: usize = 32 << 10;
/// Places of a log behind which nothing was, just now.
const ENDS_MAX: usize = 8;

/// The logs that are followed.
#[derive(Debug)]
pub(crate) struct Logs {
    store: Store,
    followed: Mutex<HashMap<ContextId, Weak<Log>>>,
}

/// One log that is followed.
#[derive(Debug)]
pub(crate) struct Log {
    store: Store,
    run: ContextId,
    read: tokio::sync::Mutex<Read>,
}

#[derive(Debug, Default)]
struct Read {
    /// By the cursor that they begin at, the oldest first.
    pages: VecDeque<(String, Arc<LogPage>)>,
    /// Cursors behind which nothing was, and when.
    ends: VecDeque<(String, Instant)>,
    /// When it was asked whether the run has ended, and whether it has.
    end: Option<(Instant, bool)>,
}

/// What is behind a cursor.
#[derive(Debug)]
pub(crate) enum Behind {
    /// These lines.
    Page(Arc<LogPage>),
    /// Nothing yet.
    Nothing,
    /// Nothing, and the run has ended.
    End,
}

impl Logs {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            followed: Mutex::default(),
        }
    }

    /// The log of a run; `None` when as many are followed as may be.
    pub(crate) fn follow(&self, run: &ContextId) -> Option<Arc<Log>> {
        let mut followed = self.followed.lock();
        if let Some(log) = followed.get(run).and_then(Weak::upgrade) {
            return Some(log);
        }
        followed.retain(|_, log| log.strong_count() > 0);
        if followed.len() >= LOGS_MAX {
            return None;
        }
        let log = Arc::new(Log {
            store: self.store.clone(),
            run: run.clone(),
            read: tokio::sync::Mutex::default(),
        });
        followed.insert(run.clone(), Arc::downgrade(&log));
        Some(log)
    }
}

impl Log {
    pub(crate) fn run(&self) -> &ContextId {
        &self.run
    }

    /// What is behind `cursor`, which is empty in front of the oldest line. Dropping the future loses nothing.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn behind(&self, cursor: &str) -> Result<Behind, Error> {
        let mut read = self.read.lock().await;
        if let Some((_, page)) = read.pages.iter().find(|(from, _)| from == cursor) {
            return Ok(Behind::Page(Arc::clone(page)));
        }
        let now = Instant::now();
        read.ends.retain(|(_, at)| now < *at + LOOK_EVERY);
        let has_ended = match read.end {
            Some((_, true)) => true,
            Some((at, false)) if now < at + END_EVERY => false,
            // Before the page: what was said until the end is in it.
            None | Some((_, false)) => {
                let known = self.store.get_context(&self.run).await?;
                let has_ended = known.is_none_or(|view| view.state.is_settled());
                read.end = Some((now, has_ended));
                if has_ended {
                    // What was seen before the end may have been followed by more.
                    read.ends.clear();
                }
                has_ended
            }
        };
        let is_end = read.ends.iter().any(|(end, _)| end == cursor);
        if !is_end {
            let page = self.store.log(&self.run, cursor).await?;
            // A log that made room and began anew answers with another cursor, and may have nothing.
            if page.cursor != cursor && !page.lines.is_empty() {
                return Ok(Behind::Page(read.keep(cursor, page)));
            }
            if read.ends.len() == ENDS_MAX {
                read.ends.pop_front();
            }
            read.ends.push_back((cursor.to_owned(), now));
        }
        Ok(if has_ended {
            Behind::End
        } else {
            Behind::Nothing
        })
    }
}

impl Read {
    fn keep(&mut self, cursor: &str, page: LogPage) -> Arc<LogPage> {
        let page = Arc::new(page);
        let bytes: usize = page.lines.iter().map(|line| line.text.len() + 64).sum();
        // The first page is a moving one: its oldest lines go.
        if bytes <= PAGE_BYTES_MAX && !cursor.is_empty() {
            if self.pages.len() == PAGES_MAX {
                self.pages.pop_front();
            }
            self.pages.push_back((cursor.to_owned(), Arc::clone(&page)));
        }
        page
    }
}
