//! The header of every script is true, and `lua/README.md` is made of the headers.
//!
//! `TICKWHEEL_BLESS=1 cargo test -p tickwheel-store --test scripts headers` writes the index anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tickwheel_core::invariant::Invariant;
use tickwheel_store::script;

/// The fields of a header, in order.
const FIELDS: [&str; 9] = [
    "Script", "Purpose", "KEYS", "ARGV", "Reply", "Raises", "Cost", "Holds", "Repeat",
];
/// The lighter header of the scripts for people.
const INSPECT_FIELDS: [&str; 5] = ["Script", "Purpose", "Usage", "Reply", "Cost"];
/// The only scripts that a full server may refuse: what they bring is new.
const INTAKE: [&str; 10] = [
    "access/make",
    "context/append_log",
    "fan/open",
    "fan/split",
    "job/apply",
    "job/follow",
    "limit/define",
    "wheel/fire",
    "wheel/replace",
    "wheel/submit",
];
/// Column at which the text of a field starts.
const INDENT: usize = 9;

/// One file of `lua/`.
pub(crate) struct File {
    pub(crate) name: String,
    flags: String,
    fields: BTreeMap<String, Vec<String>>,
    order: Vec<String>,
    pub(crate) body: String,
    /// Those that it names itself.
    modules: Vec<String>,
}

fn lua() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lua")
}

fn names(area: &Path) -> Vec<String> {
    let entries = fs::read_dir(area)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "lua"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn areas() -> Vec<String> {
    let mut areas: Vec<String> = fs::read_dir(lua())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    areas.sort();
    areas
}

/// Every file, scripts and modules, without its ending.
fn every_file() -> Vec<String> {
    let mut all = Vec::new();
    for area in areas() {
        all.extend(
            names(&lua().join(&area))
                .iter()
                .map(|name| format!("{area}/{name}")),
        );
    }
    all.retain(|name| !name.starts_with("lib/"));
    all.extend(
        script::MODULES
            .iter()
            .map(|module| format!("lib/{}", module.path)),
    );
    all
}

impl File {
    fn read(name: &str) -> Self {
        let source = fs::read_to_string(lua().join(format!("{name}.lua"))).unwrap();
        let (shebang, rest) = source.split_once('\n').unwrap();
        assert!(
            shebang == "#!lua" || shebang.starts_with("#!lua flags="),
            "{name}: the first line is {shebang}"
        );
        let rest = rest
            .strip_prefix("--[[\n")
            .unwrap_or_else(|| panic!("{name}: the header follows the first line"));
        let (header, body) = rest
            .split_once("\n]]\n")
            .unwrap_or_else(|| panic!("{name}: the header ends with ]]"));
        let (mut fields, mut order) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
        for line in header.lines().filter(|line| !line.is_empty()) {
            let head = line.get(..INDENT).map_or(line, str::trim_end);
            if !line.starts_with(' ') {
                order.push(head.to_owned());
            }
            let field: &String = order.last().unwrap();
            fields
                .entry(field.clone())
                .or_default()
                .push(line.get(INDENT..).unwrap_or_default().to_owned());
        }
        let modules = script::used_by(body).map(str::to_owned).collect();
        let flags = shebang
            .strip_prefix("#!lua flags=")
            .unwrap_or_default()
            .to_owned();
        Self {
            name: name.to_owned(),
            flags,
            fields,
            order,
            body: body.to_owned(),
            modules,
        }
    }

    pub(crate) fn field(&self, field: &str) -> String {
        self.fields
            .get(field)
            .map(|lines| lines.join("\n"))
            .unwrap_or_default()
    }

    /// The purpose on one line.
    fn purpose(&self) -> String {
        self.field("Purpose")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The numbers that start the entries of a field: `1 wheel  zset …`.
    pub(crate) fn numbers(&self, field: &str) -> Vec<usize> {
        let lines = self
            .fields
            .get(field)
            .map(Vec::as_slice)
            .unwrap_or_default();
        lines
            .iter()
            .filter_map(|line| line.split(' ').next()?.parse().ok())
            .collect()
    }

    /// The words in quotes that follow `mark`.
    fn words_after(text: &str, mark: &str) -> Vec<String> {
        let word = |rest: &str| rest.split('\'').next().unwrap().to_owned();
        let mut words: Vec<String> = text.split(mark).skip(1).map(word).collect();
        words.sort();
        words.dedup();
        words
    }
}

/// Every script that this crate calls, and with them those for people when `inspect`.
pub(crate) fn scripts(inspect: bool) -> Vec<File> {
    let areas = areas()
        .into_iter()
        .filter(|area| area != "lib" && (area == "inspect") == inspect);
    areas
        .flat_map(|area| {
            names(&lua().join(&area))
                .into_iter()
                .map(move |name| File::read(&format!("{area}/{name}")))
        })
        .collect()
}

/// The greatest number that follows one of the marks.
fn greatest(text: &str, marks: &[&str]) -> usize {
    let numbers = marks
        .iter()
        .flat_map(|mark| text.split(mark).skip(1))
        .map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        });
    numbers.max().unwrap_or(0)
}

#[test]
fn every_file_is_registered_and_nothing_else() {
    let mut registered: Vec<&str> = script::all()
        .into_iter()
        .map(script::Script::name)
        .collect();
    registered.sort_unstable();
    let files = scripts(false);
    assert_eq!(
        registered,
        files
            .iter()
            .map(|file| file.name.as_str())
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_fields_are_complete_and_in_order() {
    for file in scripts(false) {
        assert_eq!(file.order, FIELDS, "{}", file.name);
        assert_eq!(file.field("Script"), file.name);
    }
    for file in scripts(true) {
        assert_eq!(file.order, INSPECT_FIELDS, "{}", file.name);
        assert_eq!(file.field("Script"), file.name);
        let registered = script::inspection();
        let script = registered.iter().find(|script| script.name() == file.name);
        let usage = format!(
            "fcall_ro {} 0",
            script::INSPECTION.function(script.unwrap())
        );
        assert!(file.field("Usage").contains(&usage), "{}", file.name);
        assert_eq!(file.flags, "no-writes", "{}", file.name);
    }
}

#[test]
fn only_intake_may_be_refused_by_a_full_server() {
    for file in scripts(false) {
        let intake = INTAKE.contains(&file.name.as_str());
        match file.flags.as_str() {
            "" => assert!(
                intake,
                "{} leads to settlement or liveness: flags=allow-oom",
                file.name
            ),
            "allow-oom" | "no-writes" => assert!(!intake, "{} is intake: no flags", file.name),
            other => panic!("{}: flags {other}", file.name),
        }
    }
}

#[test]
fn keys_and_arguments_are_numbered_as_they_are_used() {
    for file in scripts(false) {
        let keys = file.numbers("KEYS");
        assert_eq!(
            keys,
            [1],
            "{}: KEYS is the wheel and computed ones",
            file.name
        );
        assert!(greatest(&file.body, &["KEYS["]) <= 1, "{}", file.name);
        let arguments = file.numbers("ARGV");
        assert_eq!(
            arguments,
            (1..=arguments.len()).collect::<Vec<_>>(),
            "{}: ARGV has gaps",
            file.name
        );
        let marks = [
            "ARGV[",
            "args.int(",
            "args.text(",
            "args.now(",
            "unpack(ARGV, ",
        ];
        let used = greatest(&file.body, &marks).max(loop_start(&file.body));
        // Of those with names only the first has a place.
        let is_named = file.body.contains("named('");
        let places = if is_named { 0 } else { arguments.len() };
        assert_eq!(used, places, "{}: ARGV used and documented", file.name);
    }
}

/// The first index of a loop over the arguments.
fn loop_start(body: &str) -> usize {
    let loops = body
        .lines()
        .filter(|line| line.contains("#ARGV") && line.contains("for i = "));
    loops
        .map(|line| greatest(line, &["for i = "]))
        .max()
        .unwrap_or(0)
}

#[test]
fn replies_and_errors_are_those_of_the_header() {
    for file in scripts(false) {
        let documented = File::words_after(&file.field("Reply"), "{ '");
        assert!(
            !documented.is_empty(),
            "{}: Reply starts with a status word",
            file.name
        );
        let mut answered = File::words_after(&file.body, "return { '");
        // A record inside a reply begins with the name of its first value.
        answered.retain(|word| !word.starts_with(|first: char| first.is_ascii_lowercase()));
        for word in answered {
            assert!(
                documented.contains(&word),
                "{} answers {word}, which its header does not know",
                file.name
            );
        }
        let text = script::all()
            .into_iter()
            .find(|script| script.name() == file.name)
            .unwrap()
            .text()
            .to_owned();
        let code = text.replace(&file.field("Reply"), "");
        for word in documented {
            assert!(
                code.matches(&format!("'{word}'")).count() > 0,
                "{} never answers {word}",
                file.name
            );
        }
        let checks = file.body.contains("args.") || file.body.contains(".read_dues(");
        assert_eq!(
            file.field("Raises").contains("BAD_ARG"),
            checks,
            "{}",
            file.name
        );
    }
}

#[test]
fn costs_are_counted_and_invariants_exist() {
    for file in scripts(false) {
        let cost = file.field("Cost");
        assert!(
            cost.starts_with("O(") && cost.contains("command"),
            "{}: {cost}",
            file.name
        );
        for id in file.field("Holds").split_whitespace() {
            assert!(
                Invariant::ALL.iter().any(|invariant| invariant.id() == id),
                "{} holds {id}?",
                file.name
            );
        }
        assert!(
            !file.field("Holds").is_empty() && !file.field("Repeat").is_empty(),
            "{}",
            file.name
        );
    }
}

#[test]
fn every_module_that_is_named_is_used() {
    let files = scripts(false);
    let of_scripts = files
        .iter()
        .map(|file| (file.name.as_str(), file.body.as_str()));
    let of_modules = script::MODULES
        .iter()
        .map(|module| (module.path, module.source));
    for (name, text) in of_scripts.chain(of_modules) {
        let code: String = text
            .lines()
            .filter(|line| !line.starts_with("--"))
            .map(|line| format!("{line}\n"))
            .collect();
        for used in script::used_by(text) {
            let table = used.rsplit('/').next().unwrap();
            let word = |at: usize| {
                let before = code[..at].chars().next_back().unwrap_or(' ');
                !before.is_ascii_alphanumeric() && !"_.".contains(before)
            };
            let member = format!("{table}.");
            let mut places = code.match_indices(&member).map(|(at, _)| at);
            let passed = [", {})", "{}["]
                .iter()
                .any(|form| code.contains(&form.replace("{}", table)));
            assert!(passed || places.any(word), "{name} uses nothing of {used}");
        }
    }
}

/// No line is longer than the code's, and no file is longer than a person reads in one go.
#[test]
fn lines_keep_to_the_margin() {
    for name in every_file() {
        let text = fs::read_to_string(lua().join(format!("{name}.lua"))).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 250, "lua/{name}.lua has {lines} lines");
        for (number, line) in text.lines().enumerate() {
            assert!(
                line.chars().count() <= 140 && !line.ends_with(' '),
                "lua/{name}.lua:{}",
                number + 1
            );
        }
    }
}

fn index() -> String {
    let mut text = "# Lua scripts\n\nMade from the headers by `TICKWHEEL_BLESS=1 cargo test -p tickwheel-store --test scripts headers`; do not edit.\n\n\
        A script is assembled from its first line, the modules that it needs (`lib/`), and its body; one script is one transition on one \
        partition. Its name is that of its file, and is in errors, metrics and tests. Flags: `allow-oom` runs on a full server, \
        `no-writes` reads, none may be refused by a full server.\n\n"
        .to_owned();
    text.push_str("| script | flags | uses | purpose | answers |\n|---|---|---|---|---|\n");
    for file in scripts(false) {
        let answers = File::words_after(&file.field("Reply"), "{ '").join(", ");
        let row = format!(
            "| [{0}]({0}.lua) | {1} | {2} | {3} | {answers} |\n",
            file.name,
            file.flags,
            file.modules.join(" "),
            file.purpose()
        );
        text.push_str(&row);
    }
    text.push_str("\n## Modules\n\n| module | uses | what it is |\n|---|---|---|\n");
    for module in script::MODULES {
        let comment: Vec<&str> = module
            .source
            .lines()
            .take_while(|line| !line.starts_with("-- @use"))
            .map_while(|line| line.strip_prefix("-- "))
            .collect();
        let comment = comment.join(" ");
        let rest = comment
            .strip_prefix(&format!("Module {}: ", module.path))
            .unwrap_or_else(|| panic!("module {} says what it is", module.path));
        let uses: Vec<&str> = script::used_by(module.source).collect();
        text.push_str(&format!(
            "| [{0}](lib/{0}.lua) | {1} | {rest} |\n",
            module.path,
            uses.join(" ")
        ));
    }
    text.push_str("\n## For people\n\nThese are functions of the library `tickwheel_inspect`, which trackers load: a plain redis-cli calls them; add `| jq .` to read the JSON.\n\n");
    text.push_str("| script | usage | purpose |\n|---|---|---|\n");
    for file in scripts(true) {
        let usage = file
            .fields
            .get("Usage")
            .unwrap()
            .first()
            .unwrap()
            .replace('|', "\\|");
        text.push_str(&format!(
            "| [{0}]({0}.lua) | `{usage}` | {1} |\n",
            file.name,
            file.purpose()
        ));
    }
    text
}

#[test]
fn the_index_is_up_to_date() {
    let path = lua().join("README.md");
    let expected = index();
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "lua/README.md is out of date: TICKWHEEL_BLESS=1 cargo test -p tickwheel-store --test scripts headers"
    );
}
