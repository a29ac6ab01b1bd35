//! The generated code of `tickwheel.v1` is kept in `proto/src/generated`, so that nobody who builds a worker or the command line has to
//! build a compiler of protos first. This crate writes it, and its test holds it against the protos.
//!
//! The compiler is written in Rust: no `protoc` is needed.

mod frozen;
mod schema;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prost_types::FileDescriptorSet;

/// The protos, beside this crate.
const FILES: [&str; 5] = [
    "tickwheel/v1/access.proto",
    "tickwheel/v1/job.proto",
    "tickwheel/v1/options.proto",
    "tickwheel/v1/scheduler.proto",
    "tickwheel/v1/worker.proto",
];
/// What is made of them.
const NAMES: [&str; 2] = ["tickwheel.v1.rs", "schema.rs"];

/// The folder of the crate `tickwheel-proto`.
fn proto() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the generated code.
fn generated() -> PathBuf {
    proto().join("src/generated")
}

fn compiled() -> Result<FileDescriptorSet> {
    Ok(protox::compile(FILES, [proto()])?)
}

/// Compiles the protos, and keeps their descriptors for those who are frozen.
///
/// # Errors
/// When a proto is wrong or breaks what is frozen, or the files cannot be written.
pub fn write() -> Result<()> {
    generate(&generated(), &proto())
}

/// Compiles the protos into `out`, and their frozen descriptors into `frozen`.
fn generate(out: &Path, frozen: &Path) -> Result<()> {
    let mut descriptors = compiled()?;
    frozen::keep(&descriptors, &frozen::kept(&proto()), frozen)?;
    std::fs::write(out.join("schema.rs"), schema::schema(&descriptors)?)?;
    forget_deprecations(&mut descriptors);
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::wire::BoundedCodec")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds(descriptors)
        .with_context(|| format!("write into {}", out.display()))
}

/// What is deprecated on the wire is read and answered as before, and code that does so is right.
fn forget_deprecations(set: &mut FileDescriptorSet) {
    let messages = set.file.iter_mut().flat_map(|file| &mut file.message_type);
    for field in messages.flat_map(|message| &mut message.field) {
        if let Some(options) = &mut field.options {
            options.deprecated = None;
        }
    }
}

/// The names of the files that differ from what the protos say now.
///
/// # Errors
/// When a proto is wrong, or a file cannot be read.
pub fn outdated() -> Result<Vec<&'static str>> {
    let dir = tempfile::tempdir()?;
    generate(dir.path(), dir.path())?;
    let mut outdated = Vec::new();
    let written = NAMES.map(|name| (generated().join(name), name));
    for (kept, name) in written
        .into_iter()
        .chain([(frozen::kept(&proto()), frozen::NAME)])
    {
        if std::fs::read(kept).unwrap_or_default() != std::fs::read(dir.path().join(name))? {
            outdated.push(name);
        }
    }
    Ok(outdated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_code_is_that_of_the_protos() {
        let outdated = outdated().unwrap();
        assert!(
            outdated.is_empty(),
            "{outdated:?} of proto/src/generated and proto is not what the protos say: run `make proto`"
        );
    }
}
