//! What is answered: the envelope of xcron, with its codes and ours.

use serde::Serialize;
use tickwheel_core::error::Violations;

use super::callback::Callback;
use crate::error::Error;
use crate::http::programs::Unanswered;
use crate::rpc::error::{ErrorCode, code_of, message_of, note};

/// Bytes of a message.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// What an answer says in one number. Those up to 1020 are xcron's own, the others ours: 1000 and a status of HTTP.
///
/// In the order in which they are told of a request that has more than one mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    /// It is done.
    Done,
    /// The request is no JSON, or not of its shape.
    Request,
    /// The type is none.
    Type,
    /// The format is of another form than its type asks.
    Format,
    /// The time is none, or past.
    Past,
    /// The crontab is none, or never comes.
    Crontab,
    /// The URL is none, or none that is called.
    Callback,
    /// The task could not be added.
    NotAdded,
    /// It is not known who asks.
    Unauthenticated,
    /// Whoever asks may not.
    Denied,
    /// There is no such task, or none any more.
    NotFound,
    /// Too much is asked at once.
    TooMany,
    /// A defect, or damage.
    Broken,
    /// It cannot be done now.
    Unavailable,
}

impl Code {
    /// The number.
    pub(super) const fn number(self) -> u16 {
        match self {
            Self::Done => 0,
            Self::Request => 1000,
            Self::Type => 1020,
            Self::Format => 1001,
            Self::Past => 1002,
            Self::Crontab => 1010,
            Self::Callback => 1003,
            Self::NotAdded => 1004,
            Self::Unauthenticated => 1401,
            Self::Denied => 1403,
            Self::NotFound => 1404,
            Self::TooMany => 1429,
            Self::Broken => 1500,
            Self::Unavailable => 1503,
        }
    }
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Refused {
    /// With this message, as far as there is room for it.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            message.push('…');
        }
        Self { code, message }
    }

    /// The request is not of its shape.
    pub(super) fn request(wrong: &Violations) -> Self {
        Self::new(Code::Request, in_a_line(wrong))
    }

    /// A call failed or was refused, for a reason that is the same whatever was asked.
    pub(super) fn of(error: &Error) -> Self {
        note(error);
        let code = match code_of(error) {
            ErrorCode::Invalid => Code::Request,
            ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::Changed => Code::NotFound,
            ErrorCode::Unauthenticated => Code::Unauthenticated,
            ErrorCode::Denied => Code::Denied,
            ErrorCode::Exhausted => Code::TooMany,
            ErrorCode::Unavailable | ErrorCode::Unconfirmed => Code::Unavailable,
            ErrorCode::Contract | ErrorCode::Damaged | ErrorCode::Unusable => Code::Broken,
        };
        Self::new(code, message_of(error).replace('\n', "; "))
    }

    /// There is no answer.
    pub(super) fn unanswered(why: Unanswered) -> Self {
        match why {
            Unanswered::Draining => Self::of(&Error::Draining),
            Unanswered::TooSlow => {
                let message = "there was no answer in time; what was asked for may have been done";
                Self::new(Code::Unavailable, message)
            }
            Unanswered::Broken => {
                let message = "a defect of this program: see the log of the tracker";
                Self::new(Code::Broken, message)
            }
        }
    }
}

/// All of it, in one line.
pub(super) fn in_a_line(wrong: &Violations) -> String {
    wrong.to_string().replace('\n', "; ")
}

/// What is answered when it is done.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Data {
    /// Nothing.
    None,
    /// A task was created.
    Created { task_id: String },
    /// A task.
    Task {
        task_id: String,
        /// Seconds since 1970, as text.
        create_time: String,
        #[serde(rename = "type")]
        kind: u8,
        format: String,
        run_count: u64,
        callback: Callback,
    },
}

impl Data {
    fn is_none(data: &Option<&Self>) -> bool {
        matches!(data, None | Some(Self::None))
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    uuid: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Data::is_none")]
    data: Option<&'a Data>,
}

/// An answer as it goes out.
pub(super) fn text(uuid: &str, answer: &Result<Data, Refused>) -> Vec<u8> {
    let refused = answer.as_ref().err();
    let envelope = Envelope {
        uuid,
        code: refused.map_or(Code::Done, |refused| refused.code).number(),
        message: refused.map(|refused| refused.message.as_str()),
        data: answer.as_ref().ok(),
    };
    // Nothing in it can fail to be written.
    serde_json::to_vec(&envelope).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(answer: &Result<Data, Refused>) -> String {
        String::from_utf8(text("u", answer)).unwrap()
    }

    #[test]
    fn what_there_is_nothing_of_is_left_out() {
        assert_eq!(shown(&Ok(Data::None)), r#"{"uuid":"u","code":0}"#);
        let created = Data::Created {
            task_id: "t".to_owned(),
        };
        assert_eq!(
            shown(&Ok(created)),
            r#"{"uuid":"u","code":0,"data":{"task_id":"t"}}"#
        );
        let refused = Refused::new(Code::Type, "no");
        assert_eq!(
            shown(&Err(refused)),
            r#"{"uuid":"u","code":1020,"message":"no"}"#
        );
        let task = Data::Task {
            task_id: "t".to_owned(),
            create_time: "1".to_owned(),
            kind: 2,
            format: "1766000000".to_owned(),
            run_count: 0,
            callback: Callback::read(br#"{"url": "http://a/", "body": {"n": 1e400 }}"#),
        };
        assert_eq!(
            shown(&Ok(task)),
            r#"{"uuid":"u","code":0,"data":{"task_id":"t","create_time":"1","type":2,"format":"1766000000","run_count":0,"#.to_owned()
                + r#""callback":{"url":"http://a/","body":{"n": 1e400 }}}}"#
        );
    }

    #[test]
    fn a_message_is_one_line_and_has_an_end() {
        let long = Refused::new(Code::Request, "ä".repeat(1_000));
        assert_eq!(long.message.len(), 1_000 + '…'.len_utf8());
        let mut wrong = Violations::new();
        wrong.add("type", "is 1 or 2", 3);
        wrong.add("format", "is missing", "");
        assert_eq!(
            Refused::request(&wrong).message,
            "type: is 1 or 2 (given: 3); format: is missing"
        );
    }
}
