//! What the tests of this crate share: a real server, a store with keys of its own, and plain commands to look at the keys.
//!
//! Without a redis-server the tests are skipped with a loud line; where `CI` or `TICKWHEEL_REQUIRE_REDIS` is set, that is an error.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

pub(crate) mod arguments;
pub(crate) mod server;
pub(crate) mod twin;
mod watched;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use fred::clients::Client;
use fred::interfaces::{ClientLike, ClusterInterface, LuaInterface};
use fred::types::config::{Config, Server as FredServer};
use fred::types::{Builder, ClusterHash, CustomCommand, Value};
use tickwheel_core::id::{GroupName, HandlerName, JobName};
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::partition::{PartitionCount, PartitionId};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::context::{AttemptLog, Line, Progress};
use tickwheel_store::{Redis, Store, script};

use arguments::names_before;
pub(crate) use server::Server;
pub(crate) use watched::watched;

/// A store of its own for one test.
pub(crate) struct Harness {
    pub(crate) store: Store,
    pub(crate) prefix: String,
    pub(crate) port: u16,
    client: Client,
}

/// Plain commands to one server.
pub(crate) struct Reader(Client);

impl Reader {
    pub(crate) async fn text(&self, words: &[&str]) -> String {
        flat(&send(&self.0, words).await).join(" ")
    }
}

/// Plain commands are those of `default`, whoever the store is.
async fn connect(url: &str) -> Client {
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let url = &format!("{scheme}://{host}");
    let client = Builder::from_config(Config::from_url(url).unwrap())
        .build()
        .unwrap();
    client.init().await.unwrap();
    client
}

async fn send(client: &Client, words: &[&str]) -> Value {
    let command = CustomCommand::new(words[0].to_owned(), ClusterHash::FirstKey, false);
    let args: Vec<Value> = words[1..].iter().map(|word| Value::from(*word)).collect();
    client.custom(command, args).await.unwrap()
}

/// The server of this test process; `None` where there is none.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| or_skip(Server::chosen())).as_ref()
}

/// Says loudly that a test does nothing, or fails it where it must not be skipped.
pub(crate) fn or_skip<T>(found: Option<T>) -> Option<T> {
    if found.is_none() {
        let required = ["CI", "TICKWHEEL_REQUIRE_REDIS"]
            .iter()
            .any(|name| std::env::var_os(name).is_some());
        assert!(
            !required,
            "redis-server is not installed, and this environment requires it"
        );
        eprintln!("SKIPPED: redis-server is not installed; the tests of the store did nothing");
    }
    found
}

/// A store on a server of its own, for tests that count commands.
pub(crate) async fn alone() -> Option<(Harness, Server)> {
    alone_with(&[]).await
}

/// The same with several partitions.
pub(crate) async fn alone_many(partitions: u16) -> Option<(Harness, Server)> {
    let server = or_skip(Server::start(&[]))?;
    let test = Harness::open(&server.url(), server.port, "t", partitions).await;
    Some((test, server))
}

/// The same on a server with further arguments.
pub(crate) async fn alone_with(arguments: &[&str]) -> Option<(Harness, Server)> {
    let server = or_skip(Server::start(arguments))?;
    Some((
        Harness::open(&server.url(), server.port, "t", 1).await,
        server,
    ))
}

/// A store with four partitions and keys that no other test has.
pub(crate) async fn fresh() -> Option<Harness> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let prefix = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
    Some(Harness::open(&server.url(), server.port, &prefix, 4).await)
}

/// How tests call a script: as production does, or with `TICKWHEEL_TEST_SCRIPTS=text` as where there are no functions.
pub(crate) fn way(script: &'static script::Script) -> [&'static str; 2] {
    let by_text = std::env::var("TICKWHEEL_TEST_SCRIPTS").is_ok_and(|how| how == "text");
    if by_text {
        ["EVALSHA", script.sha1()]
    } else {
        ["FCALL", script.function()]
    }
}

/// The words of a call of a script, with its arguments in the order of its header.
pub(crate) fn call_words(name: &str, key: &str, args: &[&str]) -> Vec<String> {
    let script = script_of(name);
    let [how, what] = way(script);
    let names = names_before(script, args.len());
    let fixed = [how, what, "1", key].into_iter().chain(names.as_deref());
    fixed
        .chain(args.iter().copied())
        .map(str::to_owned)
        .collect()
}

fn script_of(name: &str) -> &'static script::Script {
    let found = script::all().into_iter().find(|one| one.name() == name);
    found.unwrap_or_else(|| panic!("there is no script {name}"))
}

impl Harness {
    pub(crate) async fn open(url: &str, port: u16, prefix: &str, partitions: u16) -> Self {
        let redis = Redis::connect(url).await.unwrap();
        let (store, _) = Store::open(redis, prefix, PartitionCount::new(partitions).unwrap())
            .await
            .unwrap();
        let client = connect(url).await;
        for script in script::all() {
            if way(script)[0] == "EVALSHA" {
                let loaded: Result<Value, _> = if client.is_clustered() {
                    client.script_load_cluster(script.text()).await
                } else {
                    client.script_load(script.text()).await
                };
                loaded.unwrap();
            }
        }
        Self {
            store,
            prefix: prefix.to_owned(),
            port,
            client,
        }
    }

    /// Where the server of a test on a single one is.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Only plain commands, say to a replica.
    pub(crate) async fn open_reader(url: &str) -> Reader {
        Reader(connect(url).await)
    }

    /// `{prefix:partition}:name`.
    pub(crate) fn key(&self, partition: PartitionId, name: &str) -> String {
        format!("{{{}:{partition}}}:{name}", self.prefix)
    }

    /// `{prefix:partition}:name` of the partition of `job`.
    pub(crate) fn job_key(&self, job: &str, name: &str) -> String {
        self.key(
            self.store.partition_of_job(&JobName::new(job).unwrap()),
            name,
        )
    }

    /// Sends a command as words.
    pub(crate) async fn command(&self, words: &[&str]) -> Value {
        let answer = send(&self.client, words).await;
        twin::compare(words, &answer);
        answer
    }

    /// Sends a command whose words may be no text; what Redis refuses is left.
    pub(crate) async fn raw(&self, words: &[Vec<u8>]) -> bool {
        let name = String::from_utf8_lossy(&words[0]).into_owned();
        let command = CustomCommand::new(name, ClusterHash::FirstKey, false);
        let args = words[1..]
            .iter()
            .map(|word| Value::Bytes(word.clone().into()));
        let done: Result<Value, _> = self.client.custom(command, args.collect()).await;
        done.is_ok()
    }

    /// The reply as one text, nested replies joined by a space; nothing is the empty text.
    pub(crate) async fn text(&self, words: &[&str]) -> String {
        flat(&self.command(words).await).join(" ")
    }

    /// The elements of the reply.
    pub(crate) async fn texts(&self, words: &[&str]) -> Vec<String> {
        flat(&self.command(words).await)
    }

    /// Sends commands to a partition, each as `COMMAND | name of the key | argument | …`.
    pub(crate) async fn seed(&self, partition: PartitionId, commands: &[&str]) {
        for command in commands {
            let mut words: Vec<&str> = command.split(" | ").collect();
            let key = self.key(partition, words[1]);
            words[1] = &key;
            self.command(&words).await;
        }
    }

    /// Runs a script of this crate with arguments in the order of its header; the error is what Redis said.
    pub(crate) async fn eval(
        &self,
        name: &str,
        partition: PartitionId,
        args: &[&str],
    ) -> Result<Vec<String>, String> {
        let wheel = self.key(partition, "wheel");
        self.eval_on(name, &wheel, args).await
    }

    /// The same on a key that is no wheel.
    pub(crate) async fn eval_on(
        &self,
        name: &str,
        key: &str,
        args: &[&str],
    ) -> Result<Vec<String>, String> {
        let names = names_before(script_of(name), args.len());
        let args: Vec<&str> = names
            .as_deref()
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        self.eval_as_given(name, key, &args).await
    }

    /// The same with the arguments as the script takes them, their names included.
    pub(crate) async fn eval_as_given(
        &self,
        name: &str,
        key: &str,
        args: &[&str],
    ) -> Result<Vec<String>, String> {
        let text = watched(script_of(name).text());
        let reply = self.eval_text(&text, key, args).await;
        if let Err(error) = &reply {
            assert!(!error.contains("WROTE BEFORE"), "{name}: {error}");
        }
        reply
    }

    /// Runs a text on a key.
    pub(crate) async fn eval_text(
        &self,
        text: &str,
        key: &str,
        args: &[&str],
    ) -> Result<Vec<String>, String> {
        let args: Vec<Value> = args.iter().map(|arg| Value::from(*arg)).collect();
        let reply: Result<Value, _> = self.client.eval(text, vec![key.to_owned()], args).await;
        reply
            .map(|value| flat(&value))
            .map_err(|error| error.details().to_owned())
    }

    /// Every key of this test.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let pattern = format!("{{{}*", self.prefix);
        let mut keys = Vec::new();
        for node in self.nodes() {
            let command = CustomCommand::new("KEYS", ClusterHash::Random, false);
            let args = vec![Value::from(pattern.as_str())];
            let found: Value = match node {
                Some(node) => {
                    let client = self.client.with_cluster_node(node);
                    client.custom(command, args).await.unwrap()
                }
                None => self.client.custom(command, args).await.unwrap(),
            };
            keys.extend(flat(&found));
        }
        keys.retain(|key| {
            key.starts_with(&format!("{{{}}}", self.prefix))
                || key.starts_with(&format!("{{{}:", self.prefix))
        });
        keys.sort();
        keys
    }

    /// The primaries of a cluster; the one server otherwise.
    fn nodes(&self) -> Vec<Option<FredServer>> {
        match self.client.cached_cluster_state() {
            Some(state) => {
                let nodes = state.unique_primary_nodes();
                nodes.into_iter().map(Some).collect()
            }
            None => vec![None],
        }
    }

    /// Redis' clock in ms.
    pub(crate) async fn now(&self) -> u64 {
        self.store.time().await.unwrap().as_u64()
    }

    /// Commands that ran so far, those of scripts included, without the calls of the scripts themselves.
    pub(crate) async fn commands_run(&self) -> u64 {
        let stats = self.text(&["INFO", "commandstats"]).await;
        let calls = stats.lines().filter_map(|line| {
            let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let ours = ["info", "eval", "evalsha", "fcall", "client"]
                .iter()
                .any(|one| {
                    *one == name || name.starts_with("script") || name.starts_with("function")
                });
            figures
                .split(',')
                .next()?
                .parse::<u64>()
                .ok()
                .filter(|_| !ours)
        });
        calls.sum()
    }

    /// How many commands one call of a script runs. The test needs a server of its own.
    pub(crate) async fn cost(&self, name: &str, partition: PartitionId, args: &[&str]) -> u64 {
        let before = self.commands_run().await;
        self.eval(name, partition, args).await.unwrap();
        self.commands_run().await - before
    }

    /// Asserts that each change of one argument (its number from 1, its value, the name in the message) is refused, and that nothing
    /// was written.
    pub(crate) async fn assert_refused(
        &self,
        script: &str,
        partition: PartitionId,
        args: &[&str],
        changes: &[(usize, &str, &str)],
    ) {
        let before = self.dump().await;
        for (number, value, name) in changes {
            let mut changed = args.to_vec();
            if changed.len() < *number {
                changed.resize(*number, "");
            }
            changed[number - 1] = value;
            let refused = self.eval(script, partition, &changed).await.unwrap_err();
            assert!(
                refused.contains(&format!("BAD_ARG {name} ")),
                "{script} argument {number} = {value:?}: {refused}"
            );
        }
        assert_eq!(self.dump().await, before);
    }

    /// Every key of this test with its value: serialised, and of a hash its fields in order, as Redis moves those of a large one about.
    pub(crate) async fn dump(&self) -> Vec<(String, String)> {
        let mut dump = Vec::new();
        for key in self.keys().await {
            let value = if self.text(&["TYPE", &key]).await == "hash" {
                let all = flat(&send(&self.client, &["HGETALL", &key]).await);
                let mut fields: Vec<&[String]> = all.chunks(2).collect();
                fields.sort_unstable();
                format!("{fields:?}")
            } else {
                format!("{:?}", self.command(&["DUMP", &key]).await)
            };
            dump.push((key, value));
        }
        dump
    }
}

pub(crate) fn flat(value: &Value) -> Vec<String> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(flat).collect(),
        Value::Null => vec![String::new()],
        Value::Integer(number) => vec![number.to_string()],
        Value::Double(number) => vec![number.to_string()],
        Value::Bytes(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::Boolean(_) | Value::String(_) | Value::Queued | Value::Map(_) => {
            vec![value.as_string().unwrap_or_default()]
        }
    }
}

/// A job of group `default` that runs handler `work`.
pub(crate) fn job(name: &str, trigger: Trigger) -> JobSpec {
    let (group, handler) = (
        GroupName::new("default").unwrap(),
        HandlerName::new("work").unwrap(),
    );
    JobSpec::new(JobName::new(name).unwrap(), group, handler, trigger)
}

/// A partition by its number.
pub(crate) fn partition(number: u16) -> PartitionId {
    PartitionId::new(number).unwrap()
}

pub(crate) fn name(name: &str) -> JobName {
    JobName::new(name).unwrap()
}

pub(crate) fn ms(ms: u64) -> TimestampMs {
    TimestampMs::new(ms)
}

/// What an attempt says: info lines said just now.
pub(crate) fn note(lines: &[&str], progress: Option<Progress>) -> AttemptLog {
    let line = |text: &&str| Line {
        text: String::from(*text),
        ..Line::default()
    };
    AttemptLog {
        lines: lines.iter().map(line).collect(),
        progress,
        ..AttemptLog::default()
    }
}
