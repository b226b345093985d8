//! Text as HTML: escaped, always. It knows no contract.

/// Text that may stand anywhere in a page, also in an attribute between double quotes.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// The same, and what stands between backticks is code.
pub(super) fn prose(said: &str) -> String {
    let parts = said.split('`').count();
    let mut html = String::new();
    for (at, part) in said.split('`').enumerate() {
        // A backtick without a partner is one.
        match (at % 2, at + 1 == parts) {
            (0, _) => html.push_str(&text(part)),
            (_, true) => html.push_str(&format!("`{}", text(part))),
            (_, false) => html.push_str(&format!("<code>{}</code>", text(part))),
        }
    }
    html
}

/// A name for an anchor.
pub(super) fn anchor(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn code_stands_between_backticks() {
        assert_eq!(prose("say `a < b` & go"), "say <code>a &lt; b</code> &amp; go");
        assert_eq!(prose("a ` alone"), "a ` alone");
    }

    proptest! {
        #[test]
        fn nothing_becomes_markup(said in r#"[a<>"'&`]{0,20}"#) {
            let html = prose(&said).replace("<code>", "").replace("</code>", "");
            prop_assert!(!html.contains(['<', '>', '"', '\'']), "{html}");
        }
    }
}
