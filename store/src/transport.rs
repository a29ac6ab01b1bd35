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
pub trait Transport: Debug + Send + Sync {
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
    transport: &dyn Transport,
    ways: &Ways,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, Error> {
    let sort = |error| sorted(script, error);
    if ways.by_function() {
        let called = fcall(transport, script, keys.clone(), args.clone()).await;
        let called = match called {
            Err(error) if is_unknown(error.details()) => {
                load_library(transport).await.map_err(sort)?;
                fcall(transport, script, keys.clone(), args.clone()).await
            }
            called => called,
        };
        match called {
            Err(error) if has_no_functions(error.details()) => ways.call_by_text(),
            called => return called.map_err(sort),
        }
    }
    match evalsha(transport, script, keys.clone(), args.clone()).await {
        Err(error) if is_unknown(error.details()) => {
            load(transport, script).await.map_err(sort)?;
            evalsha(transport, script, keys, args).await.map_err(sort)
        }
        called => called.map_err(sort),
    }
}

fn bytes(args: Vec<Value>) -> Result<Vec<Bytes>, ClientError> {
    let args: Result<Vec<Bytes>, Value> = args.into_iter().map(into_bytes).collect();
    args.map_err(|_| ClientError::new(ErrorKind::InvalidArgument, "an argument that is no text"))
}

async fn fcall(
    transport: &dyn Transport,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, ClientError> {
    value(transport.fcall(script, keys, bytes(args)?).await)
}

pub(crate) async fn load_library(transport: &dyn Transport) -> Result<Value, ClientError> {
    value(transport.load_library().await)
}

async fn evalsha(
    transport: &dyn Transport,
    script: &'static Script,
    keys: Vec<String>,
    args: Vec<Value>,
) -> Result<Value, ClientError> {
    value(transport.evalsha(script, keys, bytes(args)?).await)
}

pub(crate) async fn load(
    transport: &dyn Transport,
    script: &'static Script,
) -> Result<Value, ClientError> {
    value(transport.load(script).await)
}

pub(crate) async fn read(
    transport: &dyn Transport,
    command: &'static str,
    args: Vec<String>,
) -> Result<Value, ClientError> {
    value(transport.read(command, args).await)
}

pub(crate) async fn time(transport: &dyn Transport) -> Result<TimestampMs, Error> {
    let sort = |error| Error::from_redis("time", error, ToOwned::to_owned);
    let time = value(transport.time().await).map_err(sort)?;
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
