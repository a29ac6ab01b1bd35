//! The protocol of workers is frozen: `proto/worker.binpb` has its descriptors as they were kept last. Programs that nobody here builds speak
//! it, so a field, a number, a type or a value of it that is there stays as it is; what is new may be added, and is kept from then on.
//!
//! The file has what a worker needs and nothing else, so that a program can also be made from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use prost_types::field_descriptor_proto::Label;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet, MessageOptions, MethodDescriptorProto,
};

/// The files of a worker.
const FILES: [&str; 2] = ["tickwheel/v1/options.proto", "tickwheel/v1/worker.proto"];
/// Their descriptors.
pub(crate) const NAME: &str = "worker.binpb";
/// Numbers that each message leaves to what others add, as descriptors have it: the end is not within.
const FOR_OTHERS: (i32, i32) = (100, 200);

/// Everything that is promised, each under its name: a message's field or an enum's value by its number too.
type Promises = BTreeMap<String, String>;

/// The descriptors of a worker's files, without places and comments of the source.
pub(crate) fn of(set: &FileDescriptorSet) -> FileDescriptorSet {
    let files = set.file.iter().filter(|file| FILES.contains(&file.name()));
    let plain = |file: &FileDescriptorProto| FileDescriptorProto {
        source_code_info: None,
        ..file.clone()
    };
    FileDescriptorSet {
        file: files.map(plain).collect(),
    }
}

/// Writes the descriptors into `dir`, unless they break what `kept` has.
///
/// # Errors
/// Every change that breaks something, each on its line; and when the file cannot be read or written.
pub(crate) fn keep(set: &FileDescriptorSet, kept: &Path, dir: &Path) -> Result<()> {
    let now = of(set);
    if kept.exists() {
        let bytes = std::fs::read(kept).with_context(|| format!("read {}", kept.display()))?;
        let before = FileDescriptorSet::decode(bytes.as_slice())
            .with_context(|| format!("{} has no descriptors", kept.display()))?;
        let broken = broken(&before, &now);
        ensure!(
            broken.is_empty(),
            "the protocol of workers is frozen; what was promised stays:\n{}",
            broken.join("\n")
        );
    }
    std::fs::write(dir.join(NAME), now.encode_to_vec()).context("write the frozen descriptors")
}

/// Where the kept descriptors are.
pub(crate) fn kept(proto: &Path) -> PathBuf {
    proto.join(NAME)
}

/// What `before` promises and `now` does not keep, in sentences.
fn broken(before: &FileDescriptorSet, now: &FileDescriptorSet) -> Vec<String> {
    let (before, now) = (promises(before), promises(now));
    let broken = before.iter().filter_map(|(name, was)| match now.get(name) {
        None => Some(format!("`{name}` ({was}) is gone")),
        Some(is) if is != was => Some(format!("`{name}` was {was}, and is {is}")),
        Some(_) => None,
    });
    broken.collect()
}

fn promises(set: &FileDescriptorSet) -> Promises {
    let mut all = Promises::new();
    for file in &set.file {
        let package = file.package();
        for message in &file.message_type {
            of_message(package, message, &mut all);
        }
        for one in &file.enum_type {
            of_enum(package, one, &mut all);
        }
        for service in &file.service {
            let name = format!("{package}.{}", service.name());
            for method in &service.method {
                all.insert(format!("{name}/{}", method.name()), of_method(method));
            }
        }
    }
    all
}

fn of_message(above: &str, message: &DescriptorProto, all: &mut Promises) {
    let name = format!("{above}.{}", message.name());
    all.insert(name.clone(), "a message".to_owned());
    for field in &message.field {
        all.insert(
            format!("{name} = {}", field.number()),
            of_field(message, field),
        );
    }
    let options = message.options.as_ref();
    let is_map = options.is_some_and(MessageOptions::map_entry);
    let mut reserved = message.reserved_range.iter();
    if !is_map && reserved.any(|range| (range.start(), range.end()) == FOR_OTHERS) {
        all.insert(format!("{name} = 100 to 199"), "reserved".to_owned());
    }
    for inner in &message.nested_type {
        of_message(&name, inner, all);
    }
    for inner in &message.enum_type {
        of_enum(&name, inner, all);
    }
}

/// The name, whether it is there once, perhaps or often, and what it holds.
fn of_field(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let often = match field.label() {
        Label::Repeated => "repeated ",
        Label::Required => "required ",
        Label::Optional if field.proto3_optional() => "optional ",
        Label::Optional => "",
    };
    let holds = match field.type_name() {
        "" => {
            let plain = field.r#type().as_str_name();
            plain.trim_start_matches("TYPE_").to_lowercase()
        }
        named => named.to_owned(),
    };
    let choice = field.oneof_index.filter(|_| !field.proto3_optional());
    let choice = choice.and_then(|index| usize::try_from(index).ok());
    let choice = choice.and_then(|index| message.oneof_decl.get(index));
    let choice = choice.map_or_else(String::new, |one| format!(" of `{}`", one.name()));
    format!("{often}{holds} {}{choice}", field.name())
}

fn of_enum(above: &str, one: &EnumDescriptorProto, all: &mut Promises) {
    let name = format!("{above}.{}", one.name());
    all.insert(name.clone(), "an enum".to_owned());
    for value in &one.value {
        all.insert(
            format!("{name} = {}", value.number()),
            value.name().to_owned(),
        );
    }
}

fn of_method(method: &MethodDescriptorProto) -> String {
    let stream = |streams: bool| if streams { "stream " } else { "" };
    format!(
        "{}{} to {}{}",
        stream(method.client_streaming()),
        method.input_type(),
        stream(method.server_streaming()),
        method.output_type()
    )
}

#[cfg(test)]
mod tests;
