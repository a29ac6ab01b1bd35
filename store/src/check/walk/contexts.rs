//! Every entry of every place of a partition.

use tickwheel_core::id::{ContextId, JobName};

use super::Walk;
use crate::check::facts::At;
use crate::check::finding::{Evidence, Finding, Kind, Subject};
use crate::check::grammar::Entry;
use crate::check::read::{CONTEXTS_STEP, Item, Wanted};
use crate::check::rules;
use crate::error::Error;

impl Walk<'_> {
    /// Walks the places one after the other.
    pub(super) async fn contexts(&mut self) -> Result<(), Error> {
        for place in std::mem::take(&mut self.places) {
            let mut cursor = Some("0".to_owned());
            while let Some(from) = cursor {
                let call = self.store.check_page(self.partition, &place, &from);
                let page = self.timed(call).await?;
                self.now = page.now;
                self.page(&place, page.items).await?;
                cursor = page.next;
            }
        }
        self.backlog().await?;
        self.scan().await
    }

    async fn page(&mut self, place: &str, items: Vec<Item>) -> Result<(), Error> {
        let mut wanted = Vec::new();
        for item in items {
            self.checked.entries += 1;
            match self.read(place, &item) {
                Found::Wanted(one) => wanted.push(one),
                Found::Seen => {}
                Found::Malformed => {
                    let finding = malformed(self, place, &item);
                    self.checked.add(vec![finding]);
                }
            }
        }
        let wide = place.starts_with("ready");
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
            "jobs" => match JobName::new(&text) {
                Ok(job) => {
                    self.jobs.insert(job);
                    Found::Seen
                }
                Err(_) => Found::Malformed,
            },
            "held" | "retry" | "fair" | "active" => by_id(&text),
            "fans" => match text.parse::<ContextId>() {
                Ok(root) => {
                    self.fans.entry(root.clone()).or_default();
                    Found::Wanted(Wanted::by_id(root))
                }
                Err(_) => Found::Malformed,
            },
            "events" => ended(&text, &item.extra),
            "dead" => {
                let mut fields = text.split('\t');
                let id = fields.next().unwrap_or_default();
                ended(id, &fields.take(2).collect::<Vec<_>>().join(" "))
            }
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

/// `<state> <attempt>` of a context that has ended.
fn ended(id: &str, how: &str) -> Found {
    let attempt = how
        .split_once(' ')
        .and_then(|(_, attempt)| attempt.parse().ok());
    match (id.parse(), attempt) {
        (Ok(id), Some(attempt)) => Found::Wanted(Wanted {
            ended: vec![attempt],
            ..Wanted::by_id(id)
        }),
        _ => Found::Malformed,
    }
}

fn malformed(walk: &Walk<'_>, place: &str, item: &Item) -> Finding {
    let text = item.shown();
    let short: String = text.chars().take(120).collect();
    let at = if matches!(place, "held" | "retry" | "fair" | "fans") || place.starts_with("active") {
        text.clone()
    } else {
        item.extra.clone()
    };
    let shown = if at == text {
        format!("`{short}` = `{}`", item.extra)
    } else {
        format!("`{short}` at {at}")
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
                text
            } else {
                format!("sha1:{}", item.digest)
            },
        }],
    }
}
