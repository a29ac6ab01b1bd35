//! What a follower is told of the end that fired it, as it stands in its options.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use tickwheel_core::id::ContextId;
use tickwheel_core::run::ContextState;

/// Bytes of the error that are kept.
const ERROR_BYTES: usize = 200;

/// `<context>:<state>:<error>`; of the error every byte but letters, digits, `.`, `_` and `-` is written as `%` and two hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The context that ended; its id names its job.
    pub context: ContextId,
    /// How it ended.
    pub state: ContextState,
    /// Why, where it ended without success: the first 200 bytes.
    pub error: String,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.context, self.state.as_str())?;
        let cut = self.error.floor_char_boundary(ERROR_BYTES);
        for byte in self.error.bytes().take(cut) {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Upstream {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut fields = text.splitn(3, ':');
        let mut next = || fields.next().ok_or(());
        let context = next()?.parse().map_err(drop)?;
        let state: ContextState = next()?.parse().map_err(drop)?;
        if !state.is_settled() {
            return Err(());
        }
        let error = decoded(next()?).ok_or(())?;
        Ok(Self {
            context,
            state,
            error,
        })
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_stands_in_options_and_comes_back() {
        for error in [
            "",
            "boom",
            "a=b, c:d 100 %\tnach K\u{f6}ln\n",
            "k=,m=1,c=0123456789",
        ] {
            let given = Upstream {
                context: "1.7.f@a/b".parse().unwrap(),
                state: ContextState::TimedOut,
                error: error.to_owned(),
            };
            let text = given.to_string();
            assert!(!text.contains(['=', ',', ' ', '\t', '\n']), "{text}");
            assert_eq!(text.parse(), Ok(given));
        }
        let long = Upstream {
            context: "1.7.f@a/b".parse().unwrap(),
            state: ContextState::Failed,
            error: "\u{e4}".repeat(500),
        };
        let read: Upstream = long.to_string().parse().unwrap();
        assert_eq!(read.error, "\u{e4}".repeat(100));
        for bad in [
            "",
            "1.7.f@a/b",
            "1.7.f@a/b:running:",
            "1.7.f@a/b:failed:%x",
            "x:failed:",
        ] {
            assert_eq!(bad.parse::<Upstream>(), Err(()), "{bad}");
        }
    }
}
