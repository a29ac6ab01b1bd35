//! A context while it waits: the member of the wheel, of a ready set, of an overlap queue and of the dead.

use std::fmt::Write;

use bytes::{BufMut, Bytes, BytesMut};
use tickwheel_core::id::{AttemptNo, ContextId, GroupName, HandlerName};
use tickwheel_core::job::Priority;

use super::{Fields, Options, Queue};
use crate::error::Error;

/// `<id> <attempt>:<failures> <rest>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Identity; its due time and job are readable from it.
    pub id: ContextId,
    /// The highest attempt number used so far; none before the first claim.
    pub attempt: AttemptNo,
    /// Attempts that failed, timed out or lost their lease.
    pub failures: u32,
    /// What to run.
    pub rest: Rest,
}

/// What of a context never changes with its attempts: `<group> <handler> <priority> <options> <body>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The workers it is meant for.
    pub group: GroupName,
    /// The handler to run.
    pub handler: HandlerName,
    /// Order within a ready set.
    pub priority: Priority,
    /// Lease, timeout, retries, deadlines.
    pub options: Options,
    /// The caller's bytes.
    pub body: Bytes,
}

impl Member {
    /// Reads a member; the body shares its memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the text does not follow the grammar.
    pub fn parse(text: Bytes) -> Result<Self, Error> {
        let mut fields = Fields::new("record/member", text);
        let id = fields.parse()?;
        let (attempt, failures) = fields.counts()?;
        let rest = Rest::read(&mut fields)?;
        Ok(Self {
            id,
            attempt: AttemptNo::new(attempt),
            failures,
            rest,
        })
    }

    /// The text of a context that was never claimed.
    #[must_use]
    pub fn encode_new(id: &ContextId, rest: &[u8]) -> Bytes {
        let mut text = BytesMut::with_capacity(id.as_str().len() + 5 + rest.len());
        text.put_slice(id.as_str().as_bytes());
        text.put_slice(b" 0:0 ");
        text.put_slice(rest);
        text.freeze()
    }
}

impl Rest {
    /// Reads a rest, such as a job's template; the body shares its memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the text does not follow the grammar.
    pub fn parse(text: Bytes) -> Result<Self, Error> {
        Self::read(&mut Fields::new("record/rest", text))
    }

    /// The text for these parts.
    #[must_use]
    pub fn encode(
        group: &GroupName,
        handler: &HandlerName,
        priority: Priority,
        options: impl Into<Options>,
        body: &[u8],
    ) -> Bytes {
        let mut head = String::with_capacity(64);
        // Writing to a string cannot fail.
        write!(
            head,
            "{group} {handler} {} {} ",
            priority.as_u8(),
            options.into()
        )
        .ok();
        let mut text = BytesMut::with_capacity(head.len() + body.len());
        text.put_slice(head.as_bytes());
        text.put_slice(body);
        text.freeze()
    }

    /// The queue in which it waits for a permit.
    #[must_use]
    pub fn queue(&self) -> Queue {
        Queue {
            group: self.group.clone(),
            handler: self.handler.clone(),
            placement: self.options.placement,
            fair: self.options.key.is_some(),
            stopped: None,
        }
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let group = fields.parse()?;
        let handler = fields.parse()?;
        let priority = Priority::new(fields.parse()?).map_err(|_| fields.malformed())?;
        let options = fields.parse()?;
        Ok(Self {
            group,
            handler,
            priority,
            options,
            body: fields.rest(),
        })
    }
}
