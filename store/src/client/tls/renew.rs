//! Takes up what is new in the files.

use std::sync::{Arc, Weak};

use tickwheel_core::error::Violations;

use super::live::Live;

/// Looks at the files for as long as anybody connects by them. What cannot be used twice in a row is told, once, and what was before is used
/// on: files that are replaced one after the other do not fit each other for a moment.
pub(in crate::client) fn renew(live: &Arc<Live>) {
    let every = live.tls.recheck;
    let live = Arc::downgrade(live);
    tokio::spawn(async move {
        let mut wrong: Option<(String, bool)> = None;
        loop {
            tokio::time::sleep(every).await;
            let Some(looked) = look(&live).await else {
                return;
            };
            wrong = match looked {
                Ok(is_new) => {
                    if is_new {
                        tracing::info!("new certificates are used for connections to redis");
                    }
                    None
                }
                Err(violations) => Some(told(&violations, wrong)),
            };
        }
    });
}

/// Whether there was something new; `None` once nobody connects any more.
async fn look(live: &Weak<Live>) -> Option<Result<bool, Violations>> {
    let live = live.upgrade()?;
    // A file may lie on a disk that does not answer.
    let looked = tokio::task::spawn_blocking(move || live.look()).await;
    Some(looked.unwrap_or(Ok(false)))
}

fn told(violations: &Violations, before: Option<(String, bool)>) -> (String, bool) {
    let said = violations.to_string();
    let is_same = before.as_ref().is_some_and(|(before, _)| *before == said);
    let was_told = before.is_some_and(|(_, told)| told);
    if is_same && !was_told {
        tracing::error!(
            reason = said,
            "the new certificates for redis cannot be used; those before are used on"
        );
    }
    (said, is_same)
}
