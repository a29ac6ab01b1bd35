//! Arguments of commands, and what is said of wrong ones.

use crate::reply::Reply;

/// What a command answers, or its error.
pub(crate) type Answer = Result<Reply, String>;

pub(super) fn arity() -> String {
    "ERR wrong number of arguments".to_owned()
}

pub(super) fn syntax() -> String {
    "ERR syntax error".to_owned()
}

/// The first argument, and the rest.
pub(super) fn keyed(arguments: &[Vec<u8>]) -> Result<(&[u8], &[Vec<u8>]), String> {
    let (key, rest) = arguments.split_first().ok_or_else(arity)?;
    Ok((key.as_slice(), rest))
}

/// Exactly so many arguments.
pub(super) fn exactly<const N: usize>(arguments: &[Vec<u8>]) -> Result<[&[u8]; N], String> {
    let slices: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
    slices.try_into().map_err(|_| arity())
}

pub(super) fn is_word(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}
