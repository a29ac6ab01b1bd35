//! One stream to every tracker: those the user named, and those the rosters name.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::{endpoint, keep_stream};
use crate::bounds::TRACKERS_MAX;
use crate::shared::Shared;

/// Keeps the streams up until the worker ends and all of them are closed.
pub(crate) async fn keep_streams(shared: Arc<Shared>) {
    let mut roster = shared.roster.subscribe();
    let mut known = HashSet::new();
    let mut refused = HashSet::new();
    let mut streams = JoinSet::new();
    loop {
        let mut wanted = shared.seeds.clone();
        wanted.extend(roster.borrow_and_update().iter().cloned());
        refused.retain(|url| wanted.contains(url));
        for url in wanted {
            if known.contains(&url) || refused.contains(&url) || known.len() >= TRACKERS_MAX {
                continue;
            }
            let dialled = endpoint(&url);
            let may = |one| {
                let may = shared.shows.may_go_to(&url, &shared.seeds);
                may.map(|()| one)
            };
            match dialled.and_then(may) {
                Ok(endpoint) => {
                    debug!(url, "tracker becomes known");
                    streams.spawn(keep_stream(Arc::clone(&shared), url.clone(), endpoint));
                    known.insert(url);
                }
                Err(reason) => {
                    warn!(reason, "a roster names a tracker that is not dialled");
                    refused.insert(url);
                }
            }
        }
        tokio::select! {
            Ok(()) = roster.changed() => {}
            ended = streams.join_next() => match ended {
                Some(Ok(url)) => {
                    known.remove(&url);
                    if shared.protocol().is_ending() && known.is_empty() {
                        return;
                    }
                }
                Some(Err(_)) | None => return,
            },
        }
    }
}
