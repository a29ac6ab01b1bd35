//! The token that a caller or a worker shows, where it is from, and to whom it may be shown.
//!
//! Whoever is on the way to another machine can read what is sent there without TLS. A token goes to loopback and to trackers that speak TLS,
//! and elsewhere only where somebody says that the way is safe.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use tickwheel_core::access::Token;
use tonic::metadata::{Ascii, MetadataValue};

/// Names a file with a token.
pub const TOKEN_FILE_VARIABLE: &str = "TICKWHEEL_TOKEN_FILE";
/// Holds a token, where there can be no file.
pub const TOKEN_VARIABLE: &str = "TICKWHEEL_TOKEN";
/// Bytes of a file with a token: it holds nothing else.
const FILE_BYTES_MAX: u64 = 4_096;

/// Where a token is from. Nothing prints the token.
#[derive(Clone, Default)]
pub enum Credential {
    /// There is none.
    #[default]
    None,
    /// Given as a text.
    Text(String),
    /// In a file, which is read again for each connection: a token that was rotated is taken from there.
    File(PathBuf),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// The value of the header that carries a token, marked as one that nobody may print.
pub type Authorization = MetadataValue<Ascii>;

impl Credential {
    /// That of the process: the file that [`TOKEN_FILE_VARIABLE`] names, else the text of [`TOKEN_VARIABLE`]; none where both are unset or
    /// empty. `variable` reads one.
    #[must_use]
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        match (given(TOKEN_FILE_VARIABLE), given(TOKEN_VARIABLE)) {
            (Some(path), _) => Self::File(PathBuf::from(path)),
            (None, Some(text)) => Self::Text(text),
            (None, None) => Self::None,
        }
    }

    /// Whether there is one.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        match self {
            Self::None => false,
            Self::Text(_) | Self::File(_) => true,
        }
    }

    /// The header that shows it; `None` where there is none.
    ///
    /// # Errors
    /// Says in words what is wrong with the file or the text; never what is in it.
    pub fn authorization(&self) -> Result<Option<Authorization>, String> {
        let (text, source) = match self {
            Self::None => return Ok(None),
            Self::Text(text) => (text.clone(), "the token".to_owned()),
            Self::File(path) => (read(path)?, format!("the token in {}", path.display())),
        };
        let token = text.trim().parse::<Token>();
        let token = token.map_err(|wrong| format!("{source} {}", wrong.rule))?;
        let mut value = Authorization::try_from(format!("Bearer {}", token.reveal()))
            .map_err(|_| format!("{source} cannot be sent"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn read(path: &Path) -> Result<String, String> {
    let wrong =
        |why: &dyn fmt::Display| format!("cannot read the token in {}: {why}", path.display());
    let size = std::fs::metadata(path)
        .map_err(|error| wrong(&error))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(wrong(&format_args!(
            "it has more than {FILE_BYTES_MAX} bytes"
        )));
    }
    // What a read error says has nothing of what is in the file.
    std::fs::read_to_string(path).map_err(|error| wrong(&error))
}

/// Whether a token may be sent to `url` as it is: over TLS, or where nobody is on the way.
#[must_use]
pub fn is_private(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    scheme == "https" || host_of(rest).is_some_and(is_loopback)
}

/// The host of a URL, without its port.
#[must_use]
pub fn host(url: &str) -> Option<&str> {
    host_of(url.split_once("://")?.1)
}

fn host_of(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next()?;
    // Behind a name of a user another host may stand than it seems.
    if authority.contains('@') || authority.contains('\\') {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::{Secret, TokenId};

    use super::*;

    fn token() -> String {
        let (id, secret) = (TokenId::random([3; 12]), Secret::new([5; 32]));
        Token { id, secret }.reveal()
    }

    #[test]
    fn only_loopback_and_tls_are_private() {
        for url in [
            "http://127.0.0.1:7400",
            "http://127.9.9.9",
            "http://localhost:7400/",
            "http://LOCALHOST",
            "http://[::1]:7400",
            "http://[::ffff:127.0.0.1]:7400",
            "https://tracker.example:7400",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:7400",
            "http://tracker",
            "http://localhost.example",
            "http://127.0.0.1.example:80",
            "http://127.0.0.1:80@evil.example",
            "http://evil.example\\@127.0.0.1",
            "http://evil.example#127.0.0.1",
            "http://0.0.0.0:7400",
            "http://[::2]:7400",
            "127.0.0.1:7400",
            "http://",
            "",
        ] {
            assert!(!is_private(url), "{url}");
        }
        assert_eq!(host("http://t-1.internal:7400/x"), Some("t-1.internal"));
    }

    #[test]
    fn a_token_is_of_a_file_or_a_text_and_is_never_shown() {
        let folder =
            std::env::temp_dir().join(format!("tickwheel-credential-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("token");
        std::fs::write(&file, format!("{}\n", token())).unwrap();
        for credential in [Credential::Text(token()), Credential::File(file.clone())] {
            let header = credential.authorization().unwrap().unwrap();
            assert_eq!(
                header.as_encoded_bytes(),
                format!("Bearer {}", token()).as_bytes()
            );
            for shown in [format!("{credential:?}"), format!("{header:?}")] {
                assert!(!shown.contains(&token()), "{shown}");
            }
        }
        std::fs::write(&file, "tw_not_a_token").unwrap();
        let wrong = [
            Credential::File(file),
            Credential::File(folder.join("none")),
            Credential::Text("tw_not_a_token".to_owned()),
        ];
        for credential in wrong {
            let said = credential.authorization().unwrap_err();
            assert!(
                said.contains("token") && !said.contains("not_a_token"),
                "{said}"
            );
        }
        assert_eq!(Credential::None.authorization(), Ok(None));
        std::fs::remove_dir_all(&folder).ok();
    }

    #[test]
    fn a_file_comes_before_a_text() {
        let of = |file: &str, text: &str| {
            let (file, text) = (file.to_owned(), text.to_owned());
            Credential::of_variables(move |name| match name {
                TOKEN_FILE_VARIABLE => Some(file.clone()),
                _ => Some(text.clone()),
            })
        };
        assert!(matches!(of("/f", "t"), Credential::File(_)));
        assert!(matches!(of("", "t"), Credential::Text(_)));
        assert!(!of("", "").is_some());
    }
}
