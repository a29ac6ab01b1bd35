//! The three endpoints of xcron, for programs that were written for it: `POST /xcron/createTask`, `POST /xcron/deleteTask` and
//! `GET /xcron/queryTask` (docs/xcron.md).
//!
//! Whatever is asked there is answered with status 200 and an envelope, as xcron does; another path or method, and a request that is meant for
//! another server, are refused as everywhere else on this surface.

mod callback;
mod envelope;
mod request;
mod route;
mod tasks;
mod uuid;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::time::Instant;

use self::uuid::uuid;
use super::programs::{self, Asks, By, Expected, Programs, Unread};
use super::safety;
use crate::access::Origin;
use crate::config;
use crate::metrics::definitions::HTTP;
use crate::rpc::scheduler::Scheduler;
use envelope::{Code, Data, Refused};
use route::Route;

/// A body becomes the body of a job, on its way into a script.
const GROWS: usize = 8;
/// Why a page of another site cannot have sent a body of this kind: it would have to ask first.
const NO_JSON: &str = "the body has the header Content-Type: application/json";

/// What answers clients of xcron. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Xcron {
    scheduler: Scheduler,
    programs: Programs,
    settings: Arc<config::Xcron>,
}

/// Whether a request is for xcron.
pub(super) fn is_under<B>(request: &Request<B>) -> bool {
    let path = request.uri().path();
    path == "/xcron" || path.starts_with("/xcron/")
}

impl Xcron {
    pub(crate) fn new(scheduler: Scheduler, programs: Programs, settings: config::Xcron) -> Self {
        Self {
            scheduler,
            programs,
            settings: Arc::new(settings),
        }
    }

    /// The answer to a request of `peer`.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: Origin) -> Response<Body> {
        let started = Instant::now();
        let uuid = uuid(rand::random());
        // A length beside it is dropped where it is parsed; what another reader took for its end shall not begin a second request.
        let chunked = request.headers().contains_key("transfer-encoding");
        let route = Route::find(request.uri().path());
        let response = match route {
            Some(route) if route.has(request.method()) => {
                let answered = self.answered(request, peer, route, &uuid).await;
                let text = envelope::text(&uuid, &answered);
                programs::respond((StatusCode::OK, "application/json"), text, &uuid, chunked)
            }
            Some(route) => other_method(route, request.method(), &uuid, chunked),
            None => {
                let text = Route::all_in_words().into_bytes();
                let kind = "text/plain; charset=utf-8";
                programs::respond((StatusCode::NOT_FOUND, kind), text, &uuid, chunked)
            }
        };
        let status = response.status().as_u16().to_string();
        let operation = route.map_or("none", Route::name);
        metrics::histogram!(HTTP.name, "operation" => operation, "status" => status)
            .record(started.elapsed());
        response
    }

    /// Reads the body of a request and does what it asks for, on other threads than this one.
    async fn answered(
        &self,
        request: Request<Incoming>,
        peer: Origin,
        route: Route,
        uuid: &str,
    ) -> Result<Data, Refused> {
        let span = tracing::info_span!("request", request_id = %uuid, operation = route.name());
        let asked = (request, peer, uuid.to_owned());
        let answering = self.clone().operate(asked, route);
        let answered = self.programs.answered(answering, span, uuid).await;
        answered.map_err(Refused::unanswered)?
    }

    async fn operate(
        self,
        (request, peer, uuid): (Request<Incoming>, Origin, String),
        route: Route,
    ) -> Result<Data, Refused> {
        let (head, body) = request.into_parts();
        if let Some(why) = safety::forged(&head.headers).filter(|_| route.changes()) {
            return Err(Refused::new(Code::Denied, why));
        }
        let asks = Asks {
            call: route.call(),
            by: By::Token,
            least: route.least(),
            request_id: &uuid,
        };
        let caller = programs::caller(&self.scheduler, asks, &head.headers, peer).await;
        let caller = caller.map_err(|error| Refused::of(&error))?;
        let durability = programs::asked_durability(&head.headers);
        let durability = durability.map_err(|wrong| Refused::request(&wrong))?;
        let expected = Expected {
            most: route.body_bytes_max(),
            grows: GROWS,
        };
        let meter = self.scheduler.authority().meter(&caller);
        let takes = (self.programs.memory(), meter.as_ref());
        let read = programs::read_body(expected, &head.headers, body, takes).await;
        let (body, _kept) = read.map_err(|why| unread(&why))?;
        if !body.is_empty() && !programs::is_json(&head.headers) {
            return Err(Refused::new(Code::Request, NO_JSON));
        }
        let query = head.uri.query().unwrap_or_default();
        let calls = self.scheduler.calls(caller);
        match route {
            Route::Create => tasks::create(&calls, &self.settings, &body, durability).await,
            Route::Delete => tasks::delete(&calls, &body, durability).await,
            Route::Query => tasks::query(&calls, query).await,
        }
    }
}

/// A path has other methods.
fn other_method(route: Route, asked: &Method, uuid: &str, is_last: bool) -> Response<Body> {
    let allowed = route.allowed();
    let (status, text) = if asked == Method::OPTIONS {
        (StatusCode::NO_CONTENT, String::new())
    } else {
        let text = format!("this path has {allowed}\n");
        (StatusCode::METHOD_NOT_ALLOWED, text)
    };
    let kind = "text/plain; charset=utf-8";
    let mut response = programs::respond((status, kind), text.into_bytes(), uuid, is_last);
    let allow = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

fn unread(why: &Unread) -> Refused {
    let of_body = |rule: String| Refused::new(Code::Request, rule);
    match why {
        Unread::Unasked => of_body("there is no body where nothing is changed".to_owned()),
        Unread::TooLarge(most) => of_body(format!("the body has at most {most} bytes")),
        Unread::Late(within) => of_body(format!(
            "the body was not there within {} s",
            within.as_secs()
        )),
        Unread::Cut => of_body("the body broke off".to_owned()),
        Unread::NoRoom(error) => Refused::of(error),
    }
}
