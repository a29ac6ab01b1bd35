//! The first token of an admin: made once, by the first tracker that finds none, and written to a file that nobody else reads.
//!
//! The file comes first. A process that dies before the token is kept leaves a file whose token the next start keeps; whoever finds that there
//! is an admin already takes the file away that it made for nothing.

use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use tickwheel_core::access::{Scope, Secret, Token, TokenId, TokenRates};
use tickwheel_core::error::Violation;
use tickwheel_store::Store;
use tickwheel_store::access::{First, NewToken};

use crate::error::Error;

/// A token is written at once; whoever finds an empty file looks again.
const WRITING: Duration = Duration::from_millis(50);
const WRITING_TRIES: u32 = 20;
const FIELD: &str = "access.bootstrap_token_file";

/// Sees to it that there is a token of an admin, which is in `file` if it is the one that was there, or was made.
///
/// # Errors
/// [`Error::Config`] for a file that cannot be written, or holds something else; what the store says.
pub(crate) async fn bootstrap(store: &Store, file: &Path) -> Result<(), Error> {
    let wrong = |rule: String| Error::Config(Violation::new(FIELD, rule, file.display()).into());
    let (token, is_new) = match create(file) {
        Ok(token) => (token, true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            written(file).await;
            (read(file, wrong)?, false)
        }
        Err(error) => return Err(wrong(format!("is a file that can be made: {error}"))),
    };
    let first = NewToken {
        id: token.id.clone(),
        digest: token.secret.digest(),
        name: "bootstrap".to_owned(),
        scope: Scope::unlimited(),
        valid: None,
        bound: None,
        rates: TokenRates::default(),
    };
    match store.make_first_token(&first).await {
        Ok(First::Made(_)) => {
            tracing::warn!(token = %token.id, file = %file.display(), "the first token of an admin is made: make others with it, and revoke it");
            Ok(())
        }
        Ok(First::HasAdmin) => {
            if is_new {
                // Nobody can do anything with what is in it.
                std::fs::remove_file(file).ok();
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits while another tracker, which has made the file, has not written it yet.
async fn written(file: &Path) {
    for _ in 0..WRITING_TRIES {
        if std::fs::metadata(file).is_ok_and(|known| known.len() > 0) {
            return;
        }
        tokio::time::sleep(WRITING).await;
    }
}

/// A file with a new token, that only its owner reads.
fn create(file: &Path) -> io::Result<Token> {
    let mut options = std::fs::OpenOptions::new();
    let mut written = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    let token = Token {
        id: TokenId::random(rand::random()),
        secret: Secret::new(rand::random()),
    };
    written.write_all(token.reveal().as_bytes())?;
    written.write_all(b"\n")?;
    written.sync_all()?;
    Ok(token)
}

fn read(file: &Path, wrong: impl Fn(String) -> Error) -> Result<Token, Error> {
    let unread = |error: io::Error| wrong(format!("is a file that can be read: {error}"));
    let mode = std::fs::metadata(file).map_err(unread)?.mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %file.display(), "others than its owner may read the token of an admin: chmod 600");
    }
    let text = std::fs::read_to_string(file).map_err(unread)?;
    let token = text.trim().parse::<Token>();
    token.map_err(|_| {
        wrong("holds a token and nothing else; without the file, one is made".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("admin.token");
        let made = create(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let again = create(&file).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        let wrong = |rule: String| Error::Config(Violation::new(FIELD, rule, "").into());
        let read_again = read(&file, wrong).unwrap();
        assert_eq!(read_again.id, made.id);
        assert_eq!(read_again.secret.digest(), made.secret.digest());
        std::fs::write(&file, "something else").unwrap();
        let refused = read(&file, wrong).unwrap_err().to_string();
        assert!(
            refused.contains(FIELD) && !refused.contains("something"),
            "{refused}"
        );
    }
}
