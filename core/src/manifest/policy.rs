//! What becomes of firings that come too late, or while an earlier one runs.

use serde_json::{Value, json};

use crate::bounds::{MISFIRE_LIMIT_MAX, QUEUE_MAX};
use crate::error::Violations;
use crate::job::{Misfire, MisfirePolicy, Overlap};
use crate::shape::{
    Defaults, Fields, Form, Maybe, Record, SPAN, Visitor, Whole, Words, needed, optional, place,
};

/// A map, or a policy alone.
pub(super) const MISFIRE: Fields<Misfire> = Fields::or("policy");

impl Record for Misfire {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            optional(
                "policy",
                "What becomes of due times that are later than the tolerance: none of them fires, the newest does, or the newest ones do.",
            ),
            Words {
                all: MisfirePolicy::ALL,
                word: MisfirePolicy::as_str,
            },
            place!(Self: policy),
        );
        visit.field(
            optional("limit", "fire_all: at most so many late due times fire."),
            Whole::of(1, MISFIRE_LIMIT_MAX.into()),
            place!(Self: limit),
        );
        visit.field(
            optional("tolerance", "Lateness up to which a due time is not late."),
            SPAN,
            place!(Self: tolerance_ms),
        );
        visit.field(
            optional("catch_up_window", "Older due times are dropped for good."),
            Maybe(SPAN),
            place!(Self: catch_up_window_ms),
        );
    }
}

/// A map of policy and limit, or text like `queue(10)`.
pub(super) struct Overlaps;

/// An overlap policy, key by key.
#[derive(PartialEq)]
struct Parts {
    policy: &'static str,
    limit: Option<u32>,
}

impl Record for Parts {
    fn blank() -> Self {
        let (policy, limit) = (Overlap::default().word(), None);
        Self { policy, limit }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed(
                "policy",
                "What a firing does while an earlier one is active: run beside it, wait for it, be skipped, or take its place.",
            ),
            Words {
                all: Overlap::WORDS,
                word: |word| word,
            },
            place!(Self: policy),
        );
        visit.field(
            optional(
                "limit",
                "parallel: how many run at once, up to 1,000. queue: how many wait, up to 100,000; 1,000 when nobody says.",
            ),
            Maybe(Whole::of(1, QUEUE_MAX.into())),
            place!(Self: limit),
        );
    }
}

impl Form<Overlap> for Overlaps {
    fn read(&self, value: &Value) -> Result<Overlap, Violations> {
        if let Some(text) = value.as_str() {
            return Ok(text.parse()?);
        }
        let parts = Fields::<Parts>::map().read(value)?;
        let read = Overlap::from_parts(parts.policy, parts.limit);
        Ok(read.map_err(|wrong| wrong.at("limit"))?)
    }

    fn write(&self, value: &Overlap, defaults: Defaults) -> Value {
        let (policy, limit) = (value.word(), value.limit());
        Fields::<Parts>::map().write(&Parts { policy, limit }, defaults)
    }

    fn describe(&self) -> Value {
        let text = "^(parallel\\([0-9]+\\)|queue(\\([0-9]+\\))?|queue_one|discard|replace)$";
        json!({ "anyOf": [Fields::<Parts>::map().describe(), { "type": "string", "pattern": text }] })
    }
}
