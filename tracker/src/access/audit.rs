//! Who did what, and who was refused: in Redis, and as a line of the log, so that whoever owns one of them does not own the other.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tickwheel_core::access::{Role, TokenId, mask};
use tickwheel_core::id::TrackerId;
use tickwheel_store::Store;
use tickwheel_store::audit::{AuditEvent, EVENTS_MAX};
use tokio::time::Instant;

use super::address::network_of;
use crate::metrics::measure;
use crate::seldom::{LINE_EVERY, Seldom};

/// What an event names.
pub(crate) const OBJECTS_MAX: usize = 16;
/// Bytes of the name of one thing.
const OBJECT_BYTES_MAX: usize = 160;
/// Bytes of all names of an event: with what stands around them, and each quote twice, it has the bytes that it may have.
const OBJECTS_BYTES_MAX: usize = 1_500;
/// Refusals of different kinds that are written down in a second: whoever floods the audit takes minutes to push out what is in it.
const DENIALS_MAX: usize = 100;

/// Who an event is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) token: Option<&'a TokenId>,
    pub(super) role: Option<Role>,
    pub(super) peer: Option<IpAddr>,
    pub(super) request: Option<&'a str>,
}

/// Refusals that are alike: of one token at one address, for one method and reason; of those without a token that is known, of one network,
/// whatever they ask for.
type Alike = (Option<TokenId>, Option<IpAddr>, String, &'static str);

/// See the module.
#[derive(Debug)]
pub(crate) struct Audit {
    store: Store,
    tracker: TrackerId,
    /// Calls without a name of their own.
    unnamed: AtomicU64,
    denials: Mutex<HashMap<Alike, AuditEvent>>,
    /// Refusals that had no room.
    untold: AtomicU64,
    lost: Seldom,
}

impl Audit {
    pub(crate) fn new(store: Store, tracker: TrackerId) -> Self {
        Self {
            store,
            tracker,
            unnamed: AtomicU64::new(0),
            denials: Mutex::default(),
            untold: AtomicU64::new(0),
            lost: Seldom::new(LINE_EVERY),
        }
    }

    fn event(&self, who: Who<'_>, method: &str, objects: &[String], result: &str) -> AuditEvent {
        let mut bytes = 0;
        let objects = objects.iter().map(|object| shown(object)).take(OBJECTS_MAX);
        let objects = objects.take_while(|object| {
            bytes += object.len();
            bytes <= OBJECTS_BYTES_MAX
        });
        let request = who.request.map_or_else(
            || {
                let number = self.unnamed.fetch_add(1, Ordering::Relaxed);
                format!("{}-{number}", self.tracker)
            },
            ToOwned::to_owned,
        );
        AuditEvent {
            token: who.token.map(ToString::to_string).unwrap_or_default(),
            role: who.role.map(|role| role.to_string()).unwrap_or_default(),
            peer: who.peer.map(|peer| peer.to_string()).unwrap_or_default(),
            method: shown(method),
            objects: objects.collect(),
            result: result.to_owned(),
            request,
            count: 1,
            tracker: self.tracker.to_string(),
        }
    }

    /// Writes down what was done. Its caller is answered after that; should Redis not take it, the line of the log is all there is.
    pub(super) async fn done(&self, who: Who<'_>, method: &str, objects: &[String], result: &str) {
        let event = self.event(who, method, objects, result);
        self.write(std::slice::from_ref(&event)).await;
    }

    /// Notes that somebody was refused; those that are alike are written down together, once in a second.
    pub(super) fn denied(
        &self,
        who: Who<'_>,
        method: &str,
        objects: impl FnOnce() -> Vec<String>,
        result: &'static str,
    ) {
        let mut denials = self.denials.lock();
        let alike = match who.token {
            Some(token) => (Some(token.clone()), who.peer, shown(method), result),
            None => (None, who.peer.map(network_of), String::new(), result),
        };
        if let Some(known) = denials.get_mut(&alike) {
            known.count = known.count.saturating_add(1);
        } else if denials.len() < DENIALS_MAX {
            let event = self.event(who, method, &objects(), result);
            denials.insert(alike, event);
        } else {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes down the refusals of the last second.
    pub(super) async fn tend(&self) {
        let denials = std::mem::take(&mut *self.denials.lock());
        let mut events: Vec<AuditEvent> = denials.into_values().collect();
        let untold = self.untold.swap(0, Ordering::Relaxed);
        if untold > 0 {
            let nobody = Who {
                token: None,
                role: None,
                peer: None,
                request: None,
            };
            let mut others = self.event(nobody, "others", &[], "PERMISSION_DENIED");
            others.count = untold;
            events.push(others);
        }
        for few in events.chunks(EVENTS_MAX) {
            self.write(few).await;
        }
    }

    async fn write(&self, events: &[AuditEvent]) {
        for event in events {
            tracing::info!(
                target: "audit",
                token = event.token,
                role = event.role,
                peer = event.peer,
                method = event.method,
                objects = event.objects.join(", "),
                result = event.result,
                request = event.request,
                count = event.count,
                "audit"
            );
        }
        if let Err(error) = self.store.append_audit(events).await {
            measure::audit_lost(events.len());
            measure::store_error(&error);
            if let Some(kept_back) = self.lost.next(Instant::now()) {
                tracing::error!(%error, kept_back, "what was done could not be written down in redis");
            }
        }
    }
}

/// Names as callers give them may hold anything.
fn shown(text: &str) -> String {
    // A token may have been given where something else belongs.
    let text = mask(text);
    let cut = text.get(..text.floor_char_boundary(OBJECT_BYTES_MAX));
    let letters = cut.unwrap_or_default().chars();
    let plain = |letter: char| if letter.is_control() { '?' } else { letter };
    letters.map(plain).collect()
}
