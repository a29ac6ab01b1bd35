//! The handler in a harness, with names that a test makes up.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;
use tickwheel_http_handler::{Guard, HttpHandler, Resolve};
use tickwheel_worker::Outcome;
use tickwheel_worker::testing::{Harness, Ran};

/// The longest wait for a fact, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Names and what they resolve to, one answer after the other; the last one stays.
#[derive(Clone, Default)]
pub(crate) struct Names {
    answers: Arc<Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    pub(crate) fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let read = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(read).collect();
        self.answers.lock().insert(name.to_owned(), answers);
        self
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().push(host.to_owned());
        let mut answers = self.answers.lock();
        let answer = answers.get_mut(host).map(|answers| {
            if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                answers.front().cloned().unwrap_or_default()
            }
        });
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async move { answer })
    }
}

/// What may be called, on every port.
pub(crate) fn guard(allow: &str, deny: &str) -> Guard {
    Guard {
        allow: allow.parse().unwrap(),
        deny: deny.parse().unwrap(),
        ports: "1-65535".parse().unwrap(),
    }
}

pub(crate) fn harness(guard: Guard, names: &Names) -> Harness {
    let handler = HttpHandler::with_resolver(guard, names.clone()).unwrap();
    Harness::new().handler(HttpHandler::NAME, handler)
}

/// A worker that may call this machine.
pub(crate) fn local() -> Harness {
    harness(guard("127.0.0.1", ""), &Names::default())
}

pub(crate) async fn call(harness: &Harness, body: &Value) -> Ran {
    let run = harness.run(HttpHandler::NAME, body);
    tokio::time::timeout(LIMIT, run).await.unwrap()
}

/// The message of a failure that is not tried again.
pub(crate) fn fatal(ran: &Ran) -> String {
    match &ran.outcome {
        Some(Outcome::Fatal(message)) => message.clone(),
        other => panic!("{other:?}"),
    }
}

/// The message of a failure that is tried again by the policy.
pub(crate) fn failed(ran: &Ran) -> String {
    match &ran.outcome {
        Some(Outcome::Failed(message)) => message.clone(),
        other => panic!("{other:?}"),
    }
}
