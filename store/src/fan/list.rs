//! Reading how far the subtasks of a context are. Script: `lua/fan/list.lua`.

use std::collections::HashMap;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{AttemptNo, ContextId, WorkerId};
use tickwheel_core::time::TimestampMs;

use super::results::result;
use super::shard_body;
use crate::error::Error;
use crate::fields::Fields;
use crate::listed::Listed;
use crate::record::{Held, Member, Rest, SubtaskKind, error_type};
use crate::reply::Reply;
use crate::script::LIST_FAN;
use crate::store::Store;

/// How far the subtasks of a context are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FanView {
    /// `map`, `broadcast`, `sharding` or `indexed`.
    pub model: String,
    /// `open` while more subtasks may come, `closed`, `reducing`, `dropping`, or `ended` with its root.
    pub state: String,
    /// The handler that runs at the end; empty: none.
    pub reduce: String,
    /// When it was split.
    pub created: TimestampMs,
    /// Redis' clock; when the root ended, where it has.
    pub now: TimestampMs,
    /// Subtasks in all, so far.
    pub total: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Ended otherwise.
    pub failed: u64,
    /// Run now, the reduce among them.
    pub running: u64,
    /// Wait for their next attempt.
    pub retrying: u64,
}

/// A state in which subtasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubtaskState {
    /// Of an attempt.
    Running,
    /// For their next attempt, in the wheel.
    Retrying,
    /// For a permit.
    Waiting,
    /// For good.
    Failed,
    /// While results are kept.
    Succeeded,
}

/// A subtask wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtaskView {
    /// Identity.
    pub id: ContextId,
    /// Where it is in its life.
    pub state: SubtaskState,
    /// Its handler; empty of one that has ended.
    pub handler: String,
    /// Its highest attempt so far.
    pub attempt: AttemptNo,
    /// Attempts that failed, timed out or lost their lease.
    pub failures: u32,
    /// Who runs it, or ran its last attempt, as far as that is kept.
    pub worker: Option<WorkerId>,
    /// When that attempt was claimed, of a part whose root has ended.
    pub claimed: Option<TimestampMs>,
    /// When it ended, of a part whose root has ended.
    pub ended: Option<TimestampMs>,
    /// Why it failed.
    pub error: String,
    /// What it is given; of one that has ended what it returned, of a part whose root has ended the first 1,024 bytes of that.
    pub body: Bytes,
    /// Of one that succeeded: bytes that it returned.
    pub result_bytes: u64,
}

impl SubtaskState {
    /// Every state, in the order of a list of all.
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Retrying,
        Self::Waiting,
        Self::Failed,
        Self::Succeeded,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }
}

impl FanView {
    /// Subtasks that wait for a permit or for their next attempt.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.total
            .saturating_sub(self.succeeded + self.failed + self.running)
    }

    /// Whether the root has ended: what is told of its subtasks is what was kept.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state == "ended"
    }

    /// Milliseconds until all subtasks known now have ended, at the rate so far.
    #[must_use]
    pub fn eta_ms(&self) -> Option<u64> {
        let ended = self.succeeded + self.failed;
        let left = self.total.saturating_sub(ended);
        let took = self.now.as_u64().saturating_sub(self.created.as_u64());
        (ended > 0 && !self.has_ended()).then(|| took.saturating_mul(left) / ended)
    }
}

impl Store {
    /// How far the subtasks of `root` are, or were when it ended; `None` when it was not split, or nothing of that is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn fan_view(&self, root: &ContextId) -> Result<Option<FanView>, Error> {
        let page = self.fan_page(root, None, "", 1).await?;
        Ok(page.map(|(fan, _)| fan))
    }

    /// A page of at most `limit` (1 to 1,000) subtasks of `root` in one state;
    /// a page may have fewer, or none. Of a root that has ended: the first 1,000 that failed, and of a broadcast or a sharding the others too.
    /// `None` when the context was not split, or nothing of that is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_subtasks(
        &self,
        root: &ContextId,
        state: SubtaskState,
        (position, limit): (&str, u32),
    ) -> Result<Option<(FanView, Listed<SubtaskView>)>, Error> {
        self.fan_page(root, Some(state), position, limit).await
    }

    async fn fan_page(
        &self,
        root: &ContextId,
        state: Option<SubtaskState>,
        position: &str,
        limit: u32,
    ) -> Result<Option<(FanView, Listed<SubtaskView>)>, Error> {
        let args = vec![
            Value::from(root.as_str()),
            Value::from(state.map_or("", SubtaskState::as_str)),
            Value::from(position),
            Value::from(limit.to_string()),
        ];
        let (status, reply) = self.call_fan(&LIST_FAN, root, args).await?;
        match status.as_str() {
            "NO_FAN" => return Ok(None),
            "FAN" => {}
            other => return Err(Error::contract(LIST_FAN.name(), other)),
        }
        Fields::read(reply, |fields| {
            let now = TimestampMs::new(fields.number("now_ms")?);
            let fan = view(&fields.required("fan")?.texts()?, now);
            let mut page = Listed {
                next: fields.text_or_empty("position")?,
                unreadable: fields.count("unreadable")?,
                ..Listed::default()
            };
            let mut items = fields.list("items")?;
            while !items.is_empty() {
                let item = items.list()?;
                if let Some(state) = state {
                    let read = if fan.has_ended() {
                        kept(item, state)
                    } else {
                        subtask(item, state)
                    };
                    page.add(LIST_FAN.name(), read)?;
                }
            }
            Ok(Some((fan, page)))
        })
    }
}

fn view(fields: &[String], now: TimestampMs) -> FanView {
    let fields: HashMap<&str, &str> = fields
        .chunks_exact(2)
        .filter_map(|pair| Some((pair.first()?.as_str(), pair.get(1)?.as_str())))
        .collect();
    let text = |name: &str| fields.get(name).copied().unwrap_or_default().to_owned();
    let number = |name: &str| text(name).parse().unwrap_or(0);
    FanView {
        model: text("model"),
        state: text("state"),
        reduce: text("reduce"),
        created: TimestampMs::new(number("created_ms")),
        now,
        total: number("total"),
        succeeded: number("succeeded"),
        failed: number("failed"),
        running: number("out"),
        retrying: number("later"),
    }
}

/// The body that the handler sees.
fn body_of(rest: Rest) -> Bytes {
    let shard = rest
        .options
        .part
        .is_some_and(|part| part.kind == SubtaskKind::Shard);
    match shard_body(&rest.body) {
        Some((_, body)) if shard => body,
        _ => rest.body,
    }
}

/// One `{ id, handler, text }`.
fn subtask(mut item: Reply, state: SubtaskState) -> Result<SubtaskView, Error> {
    let (id, handler, text) = (item.parsed()?, item.text()?, item.bytes()?);
    let mut view = SubtaskView {
        id,
        state,
        handler,
        attempt: AttemptNo::NONE,
        failures: 0,
        worker: None,
        claimed: None,
        ended: None,
        error: String::new(),
        body: Bytes::new(),
        result_bytes: 0,
    };
    match state {
        SubtaskState::Running => {
            let held = Held::parse(text)?;
            (view.attempt, view.failures) = (held.attempt, held.failures);
            view.worker = Some(held.worker);
            view.body = body_of(held.rest);
        }
        SubtaskState::Retrying | SubtaskState::Waiting => {
            let member = Member::parse(text)?;
            (view.attempt, view.failures) = (member.attempt, member.failures);
            view.body = body_of(member.rest);
        }
        SubtaskState::Failed | SubtaskState::Succeeded => match result(&text)?.end {
            Ok(bytes) => {
                view.result_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                view.body = bytes;
            }
            Err(error) => view.error = error,
        },
    }
    Ok(view)
}

/// A part of a root that has ended: `<number> <s or f> <attempt> <worker or -> <claimed ms> <ended ms> <error>`; in the place of the error
/// `<bytes> <beginning of the result>` of one that succeeded, if it returned anything.
fn kept(mut item: Reply, state: SubtaskState) -> Result<SubtaskView, Error> {
    let (id, _, text) = (item.parsed()?, item.text()?, item.bytes()?);
    let unreadable = || Error::contract(LIST_FAN.name(), &text);
    let mut words = text.splitn(7, |byte| *byte == b' ').skip(2);
    let mut word = || words.next().ok_or_else(unreadable);
    let number = |word: &[u8]| {
        let word = std::str::from_utf8(word).map_err(|_| unreadable())?;
        word.parse::<u64>().map_err(|_| unreadable())
    };
    let attempt = u32::try_from(number(word()?)?).map_err(|_| unreadable())?;
    let worker = String::from_utf8_lossy(word()?);
    let (claimed, ended, told) = (number(word()?)?, number(word()?)?, word()?);
    let at = |ms: u64| (ms > 0).then(|| TimestampMs::new(ms));
    let mut view = SubtaskView {
        id,
        state,
        handler: String::new(),
        attempt: AttemptNo::new(attempt),
        failures: 0,
        worker: (worker != "-")
            .then(|| WorkerId::new(worker).ok())
            .flatten(),
        claimed: at(claimed),
        ended: at(ended),
        error: String::new(),
        body: Bytes::new(),
        result_bytes: 0,
    };
    if state == SubtaskState::Failed {
        (_, view.error) = error_type::split(&String::from_utf8_lossy(told));
    } else if !told.is_empty() {
        let mut parts = told.splitn(2, |byte| *byte == b' ');
        view.result_bytes = number(parts.next().unwrap_or_default())?;
        view.body = Bytes::copy_from_slice(parts.next().ok_or_else(unreadable)?);
    }
    Ok(view)
}
