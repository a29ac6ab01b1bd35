//! Every key of the configuration, one line each: name, type, default, and what it is for.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use figment::Figment;
use tickwheel_core::Durability;
use tickwheel_http_handler::{Entries, Guard, Ports};
use tickwheel_store::RedisTls;

use super::handlers::Handlers;
use super::mistake::{Mistake, read_key};
use super::setting::{
    Amounts, Attempts, ClientAuth, Listen, LogFormat, Mode, Namespaces, PerSecond, Secret, Setting,
    Span,
};

/// What the reference says of a key.
#[derive(Debug)]
pub(crate) struct KeyDoc {
    pub(crate) name: &'static str,
    pub(crate) form: &'static str,
    pub(crate) default: String,
    pub(crate) text: &'static str,
}

/// Defines a section from one line per key, so that reading, showing and documenting cannot disagree.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $section:ident $table:literal {
            $( $(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:expr; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $section {
            $( $(#[doc = $doc])+ pub(crate) $key: $kind, )+
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $( $key: $default, )+ }
            }
        }

        impl $section {
            pub(crate) const TABLE: &'static str = $table;
            pub(crate) const KEYS: &'static [&'static str] = &[$( stringify!($key), )+];
            pub(crate) const ABOUT: &'static str = concat!($($about, "\n"),+);

            /// Takes each key from the layers, or its default; a value that cannot be read is a mistake.
            pub(crate) fn read(layers: &Figment, mistakes: &mut Vec<Mistake>) -> Self {
                Self {
                    $( $key: read_key(
                        layers, concat!($table, ".", stringify!($key)), || $default, mistakes,
                    ), )+
                }
            }

            /// Each key with what the reference says of it and its value as TOML, secrets masked.
            pub(crate) fn shown(&self) -> Vec<(KeyDoc, String)> {
                let default = Self::default();
                vec![$( (
                    KeyDoc {
                        name: stringify!($key),
                        form: <$kind as Setting>::FORM,
                        default: default.$key.shown(),
                        text: concat!($($doc),+),
                    },
                    self.$key.shown(),
                ), )+]
            }
        }
    };
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

section! {
    /// A tracker: where it listens and how it turns the wheel.
    TrackerSection "tracker" {
        /// Where workers and clients reach it by gRPC. Beyond loopback it asks for a certificate: `tls.cert`.
        grpc_listen: SocketAddr = loopback(7400);
        /// Connections of workers and callers at once; a further one is closed, so that its peer looks for another tracker.
        grpc_connections: u32 = 2_000;
        /// And of one address, or one network of IPv6; loopback is not counted. Raise it where workers come through an address translation or a proxy.
        grpc_connections_per_address: u32 = 64;
        /// Where it answers HTTP: health, readiness, metrics, the API (docs/http-api.md), and xcron (docs/xcron.md). On loopback it is asked as localhost, or by a loopback address.
        http_listen: Listen = Listen::At(loopback(7480));
        /// The URL under which workers reach this tracker; empty: `http://` (`https://` with a certificate) and `grpc_listen`. Needed when that is 0.0.0.0.
        advertise_url: String = String::new();
        /// Parts of the wheel. Fixed when a cluster is created; a tracker that disagrees refuses to start.
        partitions: u16 = 16;
        /// How long a worker has to begin an attempt it was sent, before the attempt goes to another worker.
        dispatch_lease: Span = Span::from_ms(2_000);
        /// How often workers give a heartbeat.
        heartbeat_interval: Span = Span::from_ms(1_000);
        /// How many due entries one script call takes. More costs latency for others, fewer costs throughput.
        turn_limit: u32 = 200;
        /// How long a stopping tracker hands over before it exits anyway.
        drain_timeout: Span = Span::from_ms(10_000);
    }
}

section! {
    /// The worker with the built-in handlers.
    WorkerSection "worker" {
        /// Any one tracker; the worker learns of the others from it.
        tracker_url: String = "http://127.0.0.1:7400".to_owned();
        /// The group whose contexts it takes.
        group: String = "default".to_owned();
        /// Begins the worker's id, which a person sees in lists.
        name: String = "demo".to_owned();
        /// How many handlers run at once.
        permits: u32 = 16;
        /// The handlers for trying (`noop`, `echo`, `sleep`, …), and the one that calls URLs: docs/http-handler.md.
        handlers: Handlers = Handlers::ALL;
        /// A file with the token that it shows to trackers; empty: what `TICKWHEEL_TOKEN_FILE` names or `TICKWHEEL_TOKEN` holds, if one is set.
        token_file: String = String::new();
        /// Hosts beyond loopback to which the token may be sent, say `tracker-1, *.internal`, without TLS too: docs/security.md.
        token_hosts: String = String::new();
        /// A file with the certificates of the authorities that vouch for trackers with `https://`, in PEM; empty: what `TICKWHEEL_CA_FILE` names, else those that this system knows.
        ca_file: String = String::new();
        /// A file with the certificate that it shows to trackers that ask for one (`tls.client_ca`), in PEM; empty: what `TICKWHEEL_CLIENT_CERT` names, if it is set. It is read for each stream.
        client_cert: String = String::new();
        /// A file with its private key, in PEM; empty: what `TICKWHEEL_CLIENT_KEY` names.
        client_key: String = String::new();
    }
}

section! {
    /// Where the handler `http` of a worker connects to, and which callbacks of xcron a tracker takes: docs/http-handler.md, docs/xcron.md.
    HttpHandlerSection "http_handler" {
        /// Called although not public: loopback, private networks, names inside. A metadata service only by its own address.
        allow: Entries = Entries::default();
        /// Never called, whatever is allowed.
        deny: Entries = Entries::default();
        /// Called, on every host.
        ports: Ports = Ports::default();
    }
}

impl HttpHandlerSection {
    /// The guard that it describes.
    pub(crate) fn guard(&self) -> Guard {
        Guard {
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            ports: self.ports.clone(),
        }
    }
}

section! {
    /// The endpoints of xcron, beside the HTTP API: docs/xcron.md. What a task was created with it keeps.
    XcronSection "xcron" {
        /// Whether they are answered.
        enabled: bool = true;
        /// The time zone of the crontabs of periodic tasks, an IANA name such as Asia/Shanghai.
        zone: String = "UTC".to_owned();
        /// Attempts of each callback in all; 1: none is tried again.
        max_attempts: Attempts = Attempts::ONE;
        /// Between two of them; at most 24h.
        retry_delay: Span = Span::from_ms(10_000);
    }
}

section! {
    /// Redis, where the wheel and everything else that must survive is kept. Only trackers use it.
    RedisSection "redis" {
        /// `redis://`, `rediss://` (TLS), `redis-cluster://` or `redis-sentinel://`, with user and password if needed: docs/deploy.md.
        url: Secret = Secret("redis://127.0.0.1:6379".to_owned());
        /// A file that holds the URL, for secrets that must not be in the environment; empty: `url` is used.
        url_file: String = String::new();
        /// A file with the certificates of the authorities that vouch for servers of `rediss://`, in PEM, and no others are believed; empty: those that this system knows. New files are used for new connections within ten seconds.
        ca_file: String = String::new();
        /// A file with the certificate that is shown to servers that ask for one, in PEM; empty: none is.
        client_cert: String = String::new();
        /// A file with its private key, in PEM.
        client_key: String = String::new();
        /// Begins every key; clusters that share a Redis need different ones.
        prefix: String = "tw".to_owned();
        /// Start although Redis evicts keys, which loses jobs. Never set it where jobs matter.
        allow_eviction: bool = false;
    }
}

impl RedisSection {
    /// With what Redis is spoken to where its URL has TLS.
    pub(crate) fn tls(&self) -> RedisTls {
        let named = |file: &String| (!file.is_empty()).then(|| PathBuf::from(file));
        RedisTls {
            ca_file: named(&self.ca_file),
            client_cert: named(&self.client_cert),
            client_key: named(&self.client_key),
            ..RedisTls::default()
        }
    }

    /// A server of one's own at this URL, without TLS.
    pub(crate) fn own(&mut self, url: String) {
        self.url = Secret(url);
        for file in [
            &mut self.ca_file,
            &mut self.client_cert,
            &mut self.client_key,
        ] {
            file.clear();
        }
    }

    /// What redis-cli is told to speak with it; passwords are masked.
    pub(crate) fn cli_line(&self) -> String {
        let named = [
            ("cacert", &self.ca_file),
            ("cert", &self.client_cert),
            ("key", &self.client_key),
        ];
        let mut line = format!("redis-cli -u {}", self.url.masked());
        for (option, file) in named.into_iter().filter(|(_, file)| !file.is_empty()) {
            line.push_str(&format!(" --{option} {file}"));
        }
        line
    }
}

section! {
    /// Who may do what at a tracker: docs/security.md.
    AccessSection "access" {
        /// Whether whoever calls has to show a token. `open`: whoever reaches the tracker may do everything, which is for loopback only.
        mode: Mode = Mode::Tokens;
        /// Start with `open`, or without a certificate (`tls.cert`), although other machines reach the tracker. Never set it where anybody else is on the network.
        insecure_listen: bool = false;
        /// Where the first token of an admin is written, once, by the first tracker that finds none; or where one is that shall be the first. Empty: nowhere.
        bootstrap_token_file: String = String::new();
    }
}

section! {
    /// What each token may ask for in a second, by its role; all trackers together, so that they should say the same. 0: no limit. docs/security.md.
    RatesSection "rates" {
        /// Calls of a viewer.
        viewer_calls: PerSecond = PerSecond(1_000);
        /// Calls of a submitter; one may have a thousand contexts.
        submitter_calls: PerSecond = PerSecond(20_000);
        /// Calls of an operator.
        operator_calls: PerSecond = PerSecond(2_000);
        /// Calls of an admin.
        admin_calls: PerSecond = PerSecond(20_000);
        /// Bytes of requests, whatever the role: 0, or 65536 and more.
        bytes: PerSecond = PerSecond(67_108_864);
    }
}

section! {
    /// What each namespace may take, of the whole cluster. 0: any amount. docs/security.md.
    QuotasSection "quotas" {
        /// Contexts that are submitted to it in a second, and runs of jobs by hand.
        contexts_per_second: PerSecond = PerSecond(0);
        /// The same for these namespaces.
        contexts_per_second_of: Amounts = Amounts::default();
        /// Jobs that are registered in it.
        jobs: PerSecond = PerSecond(0);
        /// The same for these namespaces.
        jobs_of: Amounts = Amounts::default();
    }
}

section! {
    /// The certificate with which a tracker speaks TLS on both of its addresses: docs/security.md. New files are served within ten seconds.
    TlsSection "tls" {
        /// A file with the certificate, and those that lead to its authority behind it, in PEM; empty: no TLS.
        cert: String = String::new();
        /// A file with its private key, in PEM.
        key: String = String::new();
        /// A file with the certificates of the authorities that vouch for callers and workers, in PEM: they are asked for a certificate then. Empty: they are not.
        client_ca: String = String::new();
        /// Whether who shows no certificate is let in, where `client_ca` asks for one; a token that is bound to one is never believed without it. Empty: `required`.
        client_auth: ClientAuth = ClientAuth::Unsaid;
    }
}

section! {
    /// How far a write has come when its caller is told that it is accepted: docs/durability.md.
    DurabilitySection "durability" {
        /// For namespaces that are not listed.
        default: Durability = Durability::Async;
        /// For the jobs of these namespaces, and their contexts.
        namespaces: Namespaces = Namespaces::default();
        /// How long a call waits for replicas or the disk before it is answered with UNCONFIRMED; at most 5s.
        wait: Span = Span::from_ms(1_000);
    }
}

section! {
    /// What is kept of ended runs, shared by the partitions: a full one drops the oldest of its greatest namespace. Alike on all trackers.
    HistorySection "history" {
        /// MiB of logs and progress; they also go with the record of their run.
        logs_mib: u32 = 256;
        /// MiB of results; they also go with the record of their run.
        results_mib: u32 = 128;
        /// MiB of contexts that ended without success, with their bodies; those above 16 KiB are not kept.
        dead_mib: u32 = 256;
        /// How long logs, progress and results are kept at most.
        keep: Span = Span::from_ms(86_400_000);
        /// How long a `once` job stays after it finished and its last run has ended; then it goes, with its ledger and its runs.
        once_keep: Span = Span::from_ms(604_800_000);
    }
}

section! {
    /// What is logged, on standard error. `RUST_LOG` wins over `level`.
    LogSection "log" {
        /// `error`, `warn`, `info`, `debug`, `trace`, or filters such as `info,tickwheel_tracker=debug`.
        level: String = "info".to_owned();
        /// For people or for machines.
        format: LogFormat = LogFormat::Text;
    }
}
