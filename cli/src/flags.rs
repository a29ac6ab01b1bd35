//! Which command listens to which global flag. One that would be ignored is refused: whoever gave it expects something of it.

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::failure::Failure;

/// The global flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Server,
    Output,
    Timeout,
    Durability,
    ZoneTable,
    TokenFile,
    PlaintextToken,
    CaFile,
    ClientCert,
    ClientKey,
}

use Flag::{
    CaFile, ClientCert, ClientKey, Durability, Output, PlaintextToken, Server, Timeout, TokenFile,
    ZoneTable,
};

const ALL: [Flag; 10] = [
    Server,
    Output,
    Timeout,
    Durability,
    ZoneTable,
    TokenFile,
    PlaintextToken,
    CaFile,
    ClientCert,
    ClientKey,
];

impl Flag {
    /// What clap calls it.
    fn id(self) -> &'static str {
        match self {
            Server => "server",
            Output => "output",
            Timeout => "timeout",
            Durability => "durability",
            ZoneTable => "zone_table",
            TokenFile => "token_file",
            PlaintextToken => "plaintext_token",
            CaFile => "ca_file",
            ClientCert => "client_cert",
            ClientKey => "client_key",
        }
    }

    fn spelled(self) -> &'static str {
        match self {
            Server => "--server",
            Output => "--output",
            Timeout => "--timeout",
            Durability => "--durability",
            ZoneTable => "--zone-table",
            TokenFile => "--token-file",
            PlaintextToken => "--plaintext-token",
            CaFile => "--ca-file",
            ClientCert => "--client-cert",
            ClientKey => "--client-key",
        }
    }
}

/// Refuses the global flags on the command line that its command would ignore. Those of the environment hold for all commands, and for those that
/// listen to them.
///
/// # Errors
/// Usage, with every such flag and what to write in its place.
pub(crate) fn check(matches: &ArgMatches) -> Result<(), Failure> {
    let (mut path, mut leaf) = (Vec::new(), matches);
    while let Some((name, inner)) = leaf.subcommand() {
        path.push(name);
        leaf = inner;
    }
    let path = path.join(" ");
    let Some(used) = used_by(&path) else {
        return Ok(());
    };
    let given = |flag: &&Flag| leaf.value_source(flag.id()) == Some(ValueSource::CommandLine);
    let refused: Vec<String> = ALL
        .iter()
        .filter(|flag| !listens(used, **flag))
        .filter(given)
        .map(|flag| refusal(&path, *flag))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(refused.join("\n")))
}

/// Whether a command with these flags listens to one; whoever calls a tracker shows a token, and may speak TLS.
fn listens(used: &[Flag], flag: Flag) -> bool {
    let flag = match flag {
        TokenFile | PlaintextToken | CaFile | ClientCert | ClientKey => Server,
        Server | Output | Timeout | Durability | ZoneTable => flag,
    };
    used.contains(&flag)
}

/// The flags that a command listens to; `None` for what is no command.
fn used_by(path: &str) -> Option<&'static [Flag]> {
    Some(match path {
        "worker" | "completion" | "schema" => &[],
        "dev" | "quickstart" | "tracker" => &[ZoneTable],
        "cron explain" => &[Output, ZoneTable],
        "import crontab" | "import cronjob" | "import xxl-job" => &[ZoneTable],
        "store check" | "store repair" | "store rebuild" | "store adopt" => &[Output],
        "job preview" => &[Server, Output, Timeout, ZoneTable],
        "apply" | "submit" | "job pause" | "job resume" | "job run" | "job delete"
        | "run cancel" | "run retry" => &[Server, Output, Timeout, Durability],
        "cluster" | "overview" | "wheel" | "upcoming" | "top" | "tail" | "job list" | "job get"
        | "job export" | "job explain" | "job ledger" | "job stats" | "run list" | "run get"
        | "run explain" | "run subtasks" | "run logs" | "run wait" | "dead list" | "dead show"
        | "dead requeue" | "dead purge" | "limit list" | "limit set" | "limit get"
        | "limit remove" | "group list" | "group pause" | "group resume" | "worker list"
        | "worker drain" | "worker undrain" | "token list" | "audit" | "console" => {
            &[Server, Output, Timeout]
        }
        "token make" | "token rotate" | "token revoke" => &[Server, Timeout],
        _ => return None,
    })
}

/// Which flag it is, of which command, and what to write in its place.
fn refusal(path: &str, flag: Flag) -> String {
    let instead = match (path, flag) {
        ("tracker", Server) => {
            "it calls no other tracker; `--redis URL` (redis.url) says where its data are, `--grpc-listen ADDRESS` (tracker.grpc_listen) where it listens"
        }
        ("dev" | "quickstart", Server) => {
            "it starts a tracker of its own; `--grpc-listen ADDRESS` (tracker.grpc_listen) says where that listens"
        }
        ("worker", TokenFile) => {
            "worker.token_file names its token: `--set worker.token_file=FILE`"
        }
        ("worker", PlaintextToken) => {
            "worker.token_hosts says to which hosts its token may go: `--set worker.token_hosts=HOST`"
        }
        ("worker", CaFile) => {
            "worker.ca_file says who vouches for its trackers: `--set worker.ca_file=FILE`"
        }
        ("worker", ClientCert) => {
            "worker.client_cert is what it shows to its trackers: `--set worker.client_cert=FILE`"
        }
        ("worker", ClientKey) => {
            "worker.client_key is the key of what it shows to its trackers: `--set worker.client_key=FILE`"
        }
        ("tracker" | "dev" | "quickstart", CaFile) => {
            "it speaks TLS with a certificate of its own: `--set tls.cert=FILE --set tls.key=FILE`"
        }
        (_, CaFile | ClientCert | ClientKey) => "it speaks with no tracker",
        (_, TokenFile | PlaintextToken) => "it shows nothing to a tracker",
        ("worker", Server) => "`--tracker-url URL` (worker.tracker_url) names its tracker",
        ("store check" | "store repair" | "store rebuild" | "store adopt", Server) => {
            "it talks to Redis itself; `--redis URL` (redis.url) says where that is"
        }
        ("tracker" | "worker" | "dev" | "quickstart", Output) => {
            "it prints no results; `--log-format FORMAT` (log.format) says how its log is written"
        }
        ("tracker" | "dev" | "quickstart", Timeout) => {
            "it makes no call; tracker.drain_timeout limits how it stops, durability.wait how long a write waits: `--set tracker.drain_timeout=10s`"
        }
        ("tracker" | "dev" | "quickstart", Durability) => {
            "what holds for writes that ask for nothing is durability.default: `--set durability.default=MODE`"
        }
        ("worker", Durability) => {
            "its trackers have durability.default: `tickwheel tracker --set durability.default=MODE`"
        }
        (_, ZoneTable) => "it works out no due times; `tickwheel tracker --zone-table TABLE` does",
        (_, Durability) => {
            "it confirms no write that could wait; `submit`, `run cancel`, `apply`, `run retry` and `job pause`, `resume`, `run`, `delete` do"
        }
        (_, Timeout) => "it makes no call to a tracker that could take long",
        (_, Server) => "it needs no tracker",
        (_, Output) => "what it prints has one form",
    };
    format!(
        "`tickwheel {path}` does not use {}: {instead}",
        flag.spelled()
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::commands::Cli;
    use crate::failure::Exit;

    /// Each command with what it needs, and the flags it listens to: `s`erver, `o`utput, `t`imeout, `d`urability, `z`one table.
    const COMMANDS: &[(&str, &str)] = &[
        ("dev", "z"),
        ("quickstart -f x.yaml", "z"),
        ("tracker", "z"),
        ("worker", ""),
        ("worker list", "sot"),
        ("worker drain x", "sot"),
        ("worker undrain x", "sot"),
        ("completion bash", ""),
        ("schema", ""),
        ("cron explain @daily", "oz"),
        ("import crontab x", "z"),
        ("import cronjob x", "z"),
        ("import xxl-job x", "z"),
        ("cluster", "sot"),
        ("overview", "sot"),
        ("wheel", "sot"),
        ("upcoming", "sot"),
        ("console", "sot"),
        ("top", "sot"),
        ("tail", "sot"),
        ("submit h", "sotd"),
        ("apply -f x.yaml", "sotd"),
        ("job list", "sot"),
        ("job get x", "sot"),
        ("job export", "sot"),
        ("job pause x", "sotd"),
        ("job resume x", "sotd"),
        ("job run x", "sotd"),
        ("job delete x", "sotd"),
        ("job preview x", "sotz"),
        ("job explain x --at 2026-01-01T00:00:00Z", "sot"),
        ("job ledger x", "sot"),
        ("job stats x", "sot"),
        ("run list", "sot"),
        ("run get 0.1.a", "sot"),
        ("run explain 0.1.a", "sot"),
        ("run cancel 0.1.a", "sotd"),
        ("run retry 0.1.a", "sotd"),
        ("run subtasks 0.1.a", "sot"),
        ("run logs 0.1.a", "sot"),
        ("run wait 0.1.a", "sot"),
        ("dead list", "sot"),
        ("dead show 0.1.a", "sot"),
        ("dead requeue 0.1.a", "sot"),
        ("dead purge 0.1.a", "sot"),
        ("group list", "sot"),
        ("group pause g", "sot"),
        ("group resume g", "sot"),
        ("limit list", "sot"),
        ("limit get g", "sot"),
        ("limit set g --concurrency 1", "sot"),
        ("limit remove g", "sot"),
        ("token make me --role viewer --namespace a", "st"),
        ("token list", "sot"),
        ("token rotate abcdefgh", "st"),
        ("token revoke abcdefgh", "st"),
        ("audit", "sot"),
        ("store check", "o"),
        ("store repair", "o"),
        ("store rebuild", "o"),
        ("store adopt", "o"),
        ("run get --key k", "sot"),
        ("run cancel --key k", "sotd"),
        ("job delete --prefix p/", "sotd"),
    ];

    const FLAGS: [(char, &str, &[&str]); 8] = [
        ('s', "--server", &["--server", "http://h:1"]),
        ('o', "--output", &["-o", "json"]),
        ('t', "--timeout", &["--timeout", "9s"]),
        ('d', "--durability", &["--durability", "fsynced"]),
        ('z', "--zone-table", &["--zone-table", "embedded"]),
        // Whoever calls a tracker shows a token.
        ('s', "--token-file", &["--token-file", "f"]),
        ('s', "--plaintext-token", &["--plaintext-token"]),
        ('s', "--ca-file", &["--ca-file", "f"]),
    ];

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let inner: Vec<_> = command
            .get_subcommands()
            .filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
            .collect();
        if inner.is_empty() || path == "worker" {
            found.push(path.to_owned());
        }
        for command in inner {
            let path = format!("{path} {}", command.get_name());
            leaves(command, path.trim_start(), found);
        }
    }

    fn checked(line: &[&str]) -> Result<(), Failure> {
        let words = std::iter::once("tickwheel").chain(line.iter().copied());
        let matches = Cli::command().try_get_matches_from(words);
        check(&matches.unwrap_or_else(|error| panic!("{line:?}: {error}")))
    }

    #[test]
    fn each_command_takes_the_global_flags_it_uses_and_refuses_the_others() {
        for (command, used) in COMMANDS.iter().copied() {
            let words: Vec<&str> = command.split(' ').collect();
            for (letter, name, given) in FLAGS {
                let behind = [words.as_slice(), given].concat();
                let before = [given, words.as_slice()].concat();
                for line in [behind, before] {
                    let checked = checked(&line);
                    if used.contains(letter) {
                        assert_eq!(checked, Ok(()), "{line:?}");
                        continue;
                    }
                    let failure = checked.expect_err(command);
                    let said = failure.to_string();
                    assert_eq!(failure.exit(), Exit::Usage, "{line:?}");
                    assert!(said.contains(&format!("does not use {name}: ")), "{said}");
                }
            }
        }
    }

    #[test]
    fn no_command_is_left_out() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        for path in &found {
            assert!(used_by(path).is_some(), "{path} has no row");
            let shown = |(line, _): &(&str, &str)| {
                line.strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            assert!(COMMANDS.iter().any(shown), "{path} is not tried");
        }
        assert_eq!(found.len(), COMMANDS.len() - 3);
    }

    #[test]
    fn what_to_write_in_its_place_is_said_of_all_of_them_at_once() {
        let line = "tracker --server http://h:1 --timeout 1s -o json --durability fsynced";
        let line: Vec<&str> = line.split(' ').collect();
        let said = checked(&line).unwrap_err().to_string();
        for key in [
            "redis.url",
            "tracker.grpc_listen",
            "tracker.drain_timeout",
            "log.format",
            "durability.default",
        ] {
            assert!(said.contains(key), "{key}: {said}");
        }
        let line = ["worker", "--server", "http://h:1"];
        let said = checked(&line).unwrap_err().to_string();
        assert!(said.contains("--tracker-url"), "{said}");
        let line = ["store", "check", "--server", "http://h:1"];
        let said = checked(&line).unwrap_err().to_string();
        assert!(said.contains("--redis"), "{said}");
    }
}
