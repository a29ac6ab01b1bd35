//! What the client says of an error, in words for people: it hands on what Rust prints of errors for their programmers.

/// What begins the way in which Rust prints an I/O error.
const FORMS: [&str; 4] = ["Os { ", "Custom { ", "Error { ", "Kind("];

/// The client's words, without names of types.
pub(crate) fn plain(details: &str) -> String {
    let found = FORMS.iter().filter_map(|form| details.find(form)).min();
    let Some(at) = found else {
        return details.to_owned();
    };
    let (before, form) = details.split_at(at);
    format!("{before}{}", of_form(form))
}

/// What one of [`FORMS`] has to say.
fn of_form(form: &str) -> String {
    let quoted = |mark: &str| {
        let (_, behind) = form.split_once(mark)?;
        let (message, _) = behind.rsplit_once('"')?;
        Some(message.to_owned())
    };
    if let Some(message) = quoted("message: \"").or_else(|| quoted("error: \"")) {
        return message;
    }
    let inner = match form.split_once("error: ") {
        Some((_, error)) => error.trim_end_matches(" }"),
        None => form.trim_start_matches("Kind(").trim_end_matches(')'),
    };
    if inner.contains("InvalidContentType") {
        return "what answers there does not speak TLS".to_owned();
    }
    spaced(inner)
}

/// `UnexpectedEof` as `unexpected eof`.
fn spaced(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut follows_small = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && follows_small {
            words.push(' ');
        }
        if letter == '(' && follows_small {
            words.push(' ');
        }
        follows_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn errors_of_the_system_are_words() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(plain(&format!("{refused:?}")), "Connection refused");
        let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(plain(&format!("{ended:?}")), "unexpected eof");
        let own = io::Error::other("failed to look up \"db\"");
        let said = plain(&format!("{own:?}"));
        assert!(said.starts_with("failed to look up"), "{said}");
        let tls = "Custom { kind: InvalidData, error: InvalidMessage(InvalidContentType) }";
        assert_eq!(plain(tls), "what answers there does not speak TLS");
        let certificate = "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }";
        assert_eq!(plain(certificate), "invalid certificate (unknown issuer)");
    }

    #[test]
    fn words_of_servers_stay_as_they_are() {
        let reply = "READONLY You can't write against a read only replica.";
        assert_eq!(plain(reply), reply);
    }
}
