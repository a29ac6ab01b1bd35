//! Carries the events of a stream to whoever takes them, on the threads of calls: the wires only pass on what is written already.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::subscription::Subscription;
use super::view::Told;

/// What waits for a wire.
const WAITING_MAX: usize = 1;
/// Whoever takes nothing for so long is left alone.
const TAKE_WITHIN: Duration = Duration::from_secs(30);

/// Carries what is told, `written` as its wire has it. When nothing happens for `quiet`, what `quiet` is with is carried, so that both ends know of
/// each other.
///
/// It ends with the stream, when the receiver is dropped, and when nothing is taken for 30 s; the receiver ends with it.
pub(crate) fn carry<T: Send + 'static>(
    mut events: Subscription,
    written: impl Fn(&Told) -> T + Send + Sync + 'static,
    quiet: Option<(Duration, fn() -> T)>,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let mut guardian = events.guardian();
        loop {
            let next = async {
                match quiet {
                    None => events.next().await.map(|told| written(&told)),
                    Some((after, what)) => match timeout(after, events.next()).await {
                        Ok(next) => next.map(|told| written(&told)),
                        Err(_) => Some(what()),
                    },
                }
            };
            let next = tokio::select! {
                next = next => next,
                () = sender.closed() => return,
            };
            let Some(next) = next else { return };
            let taken = tokio::select! {
                biased;
                taken = timeout(TAKE_WITHIN, sender.send(next)) => taken,
                // Who takes nothing is not told why: there is no room to tell it.
                _ = guardian.over() => return,
            };
            if !matches!(taken, Ok(Ok(()))) {
                return;
            }
        }
    });
    receiver
}
