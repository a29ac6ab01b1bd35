//! The task behind [`Desk::keep`](crate::desk::Desk): sleeps until something is due.

use std::sync::Arc;

use tokio::time::{Instant, sleep, sleep_until};

use crate::limits::KEEP_PAUSE;
use crate::shared::Shared;

pub(crate) async fn keep(shared: Arc<Shared>) {
    let called = shared.desk().keeper();
    loop {
        let next = shared.desk().keep(Instant::now());
        let due = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = called.notified() => {
                // A call names an instant that may be later, or comes with many others.
                sleep(KEEP_PAUSE).await;
            }
        }
    }
}
