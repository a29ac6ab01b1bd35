//! The cancellation of one attempt: told once, seen by the handler whenever it looks.
//!
//! Cheaper than a token of tokio-util, since every attempt has one and few are used.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tickwheel_proto::v1::cancel_attempt::Reason;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Why a handler should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested,
    /// The attempt ran longer than its context allows.
    TimedOut,
    /// A newer firing of the same job takes its place.
    Replaced,
    /// The lease is lost: another attempt may already run. Stop side effects at once; the outcome will not count.
    Fenced,
    /// The worker ends and its drain time is used up; another worker will repeat the context, without a failure.
    Draining,
}

impl CancelReason {
    const ALL: [Self; 5] = [
        Self::Requested,
        Self::TimedOut,
        Self::Replaced,
        Self::Fenced,
        Self::Draining,
    ];

    const fn code(self) -> u8 {
        match self {
            Self::Requested => 1,
            Self::TimedOut => 2,
            Self::Replaced => 3,
            Self::Fenced => 4,
            Self::Draining => 5,
        }
    }

    /// A reason of a newer tracker that this SDK does not know is a request.
    pub(crate) fn of_wire(reason: i32) -> Self {
        match Reason::try_from(reason).unwrap_or_default() {
            Reason::Unspecified | Reason::Requested => Self::Requested,
            Reason::TimedOut => Self::TimedOut,
            Reason::Replaced => Self::Replaced,
            Reason::Fenced => Self::Fenced,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Cancel {
    reason: AtomicU8,
    seen: AtomicBool,
    since: OnceLock<Instant>,
    told: Notify,
}

impl Cancel {
    /// Tells the handler. The first reason stays, but a lost lease outranks all others and a drain none.
    pub(crate) fn cancel(&self, reason: CancelReason, now: Instant) {
        let change = self
            .reason
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |code| {
                let weak = code == 0 || code == CancelReason::Draining.code();
                (weak || reason == CancelReason::Fenced).then_some(reason.code())
            });
        if change.is_ok() {
            self.since.get_or_init(|| now);
            self.told.notify_waiters();
        }
    }

    pub(crate) fn reason(&self) -> Option<CancelReason> {
        let code = self.reason.load(Ordering::Acquire);
        CancelReason::ALL
            .into_iter()
            .find(|reason| reason.code() == code)
    }

    /// When the first reason was told.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since.get().copied()
    }

    /// Like `reason`, and remembers that the handler knows.
    pub(crate) fn look(&self) -> Option<CancelReason> {
        let reason = self.reason();
        if reason.is_some() {
            self.seen.store(true, Ordering::Release);
        }
        reason
    }

    pub(crate) fn was_seen(&self) -> bool {
        self.seen.load(Ordering::Acquire)
    }

    /// Until there is a reason. Cancel safe.
    pub(crate) async fn told(&self) -> CancelReason {
        loop {
            let told = self.told.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if let Some(reason) = self.reason() {
                return reason;
            }
            told.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_stays_unless_the_lease_is_lost() {
        let cancel = Cancel::default();
        let now = Instant::now();
        cancel.cancel(CancelReason::Draining, now);
        cancel.cancel(CancelReason::Requested, now);
        cancel.cancel(CancelReason::TimedOut, now);
        assert_eq!(cancel.told().await, CancelReason::Requested);
        cancel.cancel(CancelReason::Fenced, now);
        assert_eq!(cancel.reason(), Some(CancelReason::Fenced));
        assert_eq!(cancel.since(), Some(now));
        assert!(!cancel.was_seen());
        assert!(cancel.look().is_some() && cancel.was_seen());
    }
}
