//! How much may be asked for in a second: by each token, and for each namespace, so that whoever asks without end takes nothing from others.
//!
//! A rate holds for the whole cluster. Nobody is asked about it: each tracker lets in an equal share, by how many trackers the last heartbeat
//! saw. What is refused costs a look into memory, and no command of Redis.

mod cell;
mod namespaces;
mod registrations;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::access::{Role, TokenId, TokenRates};
use tickwheel_core::error::Violation;
use tokio::time::Instant;

use self::cell::{BURST, Cell, Rate};
use self::namespaces::{Namespaces, Share};
pub(crate) use self::registrations::Registrations;
use crate::config::{Quota, Rates as Config};
use crate::error::Error;
use crate::metrics::measure;

/// What one token asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    calls: Cell,
    bytes: Cell,
}

/// Whoever asks, as its rate is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) token: &'a TokenId,
    pub(crate) role: Role,
    /// Where they are not those of its role.
    pub(crate) own: TokenRates,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Rates {
    config: Config,
    /// Contexts that are submitted in a second.
    submissions: Quota,
    /// How many trackers share each rate.
    trackers: AtomicU32,
    /// From which instants are counted.
    start: Instant,
    /// Of tokens that are known; as many as they are.
    usages: Mutex<HashMap<TokenId, Arc<Usage>>>,
    namespaces: Namespaces,
}

impl Rates {
    pub(crate) fn new(config: Config, submissions: Quota) -> Self {
        Self {
            config,
            submissions,
            trackers: AtomicU32::new(1),
            start: Instant::now(),
            usages: Mutex::default(),
            namespaces: Namespaces::default(),
        }
    }

    /// So many trackers are alive, this one among them.
    pub(crate) fn shared_by(&self, trackers: usize) {
        let trackers = u32::try_from(trackers).unwrap_or(u32::MAX);
        self.trackers.store(trackers, Ordering::Relaxed);
    }

    /// What a token asked for lately: the same for all that it is known by. It is kept as long as somebody keeps it.
    pub(crate) fn usage_of(&self, token: &TokenId) -> Arc<Usage> {
        Arc::clone(self.usages.lock().entry(token.clone()).or_default())
    }

    /// Forgets tokens that nobody knows any more.
    pub(crate) fn tend(&self) {
        self.usages
            .lock()
            .retain(|_, usage| Arc::strong_count(usage) > 1);
    }

    /// Lets one call in.
    ///
    /// # Errors
    /// [`Error::Throttled`] when there were too many calls, or too many bytes, of its token.
    pub(crate) fn call(&self, usage: &Usage, asker: Asker<'_>) -> Result<(), Error> {
        let now = self.now();
        let (calls, bytes) = self.config.of(asker.role, asker.own);
        if let Some(rate) = self.rate(bytes)
            && let Err(wait) = usage.bytes.look(now)
        {
            return Err(too_much((asker, "bytes"), rate, wait));
        }
        let Some(rate) = self.rate(calls) else {
            return Ok(());
        };
        let taken = usage.calls.take(now, rate, 1);
        taken.map_err(|wait| too_much((asker, "calls"), rate, wait))
    }

    /// Counts bytes of a request that came in. They are not refused: who sent too many is not let in with its next call.
    fn count_bytes(&self, usage: &Usage, per_second: u32, bytes: usize) {
        if let Some(rate) = self.rate(per_second) {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            usage.bytes.count(self.now(), rate, bytes);
        }
    }

    /// Lets in what is submitted to these namespaces, each named once for each context, all of it or nothing. `field`: where the namespace of a
    /// context stands in the request.
    ///
    /// # Errors
    /// [`Error::Throttled`] with each namespace that was submitted too much to.
    pub(crate) fn submit<'a>(
        &self,
        namespaces: impl Iterator<Item = &'a str>,
        field: impl Fn(usize) -> String,
    ) -> Result<(), Error> {
        if self.submissions.is_none() {
            return Ok(());
        }
        let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
        for (first, namespace) in namespaces.enumerate() {
            if let Some(share) = shares.get_mut(namespace) {
                share.count += 1;
            } else if let Some(rate) = self.rate(self.submissions.of(namespace)) {
                let share = Share {
                    count: 1,
                    first,
                    rate,
                };
                shares.insert(namespace, share);
            }
        }
        if shares.is_empty() {
            return Ok(());
        }
        let taken = self.namespaces.take(self.now(), &shares);
        taken.map_err(|(too_many, retry_after)| {
            measure::refused_quota("namespace", "contexts");
            let named = too_many.into_iter();
            let wrong = named.map(|(first, wrong)| wrong.at(field(first))).collect();
            Error::Throttled { wrong, retry_after }
        })
    }

    /// Calls and bytes in a second that a token may ask for; 0: any number.
    pub(crate) fn of(&self, role: Role, own: TokenRates) -> (u32, u32) {
        self.config.of(role, own)
    }

    /// `None`: there is no limit.
    fn rate(&self, per_second: u32) -> Option<Rate> {
        let trackers = NonZeroU32::new(self.trackers.load(Ordering::Relaxed));
        Some(Rate {
            per_second: NonZeroU32::new(per_second)?,
            trackers: trackers.unwrap_or(NonZeroU32::MIN),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What is said to a token that asked for too much.
fn too_much((asker, what): (Asker<'_>, &'static str), rate: Rate, wait: Duration) -> Error {
    measure::refused_quota(asker.role.as_str(), what);
    let rule = format!(
        "makes at most {} {what} a second, {} of them at this tracker and those of {} s at once: wait {} ms, ask for more with each call, or have an admin make a \
         token with another rate, or `rates` of the trackers raised (docs/security.md)",
        rate.per_second,
        rate.here(),
        BURST.as_secs(),
        wait.as_nanos().div_ceil(1_000_000),
    );
    Error::Throttled {
        wrong: Violation::new("token", rule, asker.token).into(),
        retry_after: wait,
    }
}

/// Counts the bytes of one request.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    rates: Arc<Rates>,
    usage: Arc<Usage>,
    /// Bytes that may come in a second.
    per_second: u32,
}

impl Meter {
    pub(crate) fn new(rates: Arc<Rates>, usage: Arc<Usage>, asker: Asker<'_>) -> Self {
        let (_, per_second) = rates.of(asker.role, asker.own);
        Self {
            rates,
            usage,
            per_second,
        }
    }

    /// So many bytes came in.
    pub(crate) fn count(&self, bytes: usize) {
        self.rates.count_bytes(&self.usage, self.per_second, bytes);
    }
}
