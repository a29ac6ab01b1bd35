//! The cookie by which a browser shows its session. Its name begins with `__Host-` where it goes over TLS, so that a browser sends it to no
//! other host and never in plain text; plain text is for this machine.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use tickwheel_core::access::Token;

const PLAIN: &str = "tw";
const OVER_TLS: &str = "__Host-tw";
/// Bytes of all cookies of a request that are looked at.
const BYTES_MAX: usize = 4_096;

/// The session that these headers show; `None` where there is no such cookie, more than one, or what it has is none.
pub(super) fn shown(headers: &HeaderMap) -> Option<Token> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        let text = line.to_str().ok().filter(|text| text.len() <= BYTES_MAX)?;
        for (name, value) in text.split(';').filter_map(|pair| pair.split_once('=')) {
            if [PLAIN, OVER_TLS].contains(&name.trim()) && found.replace(value.trim()).is_some() {
                return None;
            }
        }
    }
    found?.parse().ok()
}

/// Whether a request shows a cookie of a session, good or not.
pub(crate) fn is_there(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';'));
    let mut names = pairs.filter_map(|pair| pair.split_once('='));
    names.any(|(name, _)| [PLAIN, OVER_TLS].contains(&name.trim()))
}

/// Gives a browser its session for this long; a session without a secret, and no time, takes it away.
pub(crate) fn given(session: Option<&Token>, age: Duration, is_tls: bool) -> Option<HeaderValue> {
    let (name, secure) = if is_tls {
        (OVER_TLS, "; Secure")
    } else {
        (PLAIN, "")
    };
    let value = session.map(Token::reveal).unwrap_or_default();
    let seconds = age.as_secs();
    let text =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::{Secret, TokenId};

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_session_is_shown_once() {
        let (id, secret) = (TokenId::random([2; 12]), Secret::new([3; 32]));
        let session = Token { id, secret };
        for is_tls in [true, false] {
            let set = given(Some(&session), Duration::from_secs(5), is_tls).unwrap();
            let set = set.to_str().unwrap().to_owned();
            assert!(
                set.contains("HttpOnly") && set.contains("Max-Age=5"),
                "{set}"
            );
            assert_eq!(set.contains("Secure"), is_tls);
            let pair = set.split(';').next().unwrap();
            let other = format!("a=b; {pair};c=d");
            for shows in [&[pair][..], &[&other], &["x=y", pair]] {
                let read = shown(&headers(shows)).unwrap();
                assert_eq!(read.reveal(), session.reveal());
            }
            let twice = format!("{pair}; tw=x");
            for shows in [&[twice.as_str()][..], &[pair, pair]] {
                assert!(shown(&headers(shows)).is_none(), "{shows:?}");
                assert!(is_there(&headers(shows)));
            }
        }
        for none in ["tw=", "tw=garbage", "tw", "xtw=1"] {
            assert!(shown(&headers(&[none])).is_none(), "{none}");
        }
        assert!(!is_there(&headers(&["xtw=1; a=b"])));
        let gone = given(None, Duration::ZERO, false).unwrap();
        assert!(gone.to_str().unwrap().starts_with("tw=; Path=/; Max-Age=0"));
    }
}
