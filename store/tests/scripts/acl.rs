//! The users of Redis that are shipped: they may do what is done here, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, Value};
use tickwheel_core::partition::PartitionId;

use crate::harness::server::PASSWORD;
use crate::harness::{Harness, Server, flat, or_skip};

/// What trackers and `tickwheel store` ask besides what stands in capitals between quotes: by functions of the client of Redis, and what that one asks
/// itself. A run of any suite with `TICKWHEEL_REDIS_ACL=1` finds what is missing here.
const ASKED: [&str; 29] = [
    "asking",
    "client|id",
    "cluster|info",
    "cluster|slots",
    "eval",
    "evalsha",
    "fcall",
    "function|delete",
    "function|list",
    "function|load",
    "get",
    "hello",
    "hget",
    "hmget",
    "hsetnx",
    "incr",
    "info",
    "lpos",
    "ping",
    // Of a server that sentinels name: whether it is a primary.
    "role",
    "scan",
    "script|load",
    "select",
    "spublish",
    "ssubscribe",
    "sunsubscribe",
    "time",
    "wait",
    "waitaof",
];
/// Words of the code that are a command's name and are none there, or stand in front of another word that is in [`ASKED`].
const NO_COMMANDS: [&str; 4] = ["CONFIG", "FUNCTION", "KEYS", "READONLY"];
const USERS: &str = include_str!("../../../deploy/redis/users.acl");

fn lua() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../lua"))
}

/// What a user of the file may call.
fn allowed(user: &str) -> BTreeSet<String> {
    let line = USERS
        .lines()
        .find(|line| line.starts_with(&format!("user {user} ")));
    let words = line.unwrap().split(' ');
    let words = words.filter_map(|word| word.strip_prefix('+'));
    words.map(str::to_owned).collect()
}

/// Every text of code under `folder`.
fn texts(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&texts(&path));
        } else if path
            .extension()
            .is_some_and(|ending| ending == "lua" || ending == "rs")
        {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    all
}

/// The commands that scripts and the store name: words in capitals between quotes that are commands of this server.
async fn named(test: &Harness) -> BTreeSet<String> {
    let commands = test.texts(&["COMMAND", "LIST"]).await;
    let commands: BTreeSet<String> = commands.into_iter().collect();
    let (scripts, store) = (
        texts(lua()),
        texts(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))),
    );
    let words = scripts.split('\'').chain(store.split('"')).filter(|word| {
        let is_name = !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_uppercase());
        is_name && !NO_COMMANDS.contains(word)
    });
    let words = words.map(str::to_lowercase);
    let found = words.filter(|word| commands.contains(word));
    let whole = |word: String| match word.as_str() {
        "memory" => "memory|usage".to_owned(),
        "xinfo" => "xinfo|stream".to_owned(),
        _ => word,
    };
    found.map(whole).collect()
}

async fn user(server: &Server, name: &str) -> Client {
    let url = format!("redis://{name}:{PASSWORD}@127.0.0.1:{}", server.port);
    let client = Builder::from_config(Config::from_url(&url).unwrap()).build();
    let client = client.unwrap();
    client.init().await.unwrap();
    client
}

async fn say(client: &Client, words: &[&str]) -> Result<String, String> {
    let command = CustomCommand::new(words[0].to_owned(), ClusterHash::FirstKey, false);
    let args: Vec<Value> = words[1..].iter().map(|word| Value::from(*word)).collect();
    let said: Result<Value, _> = client.custom(command, args).await;
    match said {
        Ok(value) => Ok(flat(&value).join(" ")),
        Err(error) => Err(error.details().to_owned()),
    }
}

/// Whether it is the user who may not do it; of scripts, servers say it in other words.
fn is_refusal(why: &str) -> bool {
    [
        "NOPERM",
        "permission",
        "ACL",
        "The user executing the script can't",
    ]
    .iter()
    .any(|words| why.contains(words))
}

async fn refused(client: &Client, words: &[&str]) {
    match say(client, words).await {
        Ok(answer) => panic!("{words:?} was answered: {answer}"),
        Err(why) => assert!(is_refusal(&why), "{words:?}: {why}"),
    }
}

async fn with_users() -> Option<(Harness, Server)> {
    let server = or_skip(Server::with_users())?;
    let test = Harness::open(&server.url(), server.port, "tw", 2).await;
    Some((test, server))
}

#[tokio::test]
async fn trackers_may_call_what_scripts_and_the_store_call_and_nothing_else() {
    let Some((test, _server)) = with_users().await else {
        return;
    };
    let mut wanted = named(&test).await;
    wanted.extend(ASKED.map(str::to_owned));
    let allowed = allowed("tickwheel");
    let missing: Vec<_> = wanted.difference(&allowed).collect();
    assert!(
        missing.is_empty(),
        "deploy/redis/users.acl does not allow {missing:?}"
    );
    let needless: Vec<_> = allowed.difference(&wanted).collect();
    assert!(needless.is_empty(), "nobody calls {needless:?}");
}

#[tokio::test]
async fn trackers_reach_their_own_keys_and_channels_alone() {
    let Some((test, server)) = with_users().await else {
        return;
    };
    let own = user(&server, "tickwheel").await;
    test.command(&["SET", "other", "1"]).await;
    let mine = test.key(PartitionId::new(0).unwrap(), "stats");
    say(&own, &["HSET", &mine, "stale", "1"]).await.unwrap();
    for words in [
        &["FLUSHALL"][..],
        &["FLUSHDB"],
        &["CONFIG", "GET", "requirepass"],
        &["CONFIG", "SET", "dir", "/"],
        &["KEYS", "*"],
        &["DEBUG", "JMAP"],
        &["SHUTDOWN", "NOSAVE"],
        &["MONITOR"],
        &["SAVE"],
        &["REPLICAOF", "NO", "ONE"],
        &["MODULE", "LIST"],
        &["ACL", "LIST"],
        &["ACL", "SETUSER", "x", "on"],
        &["CLIENT", "LIST"],
        &["CLIENT", "KILL", "TYPE", "normal"],
        &["FUNCTION", "FLUSH"],
        &["SCRIPT", "FLUSH"],
        &["MIGRATE", "127.0.0.1", "1", "x", "0", "10"],
        &["GET", "other"],
        &["SET", "other", "2"],
        &["DEL", "other"],
        &["GET", "{twx}:meta"],
        &["RENAME", &mine, "other"],
        &["SPUBLISH", "other", "x"],
        &["PUBLISH", "{tw:0}:wake", "x"],
        &["EVAL", "return redis.call('SET', KEYS[1], 1)", "1", "other"],
        &["EVAL", "return redis.call('SET', 'other', 1)", "0"],
        &["EVAL", "return redis.call('FLUSHALL')", "1", &mine],
        &["FCALL", "tickwheel_context", "1", "other"],
    ] {
        refused(&own, words).await;
    }
    assert_eq!(test.text(&["GET", "other"]).await, "1");
}

#[tokio::test]
async fn people_read_and_write_nothing() {
    let Some((test, server)) = with_users().await else {
        return;
    };
    let reader = user(&server, "tickwheel-reader").await;
    test.command(&["SET", "other", "1"]).await;
    let mine = test.key(PartitionId::new(0).unwrap(), "stats");
    test.command(&["HSET", &mine, "stale", "7"]).await;
    assert_eq!(
        say(&reader, &["HGET", &mine, "stale"]).await,
        Ok("7".to_owned())
    );
    // What people ask with redis-cli: every function that is there for them.
    for name in names_of_inspections() {
        let word = if name == "partition" { "0" } else { "0.5.none" };
        let answer = say(
            &reader,
            &["FCALL_RO", &format!("tickwheel_{name}"), "0", word, "tw"],
        )
        .await;
        if let Err(why) = answer {
            assert!(!is_refusal(&why), "{name}: {why}");
        }
    }
    for words in [
        &["HSET", &mine, "stale", "8"][..],
        &["DEL", &mine],
        &["GET", "other"],
        &["FCALL", "tickwheel_context", "0", "0.5.none"],
        &["EVAL", "return 1", "0"],
        &["SPUBLISH", "{tw:0}:wake", "x"],
        &["SSUBSCRIBE", "{tw:0}:wake"],
        &["CONFIG", "GET", "dir"],
        &["KEYS", "*"],
        &["SCAN", "0"],
        &["FLUSHALL"],
    ] {
        refused(&reader, words).await;
    }
}

fn names_of_inspections() -> Vec<String> {
    let entries = fs::read_dir(lua().join("inspect")).unwrap();
    let names = entries.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = names
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn nobody_gets_in_with_what_is_shipped() {
    for line in USERS.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "user");
        // A user that is on has no password, and is refused until one is added.
        assert!(words.contains(&"resetpass"), "{line}");
        let opens = |word: &&str| {
            word.starts_with('>')
                || word.starts_with('#')
                || *word == "nopass"
                || word.contains("@all") && word.starts_with('+')
        };
        assert!(!words.iter().any(opens), "{line}");
        assert!(words[1] != "default" || words[2] == "off", "{line}");
    }
}
