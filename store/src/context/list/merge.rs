//! A section over all partitions: the first of each are merged by the order of the section, and of one time by their partitions.

use std::cmp::Ordering;
use std::collections::VecDeque;

use futures::future::join_all;
use tickwheel_core::partition::PartitionId;

use super::ask::{Answer, Ask, Found, ITEMS_MAX, Lists};
use super::cursor::{Stop, outgrown};
use super::page::Page;
use super::point::Point;
use super::section::Section;
use crate::error::Error;
use crate::store::Store;

/// Contexts that each partition is asked for first, and whenever the merge has used up those.
const FIRST: usize = 8;
const MORE: usize = 50;
/// Partitions that are asked at once.
const WAVE: usize = 64;
/// Entries that one call looks at: a millisecond or so.
const LOOK_STEP: u64 = 400;

/// A partition of a merge.
struct Source<T> {
    partition: PartitionId,
    /// Found, and not yet in the list.
    found: VecDeque<Found<T>>,
    /// Where it goes on behind these; `None` at its end.
    from: Option<Point>,
    is_asked: bool,
}

impl<T> Source<T> {
    /// Nothing of this partition comes before this point any more; `None` when nothing comes at all.
    fn bound(&self) -> Option<&Point> {
        self.found
            .front()
            .map(|found| &found.point)
            .or(self.from.as_ref())
    }

    fn compare(&self, other: &Self, section: Section) -> Ordering {
        match (self.bound(), other.bound()) {
            (Some(left), Some(right)) => left
                .compare(right, section)
                .then(self.partition.cmp(&other.partition)),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        }
    }

    /// Whether it has to be asked before the merge can go on.
    fn is_used_up(&self) -> bool {
        self.found.is_empty() && self.from.is_some()
    }
}

/// Takes over what a partition answered. One that cannot be read hides no other.
fn take<L: Lists>(
    page: &mut Page<L>,
    section: Section,
    answer: Result<Answer<L::Item>, Error>,
) -> Result<Answer<L::Item>, Error> {
    let answer = page.listed.readable(L::NAME, answer)?;
    let answer = answer.unwrap_or_default();
    if answer.many {
        return Err(outgrown());
    }
    page.listed.skip(L::NAME, answer.unreadable);
    page.spend(answer.looked, answer.cost);
    if section.is_ended() {
        page.complete_since(section, answer.since);
    }
    Ok(answer)
}

/// A section while its partitions are merged.
struct Merge<'a, L: Lists> {
    store: &'a Store,
    plan: &'a L,
    section: Section,
    sources: Vec<Source<L::Item>>,
}

impl<'a, L: Lists> Merge<'a, L> {
    /// Each partition goes on behind `stop`.
    fn new(store: &'a Store, plan: &'a L, section: Section, stop: &Stop) -> Self {
        let of = |partition: &PartitionId| {
            let from = if *partition == stop.partition {
                Some(stop.point.clone())
            } else {
                stop.point.of_other(section, *partition < stop.partition)
            };
            Source {
                partition: *partition,
                found: VecDeque::new(),
                from,
                is_asked: false,
            }
        };
        Self {
            store,
            plan,
            section,
            sources: plan.partitions().iter().map(of).collect(),
        }
    }

    /// The partition whose bound comes first.
    fn first(&mut self) -> Option<&mut Source<L::Item>> {
        let section = self.section;
        let sources = self.sources.iter_mut();
        let first = sources.min_by(|left, right| left.compare(right, section))?;
        first.bound().is_some().then_some(first)
    }

    /// The partitions that are used up and may have something that comes before whatever was found: those that are least far first.
    fn blocking(&self, left: u64) -> Vec<usize> {
        let compare =
            |left: &Source<L::Item>, right: &Source<L::Item>| left.compare(right, self.section);
        let found = self.sources.iter().filter(|one| !one.found.is_empty());
        let found = found.min_by(|left, right| compare(left, right));
        let mut wave: Vec<(usize, &Source<L::Item>)> = self
            .sources
            .iter()
            .enumerate()
            .filter(|(_, one)| one.is_used_up())
            .filter(|(_, one)| found.is_none_or(|found| compare(one, found).is_lt()))
            .collect();
        wave.sort_by(|(_, left), (_, right)| compare(left, right));
        wave.truncate(WAVE.min(usize::try_from(left).unwrap_or(WAVE)).max(1));
        wave.into_iter().map(|(place, _)| place).collect()
    }

    /// Asks some partitions at once for so many contexts, looking at so many entries.
    async fn ask(
        &mut self,
        wave: &[usize],
        (items, look): (usize, u64),
        page: &mut Page<L>,
    ) -> Result<(), Error> {
        let calls = wave.iter().filter_map(|place| {
            let source = self.sources.get(*place)?;
            let ask = Ask {
                section: self.section,
                partition: source.partition,
                point: source.from.as_ref().map_or("", |point| point.text.as_str()),
                items,
                look,
                scan: false,
                since: self.section.is_ended() && !source.is_asked,
            };
            let (store, plan) = (self.store, self.plan);
            Some(plan.ask(store, ask))
        });
        let answers = join_all(calls).await;
        for (place, answer) in wave.iter().zip(answers) {
            let answer = take(page, self.section, answer)?;
            if let Some(source) = self.sources.get_mut(*place) {
                source.is_asked = true;
                source.found.extend(answer.found);
                source.from = answer.next;
            }
        }
        Ok(())
    }

    /// Asks all partitions, however little may be looked at, so that the list gets on: each for its share of half of that.
    async fn ask_all(&mut self, page: &mut Page<L>) -> Result<(), Error> {
        let all: Vec<usize> = (0..self.sources.len()).collect();
        let look = (page.left() / (2 * count(all.len()))).clamp(1, LOOK_STEP);
        let few = (FIRST.min(page.missing()), look);
        for wave in all.chunks(WAVE) {
            self.ask(wave, few, page).await?;
        }
        Ok(())
    }

    /// Asks those that hold up the others.
    async fn ask_on(&mut self, page: &mut Page<L>) -> Result<(), Error> {
        let wave = self.blocking(page.left());
        let look = (page.left() / count(wave.len())).clamp(1, LOOK_STEP);
        let more = (MORE.min(page.missing()), look);
        self.ask(&wave, more, page).await
    }
}

/// How many, of one or more.
fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX).max(1)
}

/// Adds a section to the page from `stop` on. Answers with where it stopped; `None` at its end.
pub(super) async fn merge<L: Lists>(
    store: &Store,
    plan: &L,
    section: Section,
    stop: &Stop,
    page: &mut Page<L>,
) -> Result<Option<Stop>, Error> {
    let mut merge = Merge::new(store, plan, section, stop);
    merge.ask_all(page).await?;
    while let Some(source) = merge.first() {
        let partition = source.partition;
        if let Some(found) = source.found.pop_front() {
            let point = found.point.clone();
            page.add(found);
            if page.is_full() {
                return Ok(Some(Stop { partition, point }));
            }
        } else if page.left() > 0 {
            merge.ask_on(page).await?;
        } else {
            let point = source.from.clone();
            return Ok(point.map(|point| Stop { partition, point }));
        }
    }
    Ok(None)
}

/// The same of what lies in hashes and is too much to be put in order: partition by partition, as a scan finds it.
pub(super) async fn scan<L: Lists>(
    store: &Store,
    plan: &L,
    section: Section,
    stop: &Stop,
    page: &mut Page<L>,
) -> Result<Option<Stop>, Error> {
    let mut point = stop.point.clone();
    for partition in plan
        .partitions()
        .iter()
        .filter(|one| **one >= stop.partition)
    {
        if *partition != stop.partition {
            point = Point::nowhere();
        }
        loop {
            let stopped = Stop {
                partition: *partition,
                point: point.clone(),
            };
            if page.is_done() {
                return Ok(Some(stopped));
            }
            let ask = Ask {
                section,
                partition: *partition,
                point: &point.text,
                items: page.missing().min(ITEMS_MAX),
                look: page.left().min(LOOK_STEP),
                scan: true,
                since: false,
            };
            let answer = take(page, section, plan.ask(store, ask).await)?;
            for found in answer.found {
                let point = found.point.clone();
                page.add(found);
                if page.is_full() {
                    let partition = *partition;
                    return Ok(Some(Stop { partition, point }));
                }
            }
            match answer.next {
                Some(next) => point = next,
                None => break,
            }
        }
    }
    Ok(None)
}
