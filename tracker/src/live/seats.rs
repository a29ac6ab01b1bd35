//! How many streams there may be, in all and of one token.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_core::access::TokenId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Streams of one tracker.
const STREAMS_MAX: usize = 1_024;
/// Streams of one token at one tracker.
const STREAMS_OF_TOKEN: usize = 256;

/// The streams that are open.
#[derive(Debug)]
pub(super) struct Seats {
    room: Arc<Semaphore>,
    by_token: Arc<Mutex<HashMap<TokenId, usize>>>,
}

/// The place of one stream; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    _room: OwnedSemaphorePermit,
    by_token: Arc<Mutex<HashMap<TokenId, usize>>>,
    token: Option<TokenId>,
}

impl Seats {
    pub(super) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(STREAMS_MAX)),
            by_token: Arc::default(),
        }
    }

    /// A place for a stream of this token; `None` is nobody's, where nobody is asked for one.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none.
    pub(super) fn take(&self, token: Option<&TokenId>) -> Result<Seat, Error> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Error::Busy(format!(
                "{STREAMS_MAX} streams are open at this tracker: ask another one, or in a moment"
            ))
        })?;
        if let Some(token) = token {
            let mut by_token = self.by_token.lock();
            let count = by_token.entry(token.clone()).or_default();
            if *count >= STREAMS_OF_TOKEN {
                return Err(Error::Busy(format!(
                    "your token has {STREAMS_OF_TOKEN} streams at this tracker: close some, or show another one"
                )));
            }
            *count += 1;
        }
        Ok(Seat {
            _room: room,
            by_token: Arc::clone(&self.by_token),
            token: token.cloned(),
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            let mut by_token = self.by_token.lock();
            if let Some(count) = by_token.get_mut(token) {
                *count -= 1;
                if *count == 0 {
                    by_token.remove(token);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_some_and_all_together_have_a_thousand() {
        let seats = Seats::new();
        let token = TokenId::random([1; 12]);
        let mut of_token: Vec<Seat> = (0..STREAMS_OF_TOKEN)
            .map(|_| seats.take(Some(&token)).unwrap())
            .collect();
        assert!(seats.take(Some(&token)).is_err());
        let other = seats.take(Some(&TokenId::random([2; 12]))).unwrap();
        of_token.pop();
        let again = seats.take(Some(&token)).unwrap();
        let rest: Vec<Seat> = (0..STREAMS_MAX - STREAMS_OF_TOKEN - 1)
            .map(|_| seats.take(None).unwrap())
            .collect();
        assert!(matches!(seats.take(None), Err(Error::Busy(_))));
        drop((of_token, other, again, rest));
        assert!(seats.by_token.lock().is_empty());
        assert_eq!(seats.room.available_permits(), STREAMS_MAX);
    }
}
