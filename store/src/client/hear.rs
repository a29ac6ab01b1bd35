//! Wake messages: sharded channels on a connection of their own.
//!
//! Whether a channel is heard is never taken from the client library: a connection that broke has lost every subscription, a slot that
//! moves takes its channel with it while the connection stays open, and a connection may be dead without anybody saying so.
//!
//! ```text
//! hear.rs    one ear after the other, until nobody listens
//! ear.rs     one connection: subscribes to whatever is missing, follows slots that move
//! probes.rs what is published on a channel must come back through the ear, or the ear is replaced
//! state.rs   which channels are subscribed to, and what is told of it
//! ```

mod ear;
mod end;
mod probes;
mod state;
mod told;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::Redis;
use super::setup::{RECONNECT_MAX, RECONNECT_MIN};
use crate::error::Error;
use crate::seldom::Seldom;
use ear::Ear;
use end::End;
use state::State;
pub use told::{Heard, Hearing};

/// Wake messages that wait for a slow tracker. When there are more they are dropped, and a look at every partition follows.
const MESSAGES_MAX: usize = 16_384;
/// An ear that hears nothing is said to be replaced at most this often.
const SAY_DEAF_EVERY: Duration = Duration::from_secs(10);

/// The metric of ears that did not hear their own probes, or could not subscribe, and were replaced.
pub const WAKE_DEAF: &str = "tickwheel_wake_deaf_total";

impl Redis {
    /// Hears the sharded channels on a connection of its own until the receiver is dropped, and shows how many of them it hears.
    ///
    /// While some are missing, [`Heard::Gap`] comes each second.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection or a subscription fails at the start; later failures are ridden out and told as
    /// [`Heard::Gap`].
    pub async fn hear(
        &self,
        channels: Vec<String>,
    ) -> Result<(mpsc::Receiver<Heard>, watch::Receiver<Hearing>), Error> {
        let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
        let (state, hearing) = State::new(channels, sender);
        let (state, redis) = (Arc::new(state), self.clone());
        let ear = Ear::open(&redis, &state).await?;
        tokio::spawn(listen(redis, state, ear));
        Ok((receiver, hearing))
    }

    /// As [`hear`](Self::hear), for those who do not ask how many channels are heard.
    ///
    /// # Errors
    /// As [`hear`](Self::hear).
    pub async fn subscribe(&self, channels: Vec<String>) -> Result<mpsc::Receiver<Heard>, Error> {
        Ok(self.hear(channels).await?.0)
    }
}

/// One ear after the other, until nobody listens.
async fn listen(redis: Redis, state: Arc<State>, mut ear: Ear) {
    let deaf = Seldom::every(SAY_DEAF_EVERY);
    loop {
        let reason = match ear.live(&redis, &state).await {
            End::Unwanted => return,
            End::Deaf(reason) => reason,
        };
        metrics::counter!(WAKE_DEAF).increment(1);
        if let Some(kept_back) = deaf.say(WAKE_DEAF) {
            tracing::warn!(%reason, kept_back, "wake messages are not heard: connecting anew");
        }
        state.lose_all();
        let mut pause = RECONNECT_MIN;
        ear = loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = state.unwanted() => return,
            }
            pause = (pause * 2).min(RECONNECT_MAX);
            // Nothing is subscribed to: what is due is found by looking.
            state.tell_gap();
            match Ear::connect(&redis, &state).await {
                Ok(ear) => break ear,
                Err(error) => tracing::debug!(%error, "no connection for wake messages yet"),
            }
        };
    }
}
