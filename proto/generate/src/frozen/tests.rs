use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{EnumValueDescriptorProto, FieldDescriptorProto};

use super::*;

/// The protos as they are now.
fn present() -> FileDescriptorSet {
    of(&crate::compiled().unwrap())
}

/// The message of this name in a worker's files.
fn message<'a>(set: &'a mut FileDescriptorSet, name: &str) -> &'a mut DescriptorProto {
    let mut messages = set.file.iter_mut().flat_map(|file| &mut file.message_type);
    messages.find(|message| message.name() == name).unwrap()
}

fn field<'a>(set: &'a mut FileDescriptorSet, of: &str, name: &str) -> &'a mut FieldDescriptorProto {
    let mut fields = message(set, of).field.iter_mut();
    fields.find(|field| field.name() == name).unwrap()
}

/// What is said of a change.
fn said(change: impl FnOnce(&mut FileDescriptorSet)) -> Vec<String> {
    let mut changed = present();
    change(&mut changed);
    broken(&present(), &changed)
}

#[test]
fn what_the_protos_say_keeps_every_promise() {
    let dir = tempfile::tempdir().unwrap();
    let set = crate::compiled().unwrap();
    keep(&set, &kept(&crate::proto()), dir.path()).unwrap();
}

#[test]
fn whatever_is_removed_or_changed_is_named() {
    let gone = said(|set| {
        message(set, "Hello")
            .field
            .retain(|field| field.name() != "permits");
    });
    assert_eq!(gone, ["`tickwheel.v1.Hello = 4` (uint32 permits) is gone"]);
    let wider = said(|set| field(set, "Credit", "free").set_type(Type::Uint64));
    assert_eq!(
        wider,
        ["`tickwheel.v1.Credit = 1` was uint32 free, and is uint64 free"]
    );
    let renamed = said(|set| field(set, "Roster", "tracker_urls").name = Some("urls".to_owned()));
    assert_eq!(
        renamed,
        ["`tickwheel.v1.Roster = 1` was repeated string tracker_urls, and is repeated string urls"]
    );
    let moved = said(|set| field(set, "AttemptRef", "attempt").number = Some(3));
    assert_eq!(
        moved,
        ["`tickwheel.v1.AttemptRef = 2` (uint32 attempt) is gone"]
    );
    let often = said(|set| field(set, "Hello", "group").set_label(Label::Repeated));
    assert_eq!(
        often,
        ["`tickwheel.v1.Hello = 2` was string group, and is repeated string group"]
    );
    let value = said(|set| {
        message(set, "Confirmation").enum_type[0]
            .value
            .retain(|value| value.number() != 3);
    });
    assert_eq!(
        value,
        ["`tickwheel.v1.Confirmation.Verdict = 3` (VERDICT_STALE) is gone"]
    );
    let open = said(|set| message(set, "Split").reserved_range.clear());
    assert_eq!(
        open,
        ["`tickwheel.v1.Split = 100 to 199` (reserved) is gone"]
    );
    let once = said(|set| {
        let service = set.file.iter_mut().flat_map(|file| &mut file.service);
        for service in service {
            service.method[0].client_streaming = None;
        }
    });
    assert_eq!(once.len(), 1, "{once:?}");
    assert!(
        once[0].starts_with("`tickwheel.v1.WorkerService/Session` was stream"),
        "{once:?}"
    );
    let all = said(|set| set.file.clear());
    assert!(all.len() > 100, "{}", all.len());
}

#[test]
fn what_is_added_breaks_nothing() {
    let added = said(|set| {
        let field = FieldDescriptorProto {
            name: Some("of_tomorrow".to_owned()),
            number: Some(31),
            r#type: Some(Type::String.into()),
            label: Some(Label::Optional.into()),
            ..FieldDescriptorProto::default()
        };
        message(set, "Hello").field.push(field);
        let verdicts = &mut message(set, "Confirmation").enum_type[0];
        verdicts.value.push(EnumValueDescriptorProto {
            name: Some("VERDICT_OF_TOMORROW".to_owned()),
            number: Some(31),
            options: None,
        });
    });
    assert_eq!(added, Vec::<String>::new());
}

#[test]
fn each_message_leaves_numbers_to_others() {
    let mut present = present();
    let all = promises(&present);
    let messages = present.file.iter_mut().flat_map(|file| &file.message_type);
    for message in messages {
        let name = format!("tickwheel.v1.{} = 100 to 199", message.name());
        assert!(all.contains_key(&name), "{name} is not reserved");
    }
}

#[test]
fn a_change_that_breaks_a_promise_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut later = crate::compiled().unwrap();
    for file in &mut later.file {
        for message in &mut file.message_type {
            message.field.retain(|field| field.name() != "worker_id");
        }
    }
    let refused = keep(&later, &kept(&crate::proto()), dir.path()).unwrap_err();
    let expected = "`tickwheel.v1.Hello = 1` (string worker_id) is gone";
    assert!(refused.to_string().contains(expected), "{refused}");
    assert!(!dir.path().join(NAME).exists());
}
