//! What each file of a crate names of its others, read from its tokens: `use` trees, and paths that begin with `crate`, `self`, `super`, a
//! child, or a name that was imported. Code for tests only (`#[cfg(test)]`) is left out: it looks at a module from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Names of modules from the root of the crate, or of items behind them.
pub(crate) type Names = Vec<String>;

/// One module of a crate.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The file that it is written in.
    pub(crate) file: PathBuf,
    children: BTreeSet<String>,
    /// Imported names, and what they stand for.
    aliases: BTreeMap<String, Names>,
    /// Names that are passed on to others: whoever only does that does not need them.
    passed_on: BTreeMap<String, Names>,
    /// What its code names, by absolute paths.
    named: BTreeSet<Names>,
    /// All words of its code outside of imports.
    words: BTreeSet<String>,
}

/// All modules of one crate, by their names.
#[derive(Debug, Default)]
pub(crate) struct Modules(BTreeMap<Names, Module>);

impl Modules {
    /// The crate whose first file is `root`.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().context("a file is in a folder")?;
        modules.read(&Names::new(), root, folder)?;
        Ok(modules)
    }

    /// Reads a file; its children are in `folder`.
    fn read(&mut self, names: &Names, file: &Path, folder: &Path) -> Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let tokens: TokenStream = text
            .parse()
            .map_err(|error| anyhow!("{}: {error}", file.display()))?;
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        self.0.insert(names.clone(), module);
        self.walk(names, &tokens, folder)
    }

    fn module(&mut self, names: &Names) -> &mut Module {
        self.0.entry(names.clone()).or_default()
    }

    /// Takes down what `tokens`, of the module `names`, say.
    fn walk(&mut self, names: &Names, tokens: &[TokenTree], folder: &Path) -> Result<()> {
        let (mut at, mut path_of_file) = (0, None);
        while let Some(token) = tokens.get(at) {
            let rest = tokens.get(at..).unwrap_or_default();
            if let Some(attribute) = attribute(rest) {
                at += 2;
                if attribute == "cfg (test)" {
                    at += item_len(tokens.get(at..).unwrap_or_default());
                } else if let Some(path) = attribute.strip_prefix("path = ") {
                    path_of_file = Some(path.trim_matches('"').to_owned());
                }
            } else if is_word(token, "pub") {
                // `pub(in crate::a)` names nobody.
                at += 1 + usize::from(matches!(rest.get(1), Some(TokenTree::Group(_))));
            } else if is_word(token, "use") {
                let end = rest.iter().position(|token| is_mark(token, ';'));
                let before = tokens.get(at.saturating_sub(2)..at).unwrap_or_default();
                let tree = rest.get(1..end.unwrap_or(rest.len())).unwrap_or_default();
                let passes_on = before.iter().any(|token| is_word(token, "pub"));
                self.import(names, &Names::new(), tree, passes_on);
                at += end.unwrap_or(rest.len()) + 1;
            } else if let Some(child) = module_name(rest) {
                let mut full = names.clone();
                full.push(child.clone());
                self.module(names).children.insert(child.clone());
                match (rest.get(2), path_of_file.take()) {
                    (Some(TokenTree::Group(body)), _) => {
                        let file = self.module(names).file.clone();
                        self.module(&full).file = file;
                        let body: Vec<TokenTree> = body.stream().into_iter().collect();
                        self.walk(&full, &body, &folder.join(&child))?;
                    }
                    (_, Some(path)) => {
                        let parent = self.module(names).file.clone();
                        let file = parent.parent().context("a folder")?.join(path);
                        let folder = file.parent().context("a folder")?.to_owned();
                        self.read(&full, &file, &folder)?;
                    }
                    (_, None) => {
                        let (file, folder) = (
                            folder.join(format!("{child}.rs")),
                            folder.join(child.as_str()),
                        );
                        self.read(&full, &file, &folder)?;
                    }
                }
                at += 3;
            } else {
                at += self.code(names, tokens, at, folder)?;
            }
        }
        Ok(())
    }

    /// Takes down one word, path or group of code; how many tokens it has.
    fn code(
        &mut self,
        names: &Names,
        tokens: &[TokenTree],
        at: usize,
        folder: &Path,
    ) -> Result<usize> {
        match tokens.get(at) {
            Some(TokenTree::Group(group)) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                self.walk(names, &inner, folder)?;
            }
            Some(TokenTree::Ident(word)) => {
                let path = path(tokens.get(at..).unwrap_or_default());
                let goes_on = at > 0 && tokens.get(at - 1).is_some_and(|token| is_mark(token, ':'));
                let module = self.module(names);
                module.words.insert(word.to_string());
                if path.len() > 1 && !goes_on {
                    module.named.insert(path);
                }
            }
            Some(TokenTree::Punct(_) | TokenTree::Literal(_)) | None => {}
        }
        Ok(1)
    }

    /// Takes down what a `use` brings in.
    fn import(&mut self, names: &Names, before: &Names, tree: &[TokenTree], passes_on: bool) {
        let mut path = before.clone();
        for (at, token) in tree.iter().enumerate() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in inner.split(|token| is_mark(token, ',')) {
                        self.import(names, &path, branch, passes_on);
                    }
                    return;
                }
                TokenTree::Ident(word) if *word == "as" => {
                    let alias = tree.get(at + 1).map(ToString::to_string);
                    return self.bind(names, alias.unwrap_or_default(), path, passes_on);
                }
                TokenTree::Ident(word) if *word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => path.push("*".to_owned()),
                TokenTree::Punct(_) | TokenTree::Literal(_) | TokenTree::Group(_) => {}
            }
        }
        if let Some(name) = path.last().cloned() {
            self.bind(names, name, path, passes_on);
        }
    }

    fn bind(&mut self, names: &Names, name: String, path: Names, passes_on: bool) {
        let module = self.module(names);
        if passes_on {
            module.passed_on.insert(name, path);
        } else {
            module.aliases.insert(name, path.clone());
            module.named.insert(path);
        }
    }

    /// The path from the root of the crate that `path` means in the module `names`; `None` when it leaves the crate.
    fn absolute(&self, names: &Names, path: &[String]) -> Option<Names> {
        let module = self.0.get(names)?;
        let (first, rest) = path.split_first()?;
        let mut start = match first.as_str() {
            "crate" => Names::new(),
            "self" => names.clone(),
            "super" => names.get(..names.len().checked_sub(1)?)?.to_vec(),
            child if module.children.contains(child) => {
                [names.as_slice(), std::slice::from_ref(first)].concat()
            }
            name => {
                let imported = module.aliases.get(name).or(module.passed_on.get(name))?;
                if imported.first() == Some(first) && !module.children.contains(name) {
                    // `use metrics::counter` in a module `metrics`: another crate.
                    return None;
                }
                self.absolute(names, imported)?
            }
        };
        for name in rest {
            if name == "super" {
                start.pop()?;
            } else {
                start.push(name.clone());
            }
        }
        Some(start)
    }

    /// The module in which what `path` means is written, through whatever passes it on.
    fn written_in(&self, path: &[String], depth: usize) -> Option<&Module> {
        let mut names = Names::new();
        for (at, name) in path.iter().enumerate() {
            let module = self.0.get(&names)?;
            let known = module.passed_on.get(name).or(module.aliases.get(name));
            if module.children.contains(name) {
                names.push(name.clone());
            } else if let Some(known) = known.filter(|_| depth > 0) {
                let mut on = self.absolute(&names, known)?;
                on.extend(path.get(at + 1..).unwrap_or_default().iter().cloned());
                return self.written_in(&on, depth - 1);
            } else {
                break;
            }
        }
        self.0.get(&names)
    }

    /// Who needs whom: a file, one of which it names something, and what that is.
    pub(crate) fn needs(&self) -> Vec<(&Path, &Path, String)> {
        let mut needs = Vec::new();
        for (names, module) in &self.0 {
            let used = module.passed_on.iter();
            let used = used.filter(|(name, _)| module.words.contains(*name));
            for path in module.named.iter().chain(used.map(|(_, path)| path)) {
                let target = self
                    .absolute(names, path)
                    .and_then(|path| self.written_in(&path, 8));
                if let Some(target) = target.filter(|target| target.file != module.file) {
                    needs.push((
                        module.file.as_path(),
                        target.file.as_path(),
                        path.join("::"),
                    ));
                }
            }
        }
        needs
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if *ident == word)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// The text of an attribute that stands here.
fn attribute(tokens: &[TokenTree]) -> Option<String> {
    let [hash, TokenTree::Group(body), ..] = tokens else {
        return None;
    };
    (is_mark(hash, '#') && body.delimiter() == Delimiter::Bracket)
        .then(|| body.stream().to_string())
}

/// The name of a module that begins here.
fn module_name(tokens: &[TokenTree]) -> Option<String> {
    let [word, TokenTree::Ident(name), end, ..] = tokens else {
        return None;
    };
    let begins = is_mark(end, ';') || matches!(end, TokenTree::Group(_));
    (is_word(word, "mod") && begins).then(|| name.to_string())
}

/// How many tokens the item has that begins here, with further attributes.
fn item_len(tokens: &[TokenTree]) -> usize {
    let mut at = 0;
    while attribute(tokens.get(at..).unwrap_or_default()).is_some() {
        at += 2;
    }
    // A brace ends an item, but not an import or a value.
    let goes_on = tokens.get(at..).unwrap_or_default().iter().take(4);
    let to_mark = goes_on
        .take_while(|token| !matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace))
        .any(|token| ["use", "const", "static", "type"].iter().any(|word| is_word(token, word)));
    for token in tokens.get(at..).unwrap_or_default() {
        at += 1;
        let brace =
            matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if is_mark(token, ';') || (brace && !to_mark) {
            break;
        }
    }
    at
}

/// The path that begins here: words with `::` between them.
fn path(tokens: &[TokenTree]) -> Names {
    let mut names = Names::new();
    let mut at = 0;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        names.push(word.to_string());
        let joined = tokens.get(at + 1).is_some_and(|token| is_mark(token, ':'))
            && tokens.get(at + 2).is_some_and(|token| is_mark(token, ':'));
        if !joined {
            break;
        }
        at += 3;
    }
    names
}
