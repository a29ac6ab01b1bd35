use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_core::id::{DedupKey, Namespace};
use tickwheel_store::Redis;
use tickwheel_store::script::Script;
use tickwheel_store::transport::{Answer as Said, Answering, Failure, Transport};
use tickwheel_store::wheel::When;
use tokio::time::{Instant, timeout};

use super::*;

/// A Redis that answers each call when it may, and refuses those with a context that has one of some bodies.
#[derive(Debug)]
struct Scripted {
    /// The partition of each call, and the bodies of its contexts.
    calls: Mutex<Vec<(String, Vec<String>)>>,
    gate: Arc<Semaphore>,
}

const REFUSED: &str = "refused";
const BROKEN: &str = "broken";
const LOST: &str = "lost";

impl Scripted {
    fn new(open: usize) -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            gate: Arc::new(Semaphore::new(open)),
        })
    }

    fn never() -> Answering {
        Box::pin(std::future::ready(Err(Failure::Silence)))
    }

    /// How many contexts each call had.
    fn sizes(&self) -> Vec<usize> {
        let calls = self.calls.lock();
        calls.iter().map(|(_, bodies)| bodies.len()).collect()
    }
}

impl Transport for Scripted {
    fn fcall(&self, _: &'static Script, keys: Vec<String>, args: Vec<Bytes>) -> Answering {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let rests = args.iter().skip(2).collect::<Vec<_>>();
        let rests = rests.chunks(4).map(|context| text(context[2]));
        let bodies: Vec<String> = rests
            .map(|rest| rest.rsplit(' ').next().unwrap().to_owned())
            .collect();
        self.calls.lock().push((keys[0].clone(), bodies.clone()));
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            let has = |body: &str| bodies.iter().any(|one| one == body);
            if has(LOST) {
                return Err(Failure::Silence);
            }
            if has(BROKEN) {
                return Err(Failure::Said("WRONGTYPE Operation".to_owned()));
            }
            if has(REFUSED) {
                let status = Said::Bytes("PLACEMENTS_FULL".into());
                return Ok(Said::List(vec![status]));
            }
            let status = Said::Bytes("ACCEPTED".into());
            Ok(Said::List(vec![
                status,
                Said::Int(1_000),
                Said::List(Vec::new()),
            ]))
        })
    }

    fn load_library(&self) -> Answering {
        Self::never()
    }

    fn evalsha(&self, _: &'static Script, _: Vec<String>, _: Vec<Bytes>) -> Answering {
        Self::never()
    }

    fn load(&self, _: &'static Script) -> Answering {
        Self::never()
    }

    fn read(&self, _: &'static str, _: Vec<String>) -> Answering {
        Self::never()
    }

    fn time(&self) -> Answering {
        Self::never()
    }
}

fn intake(redis: &Arc<Scripted>) -> Arc<Intake> {
    let redis: Arc<Scripted> = Arc::clone(redis);
    let redis = Redis::with_transport(redis).unwrap();
    let store = Store::simulated(redis, "tw", PartitionCount::new(4).unwrap());
    Arc::new(Intake::new(store))
}

fn context(number: usize, body: &str) -> NewContext {
    NewContext {
        when: When::Delay(Duration::ZERO),
        rest: format!("g h 2 - {body}").into(),
        namespace: Namespace::default(),
        uniq: format!("a-{number}"),
        dedup: None,
        partition: PartitionId::default(),
        placement: None,
    }
}

type Asking = tokio::task::JoinHandle<Result<Vec<SubmittedContext>, Error>>;

/// Requests that came while two calls are under way, so that they wait.
async fn gathered(
    intake: &Arc<Intake>,
    redis: &Scripted,
    requests: Vec<Vec<NewContext>>,
) -> Vec<Asking> {
    let ask = |contexts: Vec<NewContext>| {
        let intake = Arc::clone(intake);
        tokio::spawn(async move { intake.submit(contexts, Lies::Anywhere).await })
    };
    for number in 0..ANYWHERE_CALLS {
        drop(ask(vec![context(1_000 + number, "first")]));
        while redis.sizes().len() == number {
            tokio::task::yield_now().await;
        }
    }
    let asking: Vec<Asking> = requests.into_iter().map(ask).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    asking
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_is_alone_and_others_are_written() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let bodies = ["x", REFUSED, "y", "z", BROKEN, "v", "w", "u"];
    let requests = bodies.iter().enumerate();
    let requests = requests.map(|(number, body)| vec![context(number, body)]);
    let asking = gathered(&intake, &redis, requests.collect()).await;
    redis.gate.add_permits(100);
    for ((number, body), asked) in bodies.iter().enumerate().zip(asking) {
        let answer = asked.await.unwrap();
        match (*body, answer) {
            (REFUSED, Err(Error::Store(StoreError::Full(_))))
            | (BROKEN, Err(Error::Store(StoreError::Damaged { .. }))) => {}
            (_, Ok(submitted)) => {
                assert_eq!(submitted.len(), 1);
                let id = submitted[0].id.as_str();
                assert!(id.ends_with(&format!(".1000.a-{number}")), "{id}");
            }
            (body, answer) => panic!("{body}: {answer:?}"),
        }
    }
    // All together, then halves: each other one stands in one call that was accepted.
    let calls = redis.calls.lock();
    assert_eq!(calls[ANYWHERE_CALLS].1, bodies);
    let is_accepted =
        |bodies: &&Vec<String>| !bodies.iter().any(|body| body == REFUSED || body == BROKEN);
    let accepted = calls.iter().skip(ANYWHERE_CALLS).map(|(_, bodies)| bodies);
    let mut accepted: Vec<&str> = accepted
        .filter(is_accepted)
        .flatten()
        .map(String::as_str)
        .collect();
    accepted.sort_unstable();
    assert_eq!(accepted, ["u", "v", "w", "x", "y", "z"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_not_known_for_all_and_no_call_is_made_again() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let requests = ["x", LOST, "y"].map(|body| vec![context(0, body)]);
    let asking = gathered(&intake, &redis, requests.to_vec()).await;
    redis.gate.add_permits(100);
    for asked in asking {
        let error = asked.await.unwrap().unwrap_err();
        let is_unavailable = matches!(error, Error::Store(StoreError::Unavailable { .. }));
        assert!(is_unavailable, "{error:?}");
    }
    assert_eq!(redis.sizes(), [1, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_in_one_call_whole_and_has_all_its_answers() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let three = |first: usize| {
        (first..first + 3)
            .map(|number| context(number, "x"))
            .collect()
    };
    let requests: Vec<Vec<NewContext>> = (0..100).map(|at| three(10 * at)).collect();
    let asking = gathered(&intake, &redis, requests).await;
    redis.gate.add_permits(100);
    for (at, asked) in asking.into_iter().enumerate() {
        let submitted = asked.await.unwrap().unwrap();
        let ids: Vec<&str> = submitted
            .iter()
            .map(|one| one.id.as_str().rsplit("a-").next().unwrap())
            .collect();
        let own = [10 * at, 10 * at + 1, 10 * at + 2].map(|number| number.to_string());
        assert_eq!(ids, own);
    }
    let sizes = redis.sizes();
    assert_eq!(sizes, [1, 1, 249, 51]);
    // Calls go to one partition after the other.
    let calls = redis.calls.lock();
    let keys: Vec<&str> = calls.iter().map(|(key, _)| key.as_str()).collect();
    let turns = [0, 1, 2, 3].map(|partition| format!("{{tw:{partition}}}:wheel"));
    assert_eq!(keys, turns);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_takes_only_its_own_along() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let requests = (0..5).map(|number| vec![context(number, "x")]).collect();
    let mut asking = gathered(&intake, &redis, requests).await;
    let gone = asking.remove(2);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    redis.gate.add_permits(100);
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap().len(), 1);
    }
    assert_eq!(redis.sizes(), [1, 1, 4]);
    assert_eq!(intake.room.available_permits(), ROOM_KIB);
}

#[tokio::test(start_paused = true)]
async fn a_partition_out_of_reach_takes_in_one_call_and_not_each_of_its_turns() {
    let turns = Arc::new(Turns::new(PartitionCount::new(4).unwrap()));
    let number = |at: &At| at.partition.as_u16();
    let stuck = turns.next();
    assert_eq!(number(&stuck), 0);
    let others: Vec<u16> = (0..8).map(|_| number(&turns.next())).collect();
    assert!(!others.contains(&0), "{others:?}");
    // While none answers, each is asked in its turn.
    let all: Vec<At> = (0..8).map(|_| turns.next()).collect();
    let count = |partition| all.iter().filter(|at| number(at) == partition).count();
    assert!((0..4).all(|partition| count(partition) >= 1));
    drop((stuck, all));
    assert!(
        turns
            .under_way
            .iter()
            .all(|(_, calls)| calls.load(Ordering::Relaxed) == 0)
    );
}

#[tokio::test(start_paused = true)]
async fn keys_of_one_partition_gather_and_those_of_others_go_at_once() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let keyed = |number: usize, partition: u16| NewContext {
        dedup: Some((DedupKey::new("k").unwrap(), Duration::from_secs(1))),
        partition: PartitionId::new(partition).unwrap(),
        ..context(number, "x")
    };
    let ask = |context: NewContext| {
        let (intake, lies) = (Arc::clone(&intake), Lies::In(context.partition));
        tokio::spawn(async move { intake.submit(vec![context], lies).await })
    };
    let first = ask(keyed(0, 1));
    while redis.sizes().is_empty() {
        tokio::task::yield_now().await;
    }
    let gathered: Vec<Asking> = (1..4).map(|number| ask(keyed(number, 1))).collect();
    let other = ask(keyed(4, 2));
    while redis.sizes().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(redis.calls.lock()[1].0, "{tw:2}:wheel");
    redis.gate.add_permits(100);
    for asked in gathered.into_iter().chain([first, other]) {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(redis.sizes(), [1, 1, 3]);
}

#[tokio::test(start_paused = true)]
async fn beyond_what_may_wait_callers_are_told_to_come_again() {
    let redis = Scripted::new(0);
    let intake = intake(&redis);
    let large = "x".repeat(20 << 10);
    let began = Instant::now();
    let ask = |number: usize| {
        let (intake, context) = (Arc::clone(&intake), context(number, &large));
        tokio::spawn(async move { intake.submit(vec![context], Lies::Anywhere).await })
    };
    // Each takes 21 KiB.
    let fit = ROOM_KIB / 21;
    let asking: Vec<Asking> = (0..fit).map(ask).collect();
    while intake.room.available_permits() >= 21 {
        tokio::task::yield_now().await;
    }
    let refused = timeout(Duration::from_secs(1), ask(fit)).await.unwrap();
    let error = refused.unwrap().unwrap_err();
    assert!(matches!(error, Error::Busy(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
    redis.gate.add_permits(fit);
    for asked in asking {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(intake.room.available_permits(), ROOM_KIB);
    ask(fit).await.unwrap().unwrap();
}
