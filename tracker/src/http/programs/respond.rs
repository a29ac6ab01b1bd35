//! How answers to programs go out.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::head::REQUEST_ID;

/// A response with what all of them have. The last one of its connection, if so.
pub(crate) fn respond(
    (status, kind): (StatusCode, &'static str),
    text: Vec<u8>,
    id: &str,
    is_last: bool,
) -> Response<Body> {
    let has_body = !text.is_empty();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    if is_last {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
