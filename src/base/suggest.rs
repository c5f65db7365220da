//! "Did you mean …?"

/// The candidate nearest to `word`, if one is near enough to be a likely slip of the hand.
///
/// Damerau-Levenshtein distance without regard to case, at most a third of the word's length
/// (but one slip is always forgiven).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A word this long is no slip of a known one, and the distance is quadratic.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "…"?` for an error's end, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |found| format!("; did you mean {found:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let types = ["SOURCE", "EFFECT", "RESIZE"];
        assert_eq!(nearest("EFECT", types), Some("EFFECT"));
        assert_eq!(nearest("resize", types), Some("RESIZE"));
        assert_eq!(nearest("banana", types), None);
    }
}
