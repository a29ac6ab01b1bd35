//! `tickwheel token …`: who may do what.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use tickwheel_api::answers::Token;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, duration};
use crate::output::{put, tell_unreadable, warn};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it: this is the only time that it is shown
    Make(MakeArgs),
    /// List the tokens, without their secrets
    List,
    /// Give a token another secret, and print it; the one before is good for a while
    Rotate(RotateArgs),
    /// Revoke a token: within seconds nobody may do anything by it
    Revoke(IdArgs),
}

/// As the protocol calls them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Viewer,
    Submitter,
    Operator,
    Admin,
    Worker,
}

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Submitter => Self::Submitter,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
            Role::Worker => Self::Worker,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MakeArgs {
    /// Who it is for, in words
    name: String,
    /// What it may do: each of the first four also what those before it may; a worker runs contexts, and nothing else
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Role,
    /// A namespace whose jobs and contexts there are for it, or the beginning of some, as team-*; '*' for all (repeatable)
    #[arg(long, value_name = "NAME", required_unless_present = "group")]
    namespace: Vec<String>,
    /// The same of groups [default: all; of a worker none, so that one is given]
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// The same of handlers [default: all]
    #[arg(long, value_name = "NAME")]
    handler: Vec<String>,
    /// Ids that workers with it may have, as mill-* [default: any]
    #[arg(long, value_name = "ID")]
    worker_id: Vec<String>,
    /// Permits of a worker with it, at most
    #[arg(long, value_name = "N")]
    permits: Option<u32>,
    /// See bodies, results, errors and logs
    #[arg(long)]
    read_payload: bool,
    /// Run jobs with other bodies than their own
    #[arg(long)]
    override_body: bool,
    /// Bind it to a client's certificate, by its SHA-256 as `openssl x509 -noout -fingerprint -sha256` prints it: shown over a
    /// connection without that certificate it is refused [default: anybody may show it]
    #[arg(long, value_name = "FINGERPRINT")]
    client_cert_sha256: Option<String>,
    /// Calls that it may make in a second, all trackers together [default: as they say of its role]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    calls_per_second: Option<u32>,
    /// Bytes of its requests in a second [default: as trackers say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    bytes_per_second: Option<u32>,
    /// How long it is good, say 90d [default: until it is revoked]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    valid: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// The id of the token
    id: String,
    /// How long the secret before is good
    #[arg(long, value_parser = duration, default_value = "1h", value_name = "DURATION")]
    grace: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// The id of the token, what stands behind tw_
    id: String,
}

pub(crate) async fn run(global: &Global, command: TokenCommand) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        TokenCommand::Make(args) => made(client.make_token(request(args)).await?),
        TokenCommand::List => list(global, &client).await,
        TokenCommand::Rotate(args) => {
            let request = v1::RotateTokenRequest {
                id: args.id,
                grace_ms: Some(millis(args.grace)),
            };
            made(client.rotate_token(request).await?)
        }
        TokenCommand::Revoke(args) => {
            client.revoke_token(&args.id).await?;
            put(&format!("{} is revoked\n", args.id))
        }
    }
}

/// The token alone is what is printed, so that it can go into a file; what is said about it goes beside.
fn made(made: v1::MadeToken) -> Result<(), Failure> {
    let id = made.token.unwrap_or_default().id;
    warn(&format!(
        "the token {id} is shown this once: keep it in a file that only its owner reads"
    ));
    put(&format!("{}\n", made.text))
}

fn request(args: MakeArgs) -> v1::MakeTokenRequest {
    let is_worker = matches!(args.role, Role::Worker);
    let or_all = |given: Vec<String>, is_all: bool| match given.is_empty() && is_all {
        true => vec!["*".to_owned()],
        false => given,
    };
    let permissions = [
        (args.read_payload, "read_payload"),
        (args.override_body, "override_body"),
    ];
    let permissions = permissions.into_iter().filter(|(given, _)| *given);
    v1::MakeTokenRequest {
        name: args.name,
        scope: Some(v1::Scope {
            role: v1::Role::from(args.role).into(),
            namespaces: args.namespace,
            groups: or_all(args.group, !is_worker),
            handlers: or_all(args.handler, true),
            permissions: permissions.map(|(_, word)| word.to_owned()).collect(),
            worker_ids: or_all(args.worker_id, is_worker),
            permits: args.permits.unwrap_or_default(),
        }),
        valid_ms: args.valid.map(millis),
        client_cert_sha256: args.client_cert_sha256.unwrap_or_default(),
        calls_per_second: args.calls_per_second.unwrap_or_default(),
        bytes_per_second: args.bytes_per_second.unwrap_or_default(),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

async fn list(global: &Global, client: &tickwheel_client::Client) -> Result<(), Failure> {
    // A token may come twice while others are made.
    let (mut tokens, mut unreadable, mut cursor) = (BTreeMap::new(), 0, String::new());
    loop {
        let page = client.tokens(&cursor).await?;
        unreadable += page.unreadable;
        tokens.extend(page.tokens.into_iter().map(|one| (one.id.clone(), one)));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    tell_unreadable(unreadable);
    let rows: Vec<Token> = tokens.into_values().map(Token::from).collect();
    global.output.list(&rows)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: MakeArgs,
    }

    fn scope(line: &str) -> v1::Scope {
        let words = std::iter::once("make").chain(line.split(' '));
        let request = request(Line::try_parse_from(words).unwrap().args);
        request.scope.unwrap()
    }

    #[test]
    fn what_is_left_out_is_all_but_for_namespaces_and_the_group_of_a_worker() {
        let viewer = scope("me --role viewer --namespace billing");
        assert_eq!(viewer.namespaces, ["billing"]);
        assert_eq!(
            (viewer.groups, viewer.handlers),
            (vec!["*".to_owned()], vec!["*".to_owned()])
        );
        assert!(viewer.worker_ids.is_empty() && viewer.permissions.is_empty());
        let worker = scope("me --role worker --group mills --permits 4");
        assert_eq!(
            (worker.groups.as_slice(), worker.permits),
            (&["mills".to_owned()][..], 4)
        );
        assert_eq!(worker.worker_ids, ["*"]);
        let admin = scope("me --role admin --namespace * --read-payload --override-body");
        assert_eq!(admin.permissions, ["read_payload", "override_body"]);
        assert!(Line::try_parse_from(["make", "me", "--role", "viewer"]).is_err());
    }
}
