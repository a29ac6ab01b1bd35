//! The counters that scripts keep in `{tw:p}:stats`, over all partitions.

use bytes::Bytes;
use fred::interfaces::HashesInterface;

use crate::error::Error;
use crate::store::Store;

/// What was counted since the cluster was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that no script could use, and that were put aside.
    pub put_aside: u64,
    /// Keys of wrong types that had made room for ours, and made room for newer ones.
    pub asides_dropped: u64,
    /// Dead contexts beyond the bound of `dead`.
    pub dead_dropped: u64,
    /// Logs that made room for newer ones, and lines' calls that found none.
    pub logs_dropped: u64,
    /// Results, as logs.
    pub results_dropped: u64,
    /// Ends that followers of other namespaces were not told of, as the job that ended does not let them follow it.
    pub followers_untold: u64,
    /// Counters that could not be counted on, as somebody had written what is no number; they began anew.
    pub reset: u64,
}

impl Store {
    /// Reads the counters of all partitions, one command for each.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn counters(&self) -> Result<Counters, Error> {
        let mut sum = Counters::default();
        for partition in self.partitions.partitions() {
            let fields = vec![
                "put_aside",
                "asides_dropped",
                "dead_dropped",
                "logs_dropped",
                "results_dropped",
                "followers_untold",
                "reset",
            ];
            let read = self
                .redis
                .plain()
                .hmget(self.keys.stats(partition), fields)
                .await
                .map_err(|error| Error::from_redis("hmget", error, ToOwned::to_owned));
            let counted: Vec<Option<Bytes>> = match read {
                // No hash: the next that counts there makes it anew.
                Err(Error::Damaged { .. }) => continue,
                read => read?,
            };
            // What is no number counts nothing.
            let number = |text: Bytes| str::from_utf8(&text).ok()?.parse::<u64>().ok();
            let mut counted = counted.into_iter().map(|text| text.and_then(number));
            for field in [
                &mut sum.put_aside,
                &mut sum.asides_dropped,
                &mut sum.dead_dropped,
                &mut sum.logs_dropped,
                &mut sum.results_dropped,
                &mut sum.followers_untold,
                &mut sum.reset,
            ] {
                *field = field.saturating_add(counted.next().flatten().unwrap_or(0));
            }
        }
        Ok(sum)
    }
}
