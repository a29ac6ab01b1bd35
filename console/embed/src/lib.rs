//! The files of the web console, in the program: what `make console` built, or a page that says what to run where it built nothing.
//!
//! Nothing here does I/O, or knows of HTTP: a file is found by its path in a table that was written when this crate was built.

/// A file of the console.
#[derive(Debug)]
pub struct File {
    path: &'static str,
    media_type: &'static str,
    tag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page that is opened; all places of the console are in it.
pub const INDEX: &str = "index.html";

/// How the bytes of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// As brotli has them.
    Brotli,
    /// As gzip has them.
    Gzip,
}

impl Form {
    /// Its name in `Content-Encoding`; `None`: there is no word for it.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
        }
    }
}

impl File {
    /// Its path, without a slash before it.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// What it is, as `Content-Type` says it.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// An entity tag, weak, as all forms have the same: another one when its bytes are others.
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        self.tag
    }

    /// Whether its name has the hash of its bytes, so that what is under this name never changes.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        self.path.starts_with("assets/")
    }

    /// The smallest form for who accepts these, and its bytes.
    #[must_use]
    pub fn form(&self, accepts_brotli: bool, accepts_gzip: bool) -> (Form, &'static [u8]) {
        match (self.brotli, self.gzip) {
            (Some(bytes), _) if accepts_brotli => (Form::Brotli, bytes),
            (_, Some(bytes)) if accepts_gzip => (Form::Gzip, bytes),
            _ => (Form::Plain, self.plain),
        }
    }
}

/// The file at a path, without a slash before it. There are the paths of the table, and no others: nothing of a path is interpreted.
#[must_use]
pub fn find(path: &str) -> Option<&'static File> {
    let at = FILES.binary_search_by(|file| file.path.cmp(path)).ok()?;
    FILES.get(at)
}

/// Whether the console is here, not the page that says that it is not.
#[must_use]
pub const fn is_built() -> bool {
    IS_BUILT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_whatever_was_built() {
        let page = find(INDEX).map(|page| page.form(false, false));
        let (form, bytes) = page.unwrap_or((Form::Gzip, b""));
        assert_eq!(form, Form::Plain);
        let is_placeholder = String::from_utf8_lossy(bytes).contains("make console");
        assert_eq!(is_placeholder, !is_built());
    }

    #[test]
    fn every_file_is_found_and_nothing_else_is() {
        for file in FILES {
            assert_eq!(find(file.path).map(File::path), Some(file.path));
        }
        for path in [
            "",
            "/index.html",
            "../Cargo.toml",
            "index.html.br",
            "assets",
            "assets/",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_form_is_one_that_is_accepted() {
        let file = File {
            path: "a.js",
            media_type: "text/javascript",
            tag: "",
            plain: b"plain",
            brotli: Some(b"br"),
            gzip: Some(b"gz"),
        };
        assert_eq!(file.form(true, true), (Form::Brotli, b"br".as_slice()));
        assert_eq!(file.form(false, true), (Form::Gzip, b"gz".as_slice()));
        assert_eq!(file.form(false, false), (Form::Plain, b"plain".as_slice()));
    }
}
