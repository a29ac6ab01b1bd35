//! A tracker of its own for each test, over one redis-server for all of them.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use prost::Message as _;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tickwheel_proto::v1::trigger::{After, Cron, FixedRate, Kind, Manual, Once};
use tickwheel_store::{Redis, Store};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

// The same server as in the tests of the store: a crate for one file would be more to read.
#[path = "../../../store/tests/harness/server.rs"]
pub(crate) mod server;

/// A caller of a tracker that runs as long as this.
pub(crate) struct Caller {
    pub(crate) rpc: SchedulerServiceClient<Channel>,
    pub(crate) channel: Channel,
    pub(crate) address: SocketAddr,
    pub(crate) http: Option<SocketAddr>,
    redis: String,
    prefix: String,
    _tracker: Tracker,
}

/// A configuration with keys that no other test has; `None` where there is no Redis.
pub(crate) fn configured() -> Option<Config> {
    static SERVER: OnceLock<Option<server::Server>> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = SERVER.get_or_init(server::Server::chosen) else {
        let required =
            ["CI", "TICKWHEEL_REQUIRE_REDIS"].map(|name| std::env::var_os(name).is_some());
        assert!(
            required == [false; 2],
            "redis-server is not installed, and this environment requires it"
        );
        eprintln!("SKIPPED: redis-server is not installed; the tests of the service did nothing");
        return None;
    };
    Some(Config {
        redis_url: server.url(),
        prefix: format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed)),
        partitions: 4,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        access: Access::open(),
        ..Config::default()
    })
}

/// The same on a server that no other test has, so that it may be harmed.
pub(crate) fn on_its_own() -> Option<(Config, server::Server)> {
    let config = configured()?;
    let server = server::Server::start(&[])?;
    let redis_url = server.url();
    Some((
        Config {
            redis_url,
            ..config
        },
        server,
    ))
}

/// A tracker that is configured so, and its caller.
pub(crate) async fn serving(config: Config) -> Caller {
    let (redis, prefix) = (config.redis_url.clone(), config.prefix.clone());
    let tracker = Box::pin(Tracker::start(config)).await.unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", tracker.grpc_addr()));
    let channel = endpoint.unwrap().connect().await.unwrap();
    Caller {
        rpc: SchedulerServiceClient::new(channel.clone()),
        channel,
        address: tracker.grpc_addr(),
        http: tracker.http_addr(),
        redis,
        prefix,
        _tracker: tracker,
    }
}

/// A tracker with keys that no other test has; `None` where there is no Redis.
pub(crate) async fn caller() -> Option<Caller> {
    Some(serving(configured()?).await)
}

impl Caller {
    /// Where workers reach the tracker.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A key of the cluster.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }

    /// What the server answers to a line.
    pub(crate) async fn redis(&self, line: &str) -> String {
        let port = self.redis.rsplit(':').next().unwrap();
        let port: u16 = port.parse().unwrap();
        let mut redis = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let asked = format!("{line}\r\nQUIT\r\n");
        redis.write_all(asked.as_bytes()).await.unwrap();
        let mut told = String::new();
        redis.read_to_string(&mut told).await.unwrap();
        told
    }

    /// Commands that the server has run, those within scripts too.
    pub(crate) async fn commands(&self) -> u64 {
        self.calls("").await
    }

    /// The same of one command.
    pub(crate) async fn calls(&self, command: &str) -> u64 {
        let told = self.redis("INFO commandstats").await;
        let calls = told.lines().filter_map(|line| {
            let (name, figures) = line.split_once(":calls=")?;
            let counts = command.is_empty() || name == format!("cmdstat_{command}");
            let calls = figures.split(',').next()?.parse::<u64>().ok();
            calls.filter(|_| counts)
        });
        calls.sum()
    }

    /// The store beside the tracker, as another process has it.
    pub(crate) async fn store(&self) -> Store {
        let redis = Redis::connect(&self.redis).await.unwrap();
        Store::attach(redis, &self.prefix).await.unwrap()
    }

    pub(crate) async fn apply(
        &mut self,
        jobs: Vec<v1::JobSpec>,
    ) -> Result<Vec<v1::AppliedJob>, Status> {
        let request = v1::ApplyJobsRequest {
            jobs,
            dry_run: false,
            ..v1::ApplyJobsRequest::default()
        };
        Ok(self.rpc.apply_jobs(request).await?.into_inner().jobs)
    }

    pub(crate) async fn job(&mut self, name: &str) -> Result<v1::Job, Status> {
        Ok(self.rpc.get_job(named(name)).await?.into_inner())
    }

    pub(crate) async fn run(&mut self, name: &str) -> Result<v1::Submitted, Status> {
        let request = v1::RunJobRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        Ok(self.rpc.run_job(request).await?.into_inner())
    }

    pub(crate) async fn submit(
        &mut self,
        contexts: Vec<v1::Submission>,
    ) -> Result<Vec<v1::Submitted>, Status> {
        let request = v1::SubmitRequest { contexts };
        Ok(self.rpc.submit(request).await?.into_inner().contexts)
    }

    pub(crate) async fn context(&mut self, id: &str) -> Result<v1::Context, Status> {
        let request = v1::ContextRef { id: id.to_owned() };
        Ok(self.rpc.get_context(request).await?.into_inner())
    }

    /// The context after its end, or after five seconds.
    pub(crate) async fn ended(&mut self, id: &str) -> v1::Context {
        let request = v1::WaitContextRequest {
            id: id.to_owned(),
            timeout_ms: 5_000,
        };
        self.rpc.wait_context(request).await.unwrap().into_inner()
    }

    pub(crate) async fn explain(&mut self, name: &str, at_ms: u64) -> v1::ExplainJobResponse {
        let request = v1::ExplainJobRequest {
            name: name.to_owned(),
            at_ms,
        };
        self.rpc.explain_job(request).await.unwrap().into_inner()
    }

    /// Redis' clock.
    pub(crate) async fn now(&mut self) -> u64 {
        let cluster = self.rpc.get_cluster(v1::GetClusterRequest {}).await;
        cluster.unwrap().into_inner().redis_time_ms
    }
}

pub(crate) fn named(name: &str) -> v1::JobRef {
    v1::JobRef {
        name: name.to_owned(),
    }
}

pub(crate) fn deleting(name: &str, force: bool) -> v1::DeleteJobRequest {
    v1::DeleteJobRequest {
        name: name.to_owned(),
        force,
        ..v1::DeleteJobRequest::default()
    }
}

pub(crate) fn job(name: &str, kind: Kind) -> v1::JobSpec {
    v1::JobSpec {
        name: name.to_owned(),
        handler: "close".to_owned(),
        trigger: Some(v1::Trigger { kind: Some(kind) }),
        ..Default::default()
    }
}

pub(crate) fn api() -> Kind {
    Kind::Manual(Manual {})
}

pub(crate) fn cron(expression: &str, zone: &str) -> Kind {
    Kind::Cron(Cron {
        expression: expression.to_owned(),
        time_zone: zone.to_owned(),
    })
}

pub(crate) fn every(period_ms: u64) -> Kind {
    Kind::FixedRate(FixedRate {
        period_ms,
        anchor_ms: None,
    })
}

pub(crate) fn once(at_ms: u64) -> Kind {
    Kind::Once(Once { at_ms })
}

pub(crate) fn after(job: &str) -> Kind {
    Kind::After(After {
        job: job.to_owned(),
        on: 0,
    })
}

pub(crate) fn submission(delay_ms: u64) -> v1::Submission {
    v1::Submission {
        handler: "mail".to_owned(),
        when: Some(v1::submission::When::DelayMs(delay_ms)),
        ..Default::default()
    }
}

pub(crate) fn instant(text: &str) -> u64 {
    text.parse::<TimestampMs>().unwrap().as_u64()
}

/// The status of a refusal, which carries the code word in its details.
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, Status>,
    code: Code,
) -> Vec<v1::Violation> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    let words = [
        (Code::InvalidArgument, "INVALID"),
        (Code::NotFound, "NOT_FOUND"),
        (Code::FailedPrecondition, "CONFLICT"),
        (Code::FailedPrecondition, "UPGRADE_REQUIRED"),
        (Code::ResourceExhausted, "EXHAUSTED"),
    ];
    assert!(words.contains(&(code, detail.code.as_str())), "{detail:?}");
    detail.violations
}

/// The fields that an invalid request is refused for.
pub(crate) fn invalid<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let violations = refused(answer, Code::InvalidArgument);
    assert!(violations.iter().all(|one| !one.rule.is_empty()));
    violations.into_iter().map(|one| one.field).collect()
}
