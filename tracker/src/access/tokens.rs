//! What this tracker knows of tokens, for seconds.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tickwheel_core::access::{SecretDigest, TokenId};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::access::{SessionRecord, TokenRecord, USED_MAX};
use tickwheel_store::{Error, Store};
use tokio::time::Instant;

use crate::metrics::measure;
use crate::rates::{Rates, Usage};

/// Ids that there are no tokens of.
const ABSENT_MAX: usize = 4_096;
/// Tokens that are known: as many as there may be, and as many that were revoked lately.
const KNOWN_MAX: usize = 20_000;
/// One that nobody showed for so long is forgotten.
const IDLE: Duration = Duration::from_secs(600);
/// A secret that is not the one which is known may be newer: the token is read again for it, but not more often than this.
const AGAIN: Duration = Duration::from_millis(200);
/// Tokens that are looked up at once; one is looked up once, however many show it.
const LOOKUPS: usize = 64;

/// What is looked up by an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A token.
    Token,
    /// The session of a browser, which stands for one.
    Session,
}

/// A token as it was read, or a session with its token.
#[derive(Debug)]
pub(crate) struct Known {
    /// What it was looked up by.
    pub(super) id: TokenId,
    /// The token; of a session the one that it stands for.
    pub(super) token: TokenId,
    pub(super) record: TokenRecord,
    pub(super) session: Option<SessionRecord>,
    /// What the token asked for lately, whenever it was read, and whatever stands for it.
    pub(super) usage: Arc<Usage>,
    /// Redis' time then.
    now: TimestampMs,
    read: Instant,
    /// How many changes had been heard of then.
    changes: u64,
    /// Somebody showed it since then.
    is_used: AtomicBool,
}

impl Known {
    /// Whether whoever shows this secret is to be believed now.
    pub(super) fn believes(&self, digest: SecretDigest, at: Instant) -> bool {
        let since = at.saturating_duration_since(self.read).as_millis();
        let now = self.now.plus_ms(u64::try_from(since).unwrap_or(u64::MAX));
        match &self.session {
            Some(session) => session.is_good(digest, &self.record, now),
            None => self.record.good_until(digest, now).is_some(),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tokens {
    store: Store,
    kind: Kind,
    recheck: Duration,
    rates: Arc<Rates>,
    known: RwLock<HashMap<TokenId, Arc<Known>>>,
    absent: Mutex<HashMap<TokenId, (Instant, u64)>>,
    lookups: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
    /// Changes that were heard of, counted here; and what Redis said last.
    changes: AtomicU64,
    told: Mutex<Option<u64>>,
    used: Mutex<HashSet<TokenId>>,
}

/// What is known of an id without a look at Redis.
enum Recent {
    Good(Arc<Known>),
    /// It was there, and has to be looked up again.
    Old,
    Absent,
    Unknown,
}

impl Tokens {
    pub(super) fn new(store: Store, kind: Kind, recheck: Duration, rates: Arc<Rates>) -> Self {
        Self {
            store,
            kind,
            recheck,
            rates,
            known: RwLock::default(),
            absent: Mutex::default(),
            lookups: (0..LOOKUPS)
                .map(|_| tokio::sync::Mutex::default())
                .collect(),
            hasher: RandomState::new(),
            changes: AtomicU64::new(0),
            told: Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// A heartbeat told how often tokens changed. Another count than before: nothing that was read is believed any more.
    pub(super) fn heard(&self, count: u64) {
        let mut told = self.told.lock();
        if *told != Some(count) {
            *told = Some(count);
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// Tokens were changed by this tracker: whoever comes next is looked up.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The same token as it is now, unless it was read just before.
    pub(super) async fn again(&self, known: &Known) -> Result<Option<Arc<Known>>, Error> {
        if known.read.elapsed() < AGAIN {
            return self.find(&known.id).await;
        }
        let _turn = self.turn(&known.id).await;
        // Whoever had the turn before may have read it. Until it is read, others go on with what is known.
        let current = self.known.read().get(&known.id).map(|one| one.read);
        if current == Some(known.read) {
            return self.read(&known.id).await;
        }
        Ok(self.known.read().get(&known.id).cloned())
    }

    /// One reads a token at a time.
    async fn turn(&self, id: &TokenId) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let lane = self.hasher.hash_one(id) % LOOKUPS as u64;
        let lane = self.lookups.get(usize::try_from(lane).unwrap_or_default());
        match lane {
            Some(lane) => Some(lane.lock().await),
            None => None,
        }
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn recent(&self, id: &TokenId, at: Instant) -> Recent {
        let changes = self.changes();
        let fresh = |read: Instant, of: u64| {
            of == changes && at.saturating_duration_since(read) < self.recheck
        };
        if let Some(known) = self.known.read().get(id) {
            return if fresh(known.read, known.changes) {
                Recent::Good(Arc::clone(known))
            } else {
                Recent::Old
            };
        }
        match self.absent.lock().get(id) {
            Some((read, of)) if fresh(*read, *of) => Recent::Absent,
            Some(_) | None => Recent::Unknown,
        }
    }

    /// Whether looking for this id has to ask Redis for something that nobody has shown here before.
    pub(super) fn is_new(&self, id: &TokenId) -> bool {
        matches!(self.recent(id, Instant::now()), Recent::Unknown)
    }

    /// The token of this id; `None` when there is none.
    pub(super) async fn find(&self, id: &TokenId) -> Result<Option<Arc<Known>>, Error> {
        match self.recent(id, Instant::now()) {
            Recent::Good(known) => return Ok(Some(known)),
            Recent::Absent => return Ok(None),
            Recent::Old | Recent::Unknown => {}
        }
        let _turn = self.turn(id).await;
        // Whoever had the turn before may have read it.
        match self.recent(id, Instant::now()) {
            Recent::Good(known) => Ok(Some(known)),
            Recent::Absent => Ok(None),
            Recent::Old | Recent::Unknown => self.read(id).await,
        }
    }

    async fn read(&self, id: &TokenId) -> Result<Option<Arc<Known>>, Error> {
        // What changes while it is read is heard of later: then it is read again.
        let (changes, read) = (self.changes(), Instant::now());
        let found = self.look_up(id, (read, changes)).await;
        let found = found.inspect_err(measure::store_error)?;
        let Some(known) = found.map(Arc::new) else {
            self.known.write().remove(id);
            let mut absent = self.absent.lock();
            if absent.len() >= ABSENT_MAX {
                absent.retain(|_, (at, _)| read.saturating_duration_since(*at) < self.recheck);
            }
            if absent.len() >= ABSENT_MAX {
                absent.clear();
            }
            absent.insert(id.clone(), (read, changes));
            return Ok(None);
        };
        self.absent.lock().remove(id);
        let mut all = self.known.write();
        if all.len() >= KNOWN_MAX {
            all.retain(|_, one| read.saturating_duration_since(one.read) < self.recheck);
        }
        all.insert(id.clone(), Arc::clone(&known));
        Ok(Some(known))
    }

    async fn look_up(
        &self,
        id: &TokenId,
        (read, changes): (Instant, u64),
    ) -> Result<Option<Known>, Error> {
        let (now, token, record, session) = match self.kind {
            Kind::Token => match self.store.get_token(id).await? {
                Some(found) => (found.now, id.clone(), found.record, None),
                None => return Ok(None),
            },
            Kind::Session => match self.store.get_session(id).await? {
                Some(found) => {
                    let token = found.session.token.clone();
                    (found.now, token, found.record, Some(found.session))
                }
                None => return Ok(None),
            },
        };
        Ok(Some(Known {
            id: id.clone(),
            usage: self.rates.usage_of(&token),
            token,
            record,
            session,
            now,
            read,
            changes,
            is_used: AtomicBool::new(false),
        }))
    }

    /// This token was shown, and is good.
    pub(super) fn note_used(&self, known: &Known) {
        if known.is_used.load(Ordering::Relaxed) || known.is_used.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut used = self.used.lock();
        if used.len() < KNOWN_MAX {
            used.insert(known.token.clone());
        }
    }

    /// Tells Redis which tokens were used, and forgets what nobody shows.
    pub(super) async fn tend(&self) -> Result<(), Error> {
        let used: Vec<TokenId> = self.used.lock().drain().collect();
        let now = Instant::now();
        self.known
            .write()
            .retain(|_, one| now.saturating_duration_since(one.read) < IDLE);
        for few in used.chunks(USED_MAX) {
            self.store.note_tokens_used(few).await?;
        }
        Ok(())
    }
}
