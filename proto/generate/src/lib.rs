//! The generated code of `tickwheel.v1` is kept in `proto/src/generated`, so that nobody who builds a worker or the command line has to
//! build a compiler of protos first. This crate writes it, and its test holds it against the protos.
//!
//! The compiler is written in Rust: no `protoc` is needed.

mod schema;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The protos, beside this crate.
const FILES: [&str; 4] = [
    "tickwheel/v1/access.proto",
    "tickwheel/v1/job.proto",
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
#[must_use]
pub fn generated() -> PathBuf {
    proto().join("src/generated")
}

/// Compiles the protos into `out`.
///
/// # Errors
/// When a proto is wrong, or `out` cannot be written.
pub fn generate(out: &Path) -> Result<()> {
    let descriptors = protox::compile(FILES, [proto()])?;
    std::fs::write(out.join("schema.rs"), schema::schema(&descriptors)?)?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::wire::BoundedCodec")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .emit_rerun_if_changed(false)
        .out_dir(out)
        .compile_fds(descriptors)
        .with_context(|| format!("write into {}", out.display()))
}

/// The names of the files that differ from what the protos say now.
///
/// # Errors
/// When a proto is wrong, or a file cannot be read.
pub fn outdated() -> Result<Vec<&'static str>> {
    let dir = tempfile::tempdir()?;
    generate(dir.path())?;
    let mut outdated = Vec::new();
    for name in NAMES {
        let kept = std::fs::read_to_string(generated().join(name)).unwrap_or_default();
        if kept != std::fs::read_to_string(dir.path().join(name))? {
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
            "{outdated:?} in proto/src/generated is not what the protos say: run `make proto`"
        );
    }
}
