//! Reading one context. Script: `lua/context/get.lua`.

use fred::types::Value;
use tickwheel_core::id::ContextId;

use super::log::{read_entry, tell_lost};
use super::{ContextView, PastAttempt};
use crate::error::Error;
use crate::fields::Fields;
use crate::record::{Dead, Rest, Settled};
use crate::reply::Reply;
use crate::script::GET_CONTEXT;
use crate::store::Store;

/// Steps of the search for one context that ended: more than the events and the dead of a partition can need.
const STEPS_MAX: usize = 512;

impl Store {
    /// The context of this id, with its log, progress and result. `None` when it was never there, or ended so long ago that it is
    /// forgotten.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the id names a partition this cluster does not have; [`Error::Unavailable`] when Redis does not answer.
    pub async fn get_context(&self, context: &ContextId) -> Result<Option<ContextView>, Error> {
        let mut cursor = String::new();
        for _ in 0..STEPS_MAX {
            let args = vec![Value::from(context.as_str()), Value::from(cursor)];
            let (status, mut reply) = self.call_context(&GET_CONTEXT, context, args).await?;
            match status.as_str() {
                "SEEK" => cursor = reply.text()?,
                "NOWHERE" => return Ok(None),
                status => return view(context, status, reply).map(Some),
            }
        }
        Ok(None)
    }
}

/// What stands behind the word `status`.
fn view(context: &ContextId, status: &str, reply: Reply) -> Result<ContextView, Error> {
    Fields::read(reply, |fields| {
        let view = match status {
            "LIVE" => {
                let (place, text) = (fields.text("place")?, fields.bytes("text")?);
                let score = fields.optional_number("score")?;
                ContextView::of_place(GET_CONTEXT.name(), context.clone(), &place, text, score)?
            }
            "ENDED" => ended(fields)?,
            "DEAD" => ContextView::of_dead(Dead::parse(&fields.bytes("dead")?)?),
            other => return Err(Error::contract(GET_CONTEXT.name(), other)),
        };
        with_traces(view, fields)
    })
}

fn ended(fields: &mut Fields) -> Result<ContextView, Error> {
    let view = ContextView::of_settled(Settled::parse(&fields.bytes("settled")?)?);
    let (member, template) = (
        fields.bytes_or_none("dead")?,
        fields.bytes_or_none("template")?,
    );
    if !member.is_empty() {
        return Ok(ContextView::of_dead(Dead::parse(&member)?));
    }
    if template.is_empty() {
        return Ok(view);
    }
    // A run by hand may have had another body than its job, so the job tells everything but that.
    let rest = Rest {
        body: bytes::Bytes::new(),
        ..Rest::parse(template)?
    };
    // What ran stands in its record; the job may have another group or handler by now.
    let (group, handler) = (view.group.clone(), view.handler.clone());
    let view = view.with_rest(rest);
    Ok(ContextView {
        group: group.or(view.group),
        handler: handler.or(view.handler),
        ..view
    })
}

fn with_traces(mut view: ContextView, fields: &mut Fields) -> Result<ContextView, Error> {
    let progress = fields.bytes_or_none("progress")?;
    if let Some((percent, message)) = String::from_utf8_lossy(&progress).split_once(' ') {
        // Nobody decides by it: one that cannot be read is as if there were none.
        let percent = percent.parse().ok();
        view.progress = percent.map(|percent| (percent, message.to_owned()));
    }
    view.result = fields.bytes_or_none("result")?;
    let lost = fields.count("lost")?;
    let mut entries = fields.list_or_empty("log")?;
    while !entries.is_empty() {
        read_entry(&entries.bytes()?, &mut view.log);
    }
    view.log_cut = fields.flag("cut")?;
    if !view.log_cut {
        tell_lost(&mut view.log, lost);
    }
    let mut attempts = fields.list_or_empty("attempts")?;
    while !attempts.is_empty() {
        let text = attempts.bytes()?;
        // An error is cut at its greatest length, which may be inside a character.
        let text = String::from_utf8_lossy(&text);
        // Nobody decides by it: one that cannot be read is passed by.
        view.attempts.extend(PastAttempt::parse(&text));
    }
    Ok(view)
}
