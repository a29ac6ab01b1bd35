//! What is to come.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_proto::v1;
use tickwheel_store::wheel::{RING_BUCKETS, Ring};

use super::call::Call;
use crate::error::Error;

/// What is asked for of a ring.
fn ring(request: &v1::GetWheelRequest) -> Result<(Ring, usize), Violations> {
    let mut wrong = Violations::new();
    let ring = match request.width_ms {
        0 => Some(Ring::Second),
        given => Ring::ALL.into_iter().find(|ring| ring.width_ms() == given),
    };
    if ring.is_none() {
        let rule = "is 1000, 10000, 60000, 600000, 3600000 or 86400000";
        wrong.push(Violation::new("width_ms", rule, request.width_ms));
    }
    let buckets = match usize::try_from(request.buckets) {
        Ok(0) => RING_BUCKETS,
        Ok(given) if given <= RING_BUCKETS => given,
        Ok(_) | Err(_) => {
            let rule = format!("is at most {RING_BUCKETS}");
            wrong.push(Violation::new("buckets", rule, request.buckets));
            RING_BUCKETS
        }
    };
    wrong
        .into_result()
        .map(|()| (ring.unwrap_or(Ring::Second), buckets))
}

/// How much is due when.
pub(super) async fn wheel(
    call: &Call<'_>,
    request: v1::GetWheelRequest,
) -> Result<v1::Wheel, Error> {
    let (ring, buckets) = ring(&request)?;
    if !call.caller.sight().is_everything() {
        // A number of one namespace would take a look at every record.
        return Ok(v1::Wheel {
            time_ms: call.store.time().await?.as_u64(),
            width_ms: ring.width_ms(),
            ..v1::Wheel::default()
        });
    }
    Ok(call.rings.now(ring, buckets).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_a_few_and_mistakes_are_told_at_once() {
        let of = |width_ms, buckets| ring(&v1::GetWheelRequest { width_ms, buckets });
        assert_eq!(of(0, 0), Ok((Ring::Second, 60)));
        assert_eq!(of(600_000, 6), Ok((Ring::TenMinutes, 6)));
        let wrong = of(2_000, 61).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["width_ms", "buckets"]);
    }
}
