//! All scripts as one library of Redis Functions: what they are made of is made once, at the first call, and kept.
//!
//! The library is named by the digest of its text, so two versions of Tickwheel stand side by side and neither takes the other's place.
//! What people call is a library apart, under names that stay.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use fred::types::scripts::Script as Loaded;

use super::modules::needed_by;
use super::{Linked, Script, all, body_of, inspection};

/// What stands before the digest in the names of the library and of its functions.
pub const LIBRARY_PREFIX: &str = "tickwheel_";
/// Hexadecimal digits of the digest in a name.
const DIGITS: usize = 12;

/// The library of this build.
pub static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    // The names hold the digest of what follows them, so that is linked first.
    let body = Library::link(&all());
    let digest = Loaded::from_lua(body.text.as_str()).sha1().to_owned();
    let digest = digest.get(..DIGITS).unwrap_or(&digest);
    let name = format!("{LIBRARY_PREFIX}{digest}");
    let function = |script: &Script| format!("{name}_{}", script.name().replace('/', "_"));
    Library::new(name.clone(), body, &all(), function)
});

/// What people call with redis-cli, under names that stay: `tickwheel_explain`. Its scripts only read, so the version that was loaded last
/// answers for all.
pub static INSPECTION: LazyLock<Library> = LazyLock::new(|| {
    let scripts = inspection();
    let function = |script: &Script| script.name().replace("inspect/", LIBRARY_PREFIX);
    Library::new(
        "tickwheel_inspect".to_owned(),
        Library::link(&scripts),
        &scripts,
        function,
    )
});

/// See the module.
#[derive(Debug)]
pub struct Library {
    name: String,
    linked: Linked,
    functions: HashMap<&'static str, String>,
}

impl Script {
    /// The name of the function that it is in [`LIBRARY`].
    #[must_use]
    pub fn function(&self) -> &str {
        self.function
            .get_or_init(|| LIBRARY.function(self).to_owned())
    }

    /// Replaces the line of the text that Redis was given by file and line.
    #[must_use]
    pub fn locate(&self, error: &str) -> String {
        LIBRARY.locate(&self.linked.locate(error, "user_script:"))
    }
}

/// The flags of a script as a Lua list.
fn flags_of(source: &str) -> String {
    let shebang = source.lines().next().unwrap_or_default();
    let flags = shebang.strip_prefix("#!lua flags=").unwrap_or_default();
    let quoted = flags.split(',').filter(|flag| !flag.is_empty());
    let quoted: Vec<String> = quoted.map(|flag| format!("'{flag}'")).collect();
    quoted.join(", ")
}

impl Library {
    #[expect(
        clippy::panic,
        reason = "the modules of every script are looked up by a test"
    )]
    fn link(scripts: &[&'static Script]) -> Linked {
        let mut body = Linked::default();
        body.glue("local KEYS, ARGV\nlocal function make()\n");
        let mut ordered: Vec<&str> = Vec::new();
        for script in scripts {
            for module in needed_by(script.source()).unwrap_or_else(|why| panic!("{why}")) {
                if !ordered.contains(&module.path) {
                    ordered.push(module.path);
                    body.glue(&format!("local {} = (function()\n", module.name()));
                    body.add(module.file(), module.source, 1);
                    body.glue("end)()\n");
                }
            }
        }
        body.glue("local scripts = {}\n");
        for script in scripts {
            body.glue(&format!("scripts['{}'] = function()\n", script.name()));
            let needed = needed_by(script.source()).unwrap_or_else(|why| panic!("{why}"));
            for module in needed.iter().filter(|module| module.has_begin()) {
                body.glue(&format!("{}.begin()\n", module.name()));
            }
            let (text, first) = body_of(script.source());
            body.add(format!("lua/{}.lua", script.name()), text, first);
            body.glue("end\n");
        }
        body.glue("return scripts\nend\n");
        body.glue("local scripts\n");
        body.glue("local function caller(name)\n  return function(keys, args)\n");
        body.glue("    KEYS, ARGV = keys, args\n    scripts = scripts or make()\n");
        body.glue("    return scripts[name]()\n  end\nend\n");
        body
    }

    fn new(
        name: String,
        mut body: Linked,
        scripts: &[&'static Script],
        function: impl Fn(&Script) -> String,
    ) -> Self {
        let functions: HashMap<&'static str, String> = scripts
            .iter()
            .map(|script| (script.name(), function(script)))
            .collect();
        let mut registered = String::new();
        for script in scripts {
            let _ = writeln!(
                registered,
                "redis.register_function{{ function_name = '{}', callback = caller('{}'), flags = {{ {} }} }}",
                functions.get(script.name()).map_or("", String::as_str),
                script.name(),
                flags_of(script.source())
            );
        }
        body.glue(&registered);
        // One line more in front.
        body.text.insert_str(0, &format!("#!lua name={name}\n"));
        body.lines += 1;
        for (_, start, _) in &mut body.pieces {
            *start += 1;
        }
        Self {
            name,
            linked: body,
            functions,
        }
    }

    /// Its name; that of the scripts that this crate calls holds the digest of its text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `FUNCTION LOAD` is given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.linked.text
    }

    /// The name of the function that `script` is.
    #[must_use]
    pub fn function(&self, script: &Script) -> &str {
        self.functions.get(script.name()).map_or("", String::as_str)
    }

    /// Replaces `user_function:LINE` of the text by file and line.
    #[must_use]
    pub fn locate(&self, error: &str) -> String {
        self.linked.locate(error, "user_function:")
    }
}
