//! Text from scripts and targets, made safe to show: no byte of it may steer a terminal.
//!
//! Used for every name, message and sample that the windows print on a terminal. JSON needs none of it: there the text is
//! escaped and arrives whole. It knows nothing of runs.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text without escape sequences (CSI, OSC and the like), control characters and bidirectional overrides; line breaks
/// and tabs become spaces.
pub fn clean(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\u{1b}' => rest = after_escape(rest),
            '\u{9b}' => rest = after_control_sequence(rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => rest = after_string(rest),
            '\n' | '\t' | '\r' => kept.push(' '),
            _ if first.is_control() || invisible(first) => {}
            _ => kept.push(first),
        }
    }
    kept
}

/// What follows an escape sequence whose `ESC` was taken.
fn after_escape(rest: &str) -> &str {
    let mut chars = rest.chars();
    match chars.next() {
        Some('[') => after_control_sequence(chars.as_str()),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(chars.as_str()),
        Some(' '..='~') => chars.as_str(),
        _ => rest,
    }
}

/// What follows a control sequence: parameters, then one final character (ECMA-48 §5.4).
fn after_control_sequence(rest: &str) -> &str {
    let end = rest.find(|c: char| !(' '..='?').contains(&c));
    match end.and_then(|at| rest[at..].chars().next().map(|last| (at, last))) {
        Some((at, '@'..='~')) => &rest[at + 1..],
        Some((at, _)) => &rest[at..],
        None => "",
    }
}

/// What follows a control string, which ends at BEL or ST. One that never ends swallows nothing but its introducer.
fn after_string(rest: &str) -> &str {
    let ends = ["\u{7}", "\u{1b}\\", "\u{9c}"].into_iter().filter_map(|end| rest.find(end).map(|at| at + end.len()));
    ends.min().map_or(rest, |end| &rest[end..])
}

/// Characters that show nothing and change the order or meaning of their neighbours.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// How many columns a terminal gives it.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// At most `width` columns: of a longer one the middle is cut, because names differ at both ends.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let (head, tail) = (room - room / 2, room / 2);
    let mut used = 0;
    let mut fits = |limit: usize, c: char| {
        used += c.width().unwrap_or(0);
        used <= limit
    };
    let mut left: String = text.chars().take_while(|c| fits(head, *c)).collect();
    used = 0;
    let mut fits = |limit: usize, c: char| {
        used += c.width().unwrap_or(0);
        used <= limit
    };
    let right: Vec<char> = text.chars().rev().take_while(|c| fits(tail, *c)).collect();
    let mut right: String = right.into_iter().rev().collect();
    // Signs that change the one before them make a text wider than its signs are one by one.
    loop {
        let short = format!("{left}…{right}");
        if columns(&short) <= width || (left.is_empty() && right.is_empty()) {
            return short;
        }
        if right.is_empty() {
            left.pop();
        } else {
            right.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sign_that_widens_the_one_before_it_is_counted() {
        let text = "a 🟰𖭽𑿀 0 aΣ අஜ0ΣA🡠 ౦aেa a⁴𑌲🕨𒐀 Aa#\u{fe0f}𞺋Σ𑜀A Aa0 A ൦aAAAaa ";
        for width in 1..columns(text) {
            assert!(columns(&cut(text, width)) <= width, "{width}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_stays() {
        for (dirty, shown) in [
            ("GET /cart", "GET /cart"),
            ("a\u{1b}[31mred\u{1b}[0m", "ared"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "alink"),
            ("a\u{9b}2Jb", "ab"),
            ("never ends \u{1b}]0;title", "never ends 0;title"),
            ("two\nlines\tand\u{8}\u{8}more", "two lines andmore"),
            ("\u{202e}drowssap", "drowssap"),
            ("größe 価格", "größe 価格"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[1;2", ""),
        ] {
            assert_eq!(clean(dirty), shown, "{dirty:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_in_the_middle() {
        assert_eq!(cut("GET /api/products/{id}/reviews", 15), "GET /ap…reviews");
        assert_eq!(cut("short", 15), "short");
        assert_eq!(cut("価格価格価格", 6), "価…格");
    }

    proptest! {
        #[test]
        fn any_text_becomes_harmless_and_fits(text in any::<String>(), width in 1usize..40) {
            let shown = clean(&text);
            prop_assert!(shown.chars().all(|c| !c.is_control() && !invisible(c)), "{:?}", shown);
            prop_assert!(columns(&cut(&shown, width)) <= width);
            prop_assert_eq!(clean(&shown), shown);
        }
    }
}
