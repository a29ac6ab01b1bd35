//! The API for programs: `/api/v1`, over the table of `tickwheel-api`.
//!
//! A request is looked at here: its path, where it is from, whether it may ask. Then its body is read and it is answered on the threads of
//! calls, by the same functions as a call of gRPC.

mod answer;
mod dispatch;
mod head;
mod problem;
mod session;
mod stream;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use tickwheel_api::requests::Asked;
use tickwheel_api::routes::{
    BASE, BODY_BYTES_MAX, DOCUMENT_PATH, Method as Verb, Missing, Operation, Row, find,
};
use tickwheel_core::access::Role;
use tokio::time::Instant;

use super::programs::{self, Asks, By, Expected, Programs};
use super::safety;
use crate::access::Origin;
use crate::metrics::definitions::HTTP;
use crate::rpc::scheduler::Scheduler;
use answer::Answer;
use head::Given;
use problem::{Refusal, Told};

/// In memory, submissions take at most so many times their bytes: as they come, cut up, and handed on.
const SUBMISSIONS_GROW: usize = 4;
/// And what is read as a tree.
const TREES_GROW: usize = 16;

/// What answers the API.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    scheduler: Scheduler,
    programs: Programs,
}

/// Whether a request is for the API.
pub(super) fn is_under<B>(request: &Request<B>) -> bool {
    let path = request.uri().path();
    path == "/api" || path.starts_with("/api/")
}

impl Api {
    pub(crate) fn new(scheduler: Scheduler, programs: Programs) -> Self {
        Self {
            scheduler,
            programs,
        }
    }

    /// The answer to a request of `peer`. `misdirected`: why it is not asked under a name of this surface.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Origin,
        misdirected: Option<(StatusCode, &'static str)>,
    ) -> Response<Body> {
        let started = Instant::now();
        let named = programs::request_id(request.headers());
        let id = named.unwrap_or_else(|| self.programs.make_id());
        // A length beside it is dropped where it is parsed; what another reader took for its end shall not begin a second request.
        let chunked = request.headers().contains_key("transfer-encoding");
        let wanted = self.wanted(&request, misdirected);
        let operation = wanted.as_ref().ok().and_then(Wanted::operation);
        let answered = match wanted {
            Ok(Wanted::Document) => Ok(Answer::document()),
            Ok(Wanted::Options(allowed)) => Ok(Answer::options(&allowed)),
            Ok(Wanted::Session(method)) => self.session(request, peer, method, &id).await,
            Ok(Wanted::Operation(operation, name)) => {
                self.operated(request, peer, (operation, name), &id).await
            }
            Err(told) => Err(told),
        };
        let response = match answered {
            Ok(answer) => answer.into_response(&id, chunked),
            Err(told) => told.into_response(&id, chunked),
        };
        let status = response.status().as_u16().to_string();
        let operation = operation.map_or("none", Operation::name);
        metrics::histogram!(HTTP.name, "operation" => operation, "status" => status)
            .record(started.elapsed());
        response
    }

    /// What a request wants, if it may.
    fn wanted(
        &self,
        request: &Request<Incoming>,
        misdirected: Option<(StatusCode, &'static str)>,
    ) -> Result<Wanted, Told> {
        if let Some((status, why)) = misdirected {
            return Err(Told::misdirected(status, why.trim_end()));
        }
        let headers = request.headers();
        let path = request.uri().path();
        let path = path.strip_prefix(BASE).ok_or_else(Told::no_path)?;
        let method = match request.method() {
            &Method::HEAD => "GET",
            method => method.as_str(),
        };
        if path == DOCUMENT_PATH {
            return match method {
                "GET" => Ok(Wanted::Document),
                "OPTIONS" => Ok(Wanted::Options(answer::allowed(&[
                    tickwheel_api::routes::Method::Get,
                ]))),
                _ => Err(Told::no_method(&[tickwheel_api::routes::Method::Get])),
            };
        }
        if path == session::PATH {
            let verb = session::METHODS.into_iter();
            let verb = verb.into_iter().find(|verb| verb.as_str() == method);
            return match verb {
                Some(verb) => match safety::forged(headers).filter(|_| !verb.is_safe()) {
                    Some(why) => Err(Told::forged(why)),
                    None => Ok(Wanted::Session(verb)),
                },
                None if method == "OPTIONS" => {
                    Ok(Wanted::Options(answer::allowed(&session::METHODS)))
                }
                None => Err(Told::no_method(&session::METHODS)),
            };
        }
        let found = match find(method, path) {
            Ok(found) => found,
            Err(Missing::Path) => return Err(Told::no_path()),
            Err(Missing::Method(allowed)) if method == "OPTIONS" => {
                return Ok(Wanted::Options(answer::allowed(&allowed)));
            }
            Err(Missing::Method(allowed)) => return Err(Told::no_method(&allowed)),
            Err(Missing::Name(wrong)) => return Err(Told::invalid(wrong.into())),
        };
        let row = found.operation.row();
        head::meant(row, headers)?;
        Ok(Wanted::Operation(found.operation, found.name))
    }

    /// Reads the body of a request and answers it, on other threads than this one.
    async fn operated(
        &self,
        request: Request<Incoming>,
        peer: Origin,
        (operation, name): (Operation, String),
        id: &str,
    ) -> Result<Answer, Told> {
        let span = tracing::info_span!("request", request_id = %id, operation = operation.name());
        let asked = (request, peer, id.to_owned());
        let answering = self.clone().operate(asked, operation, name);
        let answered = self.programs.answered(answering, span, id).await;
        answered.map_err(Told::unanswered)?
    }

    /// Says who asks, logs a browser in, or out, on other threads than this one.
    async fn session(
        &self,
        request: Request<Incoming>,
        peer: Origin,
        method: Verb,
        id: &str,
    ) -> Result<Answer, Told> {
        let span =
            tracing::info_span!("request", request_id = %id, operation = session::word(method));
        let (scheduler, memory) = (self.scheduler.clone(), self.programs.clone());
        let request_id = id.to_owned();
        let answering = async move {
            let (head, body) = request.into_parts();
            let is_login = method == Verb::Post && !body.is_end_stream();
            if is_login && !head.headers.contains_key(header::AUTHORIZATION) {
                let link = Expected {
                    most: session::LINK_BYTES_MAX,
                    grows: 1,
                };
                let read = programs::read_body(link, &head.headers, body, (memory.memory(), None));
                let (body, _kept) = read.await.map_err(|why| Told::unread(&why))?;
                let who = (peer, request_id.as_str());
                return session::log_in(&scheduler, &body, &head.headers, who).await;
            }
            let asks = Asks {
                call: session::word(method),
                by: By::TokenOrSession,
                least: Role::Viewer,
                request_id: &request_id,
            };
            let caller = programs::caller(&scheduler, asks, &head.headers, peer).await;
            let caller = caller.map_err(|error| Told::of(&error, &[]))?;
            if !method.is_safe() {
                session::meant(&scheduler, &caller, asks.call, &head.headers)?;
            }
            let nothing = Expected { most: 0, grows: 0 };
            let meter = scheduler.authority().meter(&caller);
            let takes = (memory.memory(), meter.as_ref());
            let read = programs::read_body(nothing, &head.headers, body, takes).await;
            read.map_err(|why| Told::unread(&why))?;
            let answered = session::answer(&scheduler, method, &caller, &head.headers).await;
            answered.map_err(|error| Told::of(&error, &[]))
        };
        let answered = self.programs.answered(answering, span, id).await;
        answered.map_err(Told::unanswered)?
    }

    async fn operate(
        self,
        (request, peer, id): (Request<Incoming>, Origin, String),
        operation: Operation,
        name: String,
    ) -> Result<Answer, Told> {
        let row = operation.row();
        let (head, body) = request.into_parts();
        let asks = Asks {
            call: row.rpc,
            by: By::TokenOrSession,
            least: row.role,
            request_id: &id,
        };
        let caller = programs::caller(&self.scheduler, asks, &head.headers, peer).await;
        let caller = caller.map_err(|error| Told::of(&error, &[]))?;
        if !row.method.is_safe() {
            session::meant(&self.scheduler, &caller, row.rpc, &head.headers)?;
        }
        let given = Given::of(operation, &head.headers).map_err(Told::invalid)?;
        let meter = self.scheduler.authority().meter(&caller);
        let takes = (self.programs.memory(), meter.as_ref());
        let read = programs::read_body(expected(row), &head.headers, body, takes).await;
        let (body, _kept) = read.map_err(|why| Told::unread(&why))?;
        content(&head.headers, &body)?;
        let asked = Asked {
            name: &name,
            query: head.uri.query().unwrap_or_default(),
            body: &body,
        };
        let answered =
            dispatch::dispatch(&self.scheduler.calls(caller), operation, &asked, given).await;
        answered.map_err(|refusal| match refusal {
            Refusal::Mistakes(wrong) => Told::invalid(wrong),
            Refusal::Failed(error) => Told::of(&error, &body),
        })
    }
}

/// What the body of an operation may be.
fn expected(row: &Row) -> Expected {
    let most = row.body_bytes_max();
    let grows = if most > BODY_BYTES_MAX {
        SUBMISSIONS_GROW
    } else {
        TREES_GROW
    };
    Expected { most, grows }
}

/// A body is JSON, and says so: a page of another site cannot send what does without asking first.
fn content(headers: &HeaderMap, body: &[u8]) -> Result<(), Told> {
    if body.is_empty() || programs::is_json(headers) {
        Ok(())
    } else {
        Err(Told::no_json())
    }
}

/// What a request wants.
enum Wanted {
    /// The OpenAPI document.
    Document,
    /// Which methods a path has.
    Options(String),
    /// Something about who asks.
    Session(Verb),
    /// An operation on what has this name.
    Operation(Operation, String),
}

impl Wanted {
    fn operation(&self) -> Option<Operation> {
        match self {
            Self::Operation(operation, _) => Some(*operation),
            Self::Document | Self::Options(_) | Self::Session(_) => None,
        }
    }
}
