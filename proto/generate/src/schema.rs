//! What each message is made of, for those who look at messages before they are decoded (`proto/src/wire/schema.rs`).

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const PACKAGE: &str = ".tickwheel.v1.";

/// Every message, those inside others and the entries of maps too, by its name in the package.
fn messages<'a>(
    prefix: &str,
    level: &'a [DescriptorProto],
    all: &mut Vec<(String, &'a DescriptorProto)>,
) {
    for message in level {
        let name = format!("{prefix}{}", message.name());
        let inner = format!("{name}.");
        all.push((name, message));
        messages(&inner, &message.nested_type, all);
    }
}

/// The text of `proto/src/generated/schema.rs`.
///
/// # Errors
/// When a field has a type that no file declares.
pub(crate) fn schema(set: &FileDescriptorSet) -> Result<String> {
    let mut all = Vec::new();
    for file in &set.file {
        messages("", &file.message_type, &mut all);
    }
    let place = |type_name: &str| {
        let name = type_name.strip_prefix(PACKAGE).unwrap_or(type_name);
        all.iter()
            .position(|(known, _)| known == name)
            .with_context(|| format!("{type_name} is in no file"))
    };
    let mut text =
        String::from("// Written by `make proto`.\n\npub static MESSAGES: &[Message] = &[\n");
    for (name, message) in &all {
        writeln!(text, "Message {{ name: {name:?}, fields: &[")?;
        for field in &message.field {
            let kind = if field.r#type() == Type::Message {
                format!("Message({})", place(field.type_name())?)
            } else {
                kind(field)?.to_owned()
            };
            writeln!(
                text,
                "Field {{ number: {}, name: {:?}, repeated: {}, kind: Kind::{kind} }},",
                field.number(),
                field.name(),
                field.label() == Label::Repeated,
            )?;
        }
        text.push_str("] },\n");
    }
    text.push_str("];\n\npub static METHODS: &[Method] = &[\n");
    let services = set.file.iter().flat_map(|file| &file.service);
    let mut spoken: Vec<&str> = Vec::new();
    for service in services {
        for method in &service.method {
            spoken.extend([method.input_type(), method.output_type()]);
            writeln!(
                text,
                "Method {{ service: {:?}, name: {:?}, takes: {}, answers: {}, streams: {} }},",
                service.name(),
                method.name(),
                place(method.input_type())?,
                place(method.output_type())?,
                method.client_streaming(),
            )?;
        }
    }
    text.push_str("];\n\n");
    spoken.sort_unstable();
    spoken.dedup();
    for name in spoken {
        let rust = name.strip_prefix(PACKAGE).unwrap_or(name);
        writeln!(
            text,
            "impl Spoken for crate::v1::{rust} {{ const PLACE: usize = {}; }}",
            place(name)?
        )?;
    }
    Ok(text)
}

fn kind(field: &FieldDescriptorProto) -> Result<&'static str> {
    let known = [
        (Type::String, "Text"),
        (Type::Bytes, "Bytes"),
        (Type::Uint64, "Uint64"),
        (Type::Uint32, "Uint32"),
        (Type::Bool, "Bool"),
        (Type::Enum, "Enum"),
        (Type::Float, "Float"),
    ];
    match known.iter().find(|(kind, _)| *kind == field.r#type()) {
        Some((_, word)) => Ok(word),
        None => bail!("{}: teach the schema {:?}", field.name(), field.r#type()),
    }
}
