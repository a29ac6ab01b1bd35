//! What can go wrong with a call, by what its caller can do about it.

use std::fmt;

use prost::Message as _;
use tickwheel_core::Violation;
use tickwheel_proto::v1;
use tonic::{Code, Status};

/// Why a call did not do what was asked.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the client breaks a rule; nothing was called.
    #[error("invalid {setting}: {reason}")]
    Setting {
        /// The setting, as its builder method is called.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A body, or what a handler returned, is not the JSON that its type says.
    #[error("{what} does not fit its type: {source}")]
    Json {
        /// What was written or read.
        what: String,
        /// Where it does not fit.
        source: serde_json::Error,
    },
    /// No tracker answered in time. Whether the call was executed is known by the variant only for calls that were never sent.
    #[error("no tracker answers at {urls}: {cause}")]
    Unavailable {
        /// Where trackers were looked for.
        urls: String,
        /// What the last of them, or the way to it, said.
        cause: String,
        /// No tracker has seen the call: making it again is safe, whatever it does.
        unsent: bool,
    },
    /// A tracker refused it.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The context has ended without success.
    #[error("{id} has ended as {state}: {message}")]
    Ended {
        /// Which context.
        id: String,
        /// How: `failed`, `timed_out`, `cancelled` or `expired`.
        state: &'static str,
        /// What its last attempt said.
        message: String,
    },
    /// The context has not ended in the time that it was waited for. It goes on.
    #[error("{id} has not ended in time; it is {state}")]
    NotEnded {
        /// Which context.
        id: String,
        /// Where it is.
        state: &'static str,
    },
}

impl fmt::Debug for Error {
    /// In words: a `main` that returns it prints it so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Setting { .. } | Self::Json { .. } | Self::Ended { .. } => false,
            Self::Unavailable { .. } | Self::NotEnded { .. } => true,
            Self::Refused(refusal) => refusal.kind.is_retryable(),
        }
    }

    /// What the tracker said, when it refused the call.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Setting { .. }
            | Self::Json { .. }
            | Self::Unavailable { .. }
            | Self::Ended { .. }
            | Self::NotEnded { .. } => None,
        }
    }

    /// As a gRPC status: that of the tracker, or what comes nearest.
    #[must_use]
    pub fn into_status(self) -> Status {
        let message = self.to_string();
        match self {
            Self::Refused(refusal) => refusal.status,
            Self::Setting { .. } | Self::Json { .. } => Status::invalid_argument(message),
            Self::Unavailable { .. } => Status::unavailable(message),
            Self::Ended { .. } => Status::failed_precondition(message),
            Self::NotEnded { .. } => Status::deadline_exceeded(message),
        }
    }
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// What was sent breaks rules, all of which are listed; nothing was changed.
    Invalid,
    /// There is no such job or context.
    NotFound,
    /// It is not in a state in which that can be done.
    Conflict,
    /// It was to be changed only from one revision to the next, and has another one: nothing was changed.
    Changed,
    /// The caller may not do that.
    NotAllowed,
    /// The store cannot be reached now.
    Unavailable,
    /// Something is full, or too much was asked for at once.
    Exhausted,
    /// It is written, and not known to be as durable as was asked.
    Unconfirmed,
    /// A fault of the tracker or of its store; its log says more.
    Broken,
}

impl RefusalKind {
    /// `word` is the stable code of the answer, empty of a call that no tracker answered.
    fn of(word: &str, code: Code) -> Self {
        if matches!(word, "UNUSABLE" | "DAMAGED" | "CONTRACT") {
            return Self::Broken;
        }
        if word == "CHANGED" {
            return Self::Changed;
        }
        match code {
            Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => Self::Invalid,
            Code::NotFound => Self::NotFound,
            Code::FailedPrecondition | Code::AlreadyExists => Self::Conflict,
            Code::Unauthenticated | Code::PermissionDenied => Self::NotAllowed,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Self::Unavailable,
            Code::ResourceExhausted => Self::Exhausted,
            Code::Aborted => Self::Unconfirmed,
            Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Self::Broken,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::Exhausted | Self::Unconfirmed => true,
            Self::Invalid
            | Self::NotFound
            | Self::Conflict
            | Self::Changed
            | Self::NotAllowed
            | Self::Broken => false,
        }
    }
}

/// A tracker's refusal. It prints with every rule that was broken, one on a line.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// What the tracker says, in words.
    pub message: String,
    /// Every rule that was broken: the field, the rule, what was given.
    pub violations: Vec<Violation>,
    /// Of a submission of which nothing or only a part is confirmed: the contexts that are written, in the order of the request, as many as fit.
    pub context_ids: Vec<String>,
    /// Of a submission of which a part is written: where that part stands in the request, ascending. With [`RefusalKind::Exhausted`] the others
    /// were not taken, and can be submitted again as they are.
    pub taken: Vec<u32>,
    /// The answer itself.
    pub status: Status,
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let detail = v1::ErrorDetail::decode(status.details()).unwrap_or_default();
        let violations: Vec<Violation> = detail
            .violations
            .into_iter()
            .map(|broken| Violation::new(broken.field, broken.rule, broken.given))
            .collect();
        // The message of the tracker repeats the first one; all of them are listed.
        let mut message = match violations.len() {
            0 if status.message().is_empty() => status.code().description().to_lowercase(),
            0 => status.message().to_owned(),
            _ if status.code() == Code::PermissionDenied => {
                "not allowed by your token; nothing was changed".to_owned()
            }
            1 => "1 mistake in what was sent; nothing was changed".to_owned(),
            n => format!("{n} mistakes in what was sent; nothing was changed"),
        };
        if !detail.context_ids.is_empty() {
            message = format!("{message}; it is there as {}", detail.context_ids.join(" "));
        }
        Self {
            kind: RefusalKind::of(&detail.code, status.code()),
            message,
            violations,
            context_ids: detail.context_ids,
            taken: detail.taken,
            status,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_printable(f, &self.message)?;
        for broken in &self.violations {
            f.write_str("\n  ")?;
            write_printable(f, &broken.field)?;
            f.write_str(": ")?;
            write_printable(f, &broken.rule)?;
            if !broken.given.is_empty() {
                f.write_str(" (given: ")?;
                write_printable(f, &broken.given)?;
                f.write_str(")")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(Refusal::from(status)))
    }
}

/// What others wrote may not move the cursor of a terminal.
fn write_printable(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for letter in text.chars() {
        if letter.is_control() && letter != '\n' {
            write!(f, "{}", letter.escape_default())?;
        } else {
            write!(f, "{letter}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: Code, detail: &v1::ErrorDetail) -> Error {
        Status::with_details(code, "1 mistake", detail.encode_to_vec().into()).into()
    }

    #[test]
    fn every_broken_rule_is_a_line_and_control_characters_are_none() {
        let broken = |field: &str, given: &str| v1::Violation {
            field: field.to_owned(),
            rule: "is 1..=60".to_owned(),
            given: given.to_owned(),
        };
        let error = refused(
            Code::InvalidArgument,
            &v1::ErrorDetail {
                code: "INVALID".to_owned(),
                violations: vec![
                    broken("jobs[0].trigger", "61"),
                    broken("jobs[1].jitter", "\u{1b}[2J"),
                ],
                ..v1::ErrorDetail::default()
            },
        );
        assert_eq!(
            error.to_string(),
            "2 mistakes in what was sent; nothing was changed\n  jobs[0].trigger: is 1..=60 (given: 61)\n  jobs[1].jitter: is 1..=60 (given: \\u{1b}[2J)"
        );
        assert!(!error.is_retryable());
        assert_eq!(
            error.refusal().map(|refusal| refusal.kind),
            Some(RefusalKind::Invalid)
        );
    }

    #[test]
    fn an_unconfirmed_write_says_what_is_there() {
        let error = refused(
            Code::Aborted,
            &v1::ErrorDetail {
                context_ids: vec!["0.1.a".to_owned()],
                ..v1::ErrorDetail::default()
            },
        );
        assert_eq!(error.to_string(), "1 mistake; it is there as 0.1.a");
        assert_eq!(
            format!("{error:?}"),
            error.to_string(),
            "as a main prints it"
        );
        assert!(error.is_retryable());
    }

    #[test]
    fn a_store_that_cannot_be_used_is_no_conflict() {
        let refused = |word: &str| {
            let detail = v1::ErrorDetail {
                code: word.to_owned(),
                ..v1::ErrorDetail::default()
            };
            refused(Code::FailedPrecondition, &detail)
                .refusal()
                .map(|refusal| refusal.kind)
        };
        assert_eq!(refused("CONFLICT"), Some(RefusalKind::Conflict));
        assert_eq!(refused("UNUSABLE"), Some(RefusalKind::Broken));
        assert_eq!(refused(""), Some(RefusalKind::Conflict));
    }

    #[test]
    fn details_that_cannot_be_read_do_not_hide_the_message() {
        let status = Status::with_details(Code::Internal, "broken", vec![0xff, 0xff].into());
        let error = Error::from(status);
        assert_eq!(error.to_string(), "broken");
        assert_eq!(error.into_status().code(), Code::Internal);
    }
}
