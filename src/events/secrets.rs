//! What must not be told: passwords in addresses and what authorises.
//!
//! Libraries say what they like; this is the net below them. Whoever tells something of punk itself leaves secrets out.

/// What a secret reads instead.
const MASK: &str = "***";
/// Words after which the next word is a secret, whatever their case.
const BEFORE: [&str; 2] = ["bearer", "basic"];
/// Names whose value is a secret, whatever their case.
const NAMES: [&str; 6] = ["token", "password", "secret", "authorization", "api_key", "apikey"];

/// The text without passwords: `http://***@host/`, `Bearer ***`, `token=***`.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut secret = false;
    for piece in text.split_inclusive(|letter: char| letter.is_whitespace()) {
        let word = piece.trim_end();
        let bare = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let announced = BEFORE.iter().any(|before| bare.eq_ignore_ascii_case(before));
        if secret && !bare.is_empty() && !announced {
            out.push_str(MASK);
        } else {
            address(word, &mut out);
        }
        out.push_str(&piece[word.len()..]);
        // Blanks between the two do not end it.
        secret = announced || (secret && bare.is_empty());
    }
    out
}

/// A word without the user information of an address in it, and without values of telling names.
fn address(word: &str, out: &mut String) {
    let Some((scheme, rest)) = word.split_once("://") else { return values(word, out) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    out.push_str(scheme);
    out.push_str("://");
    let rest = match authority.rsplit_once('@') {
        Some((user, _)) => {
            out.push_str(MASK);
            &rest[user.len()..]
        }
        None => rest,
    };
    values(rest, out);
}

/// `token=abc` and `?a=1&token=abc` without the value.
fn values(word: &str, out: &mut String) {
    for piece in word.split_inclusive(['?', '&', ',', ';']) {
        let named = piece.split_once('=').filter(|(name, _)| {
            let name = name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
            NAMES.iter().any(|known| {
                name.len() >= known.len() && {
                    let end = name.len() - known.len();
                    name.is_char_boundary(end) && name[end..].eq_ignore_ascii_case(known)
                }
            })
        });
        match named {
            Some((name, value)) => {
                out.push_str(name);
                out.push('=');
                out.push_str(MASK);
                out.push_str(&value[value.trim_end_matches(['?', '&', ',', ';']).len()..]);
            }
            None => out.push_str(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        for (text, expected) in [
            ("connecting to http://ada:pw@host:80/a?b=c", "connecting to http://***@host:80/a?b=c"),
            ("(socks5://ada@proxy)", "(socks5://***@proxy)"),
            ("http://host/a@b", "http://host/a@b"),
            ("authorization: Bearer abc.def", "authorization: Bearer ***"),
            ("\"Basic  YTpi\", then", "\"Basic  *** then"),
            ("/a?token=abc&b=1", "/a?token=***&b=1"),
            ("X_PASSWORD=abc, user=ada", "X_PASSWORD=***, user=ada"),
            ("http://host/?access_token=abc#x", "http://host/?access_token=***"),
            ("no name servers\n at all", "no name servers\n at all"),
        ] {
            assert_eq!(masked(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_password_of_an_address_is_left(before in "[a-z ]{0,8}", user in "[a-z]{1,5}", word in "[A-Z0-9]{6,12}", after in "[a-z/]{0,8}") {
            let text = format!("{before} https://{user}:{word}@example.com/{after}");
            prop_assert!(!masked(&text).contains(&word), "{}", masked(&text));
        }

        #[test]
        fn any_text_can_be_masked(text in "\\PC{0,60}") {
            let _ = masked(&text);
        }
    }
}
