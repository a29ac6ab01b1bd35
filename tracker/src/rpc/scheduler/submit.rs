//! Taking in contexts that belong to no job.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::limits::SUBMIT_MAX;
use tickwheel_core::partition::{PartitionId, partition_of};
use tickwheel_core::routing::Lane;
use tickwheel_proto::convert::{Submission, When as WireWhen};
use tickwheel_proto::v1;
use tickwheel_store::record::{Options, Rest};
use tickwheel_store::wheel::{NewContext, When};

use crate::error::Error;
use crate::measure;
use crate::shared::Shared;

/// A dedup key is remembered this long after the due time unless the caller says otherwise.
const DEDUP_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Accepts 1..=1,000 contexts. Those without a dedup key go to one partition, so that they cost one script call.
pub(super) async fn submit(
    shared: &Shared,
    request: v1::SubmitRequest,
    asked: Option<Durability>,
) -> Result<v1::SubmitResponse, Error> {
    let given = request.contexts.len();
    if given == 0 || given > SUBMIT_MAX {
        return Err(
            Violation::new("contexts", format!("has 1..={SUBMIT_MAX} contexts"), given).into(),
        );
    }
    let home = shared.any_partition();
    let mut found = Violations::new();
    let mut contexts = Vec::with_capacity(given);
    for (index, wire) in request.contexts.into_iter().enumerate() {
        match Submission::try_from(wire) {
            Ok(submission) => contexts.push(new_context(shared, submission, home)),
            Err(violations) => found.merge(violations.prefix(&format!("contexts[{index}]"))),
        }
    }
    found.into_result()?;
    let store = shared.durable(None, asked)?;
    crash_point!("before_submit_script");
    let submitted = store.submit(&contexts).await?;
    crash_point!("after_submit_script");
    measure::submitted(submitted.len());
    let answer = |context: tickwheel_store::wheel::SubmittedContext| v1::Submitted {
        id: context.id.into(),
        duplicate: context.duplicate,
        skipped_reason: String::new(),
    };
    Ok(v1::SubmitResponse {
        contexts: submitted.into_iter().map(answer).collect(),
    })
}

/// The context to create. Without a dedup key, and without a policy that counts, it lies in `home`.
fn new_context(shared: &Shared, submission: Submission, home: PartitionId) -> NewContext {
    let partitions = shared.store().partitions();
    let uniq = shared.uniq();
    let lane = Lane::of(
        None,
        &submission.routing,
        (&submission.workers, &submission.requires),
    );
    let dedup = submission.dedup.map(|dedup| {
        let keep = dedup.keep_ms.map_or(DEDUP_KEPT, Duration::from_millis);
        (dedup.key, keep)
    });
    let partition = match (&dedup, &lane) {
        (Some((key, _)), _) => partition_of(key.as_str(), partitions),
        // What a policy counts lies in one partition, so contexts that are counted together do.
        (None, Some(lane)) if lane.routing.policy.is_stateful() => {
            partition_of(&lane.id().to_string(), partitions)
        }
        (None, _) => home,
    };
    let options = Options {
        lane: lane.as_ref().map(Lane::id),
        // A submission that names a value its body does not have was refused.
        hash: submission
            .routing
            .hash_of(&submission.body, None)
            .unwrap_or_default(),
        key: submission
            .fairness
            .key_of(&submission.body)
            .unwrap_or_default(),
        weight: submission.fairness.weight,
        ..Options::from(&submission.options)
    };
    NewContext {
        when: match submission.when {
            WireWhen::DelayMs(delay) => When::Delay(Duration::from_millis(delay)),
            WireWhen::At(at) => When::At(at),
        },
        rest: Rest::encode(
            &submission.group,
            &submission.handler,
            submission.options.priority,
            options,
            &submission.body,
        ),
        uniq,
        dedup,
        partition,
        lane: lane.map(Arc::new),
    }
}
