use std::sync::Arc;

use bytes::Bytes;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::{
    Assignment, Confirmation, Renewed, TrackerMessage, Welcome, WorkerMessage, rejection,
};

use super::*;
use crate::attempt::{Ended, LogLevel, Said, Sink};
use crate::fan::{Reply, Request};
use crate::handler::Raw;
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::resources::Resources;

struct Nowhere;

impl Sink for Nowhere {
    fn log(&self, _: &Attempt, _: Said) -> bool {
        true
    }

    fn progress(&self, _: &Attempt, _: u32, _: String) {}

    fn ask(&self, _: &Attempt, _: Request) -> Reply {
        tokio::sync::oneshot::channel().1
    }
}

/// A protocol that a test drives: time is what the test says.
struct Bench {
    protocol: Protocol,
    registry: Registry,
    sink: Arc<dyn Sink>,
    now: Instant,
}

impl Bench {
    fn new(permits: u32, spool_max: usize) -> Self {
        let mut registry = Registry::default();
        registry.add("h", Arc::new(Raw(|_, body| async { Ok(body) })));
        let protocol = Protocol::new(Permits { permits, spool_max }, Resources::default());
        Self {
            protocol,
            registry,
            sink: Arc::new(Nowhere),
            now: Instant::now(),
        }
    }

    fn connect(&mut self, name: &str) -> Connection {
        let link = self.protocol.link(&format!("http://{name}"));
        let connection = self.protocol.connect(link).unwrap().connection;
        let welcome = Welcome {
            tracker_id: name.to_owned(),
            lease_ms: 9_000,
            ..Welcome::default()
        };
        self.protocol.welcome(connection, &welcome, self.now);
        connection
    }

    fn later(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    fn tell(&mut self, connection: Connection, message: TrackerMessage) -> Vec<Arc<Attempt>> {
        let arrival = Arrival {
            connection,
            registry: &self.registry,
            sink: &self.sink,
            now: self.now,
        };
        self.protocol
            .take(message, arrival)
            .into_iter()
            .map(|start| start.attempt)
            .collect()
    }

    fn dispatch(&mut self, connection: Connection, ids: &[&str]) -> Vec<Arc<Attempt>> {
        let one = |id: &&str| Assignment {
            context_id: String::from(*id),
            attempt: 1,
            handler: "h".to_owned(),
            lease_ms: 2_000,
            cancel_grace_ms: 100,
            ..Assignment::default()
        };
        self.tell(
            connection,
            TrackerMessage {
                dispatch: ids.iter().map(one).collect(),
                ..TrackerMessage::default()
            },
        )
    }

    fn confirm(&mut self, connection: Connection, id: &str) {
        let confirm = vec![Confirmation {
            context_id: id.to_owned(),
            attempt: 1,
            verdict: Verdict::Settled.into(),
            error: String::new(),
        }];
        self.tell(
            connection,
            TrackerMessage {
                confirm,
                ..TrackerMessage::default()
            },
        );
    }

    fn succeed(&mut self, attempt: &Attempt) {
        self.protocol
            .finish(attempt, Ended::With(Outcome::Succeeded(Bytes::new())));
    }

    fn frame(&mut self, connection: Connection) -> Option<WorkerMessage> {
        match self.protocol.frame(connection, self.now) {
            Next::Send(frame) => Some(*frame),
            Next::Wait(_) | Next::End => None,
        }
    }

    /// The frames a stream would send now, and `(free, received)` of the last.
    fn frames(&mut self, connection: Connection) -> (Vec<WorkerMessage>, Option<(u32, u64)>) {
        let frames: Vec<_> = std::iter::from_fn(|| self.frame(connection)).collect();
        let credit = frames
            .last()
            .and_then(|frame| frame.credit)
            .map(|credit| (credit.free, credit.received));
        (frames, credit)
    }
}

#[tokio::test]
async fn credit_goes_out_only_when_the_tracker_cannot_know_it() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    assert_eq!(bench.frames(first).1, Some((4, 0)));
    assert_eq!(bench.frames(second).1, Some((4, 0)));

    let attempts = bench.dispatch(first, &["x", "y"]);
    assert_eq!(
        bench.frames(first).1,
        None,
        "the tracker has counted what it sent"
    );
    assert!(
        matches!(bench.protocol.frame(second, bench.now), Next::Wait(Some(_))),
        "not more often than the pause"
    );
    bench.later(5);
    assert_eq!(bench.frames(second).1, Some((2, 0)));

    for attempt in &attempts {
        bench.succeed(attempt);
    }
    let (frames, credit) = bench.frames(first);
    assert_eq!(
        (frames.len(), frames[0].settle.len(), credit),
        (1, 2, Some((4, 2)))
    );
    bench.later(5);
    assert_eq!(bench.frames(second).1, Some((4, 0)));
}

#[tokio::test]
async fn what_is_over_the_permits_is_refused_and_counted_as_received() {
    let mut bench = Bench::new(2, 100);
    let link = bench.connect("a");
    bench.frames(link);
    assert_eq!(bench.dispatch(link, &["x", "y", "z"]).len(), 2);
    let (frames, credit) = bench.frames(link);
    assert_eq!(frames[0].rejected[0].context_id, "z");
    assert_eq!(frames[0].rejected[0].reason(), rejection::Reason::Busy);
    assert_eq!(credit, Some((0, 3)));
}

#[tokio::test]
async fn unconfirmed_outcomes_take_permits_at_the_bound_of_the_spool() {
    let mut bench = Bench::new(4, 3);
    let link = bench.connect("a");
    for attempt in bench.dispatch(link, &["x", "y", "z", "refused"]) {
        bench.succeed(&attempt);
    }
    assert_eq!(bench.frames(link).1, Some((0, 4)));
    bench.confirm(link, "y");
    bench.later(5);
    assert_eq!(bench.frames(link).1, Some((1, 4)));
    assert_eq!(bench.protocol.stats().busy, 1);
}

#[tokio::test]
async fn a_frame_is_bounded_by_items_and_by_bytes() {
    let mut bench = Bench::new(2_000, 10_000);
    let link = bench.connect("a");
    let ids: Vec<String> = (0..1_200).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for attempt in bench.dispatch(link, &ids) {
        bench.succeed(&attempt);
    }
    let sizes: Vec<usize> = bench
        .frames(link)
        .0
        .iter()
        .map(|frame| frame.settle.len())
        .collect();
    assert_eq!(sizes, [500, 500, 200]);

    let large = Bytes::from(vec![b'1'; 700_000]);
    for attempt in bench.dispatch(link, &["p", "q", "r"]) {
        bench
            .protocol
            .finish(&attempt, Ended::With(Outcome::Succeeded(large.clone())));
    }
    let sizes: Vec<usize> = bench
        .frames(link)
        .0
        .iter()
        .map(|frame| frame.settle.len())
        .collect();
    assert_eq!(sizes, [1, 1, 1]);
}

#[tokio::test]
async fn outcomes_of_a_broken_link_wait_unrouted_for_the_next() {
    let mut bench = Bench::new(4, 100);
    let first = bench.connect("a");
    let attempts = bench.dispatch(first, &["sent", "unsent"]);
    bench.succeed(&attempts[0]);
    bench.frames(first);
    bench.succeed(&attempts[1]);
    bench.protocol.disconnect(first, bench.now);
    assert!(matches!(bench.protocol.frame(first, bench.now), Next::End));
    let second = bench.connect("b");
    let mut ids: Vec<String> = bench
        .frame(second)
        .unwrap()
        .settle
        .into_iter()
        .map(|s| s.context_id)
        .collect();
    ids.sort();
    assert_eq!(ids, ["sent", "unsent"]);
    assert_eq!(bench.protocol.stats().resent, 1);
}

#[tokio::test]
async fn an_unconfirmed_outcome_goes_to_another_tracker_after_a_second() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    let attempts = bench.dispatch(first, &["x"]);
    bench.succeed(&attempts[0]);
    assert_eq!(bench.frames(first).0[0].settle.len(), 1);
    bench.frames(second);
    bench.later(999);
    bench.protocol.on_timer(bench.now);
    assert!(
        bench
            .frames(second)
            .0
            .iter()
            .all(|frame| frame.settle.is_empty())
    );
    bench.later(1);
    bench.protocol.on_timer(bench.now);
    assert_eq!(bench.frames(second).0[0].settle[0].context_id, "x");
    bench.confirm(second, "x");
    assert_eq!(bench.protocol.unconfirmed(), 0);
}

impl Bench {
    fn renew(&mut self, connection: Connection, id: &str, lease_ms: u64) {
        let renewed = vec![Renewed {
            context_id: id.to_owned(),
            attempt: 1,
            lease_ms,
        }];
        self.tell(
            connection,
            TrackerMessage {
                renewed,
                ..TrackerMessage::default()
            },
        );
    }

    fn left(&self, attempt: &Attempt) -> Duration {
        attempt.lease_until().saturating_duration_since(self.now)
    }
}

#[tokio::test]
async fn a_long_attempt_is_announced_once_and_renewed_every_third_of_its_lease() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x"]);
    let mut asked = Vec::new();
    for tick in 1..=100 {
        bench.later(100);
        bench.protocol.on_timer(bench.now);
        for frame in bench.frames(link).0 {
            assert!(frame.accepted.is_empty(), "`renew` means both");
            if !frame.renew.is_empty() {
                asked.push(100 * tick);
                bench.renew(link, "x", 9_000);
            }
        }
    }
    assert_eq!(
        asked,
        [100, 3_100, 6_100, 9_100],
        "announced at once, renewed every 3 s"
    );
    assert_eq!(attempts[0].cancel.reason(), None);
}

#[tokio::test]
async fn an_unanswered_announcement_is_repeated_before_the_dispatch_lease_ends() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x"]);
    let mut asked = 0;
    for _ in 0..19 {
        bench.later(100);
        bench.protocol.on_timer(bench.now);
        asked += bench
            .frames(link)
            .0
            .iter()
            .map(|frame| frame.renew.len())
            .sum::<usize>();
    }
    assert_eq!(asked, 3);
    bench.renew(link, "x", 9_000);
    assert_eq!(
        bench.left(&attempts[0]),
        Duration::from_millis(9_000 - 1_800),
        "counted from the oldest question"
    );
}

#[tokio::test]
async fn an_attempt_that_cannot_be_renewed_is_fenced_when_its_lease_ends() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x"]);
    bench.protocol.on_timer(bench.now);
    bench.frames(link);
    bench.renew(link, "x", 9_000);
    bench.protocol.disconnect(link, bench.now);
    bench.later(8_990);
    bench.protocol.on_timer(bench.now);
    assert_eq!(attempts[0].cancel.reason(), None);
    bench.later(20);
    bench.protocol.on_timer(bench.now);
    assert_eq!(attempts[0].cancel.reason(), Some(CancelReason::Fenced));
    bench.renew(link, "x", 9_000);
    assert_eq!(bench.left(&attempts[0]), Duration::ZERO);
    bench.succeed(&attempts[0]);
    assert_eq!(
        (bench.protocol.unconfirmed(), bench.protocol.stats().fenced),
        (0, 1)
    );
}

#[tokio::test]
async fn a_lease_is_renewed_at_once_over_another_tracker_when_a_stream_breaks() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    bench.dispatch(first, &["x"]);
    bench.protocol.on_timer(bench.now);
    bench.frames(first);
    bench.renew(first, "x", 9_000);
    bench.protocol.on_timer(bench.now);
    bench.frames(second);
    bench.protocol.disconnect(first, bench.now);
    bench.protocol.on_timer(bench.now);
    assert_eq!(bench.frame(second).unwrap().renew[0].context_id, "x");
}

#[tokio::test]
async fn the_newest_of_two_links_to_one_tracker_stays() {
    let mut bench = Bench::new(4, 100);
    let old = bench.connect("a");
    let link = bench.protocol.link("http://alias");
    let new = bench.protocol.connect(link).unwrap();
    bench.protocol.welcome(
        new.connection,
        &Welcome {
            tracker_id: "a".to_owned(),
            ..Welcome::default()
        },
        bench.now,
    );
    assert!(matches!(bench.protocol.frame(old, bench.now), Next::End));
    assert!(
        bench
            .frame(new.connection)
            .unwrap()
            .heartbeat
            .unwrap()
            .primary
    );
    assert_eq!(bench.protocol.stats().trackers, 1);
}

#[tokio::test]
async fn the_home_stays_where_it_is_and_leaves_a_tracker_that_drains() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    assert!(bench.frame(first).unwrap().heartbeat.unwrap().primary);
    assert!(!bench.frame(second).unwrap().heartbeat.unwrap().primary);
    bench.tell(
        first,
        TrackerMessage {
            drain: true,
            ..TrackerMessage::default()
        },
    );
    assert!(bench.frame(second).unwrap().heartbeat.unwrap().primary);
    bench.protocol.heartbeat(first);
    assert!(!bench.frame(first).unwrap().heartbeat.unwrap().primary);
}

#[tokio::test]
async fn log_lines_go_before_the_settlement_of_their_attempt() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempts = bench.dispatch(link, &["x"]);
    for n in 0..700 {
        let said = Said {
            level: LogLevel::Warn,
            at: bench.now,
            line: n.to_string(),
        };
        assert!(bench.protocol.log(&attempts[0], said));
    }
    bench.later(40);
    bench.succeed(&attempts[0]);
    let (frames, _) = bench.frames(link);
    let counts: Vec<(usize, usize)> = frames
        .iter()
        .map(|frame| (frame.log.len(), frame.settle.len()))
        .collect();
    assert_eq!(counts, [(500, 0), (200, 1)]);
    let first = &frames[0].log[0];
    assert_eq!(
        (first.level(), first.age_ms),
        (tickwheel_proto::v1::LogLevel::Warn, 40)
    );
}

mod calls;
mod frames;
mod losses;
mod parting;
