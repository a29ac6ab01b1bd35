//! Streams of what is going on: what is told, to whom, where it goes on, and when it ends.

use std::time::Duration;

use prost::Message as _;
use tickwheel_proto::v1;
use tickwheel_proto::v1::stream_event::Event;
use tickwheel_tracker::Tracker;
use tokio::time::{Instant, sleep, timeout};
use tonic::Streaming;

use crate::guarded::{guarded, scope, within};
use crate::harness::{Caller, caller, configured, invalid, serving, submission};

pub(crate) type Events = Streaming<v1::StreamEvent>;

pub(crate) fn wish(topics: &[&str]) -> v1::SubscribeRequest {
    v1::SubscribeRequest {
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        ..v1::SubscribeRequest::default()
    }
}

async fn begin(caller: &Caller, request: v1::SubscribeRequest) -> Events {
    let mut rpc = caller.rpc.clone();
    rpc.subscribe(request).await.unwrap().into_inner()
}

/// The next event, which comes within ten seconds.
async fn next(events: &mut Events) -> v1::StreamEvent {
    let event = timeout(Duration::from_secs(10), events.message()).await;
    event.expect("no event").unwrap().expect("it ended")
}

/// The runs of the next event, and the cursor behind it.
async fn ended(events: &mut Events) -> (Vec<v1::EndedRun>, String) {
    let v1::StreamEvent { cursor, event } = next(events).await;
    let told = format!("{event:?}");
    let ended = match event {
        Some(Event::Runs(ended)) => Some(ended.runs),
        _ => None,
    };
    (ended.expect(&told), cursor)
}

fn ids(runs: &[v1::EndedRun]) -> Vec<&str> {
    runs.iter().map(|run| run.id.as_str()).collect()
}

/// Submits a context and cancels it.
async fn ends(caller: &mut Caller) -> String {
    let submitted = caller.submit(vec![submission(3_600_000)]).await.unwrap();
    let id = submitted.first().unwrap().id.clone();
    let request = v1::ContextRef { id: id.clone() };
    caller.rpc.cancel_context(request).await.unwrap();
    id
}

/// Writes an end that has a message, as a script does.
async fn fails(caller: &Caller, id: &str, group: &str, message: &str) {
    let now = caller.store().await.time().await.unwrap().as_u64();
    let key = caller.key("events").replace('}', ":0}");
    let record = format!("{id}\\tfailed\\t1\\tw\\t5\\t{now}\\t{message}\\t{group}\\th\\t1");
    let told = caller.redis(&format!("XADD {key} * s \"{record}\"")).await;
    assert!(told.starts_with('$'), "{told}");
}

#[tokio::test]
async fn what_is_asked_for_is_checked_and_all_of_it_told() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let wrong = v1::SubscribeRequest {
        topics: ["now", "later", "now", "log:x"].map(str::to_owned).to_vec(),
        cursor: "x".to_owned(),
        job: "no job".to_owned(),
        group: "no group".to_owned(),
        states: vec![v1::ContextState::Running.into(), 0],
    };
    let refused = invalid(caller.rpc.subscribe(wrong).await);
    let fields = [
        "topics[1]",
        "topics[2]",
        "topics[3]",
        "job",
        "group",
        "states[0]",
        "states[1]",
    ];
    assert_eq!(refused, fields);
    let refused = invalid(caller.rpc.subscribe(wish(&[])).await);
    assert_eq!(refused, ["topics"]);
    let cursor = v1::SubscribeRequest {
        cursor: "-~5".to_owned(),
        ..wish(&["now"])
    };
    assert_eq!(invalid(caller.rpc.subscribe(cursor).await), ["cursor"]);
    let unknown = caller.rpc.subscribe(wish(&["log:0.5.none"])).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn the_overview_comes_each_second_while_somebody_watches() {
    let Some(caller) = caller().await else { return };
    let mut watching = Vec::new();
    for _ in 0..20 {
        watching.push(begin(&caller, wish(&["now"])).await);
    }
    let mut times = Vec::new();
    let before = caller.calls("xrevrange").await;
    for _ in 0..3 {
        for events in &mut watching {
            let event = next(events).await.event;
            let Some(Event::Now(now)) = event else {
                panic!("{event:?}");
            };
            assert!(now.totals.is_some());
            times.push(now.time_ms);
        }
    }
    // Twenty who watch are one look in a second.
    let looks = (caller.calls("xrevrange").await - before).div_ceil(4);
    assert!(looks <= 5, "{looks} looks");
    times.sort_unstable();
    times.dedup();
    assert!((3..=5).contains(&times.len()), "{times:?}");
    drop(watching);
    sleep(Duration::from_millis(1_500)).await;
    let before = caller.calls("xrevrange").await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(caller.calls("xrevrange").await, before, "nobody watches");
}

#[tokio::test]
async fn runs_that_end_are_told_and_a_cursor_goes_on_behind_them_at_any_tracker() {
    let Some(config) = configured() else { return };
    let mut caller = serving(config.clone()).await;
    let mut second = serving(config).await;
    let mut events = begin(&caller, wish(&["runs"])).await;
    let first = ends(&mut caller).await;
    let (runs, cursor) = ended(&mut events).await;
    assert_eq!(ids(&runs), [first.as_str()]);
    assert_eq!(runs[0].state(), v1::ContextState::Cancelled);
    // What another tracker ended comes too.
    let elsewhere = ends(&mut second).await;
    let (runs, _) = ended(&mut events).await;
    assert_eq!(ids(&runs), [elsewhere.as_str()]);
    drop(events);
    let meanwhile = ends(&mut caller).await;
    let behind = |topics| v1::SubscribeRequest {
        cursor: cursor.clone(),
        ..wish(topics)
    };
    for tracker in [&caller, &second] {
        let mut again = begin(tracker, behind(&["runs"])).await;
        let mut told = Vec::new();
        // Those of one second before the cursor may come again at another tracker.
        while !told.contains(&meanwhile) {
            let (runs, _) = ended(&mut again).await;
            told.extend(runs.into_iter().map(|run| run.id));
        }
        assert!(told.contains(&elsewhere), "{told:?}");
    }
    // Behind a cursor that is older than what is known, something is missing.
    let old = v1::SubscribeRequest {
        cursor: "5.5.5".to_owned(),
        ..wish(&["runs"])
    };
    let event = next(&mut begin(&second, old).await).await.event;
    let Some(Event::Lagged(lagged)) = event else {
        panic!("{event:?}");
    };
    assert_eq!((lagged.topic.as_str(), lagged.dropped), ("runs", 0));
}

#[tokio::test]
async fn runs_are_chosen_by_job_group_and_state() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let of_job = v1::SubscribeRequest {
        job: "eu/bill".to_owned(),
        ..wish(&["runs"])
    };
    let failed = v1::SubscribeRequest {
        states: vec![v1::ContextState::Failed.into()],
        group: "g".to_owned(),
        ..wish(&["runs"])
    };
    let (mut of_job, mut failed) = (begin(&caller, of_job).await, begin(&caller, failed).await);
    ends(&mut caller).await;
    fails(&caller, "0.900.f@eu/bill", "g", "no money").await;
    fails(&caller, "0.900.f@eu/mail", "g", "no stamp").await;
    fails(&caller, "0.900.f@eu/none", "k", "no luck").await;
    let (runs, _) = ended(&mut of_job).await;
    assert_eq!(ids(&runs), ["0.900.f@eu/bill"]);
    assert_eq!(runs[0].error, "no money");
    let mut told = Vec::new();
    while told.len() < 2 {
        let (runs, _) = ended(&mut failed).await;
        told.extend(runs.into_iter().map(|run| run.id));
    }
    assert_eq!(told, ["0.900.f@eu/bill", "0.900.f@eu/mail"]);
}

#[tokio::test]
async fn a_log_is_told_from_its_oldest_line_to_its_end() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let submitted = caller.submit(vec![submission(3_600_000)]).await.unwrap();
    let id = submitted[0].id.clone();
    let partition = id.split('.').next().unwrap();
    let key = caller.key(&format!("log:{id}"));
    let key = key.replace('}', &format!(":{partition}}}"));
    let say = async |caller: &Caller, text: &str| {
        let entry = format!("1000 1 0 1\\ni0 {}:{text}", text.len());
        caller.redis(&format!("RPUSH {key} \"{entry}\"")).await
    };
    say(&caller, "first").await;
    let topic = format!("log:{id}");
    let mut watching = Vec::new();
    for _ in 0..3 {
        watching.push(begin(&caller, wish(&[&topic])).await);
    }
    let lines = async |events: &mut Events| {
        let v1::StreamEvent { cursor, event } = next(events).await;
        let Some(Event::Log(log)) = event else {
            panic!("{event:?}");
        };
        assert_eq!(log.context_id, id);
        let texts: Vec<String> = log.lines.into_iter().map(|line| line.line).collect();
        (texts, log.ended, cursor)
    };
    let mut cursors = Vec::new();
    for events in &mut watching {
        let (texts, ended, cursor) = lines(events).await;
        assert_eq!(
            (texts.as_slice(), ended),
            (&["first".to_owned()][..], false)
        );
        cursors.push(cursor);
    }
    say(&caller, "second").await;
    for events in &mut watching {
        assert_eq!(lines(events).await.0, ["second"]);
    }
    let request = v1::ContextRef { id: id.clone() };
    caller.rpc.cancel_context(request).await.unwrap();
    for events in &mut watching {
        let (texts, ended, _) = lines(events).await;
        assert!(texts.is_empty() && ended);
    }
    // Behind the first line.
    let again = v1::SubscribeRequest {
        cursor: cursors[0].clone(),
        ..wish(&[&topic])
    };
    let mut again = begin(&caller, again).await;
    assert_eq!(lines(&mut again).await.0, ["second"]);
    assert!(lines(&mut again).await.1);
}

#[tokio::test]
async fn nobody_is_told_what_he_does_not_see() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let (admin, caller) = (&guarded.admin, &guarded.caller);
    let subscribe = async |scope: v1::Scope, request: v1::SubscribeRequest| {
        let mut rpc = guarded.api(&guarded.make(scope).await);
        rpc.subscribe(request)
            .await
            .map(tonic::Response::into_inner)
    };
    let viewer = || v1::Role::Viewer;
    let of_eu = within(viewer(), "eu", "g");
    let mut of_eu = subscribe(of_eu, wish(&["now", "runs"])).await.unwrap();
    let mut reads = scope(viewer());
    reads.permissions = vec!["read_payload".to_owned()];
    let mut reads = subscribe(reads, wish(&["runs"])).await.unwrap();
    fails(caller, "0.900.f@us/bill", "g", "secret").await;
    fails(caller, "0.900.f@eu/other", "k", "secret").await;
    fails(caller, "0.900.f@eu/bill", "g", "secret").await;
    let mut told = Vec::new();
    while told.is_empty() {
        match next(&mut of_eu).await.event {
            Some(Event::Runs(ended)) => told = ended.runs,
            Some(Event::Now(now)) => assert_eq!(now.totals, None),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids(&told), ["0.900.f@eu/bill"]);
    assert_eq!(told[0].error, "");
    let mut all = Vec::new();
    while all.len() < 3 {
        all.extend(ended(&mut reads).await.0);
    }
    assert!(all.iter().all(|run| run.error == "secret"), "{all:?}");
    // A log of what is not seen is one of nothing.
    let mut rpc = guarded.api(admin);
    let request = v1::SubmitRequest {
        contexts: vec![v1::Submission {
            namespace: "us".to_owned(),
            ..submission(3_600_000)
        }],
    };
    let id = rpc.submit(request).await.unwrap().into_inner().contexts;
    let topic = format!("log:{}", id[0].id);
    let refused = subscribe(within(viewer(), "eu", "*"), wish(&[&topic])).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn who_may_not_stay_is_sent_away_and_says_goodbye() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let revoked = guarded.make(scope(v1::Role::Viewer)).await;
    let over = guarded
        .try_make(&guarded.admin, scope(v1::Role::Viewer), Some(2_000))
        .await
        .unwrap();
    let mut streams = Vec::new();
    for token in [&revoked, &over] {
        let mut rpc = guarded.api(token);
        streams.push(rpc.subscribe(wish(&["runs"])).await.unwrap().into_inner());
    }
    guarded.revoke(&revoked).await;
    let began = Instant::now();
    for events in &mut streams {
        let event = next(events).await.event;
        let Some(Event::Bye(bye)) = event else {
            panic!("{event:?}");
        };
        assert_eq!(bye.retry_ms, 0);
        assert_eq!(events.message().await.unwrap(), None);
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_tracker_that_stops_sends_everybody_on_within_two_seconds() {
    let Some(config) = configured() else { return };
    let tracker = Tracker::start(config).await.unwrap();
    let endpoint = format!("http://{}", tracker.grpc_addr());
    let channel = tonic::transport::Endpoint::from_shared(endpoint).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut rpc = v1::scheduler_service_client::SchedulerServiceClient::new(channel);
    let mut streams = Vec::new();
    for _ in 0..100 {
        let request = wish(&["now", "runs"]);
        streams.push(rpc.subscribe(request).await.unwrap().into_inner());
    }
    let began = Instant::now();
    let stops = tokio::spawn(tracker.stop());
    for events in &mut streams {
        loop {
            if let Some(Event::Bye(bye)) = next(events).await.event {
                assert!(bye.retry_ms >= 1_000);
                break;
            }
        }
        assert_eq!(events.message().await.unwrap(), None);
    }
    stops.await.unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn events_are_of_the_wire() {
    // Their kinds stand where older programs look for them.
    let bye = v1::StreamEvent {
        cursor: String::new(),
        event: Some(Event::Bye(v1::Bye::default())),
    };
    assert_eq!(bye.encode_to_vec(), [50, 0]);
}
