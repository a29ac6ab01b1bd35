//! The header `Retry-After`: seconds, or a date.

use std::time::Duration;

use hyper::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// A server that asks for less would be called in a circle.
const LEAST: Duration = Duration::from_secs(1);
/// A server that asks for more has its way for so long, and is then asked again.
const MOST: Duration = Duration::from_secs(3_600);

/// For how long the server does not want to be called. A date counts from the `Date` of the answer: the server's own clock, whatever it
/// shows.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let delay = if asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time, too.
        Duration::from_secs(asked.parse().unwrap_or(u64::MAX))
    } else {
        let until = httpdate::parse_http_date(asked).ok()?;
        let now = httpdate::parse_http_date(text(DATE)?).ok()?;
        until.duration_since(now).unwrap_or_default()
    };
    Some(delay.clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_bounded() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (asked, date, seconds) in [
            ("7", None, Some(7)),
            ("0", None, Some(1)),
            ("86400", None, Some(3_600)),
            ("99999999999999999999999", None, Some(3_600)),
            (" 7 ", None, Some(7)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(now), Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(now), Some(1)),
            ("Sat, 06 Nov 2094 08:48:37 GMT", Some(now), Some(3_600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, None),
            ("-7", None, None),
            ("7.5", None, None),
            ("soon", Some(now), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            let told = retry_after(&headers).map(|delay| delay.as_secs());
            assert_eq!(told, seconds, "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
