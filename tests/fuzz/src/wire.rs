//! Messages of the wire, before and after they are decoded.

use prost::Message as _;
use tickwheel_core::access::Scope;
use tickwheel_core::job::JobSpec;
use tickwheel_proto::v1;
use tickwheel_proto::wire::check;
use tickwheel_proto::wire::schema::{MESSAGES, Spoken};

use crate::given::told;

/// Two bytes that choose a message, and its bytes.
pub(crate) fn messages(bytes: &[u8]) {
    let Some((chosen, bytes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let place = usize::from(u16::from_le_bytes(*chosen)) % MESSAGES.len();
    if check(place, bytes).is_ok() && place == v1::SubmitRequest::PLACE {
        // What is within bounds may still be no message.
        v1::SubmitRequest::decode(bytes).ok();
    }
}

pub(crate) fn jobs(bytes: &[u8]) {
    if let Ok(spec) = v1::JobSpec::decode(bytes) {
        match JobSpec::try_from(spec) {
            Ok(spec) => {
                // What was accepted goes over the wire and comes back the same.
                let again = JobSpec::try_from(v1::JobSpec::from(&spec)).unwrap();
                assert_eq!(again, spec);
            }
            Err(wrong) => told(&wrong),
        }
    }
    if let Ok(scope) = v1::Scope::decode(bytes)
        && let Err(wrong) = Scope::try_from(scope)
    {
        told(&wrong);
    }
}
