//! One connection for wake messages: what is missing is subscribed to, one channel after the other, until all are in.
//!
//! A slot that moves takes its channel with it, and the server ends the subscription without closing the connection. On a cluster the
//! layout is therefore asked for every [`LAYOUT_EVERY`], and the channels whose node changed are subscribed to again.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, ClusterInterface, EventInterface, PubsubInterface};
use fred::types::config::{Config, Server, ServerConfig};
use fred::types::{ConnectHandle, Message};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::end::End;
use super::probes::Probes;
use super::state::State;
use crate::client::Redis;
use crate::client::setup::{COMMAND_TIMEOUT, RECONNECT_MAX, RECONNECT_MIN, Topology, builder};
use crate::error::Error;
use crate::seldom::Seldom;
use crate::words::plain;

/// How long a moved channel may be deaf. What is submitted meanwhile is found when the channel hears again.
const LAYOUT_EVERY: Duration = Duration::from_secs(1);
/// Messages that wait inside the client; it drops the oldest.
const BURST: usize = 1_024;
/// After so many refusals in a row there is a pause, however many channels are missing.
const REFUSALS_MAX: u32 = 3;
/// Until a connection that nobody needs any more is cut off.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// One connection.
#[derive(Debug)]
pub(super) struct Ear {
    client: Client,
    running: ConnectHandle,
    messages: Receiver<Message>,
    breaks: Breaks,
}

/// What the client tells of its connections.
#[derive(Debug)]
struct Breaks {
    reconnects: Receiver<Server>,
    errors: Receiver<(fred::error::Error, Option<Server>)>,
}

impl Breaks {
    /// Returns at the next break.
    async fn next(&mut self) {
        let told = |told: Option<RecvError>| !matches!(told, Some(RecvError::Closed));
        let told = tokio::select! {
            again = self.reconnects.recv() => told(again.err()),
            broken = self.errors.recv() => told(broken.err()),
        };
        if !told {
            // The client ended, which its handle tells.
            std::future::pending::<()>().await;
        }
    }

    /// Whether there was one. One break is told several times.
    fn any(&mut self) -> bool {
        use tokio::sync::broadcast::error::TryRecvError;
        let mut any = false;
        loop {
            let quiet = |none: Option<TryRecvError>| {
                matches!(none, Some(TryRecvError::Empty | TryRecvError::Closed))
            };
            if quiet(self.reconnects.try_recv().err()) && quiet(self.errors.try_recv().err()) {
                return any;
            }
            any = true;
        }
    }
}

impl Ear {
    /// Connects and subscribes to every channel.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Unusable`] when that fails.
    pub(super) async fn open(redis: &Redis, state: &State) -> Result<Self, Error> {
        let mut ear = Self::connect(redis, state).await?;
        // What a new connection tells of itself.
        ear.breaks.any();
        let refusals = Seldom::default();
        let subscribed = subscribe(&ear.client, state, &mut ear.breaks, (&refusals, 0)).await;
        let missing = state.wanting().0.len();
        match subscribed {
            Ok(_) if missing == 0 => Ok(ear),
            Ok(_) => Err(Error::Unavailable {
                reason: format!("{missing} wake channels were not subscribed to"),
                source: None,
            }),
            Err(error) => Err(Error::from_redis("ssubscribe", error, ToOwned::to_owned)),
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// As the client's, sorted.
    pub(super) async fn connect(redis: &Redis, state: &State) -> Result<Self, Error> {
        let sort = |error| Error::from_redis("ssubscribe", error, ToOwned::to_owned);
        let mut builder = builder(config(redis), COMMAND_TIMEOUT);
        builder
            .with_performance_config(|performance| {
                performance.broadcast_channel_capacity = BURST;
            })
            // A subscription may be repeated.
            .with_connection_config(|connection| {
                connection.max_command_attempts = 3;
                connection.max_redirections = 5;
            });
        let client = builder.build().map_err(sort)?;
        let messages = client.message_rx();
        let breaks = Breaks {
            reconnects: client.reconnect_rx(),
            errors: client.error_rx(),
        };
        let running = match tokio::time::timeout(COMMAND_TIMEOUT, client.init()).await {
            Ok(running) => running.map_err(sort)?,
            Err(_) => {
                // Its task goes on without anybody; it ends when it is told so.
                tokio::spawn(async move { client.quit().await });
                return Err(Error::Unavailable {
                    reason: "no connection for wake messages".to_owned(),
                    source: None,
                });
            }
        };
        state.lose_all();
        Ok(Self {
            client,
            running,
            messages,
            breaks,
        })
    }

    /// Hears until it is deaf or unwanted, then closes the connection.
    pub(super) async fn live(self, redis: &Redis, state: &State) -> End {
        let Self {
            client,
            mut running,
            messages,
            breaks,
        } = self;
        let probes = Probes::new(redis.client().id());
        let end = tokio::select! {
            () = state.unwanted() => End::Unwanted,
            ended = &mut running => {
                let why = match ended {
                    Ok(Ok(())) => "as it was told to".to_owned(),
                    Ok(Err(error)) => plain(error.details()),
                    Err(error) => error.to_string(),
                };
                End::Deaf(format!("the client ended: {why}"))
            }
            () = pass_on(messages, state, &probes) => End::Deaf("the client ended".to_owned()),
            end = probes.watch(redis, state) => end,
            end = tend(&client, redis.topology(), state, breaks) => end,
        };
        tokio::spawn(async move {
            // The connection ends with its last user; a client that does not take its leave is cut off.
            let quit = tokio::time::timeout(CLOSE_WITHIN, client.quit()).await;
            tracing::trace!(?quit, "the connection for wake messages closes");
            running.abort();
        });
        end
    }
}

/// Where the server is: on a cluster also what the client for commands has learnt, as the nodes of the configuration may be gone.
fn config(redis: &Redis) -> Config {
    let mut config = redis.builder.get_config().cloned().unwrap_or_default();
    if let ServerConfig::Clustered { hosts, .. } = &mut config.server {
        let state = redis.client().cached_cluster_state();
        let known = state.map(|state| state.unique_primary_nodes());
        for server in known.into_iter().flatten() {
            if !hosts.contains(&server) {
                hosts.push(server);
            }
        }
    }
    config
}

/// Passes messages on until the client ends.
async fn pass_on(mut messages: Receiver<Message>, state: &State, probes: &Probes) {
    loop {
        match messages.recv().await {
            Ok(message) => {
                let text = message.value.into_string().unwrap_or_default();
                if !probes.take(&text) {
                    state.tell(message.channel.to_string(), text);
                }
            }
            Err(RecvError::Lagged(_)) => {
                probes.forgive();
                state.tell_gap();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Subscribes to whatever is missing, again and again.
async fn tend(client: &Client, topology: Topology, state: &State, mut breaks: Breaks) -> End {
    let mut ticks = tokio::time::interval(LAYOUT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = layout(client, state.channels());
    let refusals = Seldom::default();
    let mut pause = RECONNECT_MIN;
    let mut first = 0;
    loop {
        if breaks.any() {
            state.lose_all();
        }
        if state.lacks_some() {
            // With another one first each time, so that none waits behind those that are refused.
            first += 1;
            match subscribe(client, state, &mut breaks, (&refusals, first)).await {
                Ok(0) | Err(_) => {}
                Ok(_) => {
                    pause = RECONNECT_MIN;
                    // What was submitted meanwhile was told to nobody.
                    state.tell_gap();
                }
            }
        }
        tokio::select! {
            () = breaks.next() => {
                state.lose_all();
                pause = RECONNECT_MIN;
            }
            () = tokio::time::sleep(pause), if state.lacks_some() => pause = (pause * 2).min(RECONNECT_MAX),
            _ = ticks.tick(), if topology == Topology::Cluster => follow(client, state, &mut known).await,
        }
    }
}

/// Asks once for each channel that is missing; answers with how many are in, which is less than all when the connection breaks or
/// refuses too often.
async fn subscribe(
    client: &Client,
    state: &State,
    breaks: &mut Breaks,
    (refusals, first): (&Seldom, usize),
) -> Result<usize, fred::error::Error> {
    let (mut wanting, broken) = state.wanting();
    let shift = first % wanting.len().max(1);
    wanting.rotate_left(shift);
    let (mut gained, mut refused) = (0, 0);
    for index in wanting {
        let Some(channel) = state.channels().get(index) else {
            continue;
        };
        let answer = client.ssubscribe(channel.as_str()).await;
        if breaks.any() {
            state.lose_all();
            return Ok(0);
        }
        match answer {
            Ok(()) => {
                refused = 0;
                gained += usize::from(state.gain(index, broken));
            }
            Err(error) => {
                refused += 1;
                if let Some(kept_back) = refusals.say(error.details()) {
                    let error = plain(error.details());
                    tracing::warn!(%channel, error, kept_back, "a wake channel is not subscribed to; tried again");
                }
                if refused >= REFUSALS_MAX {
                    return if gained > 0 { Ok(gained) } else { Err(error) };
                }
            }
        }
    }
    Ok(gained)
}

/// The channels whose node changed are missing.
async fn follow(client: &Client, state: &State, known: &mut Vec<Option<Server>>) {
    match tokio::time::timeout(COMMAND_TIMEOUT, client.sync_cluster()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(%error, "the layout of the cluster was not answered");
            return;
        }
        Err(_) => return,
    }
    let found = layout(client, state.channels());
    for index in 0..found.len() {
        if known.get(index) != found.get(index) {
            state.lose(index);
        }
    }
    *known = found;
}

/// The node of each channel.
fn layout(client: &Client, channels: &[String]) -> Vec<Option<Server>> {
    let state = client.cached_cluster_state();
    let node = |channel: &String| {
        let slot = fred::util::redis_keyslot(channel.as_bytes());
        state.as_ref()?.get_server(slot).cloned()
    };
    channels.iter().map(node).collect()
}
