//! The settings of a worker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tickwheel_core::Task;
use tickwheel_proto::credential::Credential;
#[cfg(feature = "tls")]
use tickwheel_proto::trust::Trust;
use tokio_util::sync::CancellationToken;

use super::drain::Timeouts;
use super::running::RunningWorker;
use super::stopped::Stopped;
use crate::batch::Batch;
use crate::bounds::{
    CONCURRENCY_MAX, DRAIN_TIMEOUT, FLUSH_TIMEOUT, PERMITS_PER_CPU, SPOOL_DEFAULT, clip,
};
use crate::context::Context;
use crate::error::{Error, HandlerResult};
use crate::handler::{Handler, Raw, Typed};
use crate::identity::{Identity, Traits};
use crate::load::cpus;
use crate::middleware::Middleware;
use crate::permit::Permits;
use crate::protocol::Protocol;
use crate::registry::{Registry, check_parts, check_tag};
use crate::resources::{Amounts, Resources};
use crate::session::endpoint;
use crate::shared::{Shared, normal};
use crate::shows::Shows;

const TAGS_MAX: usize = 64;
const RESOURCES_MAX: usize = 16;

/// A worker to be. Settings are checked when it starts.
#[derive(Debug)]
#[must_use = "a worker does nothing until `run` or `start`"]
pub struct WorkerBuilder {
    trackers: Vec<String>,
    group: String,
    name: Option<String>,
    concurrency: u32,
    tags: Vec<String>,
    resources: Amounts,
    registry: Registry,
    outcome_buffer: usize,
    timeouts: Timeouts,
    shutdown: CancellationToken,
    shows: Shows,
}

impl WorkerBuilder {
    pub(super) fn new(trackers: &str) -> Self {
        let given = trackers.split(',').map(str::trim);
        Self {
            trackers: given
                .filter(|url| !url.is_empty())
                .map(str::to_owned)
                .collect(),
            group: "default".to_owned(),
            name: None,
            concurrency: (PERMITS_PER_CPU * cpus()).min(CONCURRENCY_MAX),
            tags: Vec::new(),
            resources: Amounts::new(),
            registry: Registry::default(),
            outcome_buffer: SPOOL_DEFAULT,
            timeouts: Timeouts {
                drain: DRAIN_TIMEOUT,
                flush: FLUSH_TIMEOUT,
            },
            shutdown: CancellationToken::new(),
            shows: Shows::default(),
        }
    }

    /// The token that the worker shows to trackers, `tw_<id>_<secret>`. Default: none.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.credential(Credential::Text(token.into()))
    }

    /// A file with the token. It is read again for each stream, so that a token which was rotated is taken from there.
    pub fn token_file(self, file: impl Into<PathBuf>) -> Self {
        self.credential(Credential::File(file.into()))
    }

    /// The token that `TICKWHEEL_TOKEN_FILE` names, or `TICKWHEEL_TOKEN` holds; none where neither is set.
    pub fn token_from_env(self) -> Self {
        self.credential(Credential::of_variables(|name| std::env::var(name).ok()))
    }

    /// Where the token is from.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.shows.credential = credential;
        self
    }

    /// Hosts beyond loopback to which the token may be sent, whoever names them: `tracker-1`, or `*.internal` for all whose names end so.
    /// Without TLS (`http://`) whoever is on the way can read it. A tracker on another host is not dialled while there is a token, also when
    /// other trackers name it, unless this worker was given its URL, or a CA file, and speaks TLS with it. Default: none.
    pub fn token_hosts<I>(mut self, hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.shows.hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// A file with the certificates of the authorities that vouch for trackers, in PEM; no others are believed then. Default: those that this
    /// system knows. It is read again for each stream.
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.shows.trust = self.shows.trust.ca_file(file);
        self
    }

    /// A file with the certificate that is shown to trackers that ask for one, in PEM, with those that lead to its authority behind it; and
    /// `client_key` the file of its key. They are read again for each stream.
    #[cfg(feature = "tls")]
    pub fn client_cert(mut self, file: impl Into<PathBuf>) -> Self {
        self.shows.trust = self.shows.trust.client_cert(file);
        self
    }

    /// A file with the private key of `client_cert`, in PEM.
    #[cfg(feature = "tls")]
    pub fn client_key(mut self, file: impl Into<PathBuf>) -> Self {
        self.shows.trust = self.shows.trust.client_key(file);
        self
    }

    /// Who vouches for trackers, and who this worker is to them, where their URLs are `https://`.
    #[cfg(feature = "tls")]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.shows.trust = trust;
        self
    }

    /// The group whose contexts this worker takes. Default: `default`.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// What the worker's id begins with. Default: the host's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds the address of another tracker to begin with.
    pub fn tracker(mut self, url: impl Into<String>) -> Self {
        self.trackers.push(url.into());
        self
    }

    /// How many handlers run at once, 1 to 65,536: the worker's permits. Default: 16 per CPU this process may use.
    pub fn concurrency(mut self, handlers: u32) -> Self {
        self.concurrency = handlers;
        self
    }

    /// Shares a value, say a pool of connections, with every attempt: [`Context::state`] finds it by its type. One of each type.
    ///
    /// ```
    /// use tickwheel_worker::{Context, HandlerResult, Worker};
    ///
    /// struct Mail { from: String }
    ///
    /// async fn remind(ctx: Context, customer: String) -> HandlerResult<String> {
    ///     let mail: &Mail = ctx.state()?;
    ///     Ok(format!("{} reminds {customer}", mail.from))
    /// }
    /// let worker = Worker::builder("http://127.0.0.1:7400")
    ///     .state(Mail { from: "billing".to_owned() })
    ///     .handle("remind", remind);
    /// # drop(worker);
    /// ```
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.registry.state(value);
        self
    }

    /// Runs `middleware` around each attempt of every handler; the first that is given is the outermost.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tickwheel_worker::{Context, Next, Worker};
    ///
    /// let worker = Worker::builder("http://127.0.0.1:7400")
    ///     .wrap(|ctx: Context, body: Bytes, next: Next| async move {
    ///         let began = std::time::Instant::now();
    ///         let result = next.run(ctx.clone(), body).await;
    ///         ctx.log(format!("took {:?}", began.elapsed()));
    ///         result
    ///     })
    ///     .handle("noop", |_: Context, (): ()| async { Ok(()) });
    /// # drop(worker);
    /// ```
    pub fn wrap(mut self, middleware: impl Middleware) -> Self {
        self.registry.wrap(Arc::new(middleware));
        self
    }

    /// Adds a tag that conditions of jobs may ask for: a word like `gpu`, or a pair like `region=eu`. At most 64. `weight=3` is the
    /// worker's share under the routing policy `weighted`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Says how much this worker has of a resource, in parts of a thousandth: 4 GPUs, 2.5 licences. Contexts that require some of it reserve
    /// it while they run. `cpu`, `memory` and `disk` (in bytes) are measured, unless they are given here.
    pub fn resource(mut self, name: impl Into<String>, amount: impl Into<f64>) -> Self {
        let name = name.into();
        let bytes = ["memory", "disk"].contains(&name.as_str());
        let counted = amount.into() * if bytes { 1.0 } else { 1_000.0 };
        // What is no amount becomes 0, which is refused at the start.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float that is too small or too great becomes the nearest amount"
        )]
        self.resources.insert(name, counted as u64);
        self
    }

    /// Adds tags that jobs may ask for. At most 64.
    pub fn tags<I>(mut self, tags: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Runs `function` for the contexts of a [`Task`]: what it takes, what it returns and what its handler is called is the task's, so that
    /// it is what `tickwheel-client` submits.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use tickwheel_worker::{Context, Task, Worker};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct CloseOrder { id: u64 }
    ///
    /// impl Task for CloseOrder {
    ///     const HANDLER: &'static str = "close";
    ///     const GROUP: &'static str = "orders";
    ///     type Output = String;
    /// }
    /// let worker = Worker::builder("http://127.0.0.1:7400")
    ///     .group(CloseOrder::GROUP)
    ///     .task(|_: Context, order: CloseOrder| async move { Ok(format!("order {} is closed", order.id)) });
    /// # drop(worker);
    /// ```
    pub fn task<T, F, Fut>(mut self, function: F) -> Self
    where
        T: Task,
        F: Fn(Context, T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<T::Output>> + Send + 'static,
    {
        self.registry.note_group(T::HANDLER, T::GROUP);
        self.handler(T::HANDLER, Typed::<F, T, T::Output>::new(function))
    }

    /// Runs `function` for contexts of handler `name`: JSON body in (none reads as `null`), JSON result out. A body that
    /// does not fit is a fatal failure.
    pub fn handle<F, Fut, B, T>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, B) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<T>> + Send + 'static,
        B: DeserializeOwned + 'static,
        T: Serialize + 'static,
    {
        self.handler(name, Typed::<F, B, T>::new(function))
    }

    /// Runs `function` for contexts of handler `name`: bytes in, bytes out.
    pub fn handle_raw<F, Fut>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<Bytes>> + Send + 'static,
    {
        self.handler(name, Raw(function))
    }

    /// Runs `function` for up to `max` contexts of handler `name` at once: those that arrive within `window` of the first. JSON bodies in,
    /// one outcome for each in their order.
    ///
    /// Each context is an attempt of its own: it holds a permit while it waits, keeps its lease, and is settled by its own outcome. One that
    /// is cancelled or timed out while it waits has no part in the batch; later, [`Context::is_cancelled`] tells. A panic, or another number
    /// of outcomes than there are contexts, fails each of them. Let the worker run at least `max` handlers at once, or no batch will be full.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tickwheel_worker::{Context, HandlerResult, Worker};
    ///
    /// async fn insert(rows: Vec<(Context, String)>) -> Vec<HandlerResult<()>> {
    ///     // one statement for all rows
    ///     rows.iter().map(|_| Ok(())).collect()
    /// }
    /// let worker = Worker::builder("http://127.0.0.1:7400")
    ///     .concurrency(500)
    ///     .batch("insert", 200, Duration::from_millis(20), insert);
    /// # drop(worker);
    /// ```
    pub fn batch<F, Fut, B, T>(
        mut self,
        name: impl AsRef<str>,
        max: usize,
        window: Duration,
        function: F,
    ) -> Self
    where
        F: Fn(Vec<(Context, B)>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<HandlerResult<T>>> + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        T: Serialize + Send + 'static,
    {
        self.registry.check_batch(name.as_ref(), max, window);
        self.handler(name, Batch::<F, B, T>::new(function, max, window))
    }

    /// Runs `handler` for contexts of handler `name`.
    pub fn handler(mut self, name: impl AsRef<str>, handler: impl Handler) -> Self {
        self.registry.add(name.as_ref(), Arc::new(handler));
        self
    }

    /// Outcomes kept until a tracker has confirmed them. When they are so many, the worker takes no more work until some
    /// are confirmed. Default: 100,000.
    pub fn outcome_buffer(mut self, outcomes: usize) -> Self {
        self.outcome_buffer = outcomes;
        self
    }

    /// Drains the worker when the token is cancelled.
    pub fn shutdown(mut self, token: CancellationToken) -> Self {
        self.shutdown = token;
        self
    }

    /// How long a drain waits for running handlers. Then they are cancelled, and after their grace given back. Default: 30 s.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.drain = timeout;
        self
    }

    /// How long a drain waits for the confirmation of the last outcomes. Default: 10 s.
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.flush = timeout;
        self
    }

    /// Runs the worker until SIGTERM, SIGINT or the [`shutdown`](Self::shutdown) token, then drains it. A second signal ends
    /// the drain. Trackers that cannot be reached are tried again for ever.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that breaks a rule, [`Error::Signals`] when signals cannot be listened to.
    pub async fn run(self) -> Result<Stopped, Error> {
        self.start()?.run().await
    }

    /// Starts the worker in the background of the present tokio runtime, without listening for signals.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that breaks a rule.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<RunningWorker, Error> {
        self.check()?;
        let seeds: Vec<String> = self.trackers.iter().map(|url| normal(url)).collect();
        for url in &seeds {
            endpoint(url).map_err(|reason| Error::invalid("tracker", reason))?;
            let shown = self.shows.may_go_to(url, &seeds);
            shown.map_err(|reason| Error::invalid("token", reason))?;
        }
        let trusted = self.shows.trust.check();
        trusted.map_err(|unfit| Error::invalid(unfit.setting, unfit.reason))?;
        let shown = self.shows.credential.authorization();
        shown.map_err(|reason| Error::invalid("token", reason))?;
        let host = sysinfo::System::host_name().unwrap_or_else(|_| "worker".to_owned());
        let traits = Traits {
            group: self.group,
            permits: self.concurrency,
            tags: self.tags,
            host: host_word(&host),
            resources: self.resources.clone(),
        };
        let identity = Identity::new(self.name.as_deref().unwrap_or(&host), traits);
        let protocol = Protocol::new(
            Permits {
                permits: self.concurrency,
                spool_max: self.outcome_buffer,
            },
            Resources::new(self.resources),
        );
        let shared = Shared::new(protocol, self.registry, identity, (seeds, self.shows));
        Ok(RunningWorker::spawn(
            Arc::new(shared),
            self.timeouts,
            self.shutdown,
        ))
    }

    fn check(&self) -> Result<(), Error> {
        if self.trackers.is_empty() {
            return Err(Error::invalid(
                "tracker",
                "a worker needs the url of a tracker",
            ));
        }
        if !(1..=CONCURRENCY_MAX).contains(&self.concurrency) {
            return Err(Error::invalid(
                "concurrency",
                format!("{} is not within 1 to {CONCURRENCY_MAX}", self.concurrency),
            ));
        }
        if self.outcome_buffer == 0 {
            return Err(Error::invalid(
                "outcome_buffer",
                "a worker must be able to keep an outcome",
            ));
        }
        if self.tags.len() > TAGS_MAX {
            return Err(Error::invalid(
                "tags",
                format!("{} are more than {TAGS_MAX}", self.tags.len()),
            ));
        }
        check_parts("group", &self.group)?;
        check_resources(&self.resources)?;
        self.tags.iter().try_for_each(|tag| check_tag(tag))?;
        self.registry.check(&self.group)
    }
}

fn check_resources(resources: &Amounts) -> Result<(), Error> {
    if resources.len() > RESOURCES_MAX {
        let rule = format!("{} are more than {RESOURCES_MAX}", resources.len());
        return Err(Error::invalid("resource", rule));
    }
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    for (name, amount) in resources {
        if name.is_empty() || name.len() > 32 || !name.bytes().all(fits) {
            let rule = "must be 1 to 32 small letters, digits, dots, underscores or hyphens";
            return Err(Error::invalid("resource", format!("\"{name}\" {rule}")));
        }
        if *amount == 0 {
            let rule = format!("the amount of \"{name}\" must be above 0");
            return Err(Error::invalid("resource", rule));
        }
    }
    Ok(())
}

/// The host's name as trackers take it: letters, digits and `. _ : -`, at most 255.
fn host_word(name: &str) -> String {
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || "._:-".contains(c) {
            c
        } else {
            '-'
        }
    };
    clip(name, 255).chars().map(fits).collect()
}

#[cfg(test)]
mod tests;
