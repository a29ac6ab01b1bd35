//! What a simulated handler does: its body says it.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_proto::v1::settlement::Outcome;

use crate::rng::Rng;

/// A handler's behaviour, written into the body as five numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    takes_ms: u64,
    /// Failures before it succeeds.
    fails: u64,
    kind: u64,
    retry_after_ms: u64,
    /// What it maps before it ends.
    items: u64,
}

const FATAL: u64 = 1;
const RETRY_AFTER: u64 = 2;
const DEAF: u64 = 3;

impl Work {
    /// Mostly short and good, sometimes long, failing, fatal or deaf to cancellations.
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let takes_ms = if rng.one_in(4) {
            rng.between(300, 3_000)
        } else {
            rng.below(60)
        };
        let fails = if rng.one_in(3) { rng.between(1, 3) } else { 0 };
        let kind = if rng.one_in(6) { rng.between(1, 3) } else { 0 };
        Self {
            takes_ms,
            fails,
            kind,
            retry_after_ms: rng.below(500),
            items: if rng.one_in(10) { rng.between(1, 5) } else { 0 },
        }
    }

    /// The same in a moment: what is split has many parts.
    pub(crate) fn quick(self) -> Self {
        Self {
            takes_ms: self.takes_ms % 60,
            ..self
        }
    }

    pub(crate) fn body(self) -> Bytes {
        let Self {
            takes_ms,
            fails,
            kind,
            retry_after_ms,
            items,
        } = self;
        format!("{takes_ms} {fails} {kind} {retry_after_ms} {items}").into()
    }

    pub(crate) fn read(body: &[u8]) -> Self {
        let text = str::from_utf8(body).unwrap_or_default();
        let mut numbers = text.split(' ').map(|word| word.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            takes_ms: next(),
            fails: next(),
            kind: next(),
            retry_after_ms: next(),
            items: next(),
        }
    }

    /// How many items it maps.
    pub(crate) fn items(self) -> u64 {
        self.items
    }

    /// What becomes of its item of this number: every seventh maps once more, some fail.
    pub(crate) fn part(self, number: u64) -> Self {
        let mix = self.takes_ms + 7 * number;
        Self {
            takes_ms: mix % 80,
            fails: if mix.is_multiple_of(5) {
                1 + mix % 3
            } else {
                0
            },
            kind: 0,
            retry_after_ms: 0,
            // What is mapped by a part maps no more.
            items: u64::from(self.items > 1 && mix.is_multiple_of(7)),
        }
    }

    pub(crate) fn takes(self) -> Duration {
        Duration::from_millis(self.takes_ms)
    }

    pub(crate) fn is_deaf(self) -> bool {
        self.kind == DEAF
    }

    pub(crate) fn retry_after_ms(self) -> u64 {
        self.retry_after_ms
    }

    pub(crate) fn outcome(self, failures: u32) -> Outcome {
        match self.kind {
            _ if u64::from(failures) >= self.fails => Outcome::Succeeded,
            FATAL => Outcome::Fatal,
            RETRY_AFTER => Outcome::RetryAfter,
            _ => Outcome::Failed,
        }
    }
}
