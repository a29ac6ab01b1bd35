//! Arguments as tests give them, in the order of a script's header, and as the script takes them.

use tickwheel_store::script::Script;

/// Before the name of an argument in a header.
const MARGIN: &str = "           ";

/// The names that the header of a script gives its arguments, with a `?` behind those that may be absent; none where it takes them by place.
pub(crate) fn names_of(script: &'static Script) -> Vec<&'static str> {
    let Some((_, arguments)) = script.source().split_once("\nARGV     1 names ") else {
        return Vec::new();
    };
    let named = arguments.lines().skip(1);
    let named = named.map_while(|line| line.strip_prefix(MARGIN));
    // A sentence that goes on stands farther in.
    named
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect()
}

/// What stands in front of so many arguments of a test: the names of as many as have one.
pub(crate) fn names_before(script: &'static Script, given: usize) -> Option<String> {
    let names = names_of(script);
    let first: Vec<&str> = names
        .iter()
        .take(given)
        .map(|name| name.trim_end_matches('?'))
        .collect();
    (!names.is_empty()).then(|| first.join(" "))
}
