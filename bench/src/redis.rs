//! The Redis of a run: a server of its own, a Redis Cluster of its own, or a given one; and what it says about itself.

mod node;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::time::Instant;

use crate::args::Options;
use crate::wire::Answer;
pub(crate) use node::Node;

/// Hash slots of a Redis Cluster.
const SLOTS: usize = 16_384;
/// A Redis Cluster of the run's own is whole after this, or something is wrong.
const WHOLE_WITHIN: Duration = Duration::from_secs(20);

/// One server, or the primaries of a cluster. What was started for the run ends with this value.
#[derive(Debug)]
pub(crate) struct Redis {
    nodes: Vec<Node>,
    url: String,
}

/// What Redis says of itself at one instant, over all nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// User and system seconds.
    pub(crate) cpu: f64,
    /// Commands processed, those inside scripts included, the question itself not.
    pub(crate) commands: f64,
    /// Bytes that its data take.
    pub(crate) memory: f64,
    /// Nodes asked.
    pub(crate) nodes: usize,
}

impl Usage {
    /// Commands from here to `later`; the questions that were asked for this reading are left out.
    pub(crate) fn commands_until(&self, later: &Self) -> f64 {
        (later.commands - self.commands - crate::report::count(self.nodes)).max(0.0)
    }
}

impl Redis {
    /// Starts what `--redis` asks for, with its data in `dir`, or connects to it.
    pub(crate) async fn start(dir: &Path, options: &Options) -> Result<Self> {
        match options.redis.as_str() {
            "embedded" => {
                let hz = options.hz.to_string();
                let node = Node::start(dir, &options.persistence, &["--hz", &hz]).await?;
                let url = format!("redis://{}", node.address);
                Ok(Self {
                    nodes: vec![node],
                    url,
                })
            }
            "cluster" => Self::cluster(dir, options).await,
            url => Self::given(url).await,
        }
    }

    async fn given(url: &str) -> Result<Self> {
        let address = url
            .strip_prefix("redis://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|rest| !rest.contains(['@', '/', '?']))
            .with_context(|| {
                format!("--redis is embedded, cluster or redis://HOST:PORT (given: {url})")
            })?;
        let node = Node::given(address);
        let size = node.call(&["dbsize"]).await?.text();
        ensure!(
            size == "0",
            "{url} holds {size} keys: the bench needs an empty Redis, and empties it at the end"
        );
        node.call(&["config", "set", "slowlog-log-slower-than", "500"])
            .await?;
        node.call(&["config", "set", "slowlog-max-len", "100000"])
            .await?;
        node.call(&["slowlog", "reset"]).await?;
        Ok(Self {
            nodes: vec![node],
            url: url.to_owned(),
        })
    }

    async fn cluster(dir: &Path, options: &Options) -> Result<Self> {
        let primaries = options.primaries;
        ensure!(
            (1..=3).contains(&primaries),
            "--primaries is 1..=3 (given: {primaries})"
        );
        let mut nodes = Vec::new();
        for number in 0..primaries {
            let dir = dir.join(format!("node-{number}"));
            std::fs::create_dir_all(&dir)?;
            // A node that never met another does not know its address.
            let extra = [
                "--cluster-enabled",
                "yes",
                "--cluster-announce-ip",
                "127.0.0.1",
            ];
            let node = Node::start(&dir, &options.persistence, &extra).await?;
            let (first, last) = (
                SLOTS * number / primaries,
                SLOTS * (number + 1) / primaries - 1,
            );
            let (first, last) = (first.to_string(), last.to_string());
            node.call(&["cluster", "addslotsrange", &first, &last])
                .await?;
            // Epochs that differ from the start spare the nodes an election over who is who.
            let epoch = (number + 1).to_string();
            node.call(&["cluster", "set-config-epoch", &epoch]).await?;
            nodes.push(node);
        }
        let first = nodes.first().context("no node")?;
        for node in nodes.iter().skip(1) {
            let port = node.port()?;
            first.call(&["cluster", "meet", "127.0.0.1", &port]).await?;
        }
        let others: Vec<&str> = nodes.iter().skip(1).map(|node| &*node.address).collect();
        let query = if others.is_empty() {
            String::new()
        } else {
            format!("?node={}", others.join("&node="))
        };
        let url = format!("redis-cluster://{}{query}", first.address);
        let redis = Self { nodes, url };
        redis.whole().await?;
        Ok(redis)
    }

    /// Waits until every node sees all slots served by all nodes.
    async fn whole(&self) -> Result<()> {
        let asked = Instant::now();
        for node in &self.nodes {
            loop {
                let info = node.call(&["cluster", "info"]).await?.text();
                let known = format!("cluster_size:{}", self.nodes.len());
                let has = |line: &str| info.lines().any(|given| given.trim() == line);
                if has("cluster_state:ok") && has(&known) {
                    break;
                }
                ensure!(
                    asked.elapsed() < WHOLE_WITHIN,
                    "the Redis Cluster does not become whole: {info}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Where trackers connect.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The only node, where there is one.
    pub(crate) fn single(&self) -> Option<&Node> {
        match self.nodes.as_slice() {
            [node] if !self.url.starts_with("redis-cluster") => Some(node),
            _ => None,
        }
    }

    /// CPU, commands and memory so far.
    pub(crate) async fn usage(&self) -> Result<Usage> {
        let mut usage = Usage {
            nodes: self.nodes.len(),
            ..Usage::default()
        };
        for node in &self.nodes {
            let info = node.info().await?;
            usage.cpu += info.number("used_cpu_user")? + info.number("used_cpu_sys")?;
            usage.commands += info.number("total_commands_processed")?;
            usage.memory += info.number("used_memory")?;
        }
        Ok(usage)
    }

    /// Redis' clock in milliseconds.
    pub(crate) async fn now_ms(&self) -> Result<u64> {
        let node = self.nodes.first().context("no node")?;
        let time = node.call(&["time"]).await?;
        let [seconds, micros] = time.list() else {
            bail!("TIME answered {time:?}")
        };
        Ok(seconds.text().parse::<u64>()? * 1000 + micros.text().parse::<u64>()? / 1000)
    }

    /// Forgets the long calls so far.
    pub(crate) async fn forget_long_calls(&self) -> Result<()> {
        for node in &self.nodes {
            node.call(&["slowlog", "reset"]).await?;
        }
        Ok(())
    }

    /// The longest script call since the start or [`Self::forget_long_calls`], in microseconds; 500 stands for "none reached 500".
    pub(crate) async fn longest_us(&self) -> Result<u64> {
        let mut longest = 500;
        for node in &self.nodes {
            let calls = node.call(&["slowlog", "get", "-1"]).await?;
            for call in calls.list() {
                let [_, _, Answer::Number(us), words, ..] = call.list() else {
                    continue;
                };
                let word = words.list().first().map(Answer::text).unwrap_or_default();
                let script = ["fcall", "evalsha", "eval"];
                if script.iter().any(|one| word.eq_ignore_ascii_case(one)) {
                    longest = longest.max(u64::try_from(*us)?);
                }
            }
        }
        Ok(longest)
    }

    /// The sum of a command over a key of every partition, say `ZCARD` of `wheel`.
    pub(crate) async fn sum(&self, command: &str, key: &str, partitions: u16) -> Result<u64> {
        let mut sum = 0;
        for partition in 0..partitions {
            let key = format!("{{tw:{partition}}}:{key}");
            let answer = self.keeper(&key).await?.call(&[command, &key]).await?;
            sum += answer.text().parse::<u64>().unwrap_or(0);
        }
        Ok(sum)
    }

    /// The node that holds `key`: the others of a cluster refuse it.
    pub(crate) async fn keeper(&self, key: &str) -> Result<&Node> {
        if let Some(node) = self.single() {
            return Ok(node);
        }
        for node in &self.nodes {
            if node.call(&["exists", key]).await.is_ok() {
                return Ok(node);
            }
        }
        bail!("no node holds {key}")
    }

    /// Process ids of the servers that were started for the run.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().filter_map(Node::pid)
    }

    /// Empties a given server, which was empty before; servers of the run's own just end.
    pub(crate) async fn leave(&self) -> Result<()> {
        for node in self.nodes.iter().filter(|node| node.pid().is_none()) {
            node.call(&["flushall"]).await?;
        }
        Ok(())
    }
}
