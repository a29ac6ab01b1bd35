//! What stands behind the times of an entry: a user, options, the command, and what it reads.

use std::borrow::Cow;

use super::line::field;
use crate::import::draft::{Draft, Reason};
use crate::import::names::slug;

/// Words before the program that a line is about.
const WRAPPERS: &[&str] = &[
    "[", "[[", "bash", "chronic", "command", "env", "exec", "flock", "ionice", "nice", "nohup",
    "sh", "sudo", "test", "time", "timeout",
];

const QUIET: Reason = Reason {
    why: "nothing here writes to syslog or mails, so nothing is left to be told not to",
    todo: "look for its runs with `tickwheel run list`",
};

/// The command of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command<'a> {
    user: Option<&'a str>,
    /// Letters like `ns` of `-ns`; empty where there are none.
    options: &'a str,
    text: Cow<'a, str>,
    input: Option<String>,
}

impl<'a> Command<'a> {
    /// `None` when nothing stands there.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let (word, rest) = field(text);
        // Some crons take options there; no program's name begins so.
        let letters = word.strip_prefix('-').unwrap_or_default();
        let are_options =
            !letters.is_empty() && letters.bytes().all(|letter| b"nqs".contains(&letter));
        let (options, text) = if are_options {
            (letters, rest)
        } else {
            ("", text)
        };
        let (text, input) = split_input(text);
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_end()),
            Cow::Owned(text) => Cow::Owned(text.trim_end().to_owned()),
        };
        (!text.is_empty()).then_some(Self {
            user: None,
            options,
            text,
            input,
        })
    }

    /// With a user in front, as in a crontab of the system.
    pub(super) fn with_user(text: &'a str) -> Option<Self> {
        let (user, rest) = field(text);
        let command = Self::of(rest)?;
        Some(Self {
            user: Some(user),
            ..command
        })
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What the command reads on its standard input.
    pub(super) fn input(&self) -> Option<&str> {
        self.input.as_deref()
    }

    /// Whether no second run may begin while one is active.
    pub(super) fn is_alone(&self) -> bool {
        self.options.contains('s')
    }

    /// Tells of options that have no counterpart.
    pub(super) fn options(&self, draft: &mut Draft, silent: bool) {
        let quiet: String = self
            .options
            .chars()
            .filter(|letter| *letter != 's')
            .collect();
        if !quiet.is_empty() {
            draft.differs("options", format!("-{quiet}"), "nothing", &QUIET);
        }
        if silent {
            draft.differs("options", "- before the time", "nothing", &QUIET);
        }
    }

    /// A name for the job: that of the program, without its folder.
    pub(super) fn name(&self) -> Option<String> {
        let ends = |letter: char| letter.is_whitespace() || ";&|()<>".contains(letter);
        let mut words = self.text.split(ends).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            let plain = word.trim_matches(['"', '\'']);
            let base = plain.rsplit('/').find(|part| !part.is_empty());
            let base = base.unwrap_or_default();
            if base == "cd" {
                // Behind it stands a folder.
                words.next();
                continue;
            }
            let is_name = base.contains(|letter: char| letter.is_ascii_alphabetic())
                && !word.starts_with('-')
                && !word.contains('=')
                && !base.contains(['$', '`'])
                && !WRAPPERS.contains(&base);
            if let Some(name) = slug(base).filter(|_| is_name) {
                return Some(name);
            }
        }
        None
    }
}

/// The command, and the lines that it reads: a `%` ends it and begins them, further ones are line breaks, `\%` is itself.
fn split_input(text: &str) -> (Cow<'_, str>, Option<String>) {
    if !text.contains('%') {
        return (Cow::Borrowed(text), None);
    }
    let (mut command, mut input) = (String::new(), None::<String>);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letter == '\\' && letters.next_if_eq(&'%').is_some();
        let letter = if escaped { '%' } else { letter };
        match (&mut input, letter == '%' && !escaped) {
            (None, true) => input = Some(String::new()),
            (None, false) => command.push(letter),
            (Some(input), true) => input.push('\n'),
            (Some(input), false) => input.push(letter),
        }
    }
    (Cow::Owned(command), input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_begins_the_input() {
        for (text, command, input) in [
            ("date +\\%F", "date +%F", None),
            (
                "mail -s x joe%Joe,%%Where?%",
                "mail -s x joe",
                Some("Joe,\n\nWhere?\n"),
            ),
            ("cat%100\\% sure", "cat", Some("100% sure")),
            ("a\\b", "a\\b", None),
        ] {
            let read = Command::of(text).unwrap();
            assert_eq!((read.text(), read.input()), (command, input), "{text}");
        }
        assert_eq!(Command::of("%only input"), None);
        assert_eq!(Command::with_user("root"), None);
        assert_eq!(
            Command::with_user("www run me").unwrap().user(),
            Some("www")
        );
    }

    #[test]
    fn options_are_letters_behind_a_hyphen() {
        let read = Command::of("-ns /bin/x -v").unwrap();
        assert_eq!((read.text(), read.is_alone()), ("/bin/x -v", true));
        assert_eq!(Command::of("-x").unwrap().text(), "-x");
    }

    #[test]
    fn a_job_is_called_as_its_program() {
        for (text, name) in [
            ("/usr/local/bin/backup --all", Some("backup")),
            (
                "cd / && run-parts --report /etc/cron.hourly",
                Some("run-parts"),
            ),
            (
                "test -x /usr/sbin/anacron || run-parts /etc",
                Some("anacron"),
            ),
            ("A=1 nice -n 5 'sync all'", Some("sync")),
            ("$HOME/bin/x > /dev/null", Some("x")),
            ("cd /srv/app && bin/rotate", Some("rotate")),
            ("(sleep 5; /opt/probe.sh)", Some("sleep")),
            ("$X", None),
        ] {
            assert_eq!(Command::of(text).unwrap().name().as_deref(), name, "{text}");
        }
    }
}
