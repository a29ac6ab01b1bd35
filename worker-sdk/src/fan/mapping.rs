//! How far the map calls of an attempt are.

use tickwheel_proto::v1::split_confirmation::Verdict;

use super::error::FanError;
use super::question::{Answer, Reply};

/// How far the map calls of an attempt are.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// A map call of this attempt came to its end, if only with no items.
    pub(super) mapped: bool,
    /// Items of this context before the next one.
    pub(super) offset: u64,
    /// Items of this context that Redis is known to have: those below are of an earlier attempt.
    pub(super) taken: u64,
    /// A page on its way. It stays when a call is dropped, so that the next one knows where it begins.
    pub(super) sent: Option<Sent>,
}

#[derive(Debug)]
pub(super) struct Sent {
    pub(super) reply: Reply,
    pub(super) items: u64,
}

impl Mapping {
    /// Until the page on its way is confirmed. Cancel safe.
    pub(super) async fn confirmed(&mut self) -> Result<(), FanError> {
        let Some(sent) = self.sent.as_mut() else {
            return Ok(());
        };
        let answer = (&mut sent.reply).await;
        let items = sent.items;
        self.sent = None;
        let Ok(Answer::Split(confirmation)) = answer else {
            return Err(FanError::LeaseLost);
        };
        match confirmation.verdict() {
            Verdict::Taken => {
                self.offset += items;
                self.taken = self.taken.max(confirmation.taken);
                Ok(())
            }
            Verdict::Stale => Err(FanError::LeaseLost),
            Verdict::Refused | Verdict::Unavailable | Verdict::Unspecified => {
                Err(FanError::Refused(confirmation.error))
            }
        }
    }
}
