//! Wake messages: sharded channels on a connection of their own.
//!
//! A slot that moves takes its channel with it, and the server ends the subscriptions of the channel without closing the connection. On a
//! cluster the layout is therefore asked for every [`LAYOUT_EVERY`], and the channels whose node changed are subscribed to again.

use std::time::Duration;

use fred::clients::SubscriberClient;
use fred::interfaces::{ClientLike, ClusterInterface, EventInterface, PubsubInterface};
use fred::types::config::Server;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::{Redis, Topology};
use crate::error::Error;

/// Wake messages that wait for a slow tracker. A full channel drops the oldest: a look at every partition follows.
const MESSAGES_MAX: usize = 16_384;
/// How long a moved channel may be deaf. What is submitted meanwhile is found when the channel hears again.
const LAYOUT_EVERY: Duration = Duration::from_secs(1);

/// A message of a sharded channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The channel and the text.
    Message(String, String),
    /// The connection is new, or messages were dropped: anything may have been missed.
    Gap,
}

impl Redis {
    /// Hears the sharded channels on a connection of its own until the receiver is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection or the subscription fails at the start; later failures are ridden out and
    /// told as [`Heard::Gap`].
    pub async fn subscribe(&self, channels: Vec<String>) -> Result<mpsc::Receiver<Heard>, Error> {
        let sort = |error| Error::from_redis("ssubscribe", error, ToOwned::to_owned);
        // A subscription may be repeated.
        let mut builder = self.builder.clone();
        builder.with_connection_config(|connection| {
            connection.max_command_attempts = 3;
            connection.max_redirections = 5;
        });
        let subscriber: SubscriberClient = builder.build_subscriber_client().map_err(sort)?;
        let mut messages = subscriber.message_rx();
        let mut reconnects = subscriber.reconnect_rx();
        subscriber.init().await.map_err(sort)?;
        for channel in &channels {
            subscriber
                .ssubscribe(channel.as_str())
                .await
                .map_err(sort)?;
        }
        let manage = subscriber.manage_subscriptions();
        let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
        let following = (self.topology == Topology::Cluster)
            .then(|| tokio::spawn(follow(subscriber.clone(), channels, sender.clone())));
        tokio::spawn(async move {
            loop {
                let heard = tokio::select! {
                    message = messages.recv() => match message {
                        Ok(message) => Heard::Message(message.channel.to_string(), message.value.into_string().unwrap_or_default()),
                        Err(RecvError::Lagged(_)) => Heard::Gap,
                        Err(RecvError::Closed) => break,
                    },
                    reconnect = reconnects.recv() => match reconnect {
                        Ok(_) | Err(RecvError::Lagged(_)) => Heard::Gap,
                        Err(RecvError::Closed) => break,
                    },
                    () = sender.closed() => break,
                };
                if sender.send(heard).await.is_err() {
                    break;
                }
            }
            manage.abort();
            if let Some(following) = following {
                following.abort();
            }
            // The connection ends with its last user; an error on the way out changes nothing.
            subscriber.quit().await.ok();
        });
        Ok(receiver)
    }
}

/// Subscribes again to the channels that moved to another node, until aborted.
async fn follow(subscriber: SubscriberClient, channels: Vec<String>, heard: mpsc::Sender<Heard>) {
    let mut ticks = tokio::time::interval(LAYOUT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = layout(&subscriber, &channels);
    loop {
        ticks.tick().await;
        if let Err(error) = subscriber.sync_cluster().await {
            tracing::debug!(%error, "the layout of the cluster was not answered");
            continue;
        }
        let found = layout(&subscriber, &channels);
        let moved: Vec<usize> = (0..channels.len())
            .filter(|index| known.get(*index) != found.get(*index))
            .collect();
        let mut heard_again = true;
        for channel in moved.iter().filter_map(|index| channels.get(*index)) {
            if let Err(error) = subscriber.ssubscribe(channel.as_str()).await {
                tracing::warn!(channel, %error, "a channel moved and was not subscribed to again; tried again in a second");
                heard_again = false;
            }
        }
        if heard_again {
            known = found;
        }
        if !moved.is_empty() && heard.send(Heard::Gap).await.is_err() {
            return;
        }
    }
}

/// The node of each channel.
fn layout(subscriber: &SubscriberClient, channels: &[String]) -> Vec<Option<Server>> {
    let state = subscriber.cached_cluster_state();
    let node = |channel: &String| {
        let slot = fred::util::redis_keyslot(channel.as_bytes());
        state.as_ref()?.get_server(slot).cloned()
    };
    channels.iter().map(node).collect()
}
