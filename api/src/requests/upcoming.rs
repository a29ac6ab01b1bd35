//! What is asked about what is to come.

use tickwheel_core::error::Violations;
use tickwheel_core::shape::{Maybe, Record, SPAN, Visitor, optional, place};
use tickwheel_proto::v1;

use super::asked::Asked;
use super::forms::Number;
use super::record;

/// Buckets of time.
const BUCKETS: Number = Number { least: 1, most: 60 };

/// How finely is counted, and how far.
pub(crate) struct WheelQuery {
    width: Option<u64>,
    buckets: u32,
}

impl Record for WheelQuery {
    fn blank() -> Self {
        Self {
            width: None,
            buckets: BUCKETS.most,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "The width of a span of time: 1s, 10s, 1m, 10m, 1h or 1d; without it 1s.";
        visit.field(optional("width", about), Maybe(SPAN), place!(Self: width));
        let about = "How many spans of time.";
        visit.field(optional("buckets", about), BUCKETS, place!(Self: buckets));
    }
}

/// How much is due when.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn get_wheel(asked: &Asked<'_>) -> Result<v1::GetWheelRequest, Violations> {
    let query: WheelQuery = record::of_query(asked.query, &[])?;
    Ok(v1::GetWheelRequest {
        width_ms: query.width.unwrap_or_default(),
        buckets: query.buckets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &'static str) -> Asked<'static> {
        Asked {
            name: "",
            query,
            body: b"",
        }
    }

    #[test]
    fn a_ring_is_asked_for_by_its_width() {
        let wheel = get_wheel(&asked("width=10m&buckets=6")).unwrap();
        assert_eq!((wheel.width_ms, wheel.buckets), (600_000, 6));
        let wheel = get_wheel(&asked("")).unwrap();
        assert_eq!((wheel.width_ms, wheel.buckets), (0, 60));
        let wrong = get_wheel(&asked("width=x&buckets=0&kind=job")).unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong}");
    }
}
