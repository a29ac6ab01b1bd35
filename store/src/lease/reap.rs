//! Taking back leases that ended. Script: `lua/lease/reap.lua`.

use std::sync::LazyLock;
use std::time::Duration;

use fred::types::Value;
use tickwheel_core::id::WorkerId;
use tickwheel_core::partition::PartitionId;

use super::AttemptRef;
use crate::args::Args;
use crate::error::Error;
use crate::fields::Fields;
use crate::reply::Reply;
use crate::script::REAP;
use crate::seldom::Seldom;
use crate::store::Store;
use crate::wake::WorkerCancel;

/// Running contexts looked at in one call.
const PAGE: u32 = 500;
/// Pages of one scan; more would mean that the cursor does not end.
const PAGES_MAX: u32 = 100_000;

/// One damage may have hit many.
static UNREAD: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// A lease that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostLease {
    /// The attempt that lost it.
    pub attempt: AttemptRef,
    /// Its worker.
    pub worker: WorkerId,
    /// False: its attempts are used up, the context ended.
    pub retrying: bool,
}

/// What a scan of a partition's running contexts did.
#[derive(Debug, Clone, Default)]
pub struct Reaped {
    /// Leases taken back.
    pub lost: Vec<LostLease>,
    /// Attempts ended because their grace was over.
    pub timed_out: u64,
    /// Workers to tell.
    pub cancels: Vec<WorkerCancel>,
}

impl Store {
    /// Looks at every running context of `partition`, page by page; the leases of `evicted` workers (at most 1,000) end now.
    /// Repeating is harmless; when it is dropped half way, the wheel's own entry brings the next scan.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the next scan goes on.
    pub async fn reap(
        &self,
        partition: PartitionId,
        evicted: &[WorkerId],
        dispatch_lease: Duration,
        random: u32,
    ) -> Result<Reaped, Error> {
        let mut reaped = Reaped::default();
        let mut cursor = "0".to_owned();
        let mut soonest = String::new();
        for _ in 0..PAGES_MAX {
            let args = Args::new()
                .with("cursor", cursor.as_str())
                .with_number("page", PAGE)
                .with_filled("soonest", &soonest)
                .with_number("random", random)
                .with_number("lease_ms", dispatch_lease.as_millis())
                .with_number("workers", evicted.len())
                .items(evicted.iter().map(|worker| Value::from(worker.as_str())));
            let value = self
                .redis
                .call(&REAP, vec![self.keys.wheel(partition)], args)
                .await?;
            let reply = Reply::expect(REAP.name(), value, "REAPED")?;
            Fields::read(reply, |fields| {
                fields.number("now_ms")?;
                cursor = fields.text("cursor")?;
                soonest = fields.text_or_empty("soonest")?;
                for text in fields.required("lost")?.texts()? {
                    match lost(&text) {
                        Some(lost) => reaped.lost.push(lost),
                        None => unread(partition, &text),
                    }
                }
                reaped.timed_out += fields.number("timed_out")?;
                for text in fields.required("cancels")?.texts()? {
                    match WorkerCancel::parse(&text) {
                        Some(cancel) => reaped.cancels.push(cancel),
                        None => unread(partition, &text),
                    }
                }
                Ok(())
            })?;
            if cursor == "0" {
                return Ok(reaped);
            }
        }
        Err(Error::contract(REAP.name(), "the scan does not end"))
    }
}

/// Somebody wrote a lease of a worker or a context that cannot be: it is over, nobody is told, and the rest of the page is.
fn unread(partition: PartitionId, text: &str) {
    if let Some(kept_back) = UNREAD.say("") {
        tracing::warn!(%partition, text, kept_back, "what became of a lease cannot be read");
    }
}

fn lost(text: &str) -> Option<LostLease> {
    let mut words = text.split(' ');
    let context = words.next()?.parse().ok()?;
    let attempt = words.next()?.parse::<u32>().ok()?.into();
    let worker = words.next()?.parse().ok()?;
    let retrying = words.next()? == "RETRYING";
    Some(LostLease {
        attempt: AttemptRef { context, attempt },
        worker,
        retrying,
    })
}
