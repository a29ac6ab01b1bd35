//! The walk over a message: tags and lengths, counted against the bounds.

use std::fmt::Write as _;
use std::sync::LazyLock;

use tickwheel_core::error::Violation;

use super::bounds::{ENTRIES_MAX, TEXT_BYTES_MAX, bounds};
use super::schema::{Field, Kind, MESSAGES, METHODS};

/// Greater than the number of any field.
const NUMBERS: usize = 32;

/// What is looked for in one message.
struct Plan {
    /// By field number; what is not here is passed over.
    fields: [Option<Step>; NUMBERS],
    /// Whether anything is looked for, in itself or in a message inside.
    is_walked: bool,
    /// Entries of all lists of a message of this kind together.
    entries_max: u32,
}

#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    /// Entries of a list; 1 for a message that holds lists.
    most: u32,
    /// Bytes of each text.
    longest: usize,
    is_list: bool,
    kind: Kind,
}

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(plans);

fn plans() -> Vec<Plan> {
    let asked = |place: usize| METHODS.iter().any(|method| method.takes == place);
    let mut of_callers = vec![false; MESSAGES.len()];
    for method in METHODS.iter().filter(|method| !method.streams) {
        reach(method.takes, &mut of_callers);
    }
    let plan = |(place, message): (usize, &super::schema::Message)| {
        let of_callers = of_callers.get(place).copied().unwrap_or_default();
        let mut fields = [None; NUMBERS];
        for field in message.fields {
            let step = step(message.name, field, of_callers);
            let number = usize::try_from(field.number).unwrap_or(usize::MAX);
            if let Some(slot) = fields.get_mut(number) {
                *slot = step;
            }
        }
        Plan {
            is_walked: fields.iter().any(Option::is_some),
            fields,
            entries_max: if asked(place) { ENTRIES_MAX } else { u32::MAX },
        }
    };
    MESSAGES.iter().enumerate().map(plan).collect()
}

/// Marks a message and those inside.
fn reach(place: usize, reached: &mut [bool]) {
    if let Some(reached) = reached.get_mut(place) {
        *reached = true;
    }
    for inner in inner(place) {
        reach(inner, reached);
    }
}

/// The messages that are fields of a message. None is inside itself.
fn inner(place: usize) -> impl Iterator<Item = usize> {
    let fields = MESSAGES
        .get(place)
        .map_or(&[][..], |message| message.fields);
    fields.iter().filter_map(|field| match field.kind {
        Kind::Message(inner) => Some(inner),
        Kind::Text
        | Kind::Bytes
        | Kind::Uint64
        | Kind::Uint32
        | Kind::Bool
        | Kind::Enum
        | Kind::Float => None,
    })
}

/// What is looked for in a field; `None` where there is nothing to count.
fn step(message: &'static str, field: &'static Field, of_callers: bool) -> Option<Step> {
    let (is_text, holds) = match field.kind {
        Kind::Text => (true, Holds::Nothing),
        Kind::Message(inner) => (false, holds(inner, of_callers)),
        Kind::Bytes | Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum | Kind::Float => {
            (false, Holds::Nothing)
        }
    };
    let watched = field.repeated || is_text && of_callers || holds != Holds::Nothing;
    watched.then_some(Step {
        name: field.name,
        most: match (field.repeated, holds) {
            (true, _) => most(message, field.name),
            (false, Holds::Lists) => 1,
            (false, Holds::Nothing | Holds::Texts) => u32::MAX,
        },
        longest: if is_text && of_callers {
            TEXT_BYTES_MAX
        } else {
            usize::MAX
        },
        is_list: field.repeated,
        kind: field.kind,
    })
}

/// What of a message has to be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// Texts of a caller, and no lists.
    Texts,
    Lists,
}

fn holds(place: usize, of_callers: bool) -> Holds {
    let fields = MESSAGES
        .get(place)
        .map_or(&[][..], |message| message.fields);
    let mut found = Holds::Nothing;
    for field in fields {
        let of_field = match field.kind {
            _ if field.repeated => Holds::Lists,
            Kind::Message(inner) => holds(inner, of_callers),
            Kind::Text if of_callers => Holds::Texts,
            Kind::Text
            | Kind::Bytes
            | Kind::Uint64
            | Kind::Uint32
            | Kind::Bool
            | Kind::Enum
            | Kind::Float => Holds::Nothing,
        };
        match (found, of_field) {
            (_, Holds::Lists) => return Holds::Lists,
            (Holds::Nothing, Holds::Texts) => found = Holds::Texts,
            (Holds::Nothing | Holds::Texts | Holds::Lists, _) => {}
        }
    }
    found
}

/// A list without a bound has no entries: a test fails before that is seen.
fn most(message: &str, field: &str) -> u32 {
    let bound = bounds().find(|bound| bound.message == message && bound.field == field);
    bound.map_or(0, |bound| bound.most)
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
    let Some(plan) = PLANS.get(place).filter(|plan| plan.is_walked) else {
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
        if content.len() > step.longest {
            return Err(too_long(&path, content.len()));
        }
        if let Kind::Message(inner) = step.kind
            && let Some(inner) = PLANS.get(inner).filter(|inner| inner.is_walked)
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

fn too_long(path: &Path<'_>, bytes: usize) -> Violation {
    let mut field = String::new();
    path.write(&mut field);
    let rule = format!("has at most {TEXT_BYTES_MAX} bytes");
    Violation::new(field, rule, format_args!("{bytes} bytes"))
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
