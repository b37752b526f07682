//! Plurals and lists in messages.

/// "1 pod", "2 pods".
#[must_use]
pub fn plural(count: usize, one: &str) -> String {
    let end = match (count, one.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {one}{end}")
}

/// "a, b, c", and from the seventh on "a, b, c, d, e and 3 more".
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.into_iter().collect();
    match names.get(..SHOWN) {
        Some(shown) if names.len() > SHOWN + 1 => {
            format!("{} and {} more", shown.join(", "), names.len() - SHOWN)
        }
        _ => names.join(", "),
    }
}

/// The same, beginning with a capital letter.
pub(crate) fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_count() {
        assert_eq!(plural(1, "pod"), "1 pod");
        assert_eq!(plural(0, "class"), "0 classes");
        assert_eq!(list(["a", "b"]), "a, b");
        assert_eq!(list(["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e, f");
        assert_eq!(list(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
