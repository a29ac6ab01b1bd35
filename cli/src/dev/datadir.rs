//! The directory a development cluster keeps its data in: used by one process at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// An exclusive hold on the directory. The kernel releases the lock when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if needed, and takes it.
    ///
    /// # Errors
    /// Usage, when another process uses it or it cannot be written.
    pub(super) fn take(path: &Path) -> Result<Self, Failure> {
        let refuse =
            |e: std::io::Error| Failure::usage(format!("cannot use {}: {e}", path.display()));
        std::fs::create_dir_all(path).map_err(refuse)?;
        let path = path.canonicalize().map_err(refuse)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(refuse)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::usage(format!(
                "{} is used by another `tickwheel dev` that is running; stop that one, or give this one its own place with --data-dir DIR",
                path.display()
            ))),
            Err(TryLockError::Error(e)) => Err(refuse(e)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::take(dir.path()).unwrap();
        let failure = DataDir::take(dir.path()).unwrap_err();
        assert!(
            failure.to_string().contains("another `tickwheel dev`"),
            "{failure}"
        );
        drop(first);
        DataDir::take(dir.path()).unwrap();
    }

    #[test]
    fn a_place_that_cannot_be_a_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failure = DataDir::take(file.path()).unwrap_err();
        assert_eq!(failure.exit(), crate::failure::Exit::Usage);
    }
}
