//! Which known word somebody may have meant.

/// Up to three of the known words that are most like an unknown one, the most alike first.
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = unknown.to_ascii_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|word| {
            let known = word.to_ascii_lowercase();
            // The words of a name, if all of them are there, are as good as a slip of the pen.
            let words = lower.len() >= 4 && lower.split('-').all(|part| known.contains(part));
            (if words { 1 } else { distance(&known, &lower) }, word)
        })
        .collect();
    near.sort_unstable();
    let allowed = (unknown.chars().count() / 2).max(2);
    near.into_iter().filter(|(distance, _)| *distance <= allowed).map(|(_, word)| word).take(3).collect()
}

/// Texts of more characters than this are not compared: the work grows with the product of the lengths.
const LONGEST: usize = 300;

/// How many letters must be changed, added or taken away to make one text from the other; more than any limit for texts that
/// are too long to compare.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let is_long = |text: &str| text.chars().nth(LONGEST).is_some();
    if is_long(a) || is_long(b) { usize::MAX } else { strsim::levenshtein(a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_words_come_first_and_others_not_at_all() {
        let known = ["classes", "default-snapshot-class", "roundtrip", "access"];
        assert_eq!(nearest("clases", known), ["classes"]);
        assert_eq!(nearest("default-class", known), ["default-snapshot-class"]);
        assert!(nearest("zzzzzzzz", known).is_empty());
    }

    #[test]
    fn a_long_text_is_like_no_other() {
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(distance(&long, &long), usize::MAX);
        assert_eq!(distance(&long[1..], &long[2..]), 1);
        assert_eq!(distance("größe", "grösse"), 2);
    }
}
