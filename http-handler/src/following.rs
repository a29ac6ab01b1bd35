//! A call from its first request to the answer that counts: redirects are followed where the call says so, each of them as strictly
//! judged as the first URL.

use hyper::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use hyper::{Method, StatusCode};

use crate::call::Call;
use crate::connect::Connector;
use crate::exchange::{Answer, Asked, send};
use crate::failure::Failure;

/// The answer that counts. `own` are the headers that tell of the run; they go to every server, those of the call only to where it says.
pub(crate) async fn follow(
    connector: &Connector,
    call: &Call,
    own: &HeaderMap,
) -> Result<Answer, Failure> {
    let mut target = call.target.clone();
    let mut asked = Asked {
        method: call.method.clone(),
        headers: with(own, &call.headers),
        body: call.body.clone(),
    };
    connector.guard.admit(&target)?;
    let mut followed = 0;
    loop {
        let connected = connector.connect(&target).await;
        let stream = connected.map_err(|failure| behind(followed, failure))?;
        let answer = send(stream, &target, asked.clone()).await?;
        let status = answer.response.status();
        if call.follow_redirects == 0 || !is_redirect(status) {
            return Ok(answer);
        }
        if followed == call.follow_redirects {
            return Err(Failure::Redirects {
                status,
                most: followed,
            });
        }
        followed += 1;
        let place = answer.response.headers().get(LOCATION);
        let place = place.and_then(|place| place.to_str().ok());
        let place = place.ok_or(Failure::NoLocation(status))?;
        let next = target
            .join(place)
            .and_then(|next| connector.guard.admit(&next).map(|()| next));
        let next = next.map_err(|refusal| Failure::Redirected(followed, refusal))?;
        asked = redirected(asked, status);
        if !next.is_origin_of(&target) {
            // A token for one server is not for another.
            asked.headers = with(own, &of_body(&asked.headers));
        }
        target = next;
    }
}

fn is_redirect(status: StatusCode) -> bool {
    [301, 302, 303, 307, 308].contains(&status.as_u16())
}

/// What is asked after a redirect. Servers that answer a POST with 301 or 302 mean what 303 says; 307 and 308 say to send the same again.
fn redirected(asked: Asked, status: StatusCode) -> Asked {
    let keeps = matches!(
        status,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let reads = [Method::GET, Method::HEAD].contains(&asked.method);
    let others = status != StatusCode::SEE_OTHER && asked.method != Method::POST;
    if keeps || reads || others {
        return asked;
    }
    let mut headers = asked.headers;
    headers.remove(CONTENT_TYPE);
    Asked {
        method: Method::GET,
        headers,
        body: None,
    }
}

/// The one header that says what the body is, where there is one.
fn of_body(headers: &HeaderMap) -> HeaderMap {
    let form = headers.get(CONTENT_TYPE);
    form.map(|form| (CONTENT_TYPE, form.clone()))
        .into_iter()
        .collect()
}

/// `own`, over which those of the call have precedence.
fn with(own: &HeaderMap, given: &HeaderMap) -> HeaderMap {
    let mut headers = own.clone();
    for (name, value) in given {
        headers.insert(name, value.clone());
    }
    headers
}

/// A refusal that met a redirect says so.
fn behind(followed: u64, failure: Failure) -> Failure {
    if let Failure::Refused(refusal) = failure
        && followed > 0
    {
        return Failure::Redirected(followed, refusal);
    }
    failure
}
