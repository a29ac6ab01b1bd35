//! The web console: files that are in the program, and one page for all of its places.
//!
//! A path is a file of the table or it is not; nothing of the system is read. What a browser asks for to show it, and is no file, is the
//! page, which then shows that place. Whatever else is asked for is not here, as if there were no console.

use axum::body::{Body, Bytes};
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
};
use tickwheel_console::{File, INDEX, find};

/// What the page may load and do: files of its own origin, calls of its own origin, and no text that becomes a script or markup. The hash is
/// that of the one rule that React Aria adds to a page with menus (how a press is told from a scroll); a flow of the console fails when it is another.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
style-src 'self' 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='; img-src 'self' data:; font-src 'self'; \
connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// Under a name with the hash of its bytes nothing ever changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// It is asked for each time whether it is still the same.
const ASK_AGAIN: &str = "no-cache";
/// Prefixes that are not the console's, whatever asks for them.
const OTHERS: [&str; 5] = ["/api", "/xcron", "/healthz", "/readyz", "/metrics"];

/// The answer of the console; `None` where the request is not for it.
pub(super) fn answer<B>(request: &Request<B>) -> Option<Response<Body>> {
    let path = request.uri().path();
    if OTHERS.iter().any(|other| is_under(path, other)) {
        return None;
    }
    let file = match find(path.strip_prefix('/')?) {
        Some(file) => file,
        None if path == "/" || is_visited(request) => find(INDEX)?,
        None => return None,
    };
    let mut response = match request.method() {
        &Method::GET | &Method::HEAD => served(file, request.headers()),
        _ => not_allowed(),
    };
    if has_body(request.headers()) {
        // Nobody reads it here, and what another reader took for its end shall not begin a second request.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Some(response)
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a browser asks for something to show it. A file that is not there any more is no place: who asks for it shall learn so.
fn is_visited<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let wants = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let wants_page = wants.is_some_and(|accept| accept.contains("text/html"));
    let mode = headers.get(HeaderName::from_static("sec-fetch-mode"));
    let is_navigation = mode.is_none_or(|mode| mode == "navigate");
    wants_page && is_navigation && !is_under(request.uri().path(), "/assets")
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

fn not_allowed() -> Response<Body> {
    let mut response = Response::new(Body::from("the console is read with GET and HEAD\n"));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn served(file: &'static File, asked: &HeaderMap) -> Response<Body> {
    let is_known = asked
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|tag| tag.trim() == file.tag() || tag.trim() == "*");
    let (form, bytes) = file.form(accepts(asked, "br"), accepts(asked, "gzip"));
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        // hyper leaves the body out of what answers a HEAD, and tells its length.
        Response::new(Body::from(Bytes::from_static(bytes)))
    };
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(file.media_type()),
        );
        if let Some(name) = form.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
    }
    let kept = if file.is_hashed() {
        FOR_EVER
    } else {
        ASK_AGAIN
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::ETAG, HeaderValue::from_static(file.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Whether an encoding is accepted: it is named, and not with a weight of nothing.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut items = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    items.any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        is_named
            && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

    fn ask(method: &str, path: &str, given: &[(&str, &str)]) -> Option<Response<Body>> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in given {
            request = request.header(*name, *value);
        }
        answer(&request.body(()).unwrap())
    }

    fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn places_are_one_page_for_who_visits_them() {
        for path in ["/", "/runs", "/runs/6.1.f@a:b", "/login", "/no/such/place"] {
            let page = ask("GET", path, &[PAGE]).unwrap();
            assert_eq!(page.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
            assert_eq!(header(&page, "cache-control"), "no-cache");
            let policy = header(&page, "content-security-policy");
            assert!(
                policy.contains("require-trusted-types-for 'script'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
            assert!(policy.contains("script-src 'self';"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        }
        assert!(ask("GET", "/", &[]).is_some());
    }

    #[test]
    fn what_is_no_place_and_no_file_is_not_here() {
        let fetched = [PAGE, ("sec-fetch-mode", "cors")];
        for (path, given) in [
            ("/runs", &[][..]),
            ("/runs", &[("accept", "application/json")]),
            ("/runs", &fetched),
            ("/assets/gone-1234.js", &[PAGE]),
            ("/assets/../index.html", &[PAGE]),
            ("/../../etc/passwd", &[]),
            ("/%2e%2e/%2e%2e/etc/passwd", &[]),
            ("//etc/passwd", &[]),
            ("/api", &[PAGE]),
            ("/api/v1/nothing", &[PAGE]),
            ("/xcron/createTask", &[PAGE]),
            ("/metrics", &[PAGE]),
            ("/healthz", &[PAGE]),
        ] {
            assert!(ask("GET", path, given).is_none(), "{path}");
        }
    }

    #[test]
    fn it_is_read_and_nothing_else() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let refused = ask(method, "/", &[PAGE]).unwrap();
            assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(header(&refused, "allow"), "GET, HEAD");
        }
        assert_eq!(ask("HEAD", "/", &[]).unwrap().status(), StatusCode::OK);
        let with_body = ask("POST", "/", &[("content-length", "7")]).unwrap();
        assert_eq!(header(&with_body, "connection"), "close");
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        let page = ask("GET", "/", &[]).unwrap();
        let tag = header(&page, "etag").to_owned();
        let again = ask(
            "GET",
            "/runs",
            &[PAGE, ("if-none-match", &format!("\"x\", {tag}"))],
        )
        .unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&again, "etag"), tag);
        let other = ask("GET", "/", &[("if-none-match", "W/\"0\"")]).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn an_encoding_is_accepted_by_its_name_and_weight() {
        let accepts_gzip = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_str(list).unwrap(),
            );
            accepts(&headers, "gzip")
        };
        for list in ["gzip", "br, GZIP", "gzip;q=0.5", "gzip; q=1, br;q=0"] {
            assert!(accepts_gzip(list), "{list}");
        }
        for list in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip", "*;q=0"] {
            assert!(!accepts_gzip(list), "{list}");
        }
    }
}
