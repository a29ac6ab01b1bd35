//! Events of `tracing` inside of an attempt become lines of its context's log.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Weak};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::attempt::{Attempt, LogLevel};

thread_local! {
    /// Whose span is being made: a layer hears of it in the same call.
    static NEW: RefCell<Weak<Attempt>> = const { RefCell::new(Weak::new()) };
}

/// Makes the span of this attempt.
pub(super) fn made_for(attempt: &Arc<Attempt>, make: impl FnOnce() -> Span) -> Span {
    NEW.set(Arc::downgrade(attempt));
    let span = make();
    NEW.set(Weak::new());
    span
}

/// Sends the events of `tracing` that happen in an attempt to the log of its context, as [`Context::log_at`](crate::Context::log_at) does:
/// of the levels info, warn and error, unless it is told otherwise.
///
/// A filter over all layers has to let the span of the target `tickwheel_worker::attempt` pass, or no event is known to be of an attempt: one by
/// levels does (`warn`), one by targets has to name it (`my_program=info,tickwheel_worker=error`).
///
/// What a handler spawns belongs to the attempt where it is given its span (`.in_current_span()`). The call of a handler of batches is one
/// of many attempts, and belongs to none of them.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
/// use tracing_subscriber::util::SubscriberInitExt as _;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(tickwheel_worker::LogLayer::new())
///     .init();
/// ```
#[derive(Debug, Clone)]
pub struct LogLayer {
    max: LevelFilter,
}

impl Default for LogLayer {
    fn default() -> Self {
        Self {
            max: LevelFilter::INFO,
        }
    }
}

impl LogLayer {
    /// Of the levels info, warn and error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of the levels up to this one.
    #[must_use]
    pub fn max_level(self, max: LevelFilter) -> Self {
        Self { max }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max.max(LevelFilter::ERROR))
    }

    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let attempt = NEW.with_borrow(Weak::clone);
        if let Some(span) = ctx.span(id).filter(|_| attempt.strong_count() > 0) {
            span.extensions_mut().insert(attempt);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > self.max || is_of_the_sdk(metadata.target()) {
            return;
        }
        let Some(attempt) = ctx.event_scope(event).and_then(|mut scope| {
            scope.find_map(|span| span.extensions().get::<Weak<Attempt>>()?.upgrade())
        }) else {
            return;
        };
        let mut line = Line::default();
        event.record(&mut line);
        attempt.log_line(level_of(*metadata.level()), &line.text());
    }
}

/// What the SDK says of itself is none of the handler's, and may be said while it holds what a line needs.
fn is_of_the_sdk(target: &str) -> bool {
    let behind = target.strip_prefix("tickwheel_worker");
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with("::"))
}

fn level_of(level: Level) -> LogLevel {
    match level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warn,
        Level::ERROR => LogLevel::Error,
    }
}

/// The message of an event, and its other fields behind it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn text(self) -> String {
        format!("{}{}", self.message, self.fields)
            .trim_start()
            .to_owned()
    }

    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        if field.name() == "message" {
            write!(self.message, "{value}").ok();
        } else {
            write!(self.fields, " {}={value}", field.name()).ok();
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, format_args!("{value}"));
    }
}
