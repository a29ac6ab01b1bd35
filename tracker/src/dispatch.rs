//! From claims to workers: each claim becomes an assignment on the stream of the worker it was claimed for. What a worker refuses is taken
//! back by `refusals`.

mod refusals;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{Part, WorkerId};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::protocol::RESULTS;
use tickwheel_proto::v1::subtask::Kind;
use tickwheel_proto::v1::{self, Assignment, Subtask, TrackerMessage};
use tickwheel_store::fan::shard_body;
use tickwheel_store::lease::{AttemptRef, Holding};
use tickwheel_store::record::{Member, SubtaskKind, Upstream};
use tickwheel_store::wheel::Claim;

use crate::matching::{Matching, Reserved, return_permits};
use crate::metrics::measure;
use crate::outcomes::Releases;
use crate::sessions::{Session, Sessions};

pub(crate) use refusals::Refusals;

/// A frame is closed when its bodies reach this; the receiver's limit is 4 MiB and one body may have 256 KiB.
const FRAME_BYTES: usize = 1024 * 1024;

/// When claims were made, and how long ago by our own clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending {
    /// Redis' clock at the claim.
    pub(crate) now: TimestampMs,
    /// From the call on.
    pub(crate) took: Duration,
}

/// What is on its way to one worker.
#[derive(Default)]
struct ToWorker {
    frame: Vec<Assignment>,
    /// Of the bodies in the frame.
    bytes: usize,
    /// Permits that are used.
    used: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Dispatch {
    sessions: Arc<Sessions>,
    matching: Arc<Matching>,
    releases: Arc<Releases>,
    lease: Duration,
}

impl Dispatch {
    /// What cannot be sent is given to `releases`; a claim ends `lease` after it was made, unless its worker accepts it.
    pub(crate) fn new(
        sessions: Arc<Sessions>,
        matching: Arc<Matching>,
        releases: Arc<Releases>,
        lease: Duration,
    ) -> Self {
        Self {
            sessions,
            matching,
            releases,
            lease,
        }
    }

    /// Sends `claims`, with what is left of their lease, and gives back the permits that were reserved and not used. What cannot be sent is
    /// released.
    pub(crate) fn send(&self, claims: Vec<Claim>, sending: Sending, reserved: Reserved) {
        let positions: HashMap<WorkerId, usize> = reserved
            .workers
            .iter()
            .enumerate()
            .map(|(position, taken)| (taken.session.worker.clone(), position))
            .collect();
        let mut to_workers: Vec<ToWorker> = Vec::new();
        to_workers.resize_with(reserved.workers.len(), ToWorker::default);
        let mut unsent = Vec::new();
        let lease = self.lease.saturating_sub(sending.took);
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        measure::dispatched(&claims, sending.now, sending.took);
        for claim in claims {
            let position = positions.get(&claim.worker).copied();
            let place = position.and_then(|at| {
                let taken = reserved.workers.get(at)?;
                Some((&taken.session, to_workers.get_mut(at)?))
            });
            let requires = self
                .matching
                .requires(claim.member.rest.options.placement.as_ref());
            let (Some((session, to_worker)), Some(requires)) = (place, requires) else {
                unsent.push(claim.holding());
                continue;
            };
            if is_reduce(&claim.member) && !session.understands(RESULTS) {
                // It could not read what it has to reduce.
                self.sessions
                    .withdraw(session, claim.member.rest.handler.as_str());
                unsent.push(claim.holding());
                continue;
            }
            to_worker.used += 1;
            to_worker.bytes += claim.member.rest.body.len();
            to_worker.frame.push(Assignment {
                requires,
                ..assignment(claim.member, lease_ms)
            });
            if to_worker.bytes >= FRAME_BYTES {
                to_worker.bytes = 0;
                send(session, std::mem::take(&mut to_worker.frame), &mut unsent);
            }
        }
        let mut used = Vec::with_capacity(to_workers.len());
        for (taken, to_worker) in reserved.workers.iter().zip(to_workers) {
            used.push(to_worker.used);
            if !to_worker.frame.is_empty() {
                send(&taken.session, to_worker.frame, &mut unsent);
            }
        }
        return_permits(&self.sessions, reserved, &used);
        for holding in unsent {
            self.releases.release(holding, None);
        }
    }
}

fn send(session: &Session, frame: Vec<Assignment>, unsent: &mut Vec<Holding>) {
    let message = TrackerMessage {
        dispatch: frame,
        ..TrackerMessage::default()
    };
    if let Err(message) = session.send_contexts(message) {
        let attempts = message.dispatch.iter().filter_map(reference_of);
        unsent.extend(attempts.map(|attempt| Holding {
            attempt,
            worker: session.worker.clone(),
        }));
    }
}

fn reference_of(assignment: &Assignment) -> Option<AttemptRef> {
    Some(AttemptRef {
        context: assignment.context_id.parse().ok()?,
        attempt: assignment.attempt.into(),
    })
}

fn is_reduce(member: &Member) -> bool {
    let part = member.rest.options.part;
    part.is_some_and(|part| part.kind == SubtaskKind::Reduce)
}

/// Which part of its root a subtask is.
fn subtask(member: &Member) -> Option<Subtask> {
    let (part, kind) = (member.id.subtask()?.part, member.rest.options.part?);
    Some(Subtask {
        kind: match kind.kind {
            SubtaskKind::Map => Kind::Map,
            SubtaskKind::Broadcast => Kind::Broadcast,
            SubtaskKind::Shard => Kind::Shard,
            SubtaskKind::Index => Kind::Index,
            SubtaskKind::Reduce => Kind::Reduce,
        }
        .into(),
        index: match part {
            Part::Number(number) => number,
            Part::Reduce => 0,
        },
        total: kind.total,
        parameter: String::new(),
    })
}

/// Takes the parameter of a shard out of its body.
fn with_parameter(subtask: Option<Subtask>, body: Bytes) -> (Option<Subtask>, Bytes) {
    match subtask {
        Some(mut subtask) if subtask.kind() == Kind::Shard => match shard_body(&body) {
            Some((parameter, body)) => {
                subtask.parameter = parameter;
                (Some(subtask), body)
            }
            None => (Some(subtask), body),
        },
        other => (other, body),
    }
}

/// The end that a follower follows, as it is told.
pub(crate) fn upstream(upstream: Upstream) -> v1::Upstream {
    v1::Upstream {
        job: upstream.context.job().map(String::from).unwrap_or_default(),
        context_id: upstream.context.into(),
        state: state_to_wire(upstream.state).into(),
        error: upstream.error,
    }
}

fn assignment(member: Member, lease_ms: u64) -> Assignment {
    let subtask = subtask(&member);
    let (subtask, body) = with_parameter(subtask, member.rest.body);
    let options = member.rest.options;
    Assignment {
        attempt: member.attempt.as_u32(),
        due_ms: member.id.due().as_u64(),
        job: member
            .id
            .job()
            .map(|job| job.as_str().to_owned())
            .unwrap_or_default(),
        context_id: member.id.into(),
        handler: member.rest.handler.into(),
        body,
        lease_ms,
        timeout_ms: options.timeout_ms.unwrap_or(0),
        cancel_grace_ms: options.cancel_grace_ms,
        failures: member.failures,
        max_attempts: options.retry.max_attempts,
        subtask,
        requires: HashMap::new(),
        upstream: options.upstream.map(upstream),
    }
}
