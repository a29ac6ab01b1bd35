//! What gathers until it is enough, or until the first has waited long enough.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

#[derive(Debug)]
pub(super) struct Gather<T> {
    max: usize,
    window: Duration,
    batch: Mutex<Gathering<T>>,
}

#[derive(Debug)]
struct Gathering<T> {
    waiting: Vec<T>,
    /// Which batch it is, so that the end of an earlier one's window does not cut this one short.
    number: u64,
}

impl<T> Gather<T> {
    pub(super) fn new(max: usize, window: Duration) -> Self {
        Self {
            max,
            window,
            batch: Mutex::new(Gathering {
                waiting: Vec::new(),
                number: 0,
            }),
        }
    }

    /// Adds one; `flush` gets the batch, now if it is full, else when the window of its first has passed.
    pub(super) fn add(self: Arc<Self>, one: T, flush: impl Fn(Vec<T>) + Send + 'static)
    where
        T: Send + 'static,
    {
        let (first, full, number) = {
            let mut batch = self.batch.lock();
            batch.waiting.push(one);
            let full = batch.waiting.len() >= self.max;
            let first = batch.waiting.len() == 1;
            (first, full.then(|| batch.take()), batch.number)
        };
        if let Some(full) = full {
            flush(full);
        } else if first {
            tokio::spawn(async move {
                tokio::time::sleep(self.window).await;
                let ripe = self.batch.lock().take_if(number);
                if let Some(ripe) = ripe {
                    flush(ripe);
                }
            });
        }
    }
}

impl<T> Gathering<T> {
    fn take(&mut self) -> Vec<T> {
        self.number += 1;
        std::mem::take(&mut self.waiting)
    }

    fn take_if(&mut self, number: u64) -> Option<Vec<T>> {
        (self.number == number).then(|| self.take())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_batch_goes_when_it_is_full_or_when_its_first_has_waited() {
        let (flushed, mut batches) = mpsc::unbounded_channel();
        let gather = Arc::new(Gather::new(3, Duration::from_millis(100)));
        let add = |n: u32| {
            let flushed = flushed.clone();
            Arc::clone(&gather).add(n, move |batch| flushed.send(batch).unwrap());
        };
        let start = Instant::now();
        (1..=4).for_each(add);
        assert_eq!(batches.recv().await.unwrap(), [1, 2, 3]);
        assert_eq!(start.elapsed(), Duration::ZERO);
        // The window of the first batch ends now, and it is not this one's.
        tokio::time::sleep(Duration::from_millis(60)).await;
        add(5);
        assert_eq!(batches.recv().await.unwrap(), [4, 5]);
        assert_eq!(start.elapsed(), Duration::from_millis(100));
        add(6);
        assert_eq!(batches.recv().await.unwrap(), [6]);
        assert_eq!(start.elapsed(), Duration::from_millis(200));
    }
}
