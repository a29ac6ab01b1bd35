//! Taking in contexts that belong to no job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tickwheel_core::Durability;
use tickwheel_core::bounds::SUBMIT_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, Reuse};
use tickwheel_core::partition::{PartitionId, partition_of};
use tickwheel_core::routing::Placement;
use tickwheel_proto::convert::{Submission, When as WireWhen, state_to_wire};
use tickwheel_proto::v1;
use tickwheel_store::record::{Options, Rest};
use tickwheel_store::wheel::{NewContext, SubmittedContext, When};
use tickwheel_store::{Error as StoreError, Store};

use crate::error::Error;
use crate::metrics::measure;
use crate::rpc::api::ApiContext;
use crate::rpc::intake::{Intake, Lies};

/// Duplicates of a call whose state is told, and how many of them are looked at together.
const STATES_MAX: usize = 100;
const STATES_AT_ONCE: usize = 16;
/// A dedup key is remembered this long after the due time unless the caller says otherwise.
const DEDUP_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What is submitted.
struct Submitting {
    context: NewContext,
    /// What becomes of it when its key is taken.
    reuse: Reuse,
    /// It has no dedup key and is not counted with others: it lies in the partition of its request, whichever that is.
    may_lie_anywhere: bool,
}

/// Accepts 1..=1,000 contexts, or none of them where a namespace is submitted too much in a second. Those without a dedup key go to one
/// partition, so that they cost one script call.
pub(super) async fn submit(
    api: &ApiContext,
    request: v1::SubmitRequest,
    asked: Option<Durability>,
) -> Result<v1::SubmitResponse, Error> {
    let given = request.contexts.len();
    if given == 0 || given > SUBMIT_MAX {
        return Err(
            Violation::new("contexts", format!("has 1..={SUBMIT_MAX} contexts"), given).into(),
        );
    }
    let batch_partition = api.any_partition();
    let mut found = Violations::new();
    let mut contexts = Vec::with_capacity(given);
    for (index, wire) in request.contexts.into_iter().enumerate() {
        match Submission::try_from(wire) {
            Ok(submission) => {
                let dedup = submission.dedup.as_ref();
                let reuse = dedup.map_or(Reuse::ReturnExisting, |dedup| dedup.reuse);
                let (context, may_lie_anywhere) = new_context(api, submission, batch_partition);
                contexts.push(Submitting {
                    context,
                    reuse,
                    may_lie_anywhere,
                });
            }
            Err(violations) => found.merge(violations.prefix(&format!("contexts[{index}]"))),
        }
    }
    found.into_result()?;
    let namespaces = contexts
        .iter()
        .map(|submitting| submitting.context.namespace.as_str());
    let field = |index| format!("contexts[{index}].namespace");
    api.rates.submit(namespaces, field)?;
    crash_point!("before_submit_script");
    let answers = write_all(api, contexts, asked).await.inspect_err(|error| {
        if let Error::Store(StoreError::Partly { taken, .. }) = error {
            measure::submitted(taken.len());
        }
    })?;
    crash_point!("after_submit_script");
    measure::submitted(answers.len());
    Ok(v1::SubmitResponse {
        contexts: with_states(&api.store, answers).await,
    })
}

/// Writes what was submitted, namespaces of one durability together.
async fn write_all(
    api: &ApiContext,
    contexts: Vec<Submitting>,
    asked: Option<Durability>,
) -> Result<Vec<v1::Submitted>, Error> {
    let given = contexts.len();
    let mut alike: Vec<(Durability, Vec<usize>, Vec<Submitting>)> = Vec::new();
    for (index, submitting) in contexts.into_iter().enumerate() {
        let namespace = submitting.context.namespace.as_str();
        let durability = api.durability(namespace, asked);
        if let Some((_, indexes, contexts)) = alike.iter_mut().find(|some| some.0 == durability) {
            indexes.push(index);
            contexts.push(submitting);
        } else {
            alike.push((durability, vec![index], vec![submitting]));
        }
    }
    let mut answers: BTreeMap<usize, v1::Submitted> = BTreeMap::new();
    for (durability, indexes, contexts) in alike {
        let written = write(api, durability, contexts).await.map_err(|error| {
            if let Error::Store(error) = error {
                let all = with_written(error.standing_at(&indexes), &answers);
                Error::Store(all.of_request(given))
            } else {
                error
            }
        })?;
        answers.extend(indexes.into_iter().zip(written));
    }
    Ok(answers.into_values().collect())
}

/// The error of a request of which these are written too.
fn with_written(error: StoreError, answers: &BTreeMap<usize, v1::Submitted>) -> StoreError {
    let written = answers.iter();
    error.partly(written.filter_map(|(at, answer)| Some((*at, answer.id.parse().ok()?))))
}

/// Writes what was submitted: those that replace others one by one, all others together.
async fn write(
    api: &ApiContext,
    durability: Durability,
    contexts: Vec<Submitting>,
) -> Result<Vec<v1::Submitted>, Error> {
    let (mut replacing, mut indexes, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut rejecting = BTreeSet::new();
    for (index, submitting) in contexts.into_iter().enumerate() {
        match submitting.reuse {
            Reuse::Replace => replacing.push((index, submitting.context)),
            Reuse::Reject | Reuse::ReturnExisting => {
                rejecting.extend((submitting.reuse == Reuse::Reject).then_some(index));
                indexes.push(index);
                others.push(submitting);
            }
        }
    }
    let submitted = create(api, durability, others).await;
    let submitted = submitted.map_err(|error| {
        if let Error::Store(error) = error {
            Error::Store(error.standing_at(&indexes))
        } else {
            error
        }
    })?;
    let mut answers: BTreeMap<usize, v1::Submitted> = BTreeMap::new();
    for (index, context) in indexes.into_iter().zip(submitted) {
        let answer = v1::Submitted {
            id: context.id.into(),
            duplicate: context.duplicate,
            rejected: context.duplicate && rejecting.contains(&index),
            ..v1::Submitted::default()
        };
        answers.insert(index, answer);
    }
    if replacing.is_empty() {
        return Ok(answers.into_values().collect());
    }
    let store = api.durable(durability)?;
    for (index, context) in replacing {
        let replaced = match store.replace(&context).await {
            Ok(replaced) => replaced,
            Err(error) => {
                return Err(with_written(error.standing_at(&[index]), &answers).into());
            }
        };
        let answer = v1::Submitted {
            id: replaced.id.into(),
            replaced_id: replaced.before.map(String::from).unwrap_or_default(),
            ..v1::Submitted::default()
        };
        answers.insert(index, answer);
    }
    Ok(answers.into_values().collect())
}

/// Creates contexts: few of one partition with those of other callers, unless they are promised more than memory, which calls wait for
/// together anyway.
async fn create(
    api: &ApiContext,
    durability: Durability,
    given: Vec<Submitting>,
) -> Result<Vec<SubmittedContext>, Error> {
    let lies = lie(&given);
    let contexts = given.into_iter().map(|submitting| submitting.context);
    let contexts: Vec<NewContext> = contexts.collect();
    match lies {
        Some(lies) if durability == Durability::Async && Intake::takes(&contexts) => {
            api.intake.submit(contexts, lies).await
        }
        Some(_) | None => Ok(api.durable(durability)?.submit(&contexts).await?),
    }
}

/// Where they lie, when that is one partition.
fn lie(given: &[Submitting]) -> Option<Lies> {
    let (first, others) = given.split_first()?;
    let partition = first.context.partition;
    let is_together = others.iter().all(|other| {
        other.may_lie_anywhere == first.may_lie_anywhere && other.context.partition == partition
    });
    is_together.then_some(if first.may_lie_anywhere {
        Lies::Anywhere
    } else {
        Lies::In(partition)
    })
}

/// Says of the first duplicates in which state they are. They are written: one that cannot be read has no state.
pub(super) async fn with_states(
    store: &Store,
    mut answers: Vec<v1::Submitted>,
) -> Vec<v1::Submitted> {
    let duplicates = answers.iter().enumerate();
    let duplicates: Vec<(usize, ContextId)> = duplicates
        .filter(|(_, answer)| answer.duplicate)
        .take(STATES_MAX)
        .filter_map(|(index, answer)| Some((index, answer.id.parse().ok()?)))
        .collect();
    for few in duplicates.chunks(STATES_AT_ONCE) {
        let views = join_all(few.iter().map(|(_, id)| store.get_context(id))).await;
        for ((index, _), view) in few.iter().zip(views) {
            if let (Ok(Some(view)), Some(answer)) = (view, answers.get_mut(*index)) {
                answer.state = state_to_wire(view.state).into();
            }
        }
    }
    answers
}

/// The context to create. Without a dedup key, and without a policy that counts, it lies in `batch_partition`, and might in any other: then
/// that is said with it.
fn new_context(
    api: &ApiContext,
    submission: Submission,
    batch_partition: PartitionId,
) -> (NewContext, bool) {
    let partitions = api.store.partitions();
    let uniq = api.uniq();
    let placement = Placement::of(
        None,
        &submission.routing,
        (&submission.workers, &submission.resources),
    );
    let dedup = submission.dedup.map(|dedup| {
        let keep = dedup.keep_ms.map_or(DEDUP_KEPT, Duration::from_millis);
        (dedup.key, keep)
    });
    let certain = match (&dedup, &placement) {
        (Some((key, _)), _) => Some(partition_of(key.as_str(), partitions)),
        // What a policy counts lies in one partition, so contexts that are counted together do.
        (None, Some(placement)) if placement.routing.policy.is_stateful() => {
            Some(partition_of(&placement.id().to_string(), partitions))
        }
        (None, _) => None,
    };
    let options = Options {
        placement: placement.as_ref().map(Placement::id),
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
        dedup: dedup.as_ref().map(|(key, _)| key.name()),
        ..Options::from(&submission.options)
    };
    let context = NewContext {
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
        namespace: submission.namespace,
        uniq,
        dedup,
        partition: certain.unwrap_or(batch_partition),
        placement: placement.map(Arc::new),
    };
    (context, certain.is_none())
}
