//! The replies of the headers: what has more than four values names them, and header and script know the same names.

use tickwheel_store::script;

use crate::headers::scripts;

/// The groups in braces of a header's `Reply`, with how many values each has behind its status word.
fn groups(reply: &str) -> Vec<(String, u8)> {
    // Of each that is open: where it begins, and how many commas it has so far.
    let (mut open, mut found) = (Vec::<(usize, u8)>::new(), Vec::new());
    for (at, letter) in reply.char_indices() {
        match letter {
            '{' => open.push((at, 0)),
            ',' => {
                if let Some(group) = open.last_mut() {
                    group.1 += 1;
                }
            }
            '}' => {
                let (start, commas) = open.pop().unwrap();
                let group = &reply[start..=at];
                let status = u8::from(group.starts_with("{ '"));
                found.push((group.to_owned(), commas + 1 - status));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn more_than_four_values_of_a_reply_have_names() {
    for file in scripts(false) {
        let reply = file.field("Reply");
        for (group, values) in groups(&reply) {
            assert!(
                values <= 4,
                "{}: {group} has {values} values, whose places nobody can count: give them names, `{{ 'WORD', fields... }}`",
                file.name
            );
        }
        let named: Vec<&str> = reply
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let told = [
            "replies.tell(",
            "replies.tell_number(",
            "replies.tell_list(",
        ];
        for told in told.iter().flat_map(|mark| file.body.split(mark).skip(1)) {
            let Some(name) = told
                .split(", ")
                .nth(1)
                .and_then(|name| name.strip_prefix('\''))
            else {
                continue;
            };
            let name = name.trim_end_matches('\'');
            assert!(
                named.contains(&format!("{name}?").as_str()),
                "{}: the header knows no `{name}?`",
                file.name
            );
        }
        let text = script::all()
            .into_iter()
            .find(|script| script.name() == file.name)
            .unwrap()
            .text();
        for name in named.iter().filter_map(|name| name.strip_suffix('?')) {
            assert!(
                text.contains(&format!("'{name}'")),
                "{} never tells `{name}`",
                file.name
            );
        }
    }
}
