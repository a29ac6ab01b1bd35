//! `tickwheel completion SHELL`: words and flags after each command, made from the command line itself.

use std::fmt::Write as _;

use clap::{Args, Command, ValueEnum};

use crate::failure::Failure;
use crate::output::put;

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// bash: `source <(tickwheel completion bash)`; zsh likewise; fish: `tickwheel completion fish | source`
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script for `command`, the whole command line.
pub(crate) fn run(args: &CompletionArgs, mut command: Command) -> Result<(), Failure> {
    let mut nodes = Vec::new();
    // Hands the global flags down to the subcommands.
    command.build();
    walk(&command, "", &mut nodes);
    put(&match args.shell {
        Shell::Bash => bash(&nodes),
        Shell::Zsh => format!(
            "autoload -U +X bashcompinit && bashcompinit\n{}",
            bash(&nodes)
        ),
        Shell::Fish => fish(&nodes),
    })
}

/// A command, named by the words that lead to it, with what may follow.
struct Node {
    path: String,
    commands: Vec<String>,
    flags: Vec<String>,
}

fn walk(command: &Command, path: &str, nodes: &mut Vec<Node>) {
    let visible = || {
        command
            .get_subcommands()
            .filter(|c| !c.is_hide_set() && c.get_name() != "help")
    };
    nodes.push(Node {
        path: path.to_owned(),
        commands: visible().map(|c| c.get_name().to_owned()).collect(),
        flags: command
            .get_arguments()
            .filter(|a| !a.is_hide_set())
            .filter_map(|a| a.get_long())
            .map(|long| format!("--{long}"))
            .collect(),
    });
    for child in visible() {
        let path = format!("{path} {}", child.get_name());
        walk(child, path.trim_start(), nodes);
    }
}

/// The words typed so far are followed down the tree as far as they are commands; everything else is a file name.
fn bash(nodes: &[Node]) -> String {
    let paths: Vec<_> = nodes
        .iter()
        .filter(|n| !n.path.is_empty())
        .map(|n| format!("{:?}", n.path))
        .collect();
    let mut cases = String::new();
    for node in nodes {
        let words = [node.commands.as_slice(), node.flags.as_slice()]
            .concat()
            .join(" ");
        // Writing to a String cannot fail.
        let _ = writeln!(cases, "    {:?}) words={words:?} ;;", node.path);
    }
    format!(
        "_tickwheel() {{\n  local cur=\"${{COMP_WORDS[COMP_CWORD]}}\" path=\"\" words=\"\" next i\n  \
         for ((i = 1; i < COMP_CWORD; i++)); do\n    next=\"${{path:+$path }}${{COMP_WORDS[i]}}\"\n    \
         case \"$next\" in\n      {}) path=\"$next\" ;;\n    esac\n  done\n  \
         case \"$path\" in\n{cases}  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}}\n\
         complete -o default -F _tickwheel tickwheel\n",
        paths.join(" | ")
    )
}

fn fish(nodes: &[Node]) -> String {
    let mut script = String::new();
    for node in nodes {
        let condition = if node.path.is_empty() {
            "__fish_use_subcommand".to_owned()
        } else {
            node.path
                .split(' ')
                .map(|word| format!("__fish_seen_subcommand_from {word}"))
                .collect::<Vec<_>>()
                .join("; and ")
        };
        if !node.commands.is_empty() {
            let words = node.commands.join(" ");
            let _ = writeln!(
                script,
                "complete -c tickwheel -f -n '{condition}' -a '{words}'"
            );
        }
        for flag in &node.flags {
            let long = flag.trim_start_matches('-');
            let _ = writeln!(script, "complete -c tickwheel -n '{condition}' -l {long}");
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::commands::Cli;

    fn nodes() -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut command = Cli::command();
        command.build();
        walk(&command, "", &mut nodes);
        nodes
    }

    #[test]
    fn every_command_is_known_with_its_verbs_and_flags() {
        let nodes = nodes();
        let job = nodes.iter().find(|n| n.path == "job").unwrap();
        assert!(job.commands.iter().any(|c| c == "explain"));
        let apply = nodes.iter().find(|n| n.path == "apply").unwrap();
        assert!(apply.flags.iter().any(|f| f == "--dry-run"));
        assert!(apply.flags.iter().any(|f| f == "--server"));
    }

    #[test]
    fn bash_completes_a_verb() {
        let script = format!(
            "{}\nCOMP_WORDS=(tickwheel job -o json led) COMP_CWORD=2\nCOMP_WORDS=(tickwheel job led)\n_tickwheel\necho \"${{COMPREPLY[*]}}\"\n",
            bash(&nodes())
        );
        let Ok(out) = std::process::Command::new("bash")
            .arg("-c")
            .arg(script)
            .output()
        else {
            eprintln!("SKIPPED: no bash");
            return;
        };
        assert_eq!(String::from_utf8_lossy(&out.stdout), "ledger\n");
    }
}
