use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::*;

/// Writes when it may, and answers each number with itself and the number of its call.
#[derive(Debug, Clone)]
struct Writer {
    gate: Arc<Semaphore>,
    calls: Arc<Mutex<Vec<Vec<u32>>>>,
}

impl Writer {
    fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            calls: Arc::default(),
        }
    }

    fn hand_in(
        &self,
        lane: &Lane<u32, (u32, usize)>,
        item: u32,
    ) -> oneshot::Receiver<(u32, usize)> {
        self.weighing(lane, item, 1)
    }

    fn weighing(
        &self,
        lane: &Lane<u32, (u32, usize)>,
        item: u32,
        weight: usize,
    ) -> oneshot::Receiver<(u32, usize)> {
        let writer = self.clone();
        lane.hand_in(item, weight, move |items| {
            let writer = writer.clone();
            let call = {
                let mut calls = writer.calls.lock();
                calls.push(items.clone());
                calls.len()
            };
            async move {
                writer.gate.acquire().await.unwrap().forget();
                items.into_iter().map(|item| (item, call)).collect()
            }
        })
    }

    fn may_end(&self, calls: usize) {
        self.gate.add_permits(calls);
    }

    fn calls(&self) -> Vec<Vec<u32>> {
        self.calls.lock().clone()
    }
}

fn lane<A: Send + 'static>(calls: usize, weight: usize) -> Lane<u32, A> {
    Lane::new(Lanes { calls, weight }, TaskTracker::new())
}

/// Lets the tasks of lanes come to where they wait.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_lane_calls_at_once_and_a_busy_one_with_all_that_gathered() {
    let (writer, lane) = (Writer::new(), lane(1, 100));
    let first = writer.hand_in(&lane, 1);
    settle().await;
    assert_eq!(writer.calls(), [[1]]);
    let others: Vec<_> = (2..5).map(|item| writer.hand_in(&lane, item)).collect();
    settle().await;
    assert_eq!(writer.calls().len(), 1, "one call is under way");
    writer.may_end(1);
    assert_eq!(first.await, Ok((1, 1)));
    settle().await;
    assert_eq!(writer.calls(), [vec![1], vec![2, 3, 4]]);
    writer.may_end(1);
    for (item, other) in (2..).zip(others) {
        assert_eq!(other.await, Ok((item, 2)), "its own answer");
    }
    // It is idle again.
    let last = writer.hand_in(&lane, 5);
    writer.may_end(1);
    assert_eq!(last.await, Ok((5, 3)));
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_no_more_than_it_may_and_nothing_is_cut() {
    let (writer, lane) = (Writer::new(), lane(1, 10));
    let mut answers = vec![writer.weighing(&lane, 0, 1)];
    settle().await;
    for (item, weight) in [(1, 6), (2, 4), (3, 4), (4, 25), (5, 10)] {
        answers.push(writer.weighing(&lane, item, weight));
    }
    writer.may_end(5);
    for (item, answer) in (0..).zip(answers) {
        assert_eq!(answer.await.unwrap().0, item);
    }
    let calls = [vec![0], vec![1, 2], vec![3], vec![4], vec![5]];
    assert_eq!(writer.calls(), calls);
}

#[tokio::test(start_paused = true)]
async fn as_many_calls_as_may_are_under_way() {
    let (writer, lane) = (Writer::new(), lane(2, 100));
    let answers: Vec<_> = (1..6).map(|item| writer.hand_in(&lane, item)).collect();
    settle().await;
    // Both tasks begin behind the last item here; what was handed in by then goes with the first.
    assert_eq!(writer.calls(), [[1, 2, 3, 4, 5]]);
    let more = [writer.hand_in(&lane, 6), writer.hand_in(&lane, 7)];
    settle().await;
    assert_eq!(writer.calls().len(), 2);
    let last = writer.hand_in(&lane, 8);
    settle().await;
    assert_eq!(writer.calls().len(), 2, "two are under way");
    writer.may_end(3);
    for answer in answers.into_iter().chain(more).chain([last]) {
        answer.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_before_the_call_is_left_out_and_later_nobody_notices() {
    let (writer, lane) = (Writer::new(), lane(1, 100));
    let during = writer.hand_in(&lane, 1);
    settle().await;
    let before = writer.hand_in(&lane, 2);
    let stays = writer.hand_in(&lane, 3);
    drop((during, before));
    writer.may_end(2);
    assert_eq!(stays.await, Ok((3, 2)));
    assert_eq!(writer.calls(), [[1], [3]]);
    // Where all went away, no call is made.
    let first = writer.hand_in(&lane, 4);
    settle().await;
    drop(writer.hand_in(&lane, 5));
    writer.may_end(1);
    first.await.unwrap();
    settle().await;
    assert_eq!(writer.calls().len(), 3);
    writer.may_end(1);
    assert_eq!(writer.hand_in(&lane, 6).await, Ok((6, 4)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_holds_up_others_for_a_moment() {
    let (writer, lane) = (Writer::new(), lane(1, 100));
    let began = Instant::now();
    let hangs = writer.hand_in(&lane, 1);
    settle().await;
    let next = writer.hand_in(&lane, 2);
    sleep(SLOW + Duration::from_millis(1)).await;
    assert_eq!(writer.calls(), [[1], [2]]);
    let third = writer.hand_in(&lane, 3);
    settle().await;
    assert_eq!(writer.calls().len(), 2, "the second call is young");
    writer.may_end(3);
    assert_eq!(hangs.await, Ok((1, 1)));
    assert_eq!(next.await, Ok((2, 2)));
    assert_eq!(third.await, Ok((3, 3)));
    assert!(began.elapsed() < 2 * SLOW);
    settle().await;
    assert_eq!(lane.state.lock().under_way, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_breaks_tells_its_own_callers_and_the_lane_goes_on() {
    let lane = lane::<u32>(1, 100);
    let write = |items: Vec<u32>| async move {
        assert!(!items.contains(&1), "it breaks");
        items
    };
    let broken = lane.hand_in(1, 1, write);
    assert!(broken.await.is_err());
    assert_eq!(lane.hand_in(2, 1, write).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_call_that_panicked_is_told_that_nobody_answers() {
    let lane: Lane<u32, u32> = lane(1, 1);
    let gate = Arc::new(Semaphore::new(0));
    let hand_in = |item| {
        let gate = Arc::clone(&gate);
        lane.hand_in(item, 1, move |items: Vec<u32>| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                assert!(!items.contains(&1), "as a write that breaks");
                items
            }
        })
    };
    let (first, second) = (hand_in(1), hand_in(2));
    settle().await;
    gate.add_permits(10);
    assert!(first.await.is_err());
    assert!(second.await.is_err());
    assert_eq!(hand_in(3).await, Ok(3), "the lane goes on");
}
