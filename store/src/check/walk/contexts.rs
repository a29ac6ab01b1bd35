//! Every entry of every place of a partition.

use tickwheel_core::id::ContextId;

use super::{History, Walk};
use crate::check::facts::At;
use crate::check::finding::{Evidence, Finding, Kind, Subject};
use crate::check::grammar::{Entry, job_named};
use crate::check::read::{CONTEXTS_STEP, Item, Wanted};
use crate::check::rules;
use crate::error::Error;
use crate::record::{Dead, Settled};

/// Of the history, a sample is so many steps of a partition's events, with the newest first, and of its dead. A step is one entry of the
/// events, of some hundred records at most, or a hundred of the dead.
const SAMPLE_STEPS: u64 = 8;

/// Steps that a place of `size` entries takes at most: a scan visits the buckets of its hash table, which Redis makes smaller when less
/// than a tenth of them are used. One that grows faster than it is walked is left after so many.
const fn steps_of(size: u64) -> u64 {
    size.saturating_mul(12) / 100 + 64
}

impl Walk<'_> {
    /// Walks the places one after the other: first what is to run, last what has ended.
    pub(super) async fn contexts(&mut self) -> Result<(), Error> {
        let mut places: Vec<(String, u64)> = std::mem::take(&mut self.places).into_iter().collect();
        places.sort_by_key(|(place, _)| match place.as_str() {
            "wheel" => 0,
            "held" => 1,
            "dead" => 3,
            "events" => 4,
            _ => 2,
        });
        for (place, size) in places {
            let is_history = matches!(place.as_str(), "dead" | "events");
            let mut steps = match place.as_str() {
                "events" => u64::MAX, // back from the newest, so it comes to the oldest
                _ => steps_of(size),
            };
            if is_history && self.history == History::Sample {
                steps = steps.min(SAMPLE_STEPS);
            }
            let mut cursor = Some("0".to_owned());
            while let Some(from) = cursor.take_if(|_| steps > 0) {
                steps -= 1;
                let call = self.store.check_page(self.partition, &place, &from);
                let page = self.timed(call).await?;
                self.now = page.now;
                self.page(&place, page.items).await?;
                cursor = page.next;
            }
            self.checked.unfinished += u64::from(cursor.is_some() && !is_history);
        }
        let left = std::mem::take(&mut self.wanted);
        self.look_up(false, &left).await?;
        self.backlog().await?;
        self.scan().await
    }

    async fn page(&mut self, place: &str, items: Vec<Item>) -> Result<(), Error> {
        let mut wide = Vec::new();
        let is_wide = place.starts_with("ready");
        for item in items {
            self.checked.entries += 1;
            match self.read(place, &item) {
                Found::Wanted(one) if is_wide => wide.push(one),
                Found::Wanted(one) => self.wanted.push(one),
                Found::Seen => {}
                Found::Malformed => {
                    let finding = malformed(self, place, &item);
                    self.checked.add(vec![finding]);
                }
            }
        }
        self.look_up(true, &wide).await?;
        let full = self.wanted.len() / CONTEXTS_STEP * CONTEXTS_STEP;
        let few: Vec<Wanted> = self.wanted.drain(..full).collect();
        self.look_up(false, &few).await
    }

    /// `wide`: also in ready sets that are not their own.
    async fn look_up(&mut self, wide: bool, wanted: &[Wanted]) -> Result<(), Error> {
        for few in wanted.chunks(CONTEXTS_STEP) {
            let call = self.store.check_contexts(self.partition, wide, few);
            let facts = self.timed(call).await?;
            for context in facts {
                self.checked.add(rules::of_context(&context));
            }
        }
        Ok(())
    }

    /// What an entry of a place is.
    fn read(&mut self, place: &str, item: &Item) -> Found {
        if !item.digest.is_empty() {
            return Found::Malformed;
        }
        let text = item.shown();
        let kind = place.split(':').next().unwrap_or_default();
        let by_id = |text: &str| {
            text.parse::<ContextId>()
                .map_or(Found::Malformed, |id| Found::Wanted(Wanted::by_id(id)))
        };
        match kind {
            "jobs" => match job_named(&text) {
                Some(job) => {
                    self.jobs.insert(job);
                    Found::Seen
                }
                None => Found::Malformed,
            },
            "held" | "retry" | "fair" => by_id(&text),
            "active" => match text.parse::<ContextId>() {
                // Nothing that ends would ever take out what belongs to no context of the job.
                Ok(id) if is_of(&id, place) => Found::Wanted(Wanted::by_id(id)),
                Ok(_) | Err(_) => Found::Malformed,
            },
            "fans" => match text.parse::<ContextId>() {
                Ok(root) => {
                    self.fans.entry(root.clone()).or_default();
                    Found::Wanted(Wanted::by_id(root))
                }
                Err(_) => Found::Malformed,
            },
            "events" => ended(Settled::parse(&item.text)),
            "dead" => ended(Dead::parse(&item.text).map(|dead| dead.settled)),
            "wheel" if !text.starts_with(|first: char| first.is_ascii_digit()) => {
                self.entry(&text, &item.extra)
            }
            _ => {
                let id = text.split(' ').next().unwrap_or_default();
                match id.parse() {
                    Ok(id) => Found::Wanted(Wanted {
                        key: place.to_owned(),
                        at: item.extra.clone(),
                        head: item.text.clone(),
                        ..Wanted::by_id(id)
                    }),
                    Err(_) => Found::Malformed,
                }
            }
        }
    }

    fn entry(&mut self, text: &str, score: &str) -> Found {
        match Entry::parse(text) {
            Some(Entry::Job(job)) => {
                self.jobs.insert(job);
                Found::Seen
            }
            Some(Entry::Delivery(_)) => {
                let at = At::parse(score);
                let found = rules::w7_delivery_is_near(self.partition, text, &at, self.now);
                self.checked.add(found);
                Found::Seen
            }
            Some(Entry::StartDeadline(_)) if At::parse(score).ms().is_some() => Found::Seen,
            Some(Entry::Scan | Entry::Limits | Entry::Pinned(_)) => Found::Seen,
            Some(Entry::StartDeadline(_)) | None => Found::Malformed,
        }
    }

    /// A lease scan is planned while anything runs.
    async fn scan(&mut self) -> Result<(), Error> {
        let held = ["held".to_owned()];
        let read = self
            .timed(self.store.check_keys(self.partition, &held))
            .await?;
        let found = rules::w7_scan_is_planned(self.partition, read.running, read.scan.as_ref());
        self.checked.add(found);
        Ok(())
    }
}

/// What an entry turned out to be.
enum Found {
    /// A context, to be looked up.
    Wanted(Wanted),
    /// Something else that is all right, or that was noted.
    Seen,
    /// Nothing that follows its grammar.
    Malformed,
}

/// A context that has ended must be nowhere else.
fn ended(record: Result<Settled, Error>) -> Found {
    record.map_or(Found::Malformed, |record| {
        Found::Wanted(Wanted {
            ended: vec![record.attempt.as_u32()],
            ..Wanted::by_id(record.id)
        })
    })
}

/// What a repair finds a text by: it may end where a script cut a message inside a character.
fn begins(text: &[u8]) -> String {
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    if valid.is_empty() {
        hex(text)
    } else {
        valid.to_owned()
    }
}

/// Bytes that are no text, as a repair is told of them.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    format!("hex:{}", digits.collect::<String>())
}

/// True when a context is one of the job whose key `place` is.
fn is_of(id: &ContextId, place: &str) -> bool {
    let job = place.split_once(':').map_or("", |(_, job)| job);
    id.job().is_some_and(|own| own.as_str() == job)
}

/// A field of a hash as a repair is told of it; one that is no text in its bytes.
fn field(bytes: &[u8]) -> String {
    str::from_utf8(bytes).map_or_else(|_| hex(bytes), ToOwned::to_owned)
}

fn malformed(walk: &Walk<'_>, place: &str, item: &Item) -> Finding {
    let text = item.shown();
    let short: String = text.chars().take(120).collect();
    let at = if matches!(place, "held" | "retry" | "fair" | "fans") || place.starts_with("active") {
        field(&item.text)
    } else {
        item.extra.clone()
    };
    let shown = if at == item.extra {
        format!("`{short}` at {at}")
    } else {
        format!("`{short}` = `{}`", item.extra)
    };
    Finding {
        kind: Kind::Malformed,
        partition: walk.partition,
        subject: Subject::Entry(short),
        detail: format!("{place} has {shown}"),
        evidence: vec![Evidence {
            key: place.to_owned(),
            at,
            text: if item.digest.is_empty() {
                begins(&item.text)
            } else {
                format!("sha1:{}", item.digest)
            },
        }],
    }
}
