//! What several streams are shown alike: what is told to one of them is made and written once, for all who are at the same place.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::state_to_wire;
use tickwheel_proto::v1;
use tickwheel_proto::v1::stream_event::Event;
use tickwheel_store::record::Settled;

use super::beat::Beat;
use super::crowd::Pace;
use super::ring::{Next, Place};
use super::topic::Cursor;
use super::wish::Filter;

/// What was told last, to be told to others: of one beat, and of the one before to who is late.
const KEPT: usize = 2;

/// What one stream is told at once.
#[derive(Debug)]
pub(crate) struct Told {
    events: Vec<v1::StreamEvent>,
    text: OnceLock<Bytes>,
}

impl Told {
    pub(super) fn new(events: Vec<v1::StreamEvent>) -> Self {
        Self {
            events,
            text: OnceLock::new(),
        }
    }

    /// Its events; at least one.
    pub(crate) fn events(&self) -> &[v1::StreamEvent] {
        &self.events
    }

    /// As `write` has it, which is asked once, however many streams are told.
    pub(crate) fn text(&self, write: impl FnOnce(&[v1::StreamEvent]) -> Bytes) -> Bytes {
        self.text.get_or_init(|| write(&self.events)).clone()
    }
}

/// What is shown to streams that want the same and may see the same.
#[derive(Debug)]
pub(super) struct View {
    filter: Filter,
    /// Whether errors and lines are shown.
    pub(super) shows_payload: bool,
    made: Mutex<VecDeque<Made>>,
}

/// Where a stream is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct At {
    /// Among the ends of runs.
    pub(super) place: Option<Place>,
    /// Something in front of that is missing: so many, or 0 where nobody knows.
    pub(super) missed: Option<u64>,
    pub(super) pace: Pace,
}

/// What was told at a beat to a stream that was at a place.
#[derive(Debug)]
struct Made {
    beat: u64,
    from: At,
    has_now: bool,
    told: Option<Arc<Told>>,
    to: At,
}

/// The views of all streams.
#[derive(Debug, Default)]
pub(super) struct Views(Mutex<Vec<Weak<View>>>);

impl Views {
    /// The view of this filter; the same for all who have the same.
    pub(super) fn find(&self, filter: Filter, shows_payload: bool) -> Arc<View> {
        let mut views = self.0.lock();
        views.retain(|view| view.strong_count() > 0);
        let known = views.iter().filter_map(Weak::upgrade);
        let mut same =
            known.filter(|view| view.shows_payload == shows_payload && view.filter == filter);
        if let Some(view) = same.next() {
            return view;
        }
        let view = Arc::new(View {
            filter,
            shows_payload,
            made: Mutex::default(),
        });
        views.push(Arc::downgrade(&view));
        view
    }
}

impl View {
    /// What is told at a beat to a stream that is `at` a place, which moves behind it by `next`; with how the cluster is, where `has_now`. Cursors say also
    /// how much of its `logs` a stream knows.
    pub(super) fn tell(
        self: &Arc<Self>,
        beat: &Beat,
        (at, next): (&mut At, impl FnMut(&mut Place) -> Option<Next>),
        has_now: bool,
        logs: &[String],
    ) -> Option<Arc<Told>> {
        // Alone, or with places in logs, there is nobody to share with.
        if Arc::strong_count(self) == 1 || !logs.is_empty() {
            let events = self.events(beat, (at, next), has_now, logs);
            return (!events.is_empty()).then(|| Arc::new(Told::new(events)));
        }
        let mut made = self.made.lock();
        let known = made
            .iter()
            .find(|made| made.beat == beat.number && made.from == *at && made.has_now == has_now);
        if let Some(made) = known {
            *at = made.to;
            return made.told.clone();
        }
        let from = *at;
        let events = self.events(beat, (at, next), has_now, logs);
        let told = (!events.is_empty()).then(|| Arc::new(Told::new(events)));
        made.truncate(KEPT - 1);
        made.push_front(Made {
            beat: beat.number,
            from,
            has_now,
            told: told.clone(),
            to: *at,
        });
        told
    }

    fn events(
        &self,
        beat: &Beat,
        (at, next): (&mut At, impl FnMut(&mut Place) -> Option<Next>),
        has_now: bool,
        logs: &[String],
    ) -> Vec<v1::StreamEvent> {
        let cursor = |at: &At| Cursor {
            runs: at.place.map(|place| place.point()),
            logs: logs.to_vec(),
        };
        let (before, mut events) = (*at, Vec::new());
        let (missed, runs) = self.ended(beat, at, next);
        if let Some(dropped) = missed {
            // Whoever goes on from here is told of the runs behind it.
            let place = if runs.is_empty() { &*at } else { &before };
            events.push((cursor(place), lagged("runs", dropped)));
        }
        if !runs.is_empty() {
            events.push((cursor(at), Event::Runs(v1::EndedRuns { runs })));
        }
        if let Some(now) = beat.now.as_ref().filter(|_| has_now) {
            events.push((cursor(at), Event::Now(now.shown(&self.filter.sight))));
        }
        let event = |(cursor, event): (Cursor, Event)| v1::StreamEvent {
            cursor: cursor.to_string(),
            event: Some(event),
        };
        events.into_iter().map(event).collect()
    }

    /// The newest runs behind a place, as many as may be told, and how many are missing in front of them.
    fn ended(
        &self,
        beat: &Beat,
        at: &mut At,
        mut next: impl FnMut(&mut Place) -> Option<Next>,
    ) -> (Option<u64>, Vec<v1::EndedRun>) {
        let mut missed = at.missed.take();
        let Some(place) = &mut at.place else {
            return (missed, Vec::new());
        };
        let mut batches = Vec::new();
        while let Some(found) = next(place) {
            match found {
                Next::Missed(count) => missed = Some(both(missed, count)),
                Next::Batch(batch) => {
                    if batch.skipped {
                        missed = Some(0);
                    }
                    batches.push(batch);
                }
            }
        }
        let new = batches.iter().flat_map(|batch| &batch.ended);
        let new = new.filter(|settled| !place.knows(settled));
        let chosen: Vec<&Settled> = new.filter(|settled| self.filter.takes(settled)).collect();
        let over = chosen.len() - at.pace.allow(&chosen, beat.second, beat.lines);
        if over > 0 {
            missed = Some(both(missed, u64::try_from(over).unwrap_or_default()));
        }
        let newest = chosen.into_iter().skip(over);
        let shown = newest.map(|run| shown(run, self.shows_payload)).collect();
        (missed, shown)
    }
}

/// So many are missing in all; 0 where nobody knows.
fn both(missed: Option<u64>, more: u64) -> u64 {
    match missed {
        Some(0) => 0,
        Some(_) if more == 0 => 0,
        Some(count) => count + more,
        None => more,
    }
}

pub(super) fn lagged(topic: &str, count: u64) -> Event {
    Event::Lagged(v1::Lagged {
        topic: topic.to_owned(),
        dropped: count,
    })
}

fn shown(settled: &Settled, shows_payload: bool) -> v1::EndedRun {
    fn text<T: ToString>(name: Option<&T>) -> String {
        name.map(ToString::to_string).unwrap_or_default()
    }
    v1::EndedRun {
        id: settled.id.to_string(),
        job: settled.id.job().map(String::from).unwrap_or_default(),
        state: state_to_wire(settled.state.word()).into(),
        group: text(settled.group.as_ref()),
        handler: text(settled.handler.as_ref()),
        attempt: settled.attempt.as_u32(),
        failures: settled.failures,
        worker: text(settled.worker.as_ref()),
        claimed_ms: settled.claimed.map_or(0, TimestampMs::as_u64),
        ended_ms: settled.ended.as_u64(),
        error: if shows_payload {
            settled.message.clone()
        } else {
            String::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tickwheel_core::access::Sight;

    use super::super::overview::Snapshot;
    use super::super::ring::Ring;
    use super::*;

    fn ended(ms: u64) -> Settled {
        let text = format!("3.900.e-{ms}\tfailed\t1\tw\t5\t{ms}\tno money\tg\th\t1");
        Settled::parse(text.as_bytes()).unwrap()
    }

    fn filter(states: &[tickwheel_core::run::ContextState]) -> Filter {
        Filter {
            job: None,
            group: None,
            states: states.to_vec(),
            sight: Sight::everything(),
        }
    }

    fn beat(number: u64, lines: usize) -> Beat {
        Beat {
            number,
            now: Some(Arc::new(Snapshot::default())),
            second: number,
            lines,
        }
    }

    fn at(ring: &Ring) -> At {
        At {
            place: Some(ring.newest()),
            ..At::default()
        }
    }

    fn ids(told: &Told) -> Vec<String> {
        let runs = told.events().iter().filter_map(|event| match &event.event {
            Some(Event::Runs(ended)) => Some(&ended.runs),
            _ => None,
        });
        runs.flatten().map(|run| run.id.clone()).collect()
    }

    #[test]
    fn what_is_told_to_many_is_made_and_written_once() {
        let views = Views::default();
        let first = views.find(filter(&[]), true);
        let second = views.find(filter(&[]), true);
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &views.find(filter(&[]), false)));
        let mut ring = Ring::new(1, TimestampMs::new(0));
        let places = [at(&ring); 3];
        ring.push(vec![ended(5), ended(6)], false, TimestampMs::new(10));
        let (written, mut told) = (AtomicU32::new(0), Vec::new());
        for (view, mut at) in [&first, &second, &first].into_iter().zip(places) {
            let next = |place: &mut Place| ring.next(place);
            let one = view
                .tell(&beat(1, 500), (&mut at, next), true, &[])
                .unwrap();
            one.text(|_| {
                written.fetch_add(1, Ordering::Relaxed);
                Bytes::new()
            });
            assert_eq!(at.place, Some(ring.newest()));
            told.push(one);
        }
        assert!(told.iter().all(|one| Arc::ptr_eq(one, &told[0])));
        assert_eq!((ids(&told[0]).len(), written.into_inner()), (2, 1));
        // Who is told other things, or is at another place, has his own.
        let mut behind = at(&ring);
        let next = |place: &mut Place| ring.next(place);
        let now = first.tell(&beat(1, 500), (&mut behind, next), true, &[]);
        let nothing = first.tell(&beat(1, 500), (&mut behind, next), false, &[]);
        assert_eq!((ids(&now.unwrap()).len(), nothing.is_none()), (0, true));
    }

    #[test]
    fn the_newest_are_told_and_behind_how_many_that_are_missing() {
        let view = Views::default().find(filter(&[]), true);
        let mut ring = Ring::new(1, TimestampMs::new(0));
        let mut at = at(&ring);
        let before = at.place.unwrap().point();
        for ms in 1..=30 {
            ring.push(vec![ended(ms)], false, TimestampMs::new(ms + 1));
        }
        let next = |place: &mut Place| ring.next(place);
        let told = view
            .tell(&beat(1, 10), (&mut at, next), false, &[])
            .unwrap();
        let events = told.events();
        let missed = Event::Lagged(v1::Lagged {
            topic: "runs".to_owned(),
            dropped: 20,
        });
        assert_eq!(events[0].event, Some(missed));
        let [first, second] = [&events[0].cursor, &events[1].cursor]
            .map(|cursor| Cursor::read(cursor, 0).unwrap().runs.unwrap());
        assert_eq!((first, second.records), (before, 30));
        assert_eq!(ids(&told).first().map(String::as_str), Some("3.900.e-21"));
        // The second is over for it, and only how many they are is told.
        ring.push(vec![ended(40)], true, TimestampMs::new(50));
        let next = |place: &mut Place| ring.next(place);
        let told = view
            .tell(&beat(1, 10), (&mut at, next), false, &[])
            .unwrap();
        let Some(Event::Lagged(lagged)) = &told.events()[0].event else {
            panic!("{told:?}");
        };
        assert_eq!((told.events().len(), lagged.dropped), (1, 0));
        let behind = Cursor::read(&told.events()[0].cursor, 0).unwrap();
        assert_eq!(behind.runs.unwrap().records, 31);
    }
}
