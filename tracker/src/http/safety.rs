//! What keeps browsers from doing with answers, and with requests, what nobody meant.
//!
//! A tracker on loopback is not private from a browser: any page that somebody has open can send requests to this machine. It cannot set
//! the headers by which a browser says where a request is from, and it cannot read an answer that does not allow it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers of every answer.
const SHIELD: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// Nothing is kept by whoever is on the way; files of the console say otherwise themselves.
const UNKEPT: &str = "no-store";

/// Adds what every answer has.
pub(super) fn shield(headers: &mut HeaderMap) {
    for (name, value) in SHIELD {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(UNKEPT));
}

/// Why a request that changes something is not from where it seems to be; `None` when nothing speaks against it.
pub(super) fn forged(headers: &HeaderMap) -> Option<&'static str> {
    let sites = headers.get_all("sec-fetch-site").into_iter();
    for site in sites {
        if site != "same-origin" && site != "none" {
            return Some(
                "a page of another site sent it: its Sec-Fetch-Site is neither same-origin nor none",
            );
        }
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origins = headers.get_all(header::ORIGIN).into_iter();
    for origin in origins {
        let ours = origin.to_str().ok().zip(host);
        if !ours.is_some_and(|(origin, host)| is_of(origin, host)) {
            return Some(
                "a page of another origin sent it: its Origin is not the host that is asked",
            );
        }
    }
    None
}

/// The header that only a page of this server's own can send: a form has no headers, and a page of another origin has to ask before.
const MEANT: HeaderName = HeaderName::from_static("tickwheel-csrf");

/// Why a request that changes something, sent with the cookie of a session, was not sent by a page of this server; `None` when it was.
/// What speaks for it has to be there, as browsers send the cookie by themselves.
pub(super) fn unmeant(headers: &HeaderMap) -> Option<&'static str> {
    let mut sites = headers.get_all("sec-fetch-site").into_iter();
    let is_ours = sites.next().is_some_and(|site| site == "same-origin") && sites.next().is_none();
    if !is_ours {
        return Some(
            "what a session changes is sent by a page of this server: its Sec-Fetch-Site is not same-origin",
        );
    }
    let mut meant = headers.get_all(MEANT).into_iter();
    let is_meant = meant.next().is_some_and(|meant| meant == "1") && meant.next().is_none();
    if !is_meant {
        return Some("what a session changes is sent with the header Tickwheel-Csrf: 1");
    }
    None
}

/// Whether an origin is the one of a host; a port that the scheme has anyway may be left out.
fn is_of(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let without = |name: &str| {
        name.strip_suffix(usual)
            .unwrap_or(name)
            .to_ascii_lowercase()
    };
    !host.is_empty() && without(authority) == without(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_forged(given: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        forged(&headers).is_some()
    }

    #[test]
    fn what_a_session_changes_is_meant_by_a_page_of_ours() {
        let is_unmeant = |given: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            unmeant(&headers).is_some()
        };
        let (ours, meant) = (("sec-fetch-site", "same-origin"), ("tickwheel-csrf", "1"));
        assert!(!is_unmeant(&[ours, meant]));
        for wrong in [
            &[][..],
            &[ours],
            &[meant],
            &[("sec-fetch-site", "none"), meant],
            &[("sec-fetch-site", "same-site"), meant],
            &[ours, ("sec-fetch-site", "cross-site"), meant],
            &[ours, ("tickwheel-csrf", "0")],
            &[ours, meant, meant],
        ] {
            assert!(is_unmeant(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn pages_of_others_are_known_by_what_browsers_say() {
        let host = ("host", "localhost:7480");
        for fine in [
            &[host][..],
            &[host, ("sec-fetch-site", "same-origin")],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("origin", "http://localhost:7480")],
            &[host, ("origin", "http://LOCALHOST:7480")],
            &[("host", "tw.example"), ("origin", "https://tw.example")],
            &[("host", "tw.example:443"), ("origin", "https://tw.example")],
        ] {
            assert!(!is_forged(fine), "{fine:?}");
        }
        for forged in [
            &[host, ("sec-fetch-site", "cross-site")][..],
            &[host, ("sec-fetch-site", "same-site")],
            &[
                host,
                ("sec-fetch-site", "none"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[host, ("origin", "null")],
            &[host, ("origin", "http://evil.example")],
            &[host, ("origin", "http://localhost:7481")],
            &[host, ("origin", "http://localhost:7480.evil.example")],
            &[host, ("origin", "file://localhost:7480")],
            &[
                host,
                ("origin", "http://localhost:7480"),
                ("origin", "null"),
            ],
            &[("origin", "http://")],
            &[("host", ""), ("origin", "http://")],
            &[("host", "tw.example:80"), ("origin", "https://tw.example")],
        ] {
            assert!(is_forged(forged), "{forged:?}");
        }
    }
}
