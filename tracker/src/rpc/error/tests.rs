use tickwheel_core::error::Violation;

use super::*;

type Row = (Error, &'static str, Code, u16);

/// One of each variant, and what a caller must see of it.
fn every() -> Vec<Row> {
    let mut every = about_the_request();
    every.extend(about_redis());
    every.extend(about_the_setup());
    every
}

fn about_the_request() -> Vec<Row> {
    let violations = || Violations::from(Violation::new("name", "is not empty", ""));
    let store = Error::Store;
    vec![
        (
            store(StoreError::Invalid(violations())),
            "INVALID",
            Code::InvalidArgument,
            400,
        ),
        (
            Error::not_found("job", "default/none"),
            "NOT_FOUND",
            Code::NotFound,
            404,
        ),
        (
            Error::conflict("the job is paused"),
            "CONFLICT",
            Code::FailedPrecondition,
            409,
        ),
        (Error::Draining, "UNAVAILABLE", Code::Unavailable, 503),
        (
            Error::Unauthenticated("show a token"),
            "UNAUTHENTICATED",
            Code::Unauthenticated,
            401,
        ),
        (
            Error::Denied(violations()),
            "PERMISSION_DENIED",
            Code::PermissionDenied,
            403,
        ),
        (
            Error::Busy("1,000 callers wait".to_owned()),
            "EXHAUSTED",
            Code::ResourceExhausted,
            429,
        ),
        (
            Error::NoRoom(violations()),
            "EXHAUSTED",
            Code::ResourceExhausted,
            429,
        ),
        (
            throttled(Duration::from_millis(40)),
            "EXHAUSTED",
            Code::ResourceExhausted,
            429,
        ),
    ]
}

fn about_redis() -> Vec<Row> {
    let store = Error::Store;
    vec![
        (
            store(StoreError::Unavailable {
                reason: "timeout".to_owned(),
                source: None,
            }),
            "UNAVAILABLE",
            Code::Unavailable,
            503,
        ),
        (
            store(StoreError::Exhausted {
                reason: "OOM".to_owned(),
            }),
            "EXHAUSTED",
            Code::ResourceExhausted,
            429,
        ),
        (
            store(StoreError::Full(
                "a partition keeps 1,000 placements".to_owned(),
            )),
            "EXHAUSTED",
            Code::ResourceExhausted,
            429,
        ),
        (
            store(StoreError::Unconfirmed {
                durability: tickwheel_core::Durability::Fsynced,
                missing: "the disk".to_owned(),
                contexts: Vec::new(),
            }),
            "UNCONFIRMED",
            Code::Aborted,
            504,
        ),
        (
            store(StoreError::Contract {
                script: "wheel/turn",
                reply: "nil".to_owned(),
            }),
            "CONTRACT",
            Code::Internal,
            500,
        ),
        (
            store(StoreError::Damaged {
                script: "wheel/turn",
                found: "WRONGTYPE, script: 9533c9, on @lua/lib/contexts/ending.lua:7".to_owned(),
            }),
            "DAMAGED",
            Code::Internal,
            500,
        ),
    ]
}

fn about_the_setup() -> Vec<Row> {
    let violations = Violations::from(Violation::new("name", "is not empty", ""));
    vec![
        (
            Error::Store(StoreError::Unusable("redis 6 is too old".to_owned())),
            "UNUSABLE",
            Code::FailedPrecondition,
            500,
        ),
        (
            Error::Config(violations),
            "UNUSABLE",
            Code::FailedPrecondition,
            500,
        ),
        (
            Error::Listen {
                address: ([127, 0, 0, 1], 80).into(),
                source: std::io::Error::other("taken"),
            },
            "UNUSABLE",
            Code::FailedPrecondition,
            500,
        ),
    ]
}

#[test]
fn every_variant_has_its_code_and_carries_the_detail() {
    for (error, word, grpc, http) in every() {
        let code = code_of(&error);
        assert_eq!(
            (code.as_str(), code.grpc(), code.http().as_u16()),
            (word, grpc, http),
            "{error}"
        );
        let violations = violations_of(&error).map_or(0, Violations::len);
        let status = Status::from(error);
        assert_eq!(status.code(), grpc);
        assert!(!status.message().is_empty());
        let detail = ["wheel/turn", "script:", "lua/", "nil"];
        assert!(
            detail.iter().all(|word| !status.message().contains(word)),
            "{} is for the log",
            status.message()
        );
        let detail = v1::ErrorDetail::decode(status.details()).unwrap();
        assert_eq!(
            (detail.code.as_str(), detail.violations.len()),
            (word, violations)
        );
    }
}

#[test]
fn a_store_that_is_full_is_told_from_too_many_callers() {
    for (error, word, _, http) in every() {
        let full = word == "EXHAUSTED" && matches!(error, Error::Store(_) | Error::NoRoom(_));
        let expected = if full { 507 } else { http };
        assert_eq!(http_of(&error).as_u16(), expected, "{error}");
    }
}

fn throttled(retry_after: Duration) -> Error {
    Error::Throttled {
        wrong: Violation::new("token", "makes at most 5 calls a second", "abc").into(),
        retry_after,
    }
}

#[test]
fn who_asks_for_too_much_is_told_when_it_passes() {
    let status = Status::from(throttled(Duration::from_micros(1_200)));
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    assert_eq!(detail.retry_after_ms, 2, "what is begun is waited for");
    assert_eq!(
        status.metadata().get("grpc-retry-pushback-ms").unwrap(),
        "2"
    );
    for (error, ..) in every() {
        let detail = detail_of(&error);
        assert_eq!(detail.retry_after_ms > 0, error.is_retryable(), "{error}");
    }
}

#[test]
fn what_may_be_tried_again_is_unavailable_exhausted_or_unconfirmed() {
    for (error, ..) in every() {
        let again = matches!(
            code_of(&error),
            ErrorCode::Unavailable | ErrorCode::Exhausted | ErrorCode::Unconfirmed
        );
        assert_eq!(error.is_retryable(), again, "{error}");
    }
}

#[test]
fn all_places_of_what_was_taken_fit_a_header_and_as_many_ids_as_may() {
    let taken = (0..999).map(|at| (at, format!("0.1767225600000.abc-{at}").parse().unwrap()));
    let error = StoreError::Full("a partition keeps 1,000 placements".to_owned()).partly(taken);
    let status = Status::from(Error::from(error));
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(3 * status.message().len() + status.details().len() * 4 / 3 < 14_000);
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    assert_eq!(detail.taken, (0..999).collect::<Vec<u32>>());
    assert!((100..999).contains(&detail.context_ids.len()));
    assert_eq!(detail.code, "EXHAUSTED");
}

#[test]
fn a_thousand_violations_fit_a_header() {
    let many = (0..1_000)
        .map(|index| Violation::new(format!("contexts[{index}].handler"), "is not empty", ""));
    let status = Status::from(Error::from(many.collect::<Violations>()));
    assert!(3 * status.message().len() + status.details().len() * 4 / 3 < 14_000);
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    let shown = detail.violations.len() - 1;
    assert!(shown > 100);
    assert_eq!(
        detail.violations[shown].rule,
        format!("{} more mistakes are not shown", 1_000 - shown)
    );
}
