//! What a simulation puts in the place of a connection: it is given what a server would be given, and answers when and if it likes.
//!
//! Everything above this seam is the real thing: arguments are built, scripts are named and loaded again, replies and errors are read as
//! with a server.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use fred::error::{Error as ClientError, ErrorKind};
use fred::types::Value;
use tickwheel_core::time::TimestampMs;

use crate::client::{Ways, has_no_functions, is_unknown, sorted};
use crate::error::Error;
use crate::reply::{into_bytes, into_text};
use crate::script::Script;

/// What a script answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nil,
    /// A number.
    Int(i64),
    /// Bytes.
    Bytes(Bytes),
    /// Several.
    List(Vec<Self>),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server said this.
    Said(String),
    /// Nothing came in time: the script may have run, or may run yet.
    Silence,
}

/// An answer that comes, or does not.
pub type Answering = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send>>;

/// Stands in for a connection.
pub trait StandIn: Debug + Send + Sync {
    /// Runs the function of this script.
    fn fcall(&self, script: &'static Script, keys: Vec<String>, args: Vec<Bytes>) -> Answering;

    /// Makes the library known.
    fn load_library(&self) -> Answering;

    /// Runs the script of this digest.
    fn evalsha(&self, script: &'static Script, keys: Vec<String>, args: Vec<Bytes>) -> Answering;

    /// Makes a script known.
    fn load(&self, script: &'static Script) -> Answering;

    /// Runs a plain command that reads one key.
    fn read(&self, command: &'static str, args: Vec<String>) -> Answering;

    /// The server's clock in ms, as a number.
    fn time(&self) -> Answering;
}

/// Calls `script`, having made it known where it is not, as a connection to a server does.
pub(crate) async fn call(
    stand_in: &dyn StandIn,
    ways: &Ways,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, Error> {
    let sort = |error| sorted(script, error);
    if ways.by_function() {
        let called = fcall(stand_in, script, keys.clone(), args.clone()).await;
        let called = match called {
            Err(error) if is_unknown(error.details()) => {
                load_library(stand_in).await.map_err(sort)?;
                fcall(stand_in, script, keys.clone(), args.clone()).await
            }
            called => called,
        };
        match called {
            Err(error) if has_no_functions(error.details()) => ways.call_by_text(),
            called => return called.map_err(sort),
        }
    }
    match evalsha(stand_in, script, keys.clone(), args.clone()).await {
        Err(error) if is_unknown(error.details()) => {
            load(stand_in, script).await.map_err(sort)?;
            evalsha(stand_in, script, keys, args).await.map_err(sort)
        }
        called => called.map_err(sort),
    }
}

fn bytes(args: Vec<Value>) -> Result<Vec<Bytes>, ClientError> {
    let args: Result<Vec<Bytes>, Value> = args.into_iter().map(into_bytes).collect();
    args.map_err(|_| ClientError::new(ErrorKind::InvalidArgument, "an argument that is no text"))
}

async fn fcall(
    stand_in: &dyn StandIn,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, ClientError> {
    value(stand_in.fcall(script, keys, bytes(args)?).await)
}

pub(crate) async fn load_library(stand_in: &dyn StandIn) -> Result<Value, ClientError> {
    value(stand_in.load_library().await)
}

async fn evalsha(
    stand_in: &dyn StandIn,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, ClientError> {
    value(stand_in.evalsha(script, keys, bytes(args)?).await)
}

pub(crate) async fn load(
    stand_in: &dyn StandIn,
    script: &'static Script,
) -> Result<Value, ClientError> {
    value(stand_in.load(script).await)
}

pub(crate) async fn read(
    stand_in: &dyn StandIn,
    command: &'static str,
    args: Vec<String>,
) -> Result<Value, ClientError> {
    value(stand_in.read(command, args).await)
}

pub(crate) async fn time(stand_in: &dyn StandIn) -> Result<TimestampMs, Error> {
    let sort = |error| Error::from_redis("time", error, ToOwned::to_owned);
    let time = value(stand_in.time().await).map_err(sort)?;
    let text = into_text(time).map_err(|other| Error::contract("time", other))?;
    let now = text.parse().map_err(|_| Error::contract("time", text))?;
    Ok(TimestampMs::new(now))
}

fn value(answered: Result<Answer, Failure>) -> Result<Value, ClientError> {
    match answered {
        Ok(answer) => Ok(value_of(answer)),
        Err(Failure::Silence) => Err(ClientError::new(ErrorKind::Timeout, "timeout")),
        Err(Failure::Said(text)) => Err(ClientError::new(ErrorKind::Unknown, text)),
    }
}

fn value_of(answer: Answer) -> Value {
    match answer {
        Answer::Nil => Value::Null,
        Answer::Int(number) => Value::Integer(number),
        // As the client reads a server: text where it is text.
        Answer::Bytes(bytes) => match str::from_utf8(&bytes) {
            Ok(text) => Value::from(text),
            Err(_) => Value::Bytes(bytes),
        },
        Answer::List(items) => Value::Array(items.into_iter().map(value_of).collect()),
    }
}
