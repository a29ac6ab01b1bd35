//! Giving back what a dead tracker claimed and did not deliver. Script: `lua/lease/reclaim.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::id::WorkerId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use super::AttemptRef;
use crate::args::Args;
use crate::error::Error;
use crate::reply::Reply;
use crate::script::RECLAIM;
use crate::store::Store;

/// Running contexts looked at in one call.
const PAGE: u32 = 500;
/// Pages of one scan; more would mean that the cursor does not end.
const PAGES_MAX: u32 = 100_000;

impl Store {
    /// Makes ready again what was claimed for `workers` (1 to 1,000) before `before`, with this dispatch lease, and never announced. They
    /// must have announced everything they were given before that instant. Repeating is harmless; when it is dropped half way, the rest waits for
    /// the ends of its leases.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the dispatch leases end by themselves.
    pub async fn reclaim(
        &self,
        partition: PartitionId,
        workers: &[WorkerId],
        (before, dispatch_lease): (TimestampMs, Duration),
    ) -> Result<Vec<AttemptRef>, Error> {
        let mut given_back = Vec::new();
        let mut cursor = "0".to_owned();
        for _ in 0..PAGES_MAX {
            let args = Args::new()
                .with("cursor", cursor.as_str())
                .with_number("page", PAGE)
                .with_number("before", before.as_u64())
                .with_number("lease_ms", dispatch_lease.as_millis())
                .with_number("workers", workers.len())
                .items(workers.iter().map(|worker| Value::from(worker.as_str())));
            let value = self
                .redis
                .call(&RECLAIM, vec![self.keys.wheel(partition)], args)
                .await?;
            let mut reply = Reply::expect(RECLAIM.name(), value, "RECLAIMED")?;
            cursor = reply.text()?;
            for text in reply.texts()? {
                let attempt = attempt(&text);
                given_back.push(attempt.ok_or_else(|| Error::contract(RECLAIM.name(), &text))?);
            }
            if cursor == "0" {
                return Ok(given_back);
            }
        }
        Err(Error::contract(RECLAIM.name(), "the scan does not end"))
    }
}

fn attempt(text: &str) -> Option<AttemptRef> {
    let (context, attempt) = text.split_once(' ')?;
    Some(AttemptRef {
        context: context.parse().ok()?,
        attempt: attempt.parse::<u32>().ok()?.into(),
    })
}
