//! What the headers of every request may say.

use axum::http::{HeaderMap, HeaderValue, header};
use tickwheel_core::Durability;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_proto::DURABILITY_HEADER;

/// Names a request.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// Characters of a request's name.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// The name that a caller gives its request, when it is one that may stand in a line of a log.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    let fits = (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(plain);
    fits.then(|| id.to_owned())
}

/// Whether the body is said to be JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return false;
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// How far a write shall have come when it is answered, where the request says so.
pub(crate) fn asked_durability(headers: &HeaderMap) -> Result<Option<Durability>, Violations> {
    let given = once(headers, DURABILITY_HEADER)?;
    let read = given.map(str::parse::<Durability>).transpose();
    read.map_err(|wrong| wrong.at(DURABILITY_HEADER).into())
}

/// The text of a header that is given at most once.
pub(crate) fn once<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, Violation> {
    let mut values = headers.get_all(name).into_iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Violation::new(name, "is given once", ""));
    }
    let text = |value: &'a HeaderValue| {
        let text = std::str::from_utf8(value.as_bytes());
        text.map_err(|_| Violation::new(name, "is UTF-8", ""))
    };
    first.map(text).transpose()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = given.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_request_has_a_name_of_plain_characters_or_none() {
        let id = |id: &str| request_id(&headers(&[("x-request-id", id)]));
        assert_eq!(id("a-1.b:c"), Some("a-1.b:c".to_owned()));
        for wrong in ["", "a b", "a\tb", "ä", "<script>", &"x".repeat(129)] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_body_says_that_it_is_json() {
        let kind = |kind: &str| is_json(&headers(&[("content-type", kind)]));
        assert!(kind("application/json") && kind("Application/JSON; charset=utf-8"));
        for other in [
            "",
            "text/plain",
            "application/json5",
            "multipart/form-data; boundary=application/json",
        ] {
            assert!(!kind(other), "{other}");
        }
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ];
        assert!(!is_json(&headers(&twice)) && !is_json(&HeaderMap::new()));
    }

    #[test]
    fn how_durable_a_write_shall_be_is_said_once() {
        let asked = |values: &[&str]| {
            let given: Vec<_> = values.iter().map(|it| (DURABILITY_HEADER, *it)).collect();
            asked_durability(&headers(&given)).map_err(|wrong| wrong.to_string())
        };
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(
            asked(&["replicated(1)"]),
            Ok(Durability::replicated(1).ok())
        );
        for wrong in [&["safe"][..], &["async", "async"]] {
            assert!(asked(wrong).unwrap_err().starts_with(DURABILITY_HEADER));
        }
    }
}
