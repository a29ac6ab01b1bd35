//! The fields of a group's limits in a file.

use serde_json::{Value, json};

use crate::error::{Violation, Violations};
use crate::id::GroupName;
use crate::limits::{COUNT_MAX, GroupLimits, KEYS_MAX, Limit, Rate};
use crate::shape::{
    Defaults, Fields, Form, Found, Maybe, Name, Named, Place, Record, SPAN, Visitor, Whole, needed,
    optional, place,
};

/// A group and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsSpec {
    /// The group.
    pub group: GroupName,
    /// What holds for it.
    pub limits: GroupLimits,
}

impl Record for LimitsSpec {
    fn blank() -> Self {
        let (group, limits) = (GroupName::default(), GroupLimits::default());
        Self { group, limits }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        visit.field(
            needed("group", "The group that is limited."),
            Name,
            place!(Self: group),
        );
        limit(visit, place!(Self: limits.all));
        visit.field(
            optional("per_key", "What holds for each fairness key of the group."),
            Fields::<Limit>::map(),
            place!(Self: limits.per_key),
        );
        visit.field(
            optional(
                "keys",
                "Keys with limits of their own instead; an empty map: none.",
            ),
            Named {
                form: Fields::<Limit>::map(),
                names: "^[A-Za-z0-9._@+-]{1,64}$",
                most: KEYS_MAX,
            },
            place!(Self: limits.keys),
        );
        visit.misnamed(
            "burst",
            "belongs in `rate`, like rate: { starts: 100, per: 1s, burst: 10 }",
        );
    }
}

fn limit<S: 'static>(visit: &mut impl Visitor<S>, of: impl Place<S, Limit>) {
    visit.field(
        optional(
            "concurrency",
            "Contexts that run at once; 0 holds all of them back.",
        ),
        Maybe(Whole::of(0, COUNT_MAX.into())),
        of.at(place!(Limit: concurrency)),
    );
    visit.field(
        optional("rate", "Contexts that start in a time, like 100/s."),
        Maybe(Rates),
        of.at(place!(Limit: rate)),
    );
}

impl Record for Limit {
    fn blank() -> Self {
        Self::default()
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        limit(visit, Found::new(|own| own, |own| own));
    }
}

/// A map of starts, time and burst, or text like `100/s`.
struct Rates;

/// A rate, key by key.
#[derive(PartialEq)]
struct Bucket {
    starts: u32,
    per_ms: u64,
    burst: Option<u32>,
}

impl Record for Bucket {
    fn blank() -> Self {
        Self {
            starts: 1,
            per_ms: 1_000,
            burst: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let count = || Whole::of(1, COUNT_MAX.into());
        visit.field(
            needed("starts", "So many contexts start."),
            count(),
            place!(Self: starts),
        );
        visit.field(
            needed("per", "In this time, up to a day."),
            SPAN,
            place!(Self: per_ms),
        );
        visit.field(
            optional(
                "burst",
                "Starts that gather while nothing starts; without it those of one period.",
            ),
            Maybe(count()),
            place!(Self: burst),
        );
    }
}

impl Form<Rate> for Rates {
    fn read(&self, value: &Value) -> Result<Rate, Violations> {
        if let Some(text) = value.as_str() {
            return Ok(Rate::parse(text).map_err(|wrong| wrong.at(""))?);
        }
        let bucket = Fields::<Bucket>::map().read(value)?;
        Ok(Rate {
            starts: bucket.starts,
            per_ms: bucket.per_ms,
            burst: bucket.burst.unwrap_or(bucket.starts),
        })
    }

    fn write(&self, value: &Rate, defaults: Defaults) -> Value {
        let bucket = Bucket {
            starts: value.starts,
            per_ms: value.per_ms,
            burst: (value.burst != value.starts).then_some(value.burst),
        };
        Fields::<Bucket>::map().write(&bucket, defaults)
    }

    fn describe(&self) -> Value {
        let text = json!({ "type": "string", "pattern": "^ *[0-9]+ */ *[0-9]*[a-z0-9]+ *$" });
        json!({ "anyOf": [Fields::<Bucket>::map().describe(), text] })
    }
}

/// The paths of the check of limits, in the words of a file.
pub(super) fn in_words(violation: Violation) -> Violation {
    let field = match violation.field.strip_suffix("burst") {
        Some(above) => format!("{above}rate.burst"),
        None => violation.field.clone(),
    };
    violation.at(field)
}
