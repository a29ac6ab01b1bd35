//! Group commit for callers who wait: what arrives while calls are under way goes into the next one, and each caller has its own answer.
//!
//! An idle lane calls at once, a busy one with as much as gathered meanwhile. Other than a coalescer it never rests: somebody waits for each
//! item. A call that takes long is left to itself, and the next one goes out: what hangs delays those behind it by [`SLOW`] at most.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// A call that takes longer does not hold up its lane any more. One call keeps Redis busy for a millisecond or two.
const SLOW: Duration = Duration::from_millis(20);

/// What goes out together, and how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lanes {
    /// Calls of a lane under way at once, but for slow ones.
    pub(crate) calls: usize,
    /// Weight of one call, unless a single item weighs more.
    pub(crate) weight: usize,
}

/// Items `T` that are written together, and answered with an `A` each. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Lane<T, A> {
    state: Arc<Mutex<State<T, A>>>,
    lanes: Lanes,
    tasks: TaskTracker,
    runtime: Handle,
}

#[derive(Debug)]
struct State<T, A> {
    waiting: VecDeque<Waiting<T, A>>,
    under_way: usize,
}

#[derive(Debug)]
struct Waiting<T, A> {
    item: T,
    weight: usize,
    answer: oneshot::Sender<A>,
}

/// Items of one call, and who waits for their answers.
type Batch<T, A> = (Vec<T>, Vec<oneshot::Sender<A>>);

impl<T, A> Clone for Lane<T, A> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            lanes: self.lanes,
            tasks: self.tasks.clone(),
            runtime: self.runtime.clone(),
        }
    }
}

impl<T: Send + 'static, A: Send + 'static> Lane<T, A> {
    /// An idle lane, whose calls are made by tasks of `tasks`, in the runtime that this is called in: callers may come from another one,
    /// which ends before.
    pub(crate) fn new(lanes: Lanes, tasks: TaskTracker) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            under_way: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            lanes,
            tasks,
            runtime: Handle::current(),
        }
    }

    /// Hands in an item. `write` is called in the background with what goes out together, in the order in which it came, and answers each in
    /// that order. An item whose receiver was dropped before its call began is left out; later, that changes nothing for anybody.
    ///
    /// The receiver is told that nobody answers when the process ends, or `write` panicked.
    pub(crate) fn hand_in<W, F>(&self, item: T, weight: usize, write: W) -> oneshot::Receiver<A>
    where
        W: Fn(Vec<T>) -> F + Clone + Send + 'static,
        F: Future<Output = Vec<A>> + Send,
    {
        let (answer, receiver) = oneshot::channel();
        let begins = {
            let mut state = self.state.lock();
            state.waiting.push_back(Waiting {
                item,
                weight,
                answer,
            });
            state.begins(self.lanes.calls)
        };
        if begins {
            self.call(write);
        }
        receiver
    }

    /// Makes calls until nothing waits.
    fn call<W, F>(&self, write: W)
    where
        W: Fn(Vec<T>) -> F + Clone + Send + 'static,
        F: Future<Output = Vec<A>> + Send,
    {
        let mut turn = Turn {
            lane: self.clone(),
            is_over: false,
        };
        let calling = async move {
            while let Some((items, callers)) = turn.next() {
                let mut call = pin!(write(items));
                if let Ok(answers) = timeout(SLOW, call.as_mut()).await {
                    tell(callers, answers);
                    continue;
                }
                turn.leave_to_others(write.clone());
                tell(callers, call.await);
                break;
            }
        };
        self.tasks.spawn_on(calling, &self.runtime);
    }
}

/// The right to make a call; given back when it is dropped, wherever that is.
struct Turn<T, A> {
    lane: Lane<T, A>,
    is_over: bool,
}

impl<T: Send + 'static, A: Send + 'static> Turn<T, A> {
    /// What goes into the next call; without any, the turn is over.
    fn next(&mut self) -> Option<Batch<T, A>> {
        let mut state = self.lane.state.lock();
        let batch = state.take(self.lane.lanes.weight);
        if batch.is_none() {
            // Under the same lock: who comes behind it finds the lane idle.
            state.under_way -= 1;
            drop(state);
            self.is_over = true;
        }
        batch
    }

    /// Ends the turn before its call has ended.
    fn leave_to_others<W, F>(&mut self, write: W)
    where
        W: Fn(Vec<T>) -> F + Clone + Send + 'static,
        F: Future<Output = Vec<A>> + Send,
    {
        self.is_over = true;
        let begins = {
            let mut state = self.lane.state.lock();
            state.under_way -= 1;
            !state.waiting.is_empty() && state.begins(self.lane.lanes.calls)
        };
        if begins {
            self.lane.call(write);
        }
    }
}

impl<T, A> Drop for Turn<T, A> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.lane.state.lock();
        state.under_way -= 1;
        // `write` panicked. Those who wait are told by their receivers, as nobody else may come to make a call for them.
        let waiting = if state.under_way == 0 {
            std::mem::take(&mut state.waiting)
        } else {
            VecDeque::new()
        };
        drop(state);
        drop(waiting);
    }
}

impl<T, A> State<T, A> {
    /// Whether another call begins now.
    fn begins(&mut self, most: usize) -> bool {
        let begins = self.under_way < most;
        self.under_way += usize::from(begins);
        begins
    }

    /// As much as one call carries; nothing of those who have gone away.
    fn take(&mut self, most: usize) -> Option<Batch<T, A>> {
        let (mut items, mut callers, mut weight) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = self.waiting.pop_front() {
            if next.answer.is_closed() {
                continue;
            }
            if !items.is_empty() && weight + next.weight > most {
                self.waiting.push_front(next);
                break;
            }
            weight += next.weight;
            items.push(next.item);
            callers.push(next.answer);
        }
        (!items.is_empty()).then_some((items, callers))
    }
}

fn tell<A>(callers: Vec<oneshot::Sender<A>>, answers: Vec<A>) {
    for (caller, answer) in callers.into_iter().zip(answers) {
        // Who went away meanwhile is not told.
        caller.send(answer).ok();
    }
}

#[cfg(test)]
mod tests;
