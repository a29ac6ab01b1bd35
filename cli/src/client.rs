//! The connection of the client commands to a tracker.

use std::time::Duration;

use tickwheel_client::{Client, Credential, Error, Trust};

use crate::failure::Failure;

/// How long a call may take when the user gives no `--timeout`.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What is shown to the tracker, whether it is shown where others may read it, and who vouches for the tracker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Showing {
    pub(crate) credential: Credential,
    pub(crate) in_plaintext: bool,
    pub(crate) trust: Trust,
}

/// Connects to a tracker. Each call is made once: a person tries again, and a script sees the exit code.
///
/// # Errors
/// Usage, when `server` is no URL, or the token cannot be shown there; unavailable, when nobody answers there.
pub(crate) async fn connect(
    server: &str,
    timeout: Option<Duration>,
    showing: Showing,
) -> Result<Client, Failure> {
    let builder = Client::builder([server])
        .timeout(timeout.unwrap_or(CALL_TIMEOUT))
        .credential(showing.credential)
        .plaintext_token(showing.in_plaintext)
        .trust(showing.trust)
        .tries(1);
    builder.connect().await.map_err(|error| {
        if let Error::Setting { setting, reason } = error {
            let flag = match setting {
                "plaintext_token" => "--plaintext-token",
                "token" => "--token-file",
                "ca_file" => "--ca-file",
                "client_cert" => "--client-cert",
                "client_key" => "--client-key",
                _ => "--server",
            };
            return Failure::usage(format!("{flag}: {reason}"));
        }
        Failure::unavailable(format!(
            "{error}\nis one running? `tickwheel dev` starts one; `--server URL` names another"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    #[tokio::test]
    async fn a_server_that_is_no_url_is_wrong_usage() {
        for server in ["", "not a url", "127.0.0.1"] {
            let failure = connect(server, None, Showing::default()).await.unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage, "{server:?}: {failure}");
            assert!(
                failure
                    .to_string()
                    .contains("such as http://127.0.0.1:7400")
            );
        }
        for (server, said) in [
            ("redis://h:6379", "URL of a redis"),
            ("h:7400", "write http://h:7400"),
        ] {
            let said_of_it = connect(server, None, Showing::default())
                .await
                .unwrap_err()
                .to_string();
            assert!(said_of_it.contains(said), "{said_of_it}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unavailable_and_says_what_to_do() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let failure = connect(&server, None, Showing::default())
            .await
            .unwrap_err();
        assert_eq!(failure.exit(), Exit::Unavailable);
        assert!(failure.to_string().contains("tickwheel dev"), "{failure}");
    }
}
