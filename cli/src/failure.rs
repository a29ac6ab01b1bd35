//! How a command fails: what a person reads, and the exit code a script reads.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | it was tried and failed: a run did not succeed, a conflict, an entry that was not imported |
//! | 2 | wrong usage or invalid input: trying again will not help |
//! | 3 | not allowed |
//! | 4 | not found |
//! | 5 | unavailable: trying again later may help |
//! | 6 | a fault of the server, of its store, or of this machine: its log says more |

use std::fmt;
use std::process::ExitCode;

use tickwheel_client::{Error, RefusalKind};
use tonic::Code;

use crate::printable::printable;

/// The exit codes other than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    Auth = 3,
    NotFound = 4,
    Unavailable = 5,
    Broken = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::from(1),
            Exit::Usage => Self::from(2),
            Exit::Auth => Self::from(3),
            Exit::NotFound => Self::from(4),
            Exit::Unavailable => Self::from(5),
            Exit::Broken => Self::from(6),
        }
    }
}

/// Why a command ended without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    mistakes: Vec<Mistake>,
}

/// A rule that an input breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where: a file and the path of the field in it.
    pub(crate) place: String,
    pub(crate) rule: String,
    /// The value that breaks it; empty when nothing was given.
    pub(crate) given: String,
}

impl Mistake {
    /// Without what was given: the place says it.
    pub(crate) fn new(place: String, rule: String) -> Self {
        Self {
            place,
            rule,
            given: String::new(),
        }
    }
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            mistakes: Vec::new(),
        }
    }

    /// It was tried and failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Something that should have worked did not, and nobody did anything wrong.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(Exit::Broken, message)
    }

    /// Wrong usage or invalid input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// Trying again later may help.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, message)
    }

    /// Invalid input, with every mistake in it.
    pub(crate) fn invalid(message: impl Into<String>, mistakes: Vec<Mistake>) -> Self {
        Self {
            mistakes,
            ..Self::new(Exit::Usage, message)
        }
    }

    /// Adds what had been done before.
    #[must_use]
    pub(crate) fn after(mut self, done: &str) -> Self {
        if !done.is_empty() {
            self.message = format!("{}\n{done}", self.message);
        }
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Rewrites the places of the mistakes, say from `jobs[2]` of a request to the file the job came from.
    #[must_use]
    pub(crate) fn map_places(mut self, place: impl Fn(&str) -> String) -> Self {
        for mistake in &mut self.mistakes {
            mistake.place = place(&mistake.place);
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.message))?;
        for mistake in &self.mistakes {
            let (place, rule) = (printable(&mistake.place), printable(&mistake.rule));
            write!(f, "\n  {place}: {rule}")?;
            if !mistake.given.is_empty() {
                write!(f, " (given: {})", printable(&mistake.given))?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(refusal) = error.refusal() else {
            let exit = if error.is_retryable() {
                Exit::Unavailable
            } else if matches!(error, Error::Ended { .. }) {
                Exit::Failed
            } else if matches!(error, Error::Setting { .. }) {
                Exit::Usage
            } else {
                Exit::Broken
            };
            return Self::new(exit, error.to_string());
        };
        let mistakes = refusal.violations.iter().map(|broken| Mistake {
            place: broken.field.clone(),
            rule: broken.rule.clone(),
            given: broken.given.clone(),
        });
        Self {
            // A broken store may come with the status of a conflict.
            exit: if refusal.kind == RefusalKind::Broken {
                Exit::Broken
            } else {
                exit_of(refusal.status.code())
            },
            message: refusal.message.clone(),
            mistakes: mistakes.collect(),
        }
    }
}

fn exit_of(code: Code) -> Exit {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => Exit::Usage,
        Code::Unauthenticated | Code::PermissionDenied => Exit::Auth,
        Code::NotFound => Exit::NotFound,
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Cancelled
        // Written, not confirmed: the same again, with the same dedup key, may be.
        | Code::Aborted => Exit::Unavailable,
        Code::Ok | Code::AlreadyExists | Code::FailedPrecondition => Exit::Failed,
        Code::Unknown | Code::Internal | Code::DataLoss => Exit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tickwheel_client::v1;
    use tonic::Status;

    use super::*;

    #[test]
    fn each_kind_of_status_has_its_exit_code() {
        for (code, exit) in [
            (Code::InvalidArgument, Exit::Usage),
            (Code::Unauthenticated, Exit::Auth),
            (Code::PermissionDenied, Exit::Auth),
            (Code::NotFound, Exit::NotFound),
            (Code::Unavailable, Exit::Unavailable),
            (Code::DeadlineExceeded, Exit::Unavailable),
            (Code::Aborted, Exit::Unavailable),
            (Code::FailedPrecondition, Exit::Failed),
            (Code::Internal, Exit::Broken),
            (Code::DataLoss, Exit::Broken),
        ] {
            assert_eq!(
                Failure::from(Error::from(Status::new(code, "x"))).exit(),
                exit,
                "{code:?}"
            );
        }
    }

    #[test]
    fn each_word_of_a_tracker_has_its_exit_code() {
        for (word, code, exit) in [
            ("INVALID", Code::InvalidArgument, Exit::Usage),
            ("NOT_FOUND", Code::NotFound, Exit::NotFound),
            ("CONFLICT", Code::FailedPrecondition, Exit::Failed),
            ("UNAVAILABLE", Code::Unavailable, Exit::Unavailable),
            ("EXHAUSTED", Code::ResourceExhausted, Exit::Unavailable),
            ("UNCONFIRMED", Code::Aborted, Exit::Unavailable),
            ("CONTRACT", Code::Internal, Exit::Broken),
            ("DAMAGED", Code::Internal, Exit::Broken),
            ("UNUSABLE", Code::FailedPrecondition, Exit::Broken),
        ] {
            let detail = v1::ErrorDetail {
                code: word.to_owned(),
                ..v1::ErrorDetail::default()
            };
            let status = Status::with_details(code, "x", detail.encode_to_vec().into());
            assert_eq!(Failure::from(Error::from(status)).exit(), exit, "{word}");
        }
    }

    #[test]
    fn violations_in_the_details_are_listed() {
        let detail = v1::ErrorDetail {
            code: "INVALID".to_owned(),
            violations: vec![v1::Violation {
                field: "jobs[1].trigger".to_owned(),
                rule: "is 1..=60".to_owned(),
                given: "61".to_owned(),
            }],
            ..v1::ErrorDetail::default()
        };
        let status = Status::with_details(
            Code::InvalidArgument,
            "1 mistake",
            detail.encode_to_vec().into(),
        );
        let failure = Failure::from(Error::from(status))
            .map_places(|p| p.replace("jobs[1]", "a.yaml: jobs[0]"));
        assert_eq!(
            failure.to_string(),
            "1 mistake in what was sent; nothing was changed\n  a.yaml: jobs[0].trigger: is 1..=60 (given: 61)"
        );
    }

    #[test]
    fn details_that_cannot_be_read_do_not_hide_the_message() {
        let status = Status::with_details(Code::Internal, "broken", vec![0xff, 0xff].into());
        assert_eq!(Failure::from(Error::from(status)).to_string(), "broken");
    }
}
