//! Requests of several callers in one script call, each with the answer that it would have alone.

use futures::future::{BoxFuture, FutureExt as _, join};
use tickwheel_core::partition::PartitionId;

use super::new_context::{NewContext, SubmittedContext};
use super::one_call::Failed;
use crate::error::Error;
use crate::store::Store;

/// What becomes of one request.
type Answer = Result<Vec<SubmittedContext>, Error>;

impl Store {
    /// Creates the contexts of several requests in `partition`, with one script call for all of them: as much as one call carries
    /// ([`super::CALL_WEIGHT`]) at most. Of each request all contexts are written, or none. The answers are in the order of the requests.
    ///
    /// When the call is refused, as something in it is, nothing of it is written, and its halves are called, and theirs, until whoever is
    /// refused is alone: others are written as if that one had not come.
    ///
    /// Dropping the future does not undo what was sent; what was not written by then may never be.
    pub async fn submit_together(
        &self,
        partition: PartitionId,
        mut requests: Vec<Vec<NewContext>>,
    ) -> Vec<Answer> {
        for context in requests.iter_mut().flatten() {
            context.partition = partition;
        }
        if let Err(error) = self.redis.has_room() {
            return alike(&error, requests.len());
        }
        self.together(partition, &requests).await
    }

    async fn together(&self, partition: PartitionId, requests: &[Vec<NewContext>]) -> Vec<Answer> {
        let contexts: Vec<&NewContext> = requests.iter().flatten().collect();
        match self.submit_at_once(partition, &contexts).await {
            Ok((submitted, confirmed)) => told(submitted, &confirmed, requests),
            Err(Failed::Refused(_)) if requests.len() > 1 => {
                let (first, second) = requests.split_at(requests.len() / 2);
                let halves = join(self.half(partition, first), self.half(partition, second));
                let (mut answers, others) = halves.await;
                answers.extend(others);
                answers
            }
            Err(Failed::Refused(error) | Failed::Undone(error)) => alike(&error, requests.len()),
        }
    }

    fn half<'a>(
        &'a self,
        partition: PartitionId,
        requests: &'a [Vec<NewContext>],
    ) -> BoxFuture<'a, Vec<Answer>> {
        self.together(partition, requests).boxed()
    }
}

/// To each request what is its own.
fn told(
    submitted: Vec<SubmittedContext>,
    confirmed: &Result<(), Error>,
    requests: &[Vec<NewContext>],
) -> Vec<Answer> {
    let mut submitted = submitted.into_iter();
    let own = |request: &Vec<NewContext>| {
        let own: Vec<SubmittedContext> = submitted.by_ref().take(request.len()).collect();
        match confirmed {
            Ok(()) => Ok(own),
            Err(error) => {
                let ids = own.into_iter().map(|context| context.id);
                Err(error.clone().of_contexts(ids))
            }
        }
    };
    requests.iter().map(own).collect()
}

/// The same error for each.
fn alike(error: &Error, requests: usize) -> Vec<Answer> {
    (0..requests).map(|_| Err(error.clone())).collect()
}
