//! Subtasks run where their root may run: under its routing policy, and taking of their worker's resources what it takes.

use crate::call::{Part, T, field, pairs, ready_score, texts};
use crate::fan_pages::{PAGE, Page, ROOT, split, succeed};
use crate::harness::fresh;

const PLACEMENT: &str = "c=0123456789";

/// A placement of a turn: the handler, the mode with what a context takes, and the workers, `<number>:<score>:<step>`.
type Offered<'a> = (&'a str, &'a str, &'a str);

/// What a turn said: worker and context of each claim, queues with how many wait in them, and workers for which parts wait.
#[derive(Debug, PartialEq)]
struct Said {
    claims: Vec<(String, String)>,
    told: Vec<(String, String)>,
    pinned: Vec<(String, String)>,
}

async fn turn_told(
    part: &Part<'_>,
    workers: &[[&str; 2]],
    placements: &[Offered<'_>],
    limits: &str,
) -> Said {
    let words = [
        T.to_string(),
        workers.len().to_string(),
        placements.len().to_string(),
    ];
    let queues: Vec<String> = placements
        .iter()
        .map(|(handler, ..)| format!("g {handler} {PLACEMENT}"))
        .collect();
    let mut args = vec![words[0].as_str(), "2000", "100", &words[1]];
    for [worker, permits] in workers {
        args.extend([*worker, "g", *permits, "h,leaf,sum"]);
    }
    args.extend(["7", words[2].as_str()]);
    for (queue, (_, mode, standing)) in queues.iter().zip(placements) {
        args.extend([queue.as_str(), *mode, *standing]);
    }
    args.extend((!limits.is_empty()).then_some(limits));
    let reply = part.call("wheel/turn", "TURNED", &args).await;
    let claim = |(worker, member): (String, String)| {
        let id = member.split(' ').next().unwrap();
        (worker, id.to_owned())
    };
    Said {
        claims: pairs(&texts(field(&reply, "claims"))).map(claim).collect(),
        told: pairs(&texts(field(&reply, "backlog"))).collect(),
        pinned: pairs(&texts(field(&reply, "pinned"))).collect(),
    }
}

/// Worker and context of each claim of a turn, and the queues it tells of.
async fn turn(
    part: &Part<'_>,
    workers: &[[&str; 2]],
    placements: &[Offered<'_>],
) -> (Vec<(String, String)>, Vec<String>) {
    let said = turn_told(part, workers, placements, "").await;
    let told = said.told.into_iter().map(|(queue, _)| queue);
    (said.claims, told.collect())
}

fn claimed(worker: &str, n: &str) -> (String, String) {
    (worker.to_owned(), format!("{ROOT}~{n}"))
}

#[tokio::test]
async fn mapped_subtasks_and_the_reduce_stay_in_the_placement_of_their_root() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", PLACEMENT).await;
    let page = Page {
        reduce: "sum 2 p=r:0",
        ..PAGE
    };
    assert_eq!(split(&part, &page, &["a", "b", "c"]).await, ["TAKEN", "3"]);
    let queue = format!("g leaf {PLACEMENT} /{ROOT}");
    assert_eq!(part.state().await.zset("backlog"), [(queue.as_str(), 0)]);
    let workers = [["x", "9"], ["y", "9"], ["z", "9"]];
    // Nobody knows the placement: they wait, and it is told of.
    let (claims, told) = turn(&part, &workers, &[]).await;
    assert_eq!(
        (claims, told),
        (vec![], vec![format!("g leaf {PLACEMENT}")])
    );
    let fits = ("leaf", "count", "2:0:1,3:0:1");
    let (claims, told) = turn(&part, &workers, &[fits]).await;
    assert_eq!(
        (claims, told),
        (
            vec![claimed("y", "0"), claimed("z", "1"), claimed("y", "2")],
            vec![]
        )
    );
    let parts = [0, 1, 2].map(|n| format!("{ROOT}~{n}"));
    let done = [ROOT, &parts[0], &parts[1], &parts[2]];
    assert_eq!(succeed(&part, &done).await, "SSSS");
    let (claims, told) = turn(&part, &workers, &[fits]).await;
    assert_eq!((claims, told), (vec![], vec![format!("g sum {PLACEMENT}")]));
    let (claims, _) = turn(&part, &workers, &[("sum", "count", "3:0:1")]).await;
    assert_eq!(claims, [claimed("z", "r")]);
    assert_eq!(succeed(&part, &[&format!("{ROOT}~r")]).await, "S");
    assert!(!part.state().await.zsets.contains_key("backlog"));
}

#[tokio::test]
async fn a_refused_subtask_goes_to_another_worker_of_the_placement() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", PLACEMENT).await;
    assert_eq!(split(&part, &PAGE, &["a"]).await, ["TAKEN", "1"]);
    let both = [["x", "9"], ["y", "9"]];
    let placement = ("leaf", "count", "1:0:1,2:0:1");
    let (claims, _) = turn(&part, &both, &[placement]).await;
    assert_eq!(claims, [claimed("x", "0")]);
    let first = format!("{ROOT}~0");
    assert_eq!(part.release(T, &[[&first, "1"]]).await, "1");
    let state = part.state().await;
    let route = format!("route:{}", &PLACEMENT[2..]);
    assert_eq!(
        state.field(&route, "x"),
        "0.000000:1",
        "it was not picked after all"
    );
    assert_eq!(state.lists[&format!("parts:leaf:{ROOT}")], ["0 1:0,a=x a"]);
    let (claims, _) = turn(&part, &both, &[placement]).await;
    assert_eq!(claims, [claimed("y", "0")]);
}

#[tokio::test]
async fn parts_for_certain_workers_take_of_their_resources() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let member = format!("{ROOT} 0:0 g h 2 {PLACEMENT},m=1 body");
    let score = ready_score(2, 900).to_string();
    let (ready, backlog) = (part.key("ready:g:!fan"), part.key("backlog"));
    test.command(&["ZADD", &ready, &score, &member]).await;
    test.command(&["ZADD", &backlog, "0", "g !fan"]).await;
    let (now, waiting) = (T.to_string(), format!("{ROOT} 0:0 g h 2"));
    let rules = [
        "sharding",
        "2 b=f:0:0:0",
        "",
        "ended",
        "3",
        "0",
        "",
        "",
        "",
        "",
    ];
    let mut args = vec![now.as_str(), waiting.as_str()];
    args.extend(rules);
    args.extend(["x", "0 zero", "x", "1 one", "y", "2 two"]);
    assert_eq!(part.answer("fan/open", &args).await, ["OPENED"]);
    let queue = format!("g h {PLACEMENT} /{ROOT}");
    assert_eq!(part.state().await.zset("backlog"), [(queue.as_str(), 0)]);
    // The placement is told of although nothing waits for just any worker.
    let (claims, told) = turn(&part, &[["x", "9 unit=1500"], ["y", "9"]], &[]).await;
    assert_eq!((claims, told), (vec![], vec![format!("g h {PLACEMENT}")]));
    let placement = ("h", "count unit=1000", "1:0:1");
    let (claims, _) = turn(&part, &[["x", "9 unit=1500"], ["y", "9"]], &[placement]).await;
    assert_eq!(claims, [claimed("x", "0")], "y has no unit, and x only one");
    let (claims, _) = turn(
        &part,
        &[["x", "9 unit=500"], ["y", "9 unit=1000"]],
        &[placement],
    )
    .await;
    assert_eq!(
        claims,
        [claimed("y", "2")],
        "its part is its own, in the placement or not"
    );
    let (claims, _) = turn(&part, &[["x", "9 unit=1000"]], &[placement]).await;
    assert_eq!(claims, [claimed("x", "1")]);
}

#[tokio::test]
async fn workers_that_parts_wait_for_are_told_with_the_placement() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fan = part.key(&format!("fan:{ROOT}"));
    let (fans, backlog) = (part.key("fans"), part.key("backlog"));
    let queue = format!("g h {PLACEMENT} /{ROOT}");
    test.command(&["HSET", &fans, ROOT, "sharding"]).await;
    let fields = [
        "model",
        "sharding",
        "state",
        "closed",
        "round",
        "1",
        "total",
        "1",
        "group",
        "g",
        "handlers",
        "h",
        "placement",
        &PLACEMENT[2..],
        "pinned",
        "1",
        "w:x",
        "1",
        "t:h",
        "g h 2 c=0123456789 ",
    ];
    let mut command = vec!["HSET", fan.as_str()];
    command.extend(fields);
    test.command(&command).await;
    let parts = part.key(&format!("parts:h:{ROOT}:x"));
    test.command(&["RPUSH", &parts, "0 0:0 zero"]).await;
    test.command(&["ZADD", &backlog, "0", &queue]).await;
    let said = turn_told(&part, &[["y", "9"]], &[], "").await;
    let placement = format!("g h {PLACEMENT}");
    assert_eq!(said.told, [(placement.clone(), "0".to_owned())]);
    assert_eq!(said.pinned, [("x".to_owned(), placement)]);
}

#[tokio::test]
async fn a_placement_is_told_of_once_and_though_its_group_is_at_its_limit() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", PLACEMENT).await;
    part.hold("3.900.b-1", "1:0", PLACEMENT).await;
    let other = Page {
        id: "3.900.b-1",
        ..PAGE
    };
    assert_eq!(split(&part, &PAGE, &["a", "b"]).await, ["TAKEN", "2"]);
    assert_eq!(split(&part, &other, &["c"]).await, ["TAKEN", "1"]);
    let placement = format!("g leaf {PLACEMENT}");
    let free = turn_told(&part, &[["x", "9"]], &[], "").await;
    assert_eq!(free.told, [(placement.clone(), "3".to_owned())]);
    // Something of the group waits for its limit: the tracker shall not come back for it, and has to know the placement when it does.
    part.submit(T - 10, &[["0", "p-1", "g h 2 - b", ""]]).await;
    let full = turn_told(&part, &[["x", "9"]], &[], "limits\ng g c -").await;
    assert_eq!(full.claims, []);
    assert_eq!(full.told, [(placement, "0".to_owned())]);
}
