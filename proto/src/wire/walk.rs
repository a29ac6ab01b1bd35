//! The walk over a message: tags and lengths, counted against the bounds.

use std::fmt::Write as _;
use std::sync::LazyLock;

use tickwheel_core::error::Violation;

use super::bounds::{BOUNDS, ENTRIES_MAX};
use super::schema::{Kind, MESSAGES, METHODS};

/// Greater than the number of any field.
const NUMBERS: usize = 32;

/// What is looked for in one message.
struct Plan {
    /// By field number; what is not here is passed over.
    fields: [Option<Step>; NUMBERS],
    /// Whether it holds a list, in itself or in a message inside.
    holds_lists: bool,
    /// Entries of all lists of a message of this kind together.
    entries_max: u32,
}

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    /// Entries of a list; 1 for a message that holds lists.
    most: u32,
    is_list: bool,
    kind: Kind,
}

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(plans);

fn plans() -> Vec<Plan> {
    let holds = |place: usize| holds_lists(place);
    let plan = |(place, message): (usize, &super::schema::Message)| {
        let mut fields = [None; NUMBERS];
        for field in message.fields {
            let inner = matches!(field.kind, Kind::Message(inner) if holds(inner));
            let slot = usize::try_from(field.number)
                .ok()
                .and_then(|number| fields.get_mut(number));
            if let Some(slot) = slot.filter(|_| field.repeated || inner) {
                *slot = Some(Step {
                    name: field.name,
                    most: if field.repeated {
                        most(message.name, field.name)
                    } else {
                        1
                    },
                    is_list: field.repeated,
                    kind: field.kind,
                });
            }
        }
        let asked = METHODS.iter().any(|method| method.takes == place);
        Plan {
            fields,
            holds_lists: holds(place),
            entries_max: if asked { ENTRIES_MAX } else { u32::MAX },
        }
    };
    MESSAGES.iter().enumerate().map(plan).collect()
}

/// A list without a bound has no entries: a test fails before that is seen.
fn most(message: &str, field: &str) -> u32 {
    let bound = BOUNDS
        .iter()
        .find(|bound| bound.message == message && bound.field == field);
    bound.map_or(0, |bound| bound.most)
}

fn holds_lists(place: usize) -> bool {
    let fields = MESSAGES
        .get(place)
        .map_or(&[][..], |message| message.fields);
    fields.iter().any(|field| {
        field.repeated || matches!(field.kind, Kind::Message(inner) if holds_lists(inner))
    })
}

/// Where in the message the walk is.
#[derive(Clone, Copy)]
struct Path<'a> {
    above: Option<&'a Path<'a>>,
    step: Step,
    index: u32,
}

impl Path<'_> {
    fn write(&self, text: &mut String) {
        if let Some(above) = self.above {
            above.write(text);
            text.push('.');
        }
        text.push_str(self.step.name);
        if self.step.is_list {
            // A text takes everything.
            write!(text, "[{}]", self.index).ok();
        }
    }
}

fn place_of(above: Option<&Path<'_>>, name: &str) -> String {
    let mut text = String::new();
    if let Some(above) = above {
        above.write(&mut text);
        text.push('.');
    }
    text.push_str(name);
    text
}

/// Whether `bytes` may be decoded as the message at `place` of [`MESSAGES`].
///
/// # Errors
/// The first thing that is beyond its bound or is no protobuf.
pub fn check(place: usize, bytes: &[u8]) -> Result<(), Violation> {
    let Some(plan) = PLANS.get(place).filter(|plan| plan.holds_lists) else {
        return Ok(());
    };
    let mut left = plan.entries_max;
    walk(plan, bytes, &mut left, None)
}

fn walk(
    plan: &Plan,
    mut bytes: &[u8],
    left: &mut u32,
    above: Option<&Path<'_>>,
) -> Result<(), Violation> {
    let mut counts = [0_u32; NUMBERS];
    while !bytes.is_empty() {
        let tag = varint(&mut bytes).ok_or_else(|| malformed(above))?;
        let (number, wire) = (tag >> 3, tag & 7);
        let content = content(wire, &mut bytes).ok_or_else(|| malformed(above))?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(step) = plan.fields.get(number).copied().flatten() else {
            continue;
        };
        let Some(count) = counts.get_mut(number) else {
            continue;
        };
        let path = Path {
            above,
            step,
            index: *count,
        };
        let entries = entries(step.kind, wire, content);
        *count = count.saturating_add(entries);
        if *count > step.most {
            return Err(beyond(above, step));
        }
        if step.is_list {
            *left = left.checked_sub(entries).ok_or_else(|| {
                let rule = format!("has at most {ENTRIES_MAX} entries in all its lists together");
                Violation::new("", rule, "more")
            })?;
        }
        if let Kind::Message(inner) = step.kind
            && let Some(inner) = PLANS.get(inner).filter(|inner| inner.holds_lists)
        {
            walk(inner, content, left, Some(&path))?;
        }
    }
    Ok(())
}

fn beyond(above: Option<&Path<'_>>, step: Step) -> Violation {
    let rule = if step.is_list {
        format!("has at most {} entries", step.most)
    } else {
        "is given once".to_owned()
    };
    Violation::new(place_of(above, step.name), rule, "more")
}

fn malformed(above: Option<&Path<'_>>) -> Violation {
    let mut field = String::new();
    if let Some(above) = above {
        above.write(&mut field);
    }
    Violation::new(field, "is protobuf", "bytes that are none")
}

/// How many entries a field of this form adds. Numbers of a list lie in one field, one behind the other.
fn entries(kind: Kind, wire: u64, content: &[u8]) -> u32 {
    let packed = wire == LENGTH;
    let count = match kind {
        Kind::Text | Kind::Bytes | Kind::Message(_) => 1,
        Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum if packed => {
            content.iter().filter(|byte| **byte < 0x80).count()
        }
        Kind::Float if packed => content.len() / 4,
        Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum | Kind::Float => 1,
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

const LENGTH: u64 = 2;

/// Takes what a tag announces off the front; `None` when it is not there, or is a group, which proto3 does not have.
fn content<'a>(wire: u64, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = match wire {
        0 => {
            varint(bytes)?;
            0
        }
        1 => 8,
        LENGTH => usize::try_from(varint(bytes)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(content)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..10_u32 {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f)
            .checked_shl(place * 7)
            .unwrap_or_default();
        if *first < 0x80 {
            return Some(value);
        }
    }
    None
}
