//! What is submitted: a body for a handler, and what shall become of it.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::{Task, TimestampMs};
use tickwheel_proto::v1;
use tickwheel_proto::v1::submission::When;

use crate::error::Error;

/// What becomes of a submission whose key stands for another context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reuse {
    /// It is answered with the other context.
    ReturnExisting,
    /// The same, marked as rejected.
    Reject,
    /// It takes the key: the other one is cancelled if it waits, and goes on if it runs.
    Replace,
}

/// A context to be: at once, unless it says otherwise, and with the defaults of every option.
///
/// `T` is the task it was made of, and `()` for one that only names its handler.
#[derive(Debug, Clone)]
#[must_use = "it does nothing until `Client::send`"]
pub struct Submission<T = ()> {
    message: v1::Submission,
    task: PhantomData<fn() -> T>,
}

impl Submission {
    /// For the handler `handler` of group `default`, without a body.
    pub fn to(handler: impl Into<String>) -> Self {
        Self {
            message: v1::Submission {
                handler: handler.into(),
                ..v1::Submission::default()
            },
            task: PhantomData,
        }
    }

    /// The workers it is meant for.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.message.group = group.into();
        self
    }

    /// Its body, at most 256 KiB.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.message.body = body.into();
        self
    }
}

impl<T: Task> Submission<T> {
    /// For the handler of `task`.
    ///
    /// # Errors
    /// [`Error::Json`] when it cannot be written.
    pub fn of(task: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(task).map_err(|source| Error::Json {
            what: format!("a body of `{}`", T::HANDLER),
            source,
        })?;
        let message = v1::Submission {
            group: T::GROUP.to_owned(),
            handler: T::HANDLER.to_owned(),
            body: body.into(),
            ..v1::Submission::default()
        };
        Ok(Self {
            message,
            task: PhantomData,
        })
    }
}

impl<T> Submission<T> {
    /// The namespace it belongs to: its dedup key is one of this namespace. Default: `default`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.message.namespace = namespace.into();
        self
    }

    /// It is due this long after it is accepted, by the cluster's clock.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.message.when = Some(When::DelayMs(ms(delay)));
        self
    }

    /// It is due then; at once, when that is past.
    pub fn at(mut self, due: TimestampMs) -> Self {
        self.message.when = Some(When::AtMs(due.as_u64()));
        self
    }

    /// A key of the caller's, 1 to 256 bytes: within its keep time it stands for one context, so that the submission can be made again.
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.message.dedup_key = key.into();
        self
    }

    /// How long the key stands for the context behind its due time. Default: 24 hours.
    pub fn dedup_keep(mut self, keep: Duration) -> Self {
        self.message.dedup_keep_ms = Some(ms(keep));
        self
    }

    /// What becomes of it when the key stands for another context. Default: [`Reuse::ReturnExisting`].
    pub fn dedup_reuse(mut self, reuse: Reuse) -> Self {
        self.message.dedup_reuse = match reuse {
            Reuse::ReturnExisting => v1::DedupReuse::ReturnExisting,
            Reuse::Reject => v1::DedupReuse::Reject,
            Reuse::Replace => v1::DedupReuse::Replace,
        }
        .into();
        self
    }

    /// Its place among those that wait, 0 (last) to 4 (first). Default: 2.
    pub fn priority(self, priority: u32) -> Self {
        self.options(|options| options.priority = Some(priority))
    }

    /// How long one attempt may take. Default: without a limit.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.options(|options| options.timeout_ms = Some(ms(timeout)))
    }

    /// Changes any of its options: retries, deadlines, which workers fit, what it takes of them.
    pub fn options(mut self, change: impl FnOnce(&mut v1::ContextOptions)) -> Self {
        change(self.message.options.get_or_insert_default());
        self
    }

    /// As it travels.
    #[must_use]
    pub fn into_message(self) -> v1::Submission {
        self.message
    }
}

impl<T> From<Submission<T>> for v1::Submission {
    fn from(submission: Submission<T>) -> Self {
        submission.message
    }
}

pub(crate) fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
