//! The handlers of a worker by name.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::attempt::Attempt;
use crate::bounds::{BATCH_MAX, WINDOW_MAX};
use crate::context::Context;
use crate::error::{Error, HandlerResult};
use crate::handler::Handler;
use crate::middleware::{Chain, Middleware, Next};
use crate::state::State;

/// Bytes of a handler, group or tag.
const NAME_BYTES_MAX: usize = 128;
/// The greatest share under the routing policy `weighted`.
const WEIGHT_MAX: u32 = 10_000;

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(crate) handler: Arc<dyn Handler>,
}

/// The handlers, what they share, and what runs around them.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    handlers: HashMap<Arc<str>, Entry>,
    state: Arc<State>,
    /// The first type of state that was given twice.
    state_twice: Option<&'static str>,
    around: Chain,
    twice: Option<Arc<str>>,
    /// The first batch that cannot be.
    misconfigured: Option<String>,
    /// Handlers of tasks, and the groups that these say.
    groups: Vec<(&'static str, &'static str)>,
}

impl Registry {
    pub(crate) fn add(&mut self, name: &str, handler: Arc<dyn Handler>) {
        let name: Arc<str> = Arc::from(name);
        let entry = Entry {
            name: Arc::clone(&name),
            handler,
        };
        if self.handlers.insert(Arc::clone(&name), entry).is_some() {
            self.twice = Some(name);
        }
    }

    pub(crate) fn state<T: Send + Sync + 'static>(&mut self, value: T) {
        if !Arc::make_mut(&mut self.state).insert(value) {
            self.state_twice.get_or_insert(std::any::type_name::<T>());
        }
    }

    pub(crate) fn wrap(&mut self, middleware: Arc<dyn Middleware>) {
        let around = self.around.iter().cloned();
        self.around = around.chain([middleware]).collect();
    }

    /// What an attempt gets to see.
    pub(crate) fn context(&self, attempt: &Arc<Attempt>) -> Context {
        Context::new(Arc::clone(attempt), Arc::clone(&self.state))
    }

    /// Calls `handler`, with what is around it.
    pub(crate) fn call(
        &self,
        handler: Arc<dyn Handler>,
        ctx: Context,
        body: Bytes,
    ) -> BoxFuture<'static, HandlerResult<Bytes>> {
        if self.around.is_empty() {
            return handler.call(ctx, body);
        }
        Next::new(Arc::clone(&self.around), handler).run(ctx, body)
    }

    /// A handler of batches of 1 to 65,536, each open for up to a minute.
    pub(crate) fn check_batch(&mut self, name: &str, max: usize, window: Duration) {
        let wrong = if !(1..=BATCH_MAX).contains(&max) {
            format!("a batch of \"{name}\" has 1 to {BATCH_MAX} contexts, {max} are given")
        } else if window > WINDOW_MAX {
            format!("the window of \"{name}\" is at most {WINDOW_MAX:?}, {window:?} is given")
        } else {
            return;
        };
        self.misconfigured.get_or_insert(wrong);
    }

    /// A task says which group has its handler.
    pub(crate) fn note_group(&mut self, name: &'static str, group: &'static str) {
        self.groups.push((name, group));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.handlers.get(name)
    }

    /// The names in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .handlers
            .keys()
            .map(|name| String::from(&**name))
            .collect();
        names.sort_unstable();
        names
    }

    /// What of the handlers breaks a rule, of a worker of `group`.
    pub(crate) fn check(&self, group: &str) -> Result<(), Error> {
        if let Some((name, other)) = self.groups.iter().find(|(_, other)| *other != group) {
            return Err(Error::invalid(
                "group",
                format!(
                    "task \"{name}\" is one of group \"{other}\", and the worker of \"{group}\""
                ),
            ));
        }
        if let Some(name) = self.state_twice {
            let rule = format!("a value of type `{name}` is given twice");
            return Err(Error::invalid("state", rule));
        }
        if let Some(name) = &self.twice {
            return Err(Error::invalid(
                "handle",
                format!("handler \"{name}\" is given twice"),
            ));
        }
        if let Some(misconfigured) = &self.misconfigured {
            return Err(Error::invalid("batch", misconfigured.as_str()));
        }
        if self.handlers.is_empty() {
            return Err(Error::invalid(
                "handle",
                "a worker needs at least one handler",
            ));
        }
        self.handlers
            .keys()
            .try_for_each(|name| check_parts("handle", name))
    }
}

/// The rule for names that travel: letters, digits, and `. _ / -`, up to 128.
pub(crate) fn check_name(setting: &'static str, name: &str) -> Result<(), Error> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
        let name = crate::bounds::clip(name, NAME_BYTES_MAX);
        let rule = "must be 1 to 128 letters, digits, dots, underscores, slashes or hyphens";
        return Err(Error::invalid(setting, format!("\"{name}\" {rule}")));
    }
    Ok(())
}

/// The rule for names of handlers and groups: as [`check_name`], and each part between slashes begins with a letter, a digit or `_`.
pub(crate) fn check_parts(setting: &'static str, name: &str) -> Result<(), Error> {
    check_name(setting, name)?;
    let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if !name.split('/').all(begins) {
        let rule = "must begin with a letter, a digit or _, behind each slash too";
        return Err(Error::invalid(setting, format!("\"{name}\" {rule}")));
    }
    Ok(())
}

/// A tag is a name, or a name and a value; a weight is a number.
pub(crate) fn check_tag(tag: &str) -> Result<(), Error> {
    let (name, value) = tag.split_once('=').unwrap_or((tag, "-"));
    check_name("tags", name)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-:+@%".contains(&byte);
    if value.is_empty() || value.len() > NAME_BYTES_MAX || !value.bytes().all(fits) {
        let tag = crate::bounds::clip(tag, NAME_BYTES_MAX);
        let rule = "must have a value of 1 to 128 letters, digits and . _ / - : + @ % behind its =";
        return Err(Error::invalid("tags", format!("\"{tag}\" {rule}")));
    }
    let weight = value.parse::<u32>().ok();
    if name == "weight" && !weight.is_some_and(|weight| (1..=WEIGHT_MAX).contains(&weight)) {
        let rule = format!("must be a weight of 1 to {WEIGHT_MAX}");
        return Err(Error::invalid("tags", format!("\"{tag}\" {rule}")));
    }
    Ok(())
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}
