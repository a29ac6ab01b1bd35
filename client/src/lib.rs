//! Submit contexts to Tickwheel, register jobs, and wait for what becomes of them.
//!
//! A [`Client`] speaks gRPC with the trackers of a cluster, any of which can answer any call. It knows no Redis. Handlers are written with
//! `tickwheel-worker`; a [`Task`] is the body of one with its name, so that both sides mean the same:
//!
//! ```no_run
//! use serde::{Deserialize, Serialize};
//! use tickwheel_client::{Client, Task};
//! use tickwheel_worker::{Context, Worker};
//!
//! #[derive(Serialize, Deserialize)]
//! struct CloseOrder { id: u64 }
//!
//! impl Task for CloseOrder {
//!     const HANDLER: &'static str = "close";
//!     type Output = String;
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Mostly in another program.
//!     let worker = Worker::builder("http://127.0.0.1:7400")
//!         .task(|_: Context, order: CloseOrder| async move { Ok(format!("order {} is closed", order.id)) })
//!         .start()?;
//!
//!     let client = Client::connect(["http://127.0.0.1:7400"]).await?;
//!     let run = client.submit(&CloseOrder { id: 7 }).await?;
//!     assert_eq!(run.result(None).await?, "order 7 is closed");
//!
//!     worker.drain().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Who calls
//! Trackers ask for a token ([`Builder::token_file`], [`Builder::token_from_env`]). It goes to the trackers that are named and to nobody else, and
//! to other machines than this one only over TLS, or where [`Builder::plaintext_token`] allows it.
//!
//! # TLS
//! With the feature `tls`, trackers may have URLs `https://`. They are believed when an authority vouches for them that this system knows, or one
//! in the file that `Builder::ca_file` names.
//!
//! # Later, once, or as a job
//! [`Submission`] says when a context is due, how often it is tried, and which key of yours it stands for. [`Client::apply`] registers jobs,
//! which fire by themselves.
//!
//! The feature `jobs`, on by default, has these as [`JobSpec`]s; without it a job is a [`v1::JobSpec`], and the crate has half of the
//! dependencies.
//!
//! # What happens when a tracker is gone
//! A call goes to one tracker, and to the next one when that cannot be reached; between two rounds it waits, for longer each time, until its
//! deadline ([`Builder::timeout`], ten seconds in all) has passed. A call whose answer got lost may have been executed: it is made again
//! only when that changes nothing more, as with everything that reads, with [`Client::apply`] and [`Client::cancel`], and with submissions
//! that have a [`Submission::dedup_key`]. Others end with [`Error::Unavailable`], and the caller decides.

mod builder;
mod call;
mod contexts;
mod dead;
mod endpoints;
mod error;
#[cfg(feature = "jobs")]
mod job;
mod jobs;
mod operations;
mod run;
mod submission;

pub use builder::Builder;
pub use call::{Client, Repeat};
pub use contexts::KeyOf;
pub use endpoints::{Api, Shows};
pub use error::{Error, Refusal, RefusalKind};
#[cfg(feature = "jobs")]
pub use job::job;
pub use run::{Run, has_ended};
pub use submission::{Reuse, Submission};

pub use tickwheel_core::{Durability, JobSpec, Task, TimestampMs, Trigger, Violation};
pub use tickwheel_proto::credential::{Credential, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE};
#[cfg(feature = "tls")]
pub use tickwheel_proto::trust::{
    CA_FILE_VARIABLE, CLIENT_CERT_VARIABLE, CLIENT_KEY_VARIABLE, Trust,
};
/// The messages of the protocol, which answers are made of.
pub use tickwheel_proto::v1;
