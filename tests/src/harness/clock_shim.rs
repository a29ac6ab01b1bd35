//! Processes whose time of day is off, or jumps while they run: a small library loaded before them, compiled when it is needed.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

const SOURCE: &str = include_str!("../../shim/clock.c");

/// A time of day that several processes share.
#[derive(Debug, Clone)]
pub struct ClockShim {
    library: PathBuf,
    offset: PathBuf,
}

impl ClockShim {
    /// Compiles the library in `dir`; `name` tells apart the clocks of one folder. The clock begins at the machine's time.
    ///
    /// # Errors
    /// When there is no C compiler, or the folder cannot be written.
    pub async fn build(dir: &Path, name: &str) -> Result<Self> {
        let shim = Self {
            library: dir.join(format!("clock-{name}.so")),
            offset: dir.join(format!("clock-{name}.offset")),
        };
        let source = dir.join(format!("clock-{name}.c"));
        std::fs::write(&source, SOURCE)?;
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&shim.library)
            .arg(&source)
            .status()
            .await
            .context("a C compiler, cc")?;
        ensure!(compiled.success(), "cc ended with {compiled}");
        std::fs::write(&shim.offset, [0; 8])?;
        Ok(shim)
    }

    /// Sets the clock ahead of the machine's, or behind it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&self, ahead: Duration, behind: Duration) -> Result<()> {
        let millis = |span: Duration| i64::try_from(span.as_millis());
        let offset = millis(ahead)? - millis(behind)?;
        let file = OpenOptions::new().write(true).open(&self.offset)?;
        file.write_all_at(&offset.to_ne_bytes(), 0)?;
        Ok(())
    }

    /// What a process has to have in its environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |path: &Path| path.display().to_string();
        vec![
            ("LD_PRELOAD".to_owned(), path(&self.library)),
            ("TICKWHEEL_CLOCK_OFFSET".to_owned(), path(&self.offset)),
        ]
    }
}
