//! A caller's own key, in a submission and where a job is asked to run.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::Reuse;
use tickwheel_core::shape::{Maybe, Place, SPAN, TEXT, Visitor, Words, optional, place};
use tickwheel_proto::v1;

/// A key, and what becomes of a request whose key is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DedupWish {
    pub(crate) key: String,
    keep_ms: Option<u64>,
    reuse: Option<Reuse>,
}

impl DedupWish {
    /// Shows it as keys of a map that has it at `of`.
    pub(crate) fn fields<S: 'static>(visit: &mut impl Visitor<S>, of: impl Place<S, Self>) {
        visit.field(
            optional(
                "dedup_key",
                "A key of your own: it stands for one run, unless that is cancelled before it starts.",
            ),
            TEXT,
            of.at(place!(DedupWish: key)),
        );
        visit.field(
            optional(
                "dedup_keep",
                "How long the key stands for it, from its due time on; without it a day.",
            ),
            Maybe(SPAN),
            of.at(place!(DedupWish: keep_ms)),
        );
        visit.field(
            optional(
                "dedup_reuse",
                "What becomes of it when the key stands for another run; without it return_existing.",
            ),
            Maybe(Words {
                all: Reuse::ALL,
                word: Reuse::as_str,
            }),
            of.at(place!(DedupWish: reuse)),
        );
    }

    /// As it travels: key, keep time, and what becomes of the request.
    pub(crate) fn into_wire(self) -> (String, Option<u64>, i32) {
        let reuse = match self.reuse {
            None => v1::DedupReuse::Unspecified,
            Some(Reuse::ReturnExisting) => v1::DedupReuse::ReturnExisting,
            Some(Reuse::Reject) => v1::DedupReuse::Reject,
            Some(Reuse::Replace) => v1::DedupReuse::Replace,
        };
        (self.key, self.keep_ms, reuse.into())
    }
}

/// The header by which a request says that it may have been sent before.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The one submission of the request is repeated safely under `key`.
///
/// # Errors
/// When there are several, or when it has another key.
pub fn submitted_once(request: &mut v1::SubmitRequest, key: &str) -> Result<(), Violations> {
    let [only] = request.contexts.as_mut_slice() else {
        let rule = "belongs to a request with one submission; several have a `dedup_key` each";
        return Err(Violation::new(IDEMPOTENCY_KEY, rule, key).into());
    };
    under(key, &mut only.dedup_key)
}

/// The run that is asked for is repeated safely under `key`.
///
/// # Errors
/// When it has another key.
pub fn run_once(request: &mut v1::RunJobRequest, key: &str) -> Result<(), Violations> {
    under(key, &mut request.dedup_key)
}

fn under(key: &str, own: &mut String) -> Result<(), Violations> {
    if !own.is_empty() && own != key {
        let rule = "is the same as `dedup_key`, when both are given";
        return Err(Violation::new(IDEMPOTENCY_KEY, rule, key).into());
    }
    key.clone_into(own);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_key() {
        let one = || v1::SubmitRequest {
            contexts: vec![v1::Submission::default()],
        };
        let mut request = one();
        submitted_once(&mut request, "k").unwrap();
        assert_eq!(request.contexts[0].dedup_key, "k");
        submitted_once(&mut request, "k").unwrap();
        assert!(submitted_once(&mut request, "other").is_err());
        request.contexts.extend(one().contexts);
        assert!(submitted_once(&mut request, "k").is_err());
    }
}
