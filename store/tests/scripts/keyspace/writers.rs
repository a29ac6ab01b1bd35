//! The writers that the page names for a key are scripts, and name the key.

use tickwheel_store::script;

use super::rows;

#[test]
fn the_writers_are_scripts_that_name_the_key() {
    for row in rows() {
        for writer in &row.writers {
            let script = script::all()
                .into_iter()
                .find(|script| script.name() == writer);
            let script =
                script.unwrap_or_else(|| panic!("{}: there is no script {writer}", row.pattern));
            assert!(
                !script.text().starts_with("#!lua flags=no-writes"),
                "{writer} only reads"
            );
            let kind = row
                .pattern
                .split(':')
                .nth(if row.pattern.starts_with("{tw:") {
                    2
                } else {
                    1
                })
                .unwrap();
            let named = [
                format!("keys.{kind}"),
                format!("'{kind}'"),
                format!("{kind} "),
            ];
            let modules = script::needed_by(script.source()).unwrap();
            let texts = modules
                .iter()
                .filter(|module| module.path != "keys")
                .map(|module| module.source)
                .chain([script.source()]);
            let code: String = texts.collect();
            assert!(
                named.iter().any(|name| code.contains(name)),
                "{writer} has nothing to do with {kind}"
            );
        }
    }
}
