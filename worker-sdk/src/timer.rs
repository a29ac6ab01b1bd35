//! The task behind [`Protocol::on_timer`](crate::protocol::Protocol): sleeps until something is due.

use std::sync::Arc;

use tokio::time::{Instant, sleep, sleep_until};

use crate::bounds::TIMER_PAUSE;
use crate::shared::Shared;

pub(crate) async fn run(shared: Arc<Shared>) {
    let called = shared.protocol().timer_changed();
    loop {
        let next = shared.protocol().on_timer(Instant::now());
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
                sleep(TIMER_PAUSE).await;
            }
        }
    }
}
