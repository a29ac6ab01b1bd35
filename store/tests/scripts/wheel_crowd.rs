//! wheel/turn and wheel/look beside queues that nobody serves: what they cost others, and what is found among them.

use tickwheel_store::script;

use crate::call::{Part, T, field, texts};
use crate::harness::{Harness, alone, fresh};

const PLACEMENT: &str = "c=0123456789";

/// Fills the backlog with queues of group `crowd` that nobody serves.
async fn crowd(part: Part<'_>, queues: u32) {
    let fill = format!(
        "for i = 1, {queues} do
           local handler = string.format('nobody%05d', i)
           redis.call('ZADD', KEYS[1] .. 'ready:crowd:' .. handler, 2 * 2^44 + 5, '3.5.c-' .. i .. ' 0:0 crowd ' .. handler .. ' 2 - ')
           redis.call('ZADD', KEYS[1] .. 'backlog', 0, 'crowd ' .. handler)
         end"
    );
    part.test.text(&["EVAL", &fill, "1", &part.key("")]).await;
}

/// Bytes that the commands of a script answer with.
async fn bytes_read(test: &Harness, part: Part<'_>, name: &str, args: &[&str]) -> u64 {
    let all = script::all();
    let found = all.into_iter().find(|script| script.name() == name);
    let script = found.unwrap();
    let (flags, text) = script.text().split_once('\n').unwrap();
    let counting = format!(
        "{flags}
local bytes, server = 0, redis
local function count(value)
  if type(value) == 'table' then
    for _, one in ipairs(value) do count(one) end
  else
    bytes = bytes + (type(value) == 'string' and #value or 1)
  end
end
local redis = setmetatable({{ call = function(...)
  local answer = server.call(...)
  count(answer)
  return answer
end }}, {{ __index = server }})
local function body()
{text}
end
body()
return bytes"
    );
    let wheel = part.key("wheel");
    let mut words = vec!["EVAL", counting.as_str(), "1", wheel.as_str()];
    words.extend(args);
    test.text(&words).await.parse().unwrap()
}

#[tokio::test]
async fn a_crowd_that_nobody_serves_costs_others_nothing() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    let due =
        "for i = 1, 40 do redis.call('ZADD', KEYS[1], 5, '3.5.a-' .. i .. ' 0:0 g h 2 - x') end";
    let now = T.to_string();
    let mut costs = Vec::new();
    for queues in [0, 31, 999, 20_000] {
        test.command(&["FLUSHALL"]).await;
        crowd(part, queues).await;
        let offers = ["w", "g", "30", "h"];
        let mut args = vec![now.as_str(), "2000", "500", "1"];
        args.extend(offers);
        test.text(&["EVAL", due, "1", &part.key("wheel")]).await;
        let commands = test.cost("wheel/turn", part.id, &args).await;
        test.text(&["EVAL", due, "1", &part.key("wheel")]).await;
        let bytes = bytes_read(&test, part, "wheel/turn", &args).await;
        let look = test.cost("wheel/look", part.id, &["", "g h"]).await;
        let seen = bytes_read(&test, part, "wheel/look", &["", "g h"]).await;
        costs.push((queues, commands, bytes, look, seen));
        let turned = part.turn(T, 10, &[("w", "g", 1, "h")]).await;
        assert_eq!(turned.claims.len(), 1, "{queues} queues");
        assert!(turned.backlog.contains_key("g h"), "{queues} queues");
    }
    println!("queues; commands, bytes of a turn; of a look: {costs:?}");
    let (few, many) = (costs[2], costs[3]);
    assert_eq!((few.1, few.3), (many.1, many.3), "{costs:?}");
    assert!(many.2.abs_diff(few.2) < 256, "{costs:?}");
    assert!(many.4.abs_diff(few.4) < 256, "{costs:?}");
    // Beside nobody at all: what it takes to see that they are many, and a look at some for what is to be split.
    for (_, commands, bytes, ..) in costs.iter().skip(1) {
        assert!(*commands <= costs[0].1 + 32, "{costs:?}");
        assert!(*bytes <= costs[0].2 + 96 * 20 + 1_024, "{costs:?}");
    }
    assert!(many.1 <= costs[0].1 + 10, "{costs:?}");
}

#[tokio::test]
async fn everything_that_is_served_is_found_in_a_crowd() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 300).await;
    // Beside the handler `h`, names that begin with it.
    let rests = [
        "g h 2 - x".to_owned(),
        "g h 2 k=acme x".to_owned(),
        format!("g h 2 {PLACEMENT} x"),
        format!("g h 2 {PLACEMENT},k=acme x"),
        "g h-2 2 - x".to_owned(),
        "g h2 2 - x".to_owned(),
    ];
    for (number, rest) in rests.iter().enumerate() {
        let unique = format!("a-{number}");
        part.submit(T, &[["+0", &unique, rest, ""]]).await;
    }
    let told = part.turn(T, 100, &[("full", "g", 0, "h")]).await;
    let queues: Vec<&str> = told.backlog.keys().map(String::as_str).collect();
    let placement = format!("g h {PLACEMENT}");
    let placement_with_keys = format!("{placement} k=");
    assert_eq!(queues, ["g h", &placement, &placement_with_keys, "g h k="]);
    assert!(told.untold);
    let (now, words) = (T.to_string(), ["2000", "100", "1", "w", "g", "9", "h"]);
    let mut args = vec![now.as_str()];
    args.extend(words);
    args.extend(["1", "1", &placement, "count", "1:0:1"]);
    let reply = part.call("wheel/turn", "TURNED", &args).await;
    assert_eq!(
        texts(field(&reply, "claims")).len(),
        2 * 4,
        "{:?}",
        texts(field(&reply, "claims"))
    );
    let next = part.turn(T, 100, &[("w", "g", 9, "h2,h-2")]).await;
    assert_eq!(next.claims.len(), 2);
    assert!(next.untold && next.backlog.is_empty(), "{next:?}");
    assert_eq!(part.state().await.zset("backlog").len(), 300);
}

#[tokio::test]
async fn what_is_to_be_split_is_found_in_a_crowd_whoever_serves_it() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 300).await;
    for (number, group) in ["g", "nowhere"].iter().enumerate() {
        let (unique, rest) = (format!("a-{number}"), format!("{group} h 2 m=1 x"));
        part.submit(T, &[["+0", &unique, &rest, ""]]).await;
    }
    let turn = async |now: u64| {
        let words = [now.to_string()];
        let args = [words[0].as_str(), "2000", "100", "1", "w", "g", "0", "h"];
        let reply = part.call("wheel/turn", "TURNED", &args).await;
        texts(field(&reply, "opens"))
    };
    let mut others = 0;
    for step in 0..40 {
        let opens = turn(T + step).await;
        assert!(opens.iter().any(|open| open.contains(" g h ")), "{opens:?}");
        others += usize::from(opens.iter().any(|open| open.contains(" nowhere h ")));
    }
    assert!(others >= 2, "{others} of 40");
}

#[tokio::test]
async fn start_deadlines_hold_in_a_crowd_whoever_serves() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 300).await;
    part.submit(T, &[["+0", "a-1", "g h 2 s=5,k=acme x", ""]])
        .await;
    part.submit(T, &[["+0", "a-2", "g h 2 s=5 x", ""]]).await;
    part.turn(T + 5, 100, &[]).await;
    assert_eq!(part.state().await.ends().len(), 2);
    assert_eq!(part.state().await.zset("backlog").len(), 300);
}

#[tokio::test]
async fn a_look_finds_what_is_served_in_a_crowd() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 300).await;
    part.submit(T, &[["900", "a-1", "g h 2 - x", ""]]).await;
    part.submit(T, &[["800", "a-2", "g other 2 m=1 x", ""]])
        .await;
    let now = T.to_string();
    let looked = part
        .call("wheel/look", "LOOKED", &[&now, "g !fan", "g h"])
        .await;
    assert_eq!(texts(&looked[2]), ["g h", "900"]);
    assert_eq!(crate::call::text(&looked[1]), "800");
    let without = part.call("wheel/look", "LOOKED", &[&now]).await;
    assert_eq!(texts(&without[2]).len(), 2 * 64);
    let handlers = vec!["g h"; 257];
    let mut args = vec![now.as_str()];
    args.extend(handlers);
    let refused = test.eval("wheel/look", part.id, &args).await.unwrap_err();
    assert!(refused.contains("BAD_ARG handlers"), "{refused}");
}

#[tokio::test]
async fn of_more_queues_than_can_be_told_those_that_are_served_come_first() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 100).await;
    part.submit(T, &[["+0", "a-1", "z h 2 - x", ""]]).await;
    let handlers: Vec<String> = (1..=100).map(|n| format!("nobody{n:05}")).collect();
    let handlers = handlers.join(",");
    // As many handlers as names: all names are read, and not all told.
    let crowded = ("v", "crowd", 0, handlers.as_str());
    let mut met = std::collections::BTreeSet::new();
    for step in 0..60 {
        let told = part.turn(T + step, 100, &[crowded]).await;
        assert_eq!(told.backlog.len(), 64);
        assert!(told.untold && !told.backlog.contains_key("z h"));
        met.extend(told.backlog.into_keys());
    }
    assert_eq!(met.len(), 100, "each of them has its turn");
    let told = part.turn(T, 100, &[("w", "z", 0, "h")]).await;
    assert_eq!(
        told.backlog.into_iter().collect::<Vec<_>>(),
        [("z h".to_owned(), 1)]
    );
    assert!(told.untold);
}

#[tokio::test]
async fn a_handler_too_many_of_a_group_is_refused_and_nobody_else() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    crowd(part, 9_998).await;
    let submit = async |name: &str, rests: &[&str]| {
        let (now, count) = (T.to_string(), rests.len().to_string());
        let mut args = vec![now.as_str()];
        let submits = name == "wheel/submit";
        args.extend(submits.then_some(count.as_str()));
        for rest in rests {
            args.extend([if submits { "+0" } else { "+9" }, "a-1", *rest]);
            args.push(if submits { "" } else { "1000 key" });
        }
        part.answer(name, &args).await
    };
    assert_eq!(
        submit("wheel/submit", &["crowd other 2 - x"]).await[0],
        "ACCEPTED"
    );
    let before = test.dump().await;
    let two = ["crowd nobody00007 2 - x", "crowd a 2 - x", "crowd b 2 - x"];
    let refused = submit("wheel/submit", &two).await;
    assert_eq!(refused, ["QUEUES_FULL", "crowd b"]);
    assert_eq!(test.dump().await, before, "nothing was written");
    crowd(part, 10_000).await;
    let before = test.dump().await;
    for name in ["wheel/submit", "wheel/replace"] {
        let refused = submit(name, &["crowd a 2 - x"]).await;
        assert_eq!(refused, ["QUEUES_FULL", "crowd a"]);
    }
    assert_eq!(test.dump().await, before, "nothing was written");
    for rest in ["crowd nobody00007 2 - x", "others a 2 - x"] {
        assert_eq!(submit("wheel/submit", &[rest]).await[0], "ACCEPTED");
        assert_eq!(submit("wheel/replace", &[rest]).await[0], "ACCEPTED");
    }
    for gone in ["crowd nobody00003", "crowd other"] {
        test.command(&["ZREM", &part.key("backlog"), gone]).await;
    }
    assert_eq!(
        submit("wheel/submit", &["crowd a 2 - x"]).await[0],
        "ACCEPTED"
    );
}
