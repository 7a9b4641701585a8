//! Names that people and agents give to things: text in one line, as it looks.

/// Whether `char` is one that nobody sees, or that turns the text around it: it would make a name
/// look like another one.
pub fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether `text` has at most `most` characters, and none that is unseen.
pub fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(is_unseen)
}

#[cfg(test)]
mod tests {
    use super::is_line;

    #[test]
    fn a_line_is_bounded_and_looks_like_itself() {
        assert!(is_line("", 0) && is_line("Zürich, web-1", 13) && !is_line("Zürich, web-1", 12));
        for hidden in ["a\nb", "a\u{7}b", "a\u{200b}b", "\u{202e}moc.elpmaxe", "\u{feff}a"] {
            assert!(!is_line(hidden, 100), "{hidden:?}");
        }
    }
}
