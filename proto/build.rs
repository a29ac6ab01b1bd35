//! Compiles the protos with a compiler written in Rust, so that no system `protoc` is needed, and writes down what each message is made of
//! for those who look at messages before they are decoded (`src/wire/schema.rs`).

use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const PACKAGE: &str = ".tickwheel.v1.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "tickwheel/v1/job.proto",
        "tickwheel/v1/scheduler.proto",
        "tickwheel/v1/worker.proto",
    ];
    let descriptors = protox::compile(files, ["."])?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{out}/schema.rs"), schema(&descriptors)?)?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::wire::BoundedCodec")
        .compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=tickwheel");
    Ok(())
}

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

fn schema(set: &FileDescriptorSet) -> Result<String, Box<dyn std::error::Error>> {
    let mut all = Vec::new();
    for file in &set.file {
        messages("", &file.message_type, &mut all);
    }
    let place = |type_name: &str| {
        let name = type_name.strip_prefix(PACKAGE).unwrap_or(type_name);
        all.iter()
            .position(|(known, _)| known == name)
            .ok_or_else(|| format!("{type_name} is in no file"))
    };
    let mut text = String::from("pub static MESSAGES: &[Message] = &[\n");
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

fn kind(field: &FieldDescriptorProto) -> Result<&'static str, String> {
    let known = [
        (Type::String, "Text"),
        (Type::Bytes, "Bytes"),
        (Type::Uint64, "Uint64"),
        (Type::Uint32, "Uint32"),
        (Type::Bool, "Bool"),
        (Type::Enum, "Enum"),
        (Type::Float, "Float"),
    ];
    let kind = known.iter().find(|(kind, _)| *kind == field.r#type());
    kind.map(|(_, word)| *word)
        .ok_or_else(|| format!("{}: teach the schema {:?}", field.name(), field.r#type()))
}
