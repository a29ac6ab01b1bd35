//! Writes the table of the files that are embedded: what Vite built into `console/dist/app`, or the placeholder where it built nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let dist = here.join("../dist");
    let placeholder = here.join("placeholder");
    // The folder is always there, so that cargo has a time to compare; all that is in it counts.
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed={}", placeholder.display());
    println!("cargo::rerun-if-changed=build.rs");
    let app = dist.join("app");
    let is_built = app.join("index.html").is_file();
    let root = if is_built { app } else { placeholder };
    let mut files = BTreeMap::new();
    collect(&root.canonicalize()?, "", &mut files)?;
    let table = table(&files, is_built)?;
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("files.rs"), table)
}

fn variable(name: &str) -> io::Result<std::ffi::OsString> {
    std::env::var_os(name).ok_or_else(|| io::Error::other(format!("cargo sets {name}")))
}

/// All files below `folder`, by their paths with slashes.
fn collect(folder: &Path, before: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            io::Error::other(format!("{} has a name that is no text", folder.display()))
        })?;
        let path = format!("{before}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}

/// The table as Rust, in the order of the paths.
fn table(files: &BTreeMap<String, PathBuf>, is_built: bool) -> io::Result<String> {
    let mut text = format!("const IS_BUILT: bool = {is_built};\nstatic FILES: &[File] = &[\n");
    for (path, file) in files {
        if path.ends_with(".br") || path.ends_with(".gz") {
            continue;
        }
        let packed = |ending: &str| match files.get(&format!("{path}.{ending}")) {
            Some(file) => format!("Some(include_bytes!({file:?}))"),
            None => "None".to_owned(),
        };
        let media_type = media_type(path)?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(file)?);
        let tag = hasher.finish();
        let (brotli, gzip) = (packed("br"), packed("gz"));
        writeln!(
            text,
            "File {{ path: {path:?}, media_type: {media_type:?}, tag: \"W/\\\"{tag:016x}\\\"\", plain: include_bytes!({file:?}), brotli: {brotli}, gzip: {gzip} }},"
        )
        .map_err(io::Error::other)?;
    }
    text.push_str("];\n");
    Ok(text)
}

/// What a browser is told that a file is. It guesses nothing, so an ending that is not known here fails the build.
fn media_type(path: &str) -> io::Result<&'static str> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    Ok(match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => {
            return Err(io::Error::other(format!(
                "{path}: console/embed/build.rs does not know this ending"
            )));
        }
    })
}
