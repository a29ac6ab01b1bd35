use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use prost::Message as _;

use super::bounds::{CALL_BYTES_MAX, ENTRIES_MAX, FRAME_BYTES_MAX, TEXT_BYTES_MAX, bounds};
use super::check;
use super::schema::{Field, Kind, MESSAGES, METHODS, Spoken};
use crate::v1;

fn place(name: &str) -> usize {
    MESSAGES
        .iter()
        .position(|message| message.name == name)
        .unwrap()
}

fn field(message: &str, name: &str) -> &'static Field {
    let fields = MESSAGES[place(message)].fields;
    fields.iter().find(|field| field.name == name).unwrap()
}

fn varint(value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(value as u64, &mut bytes);
    bytes
}

fn within(field: &Field, content: &[u8]) -> Vec<u8> {
    let mut bytes = varint((field.number as usize) << 3 | 2);
    bytes.extend(varint(content.len()));
    bytes.extend(content);
    bytes
}

/// A list of so many entries with nothing in them.
fn empty_entries(field: &Field, count: usize) -> Vec<u8> {
    match field.kind {
        Kind::Text | Kind::Bytes | Kind::Message(_) => within(field, &[]).repeat(count),
        Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum | Kind::Float => {
            within(field, &vec![0; count])
        }
    }
}

#[test]
fn every_list_of_every_message_has_a_bound_and_every_bound_a_list() {
    let lists = MESSAGES.iter().flat_map(|message| {
        let lists = message.fields.iter().filter(|field| field.repeated);
        lists.map(|field| (message.name, field.name))
    });
    let lists: BTreeSet<_> = lists.collect();
    let bounded: BTreeSet<_> = bounds().map(|bound| (bound.message, bound.field)).collect();
    assert_eq!(bounded, lists);
    assert_eq!(bounds().count(), bounded.len(), "a list has two bounds");
    assert!(bounds().all(|bound| bound.most > 0));
    let numbers = MESSAGES.iter().flat_map(|message| message.fields);
    assert!(numbers.map(|field| field.number).max().unwrap() < 32);
}

#[test]
fn each_list_takes_as_many_entries_as_its_bound_and_not_one_more() {
    for bound in bounds() {
        let list = field(bound.message, bound.field);
        let most = bound.most as usize;
        let place = place(bound.message);
        check(place, &empty_entries(list, most)).unwrap();
        let wrong = check(place, &empty_entries(list, most + 1)).unwrap_err();
        assert_eq!(wrong.field, bound.field, "{}", bound.message);
        assert!(wrong.rule.contains(&most.to_string()), "{wrong}");
    }
}

#[test]
fn a_million_empty_entries_are_refused_whatever_they_are() {
    for (message, list) in [
        ("ApplyJobsRequest", "jobs"),
        ("SubmitRequest", "contexts"),
        ("ChangeDeadRequest", "ids"),
        ("WorkerMessage", "fetch"),
        ("WorkerMessage", "split"),
        ("WorkerMessage", "settle"),
        ("WorkerMessage", "log"),
    ] {
        let bytes = empty_entries(field(message, list), 1 << 20);
        assert_eq!(check(place(message), &bytes).unwrap_err().field, list);
    }
}

#[test]
fn a_list_inside_a_list_is_named_by_its_way() {
    let items = empty_entries(field("Model.Sharding", "items"), 1_001);
    let model = within(field("Model", "sharding"), &items);
    let job = within(field("JobSpec", "model"), &model);
    let jobs = field("ApplyJobsRequest", "jobs");
    let bytes = [within(jobs, &[]), within(jobs, &job)].concat();
    let wrong = check(v1::ApplyJobsRequest::PLACE, &bytes).unwrap_err();
    assert_eq!(wrong.field, "jobs[1].model.sharding.items");
}

#[test]
fn lists_inside_lists_are_counted_together() {
    let most = ENTRIES_MAX as usize / 1_000;
    let items = empty_entries(field("Model.Sharding", "items"), 1_000);
    let model = within(field("Model", "sharding"), &items);
    let job = within(field("JobSpec", "model"), &model);
    let jobs = field("ApplyJobsRequest", "jobs");
    // Each job is an entry too.
    check(
        v1::ApplyJobsRequest::PLACE,
        &within(jobs, &job).repeat(most - 1),
    )
    .unwrap();
    let wrong = check(
        v1::ApplyJobsRequest::PLACE,
        &within(jobs, &job).repeat(most),
    )
    .unwrap_err();
    assert!(wrong.rule.contains("together"), "{wrong}");
}

#[test]
fn what_holds_lists_cannot_be_given_again_to_make_them_longer() {
    let needs = empty_entries(field("ContextOptions", "resources"), 16);
    let options = within(field("Submission", "options"), &needs);
    let contexts = field("SubmitRequest", "contexts");
    check(v1::SubmitRequest::PLACE, &within(contexts, &options)).unwrap();
    let wrong = check(
        v1::SubmitRequest::PLACE,
        &within(contexts, &options.repeat(2)),
    );
    let wrong = wrong.unwrap_err();
    assert_eq!(
        (wrong.field.as_str(), wrong.rule.as_str()),
        ("contexts[0].options", "is given once")
    );
}

/// Every text of a message and of those inside, with its way and a message that has nothing but it.
fn texts(
    at: usize,
    way: &str,
    wrap: &dyn Fn(Vec<u8>) -> Vec<u8>,
    found: &mut Vec<(String, Vec<u8>, Vec<u8>)>,
) {
    for field in MESSAGES[at].fields {
        let index = if field.repeated { "[0]" } else { "" };
        let way = format!("{way}{}{index}", field.name);
        match field.kind {
            Kind::Text => {
                let of = |bytes: usize| wrap(within(field, &vec![b'x'; bytes]));
                found.push((way, of(TEXT_BYTES_MAX), of(TEXT_BYTES_MAX + 1)));
            }
            Kind::Message(inner) => {
                let wrap = |bytes: Vec<u8>| wrap(within(field, &bytes));
                texts(inner, &format!("{way}."), &wrap, found);
            }
            Kind::Bytes | Kind::Uint64 | Kind::Uint32 | Kind::Bool | Kind::Enum | Kind::Float => {}
        }
    }
}

#[test]
fn each_text_of_each_call_is_bounded_and_named_by_its_way() {
    let mut seen = 0;
    for method in METHODS.iter().filter(|method| !method.streams) {
        let mut found = Vec::new();
        texts(method.takes, "", &|bytes| bytes, &mut found);
        for (way, whole, longer) in &found {
            check(method.takes, whole).unwrap();
            let wrong = check(method.takes, longer).unwrap_err();
            assert_eq!(&wrong.field, way, "{}", method.name);
            assert_eq!(wrong.given, "4097 bytes");
        }
        seen += found.len();
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn what_is_no_protobuf_is_named_as_that() {
    let whole = v1::SubmitRequest {
        contexts: vec![v1::Submission {
            handler: "mail".to_owned(),
            ..Default::default()
        }],
    };
    let whole = whole.encode_to_vec();
    check(v1::SubmitRequest::PLACE, &whole).unwrap();
    let cut = &whole[..whole.len() - 1];
    // A length beyond the end, a number without an end, a group, a number of eleven bytes.
    for bytes in [cut, &[0x08, 0x80], &[0x0b], &[0xff; 11]] {
        let wrong = check(v1::SubmitRequest::PLACE, bytes).unwrap_err();
        assert_eq!(wrong.rule, "is protobuf", "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), method in 0..METHODS.len()) {
        let method = &METHODS[method];
        let checked = (check(method.takes, &bytes), check(method.answers, &bytes));
        // What prost takes of this length is within every bound, unless something is given twice.
        if v1::WorkerMessage::decode(&bytes[..]).is_err() {
            return Ok(());
        }
        if let Err(wrong) = check(v1::WorkerMessage::PLACE, &bytes) {
            prop_assert!(wrong.rule != "is protobuf", "{wrong} {checked:?}");
        }
    }
}

#[test]
fn the_page_of_limits_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/wire-limits.md");
    let page = page();
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/wire-limits.md is old: TICKWHEEL_BLESS=1 cargo test -p tickwheel-proto limits"
    );
}

fn page() -> String {
    let mut page = format!(
        "# Limits of messages\n\n\
         What a message may be before it is decoded, from the table in `proto/src/wire/bounds.rs`:\n\
         `TICKWHEEL_BLESS=1 cargo test -p tickwheel-proto limits`. Beyond a limit, a call is refused with `INVALID_ARGUMENT`, the list and its\n\
         limit, and the stream of a worker ends with the same, or with `RESOURCE_EXHAUSTED` when a message is too long. Nothing of\n\
         the message was done. Bytes that are no protobuf are answered alike. Limits of what is in the fields are in [guarantees.md](guarantees.md).\n\n\
         | what | at most |\n|---|---|\n\
         | a message to `SchedulerService` | {CALL_BYTES_MAX} bytes |\n\
         | a message of a worker's `Session` | {FRAME_BYTES_MAX} bytes |\n\
         | a text in a message to `SchedulerService` | {TEXT_BYTES_MAX} bytes |\n\
         | entries of all lists of such a message together, lists inside lists too | {ENTRIES_MAX} |\n\n\
         A message that holds lists is given once where it is no entry of a list.\n\n\
         | message | list | entries at most |\n|---|---|---|\n"
    );
    for bound in bounds() {
        page.push_str(&format!(
            "| `{}` | `{}` | {} |\n",
            bound.message, bound.field, bound.most
        ));
    }
    page
}
