//! What was done and refused. Scripts: `lua/audit/`.

use fred::types::Value;
use serde::{Deserialize, Serialize};
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::fields::Fields;
use crate::listed::Listed;
use crate::reply::Reply;
use crate::script::{APPEND_AUDIT, LIST_AUDIT};
use crate::store::Store;

/// Events of one call.
pub const EVENTS_MAX: usize = 100;

/// Something that somebody did, or was refused. Nothing in it is longer than some hundred bytes, and nothing is a body or a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditEvent {
    /// The id of the token that was shown, where one is known.
    pub token: String,
    /// Its role.
    pub role: String,
    /// The address of whoever called.
    pub peer: String,
    /// The method.
    pub method: String,
    /// What it was about: the first ones.
    pub objects: Vec<String>,
    /// `OK`, or the code of the refusal.
    pub result: String,
    /// What the call is called.
    pub request: String,
    /// How many alike this stands for.
    pub count: u64,
    /// The tracker that wrote it.
    pub tracker: String,
}

/// An event, and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// By Redis' clock.
    pub at: TimestampMs,
    /// What it says.
    pub event: AuditEvent,
}

impl Store {
    /// Writes events down, at most [`EVENTS_MAX`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether they were written.
    pub async fn append_audit(&self, events: &[AuditEvent]) -> Result<(), Error> {
        let events = events.iter().take(EVENTS_MAX);
        let json = events.filter_map(|event| serde_json::to_string(event).ok());
        let args: Vec<Value> = json.map(Value::from).collect();
        if args.is_empty() {
            return Ok(());
        }
        let keys = vec![self.keys.audit()];
        let value = self.redis.call(&APPEND_AUDIT, keys, args).await?;
        Reply::expect(APPEND_AUDIT.name(), value, "APPENDED").map(drop)
    }

    /// A page of the events, the newest first, from behind `cursor` on, which is empty or that of an earlier page.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor that is none, [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_audit(&self, cursor: &str, limit: u32) -> Result<Listed<AuditEntry>, Error> {
        let is_entry = |cursor: &str| {
            let digits = |text: &str| {
                (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            cursor
                .split_once('-')
                .is_some_and(|(ms, n)| digits(ms) && digits(n))
        };
        if !cursor.is_empty() && !is_entry(cursor) {
            return Err(Error::bad_cursor(cursor));
        }
        let args = vec![Value::from(cursor), Value::from(limit.to_string())];
        let keys = vec![self.keys.audit()];
        let value = self.redis.call(&LIST_AUDIT, keys, args).await?;
        let reply = Reply::expect(LIST_AUDIT.name(), value, "EVENTS")?;
        Fields::read(reply, |fields| {
            let mut listed = Listed {
                next: fields.text_or_empty("cursor")?,
                ..Listed::default()
            };
            listed.skip(LIST_AUDIT.name(), fields.count("unreadable")?);
            let mut events = fields.list("events")?;
            while !events.is_empty() {
                let one = events.list()?;
                listed.add(LIST_AUDIT.name(), entry(one))?;
            }
            Ok(listed)
        })
    }
}

fn entry(mut one: Reply) -> Result<AuditEntry, Error> {
    let (id, json) = (one.text()?, one.bytes()?);
    let at = id.split_once('-').and_then(|(ms, _)| ms.parse().ok());
    let damaged = || Error::damaged(LIST_AUDIT.name(), &id);
    Ok(AuditEntry {
        at: TimestampMs::new(at.ok_or_else(damaged)?),
        event: serde_json::from_slice(&json).map_err(|_| damaged())?,
    })
}
