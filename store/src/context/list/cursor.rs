//! The cursor of a list: how far the merged list has come, which is one point of one partition. Where each other partition goes on follows from
//! it, so that a cursor is as short with 1,024 partitions as with one, and what is let go between two pages makes none of it wrong.
//!
//! It comes back from outside: its length, its list and every part of it are checked before any of it reaches a script.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::partition::{PartitionCount, PartitionId};

use super::ask::Lists;
use super::point::Point;
use super::section::Section;
use crate::context::count::Counts;
use crate::error::Error;

/// Of the form of a cursor.
const VERSION: &str = "1";
/// Characters of a cursor: those of the longest point, and numbers.
const CHARS_MAX: usize = 1_024;

/// Where a section stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stop {
    pub(super) partition: PartitionId,
    pub(super) point: Point,
}

impl Stop {
    /// The beginning of a section.
    pub(super) fn first(plan: &impl Lists, section: Option<&Section>) -> Self {
        let section = section.copied().unwrap_or(Section::Timed);
        let start = plan.start_of(section);
        let point = Point::parse(section, &start).or_else(|| Point::parse(section, ""));
        Self {
            partition: plan.partitions().first().copied().unwrap_or_default(),
            // A section knows its own beginning.
            point: point.unwrap_or_else(Point::nowhere),
        }
    }
}

/// How far a list has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cursor {
    /// Which of the sections it is in; as many as there are: it has ended.
    pub(super) section: usize,
    pub(super) stop: Stop,
    /// About how many entries the list has.
    pub(super) of: u64,
    /// A bit for each section that lies in a hash and is too much to be put in order.
    scanned: u16,
}

fn bad(given: &str) -> Error {
    Error::Invalid(Violations::from(Violation::new(
        "cursor",
        "is of an earlier page of the same list",
        given,
    )))
}

/// What the list chooses by, in short.
fn digest(plan: &impl Lists) -> u64 {
    let mut hasher = DefaultHasher::new();
    plan.chosen_by().hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    pub(super) fn first(plan: &impl Lists, counts: &Counts) -> Self {
        let crowded = plan.sections().iter().enumerate();
        let crowded = crowded.filter(|(_, section)| section.is_crowded(counts));
        Self {
            section: 0,
            stop: Stop::first(plan, plan.sections().first()),
            of: plan
                .sections()
                .iter()
                .map(|section| section.weight(counts))
                .sum(),
            scanned: crowded.fold(0, |bits, (place, _)| bits | (1 << place)),
        }
    }

    /// Whether a section comes in no order, partition by partition.
    pub(super) fn scans(&self, section: usize) -> bool {
        self.scanned & (1 << section) != 0
    }

    /// Empty when the list has ended.
    pub(super) fn write(&self, plan: &impl Lists, partitions: PartitionCount) -> String {
        if self.section >= plan.sections().len() {
            return String::new();
        }
        // Who is not told how much there is can read its cursor.
        let of = if plan.is_limited() { 0 } else { self.of };
        let rest = format!(
            "{partitions} {:x} {} {} {} {} {}",
            digest(plan),
            self.section,
            self.scanned,
            of,
            self.stop.partition,
            self.stop.point.text
        );
        // With its length, so that a part of a cursor is none.
        let text = format!("{VERSION} {} {rest}", rest.len());
        URL_SAFE_NO_PAD.encode(text)
    }

    /// `None` for an empty one.
    pub(super) fn read(
        given: &str,
        plan: &impl Lists,
        partitions: PartitionCount,
    ) -> Result<Option<Self>, Error> {
        if given.is_empty() {
            return Ok(None);
        }
        let read = Self::parse(given, plan, partitions);
        read.map(Some).ok_or_else(|| bad(given))
    }

    fn parse(given: &str, plan: &impl Lists, partitions: PartitionCount) -> Option<Self> {
        let bytes = (given.len() <= CHARS_MAX).then(|| URL_SAFE_NO_PAD.decode(given).ok())??;
        let text = String::from_utf8(bytes).ok()?;
        let (version, rest) = text.split_once(' ')?;
        let (length, rest) = rest.split_once(' ')?;
        let mut parts = rest.splitn(7, ' ');
        let mut next = || parts.next();
        let is_of_list = version == VERSION
            && length == rest.len().to_string()
            && next()? == partitions.to_string()
            && next()? == format!("{:x}", digest(plan));
        is_of_list.then_some(())?;
        let place: usize = next()?.parse().ok()?;
        let section = *plan.sections().get(place)?;
        let scanned: u16 = next()?.parse().ok()?;
        let of = next()?.parse().ok()?;
        let partition: PartitionId = next()?.parse().ok()?;
        plan.partitions().contains(&partition).then_some(())?;
        let is_scanned = section.is_hash() && scanned & (1 << place) != 0;
        let point = next()?;
        let point = if is_scanned {
            Point::parse_scan(point)?
        } else {
            Point::parse(section, point)?
        };
        let hashes = plan.sections().iter().enumerate();
        let hashes = hashes.filter(|(_, section)| section.is_hash());
        let may_scan = hashes.fold(0_u16, |bits, (place, _)| bits | (1 << place));
        (scanned & !may_scan == 0).then_some(())?;
        Some(Self {
            section: place,
            stop: Stop { partition, point },
            of,
            scanned,
        })
    }
}

/// More came into a section since the first page than can be put in order.
pub(super) fn outgrown() -> Error {
    Error::Invalid(Violations::from(Violation::new(
        "cursor",
        "is of a list that has grown too much since: begin anew, without one",
        "",
    )))
}
