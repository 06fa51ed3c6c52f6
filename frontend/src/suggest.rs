//! "Did you mean": the closest known name to a misspelt one.

/// The candidate closest to `name`, if it is close enough to be a likely misspelling.
pub(crate) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Names are short; anything longer is no misspelling of one.
    const LONGEST: usize = 64;
    let name: Vec<char> = name.chars().take(LONGEST).collect();
    // One letter of three: in shorter names every other name is close.
    let allowed = name.len() / 3;
    candidates
        .into_iter()
        .map(|c| (distance(&name, &c.chars().take(LONGEST).collect::<Vec<_>>()), c))
        .filter(|&(d, _)| d <= allowed)
        .min()
        .map(|(_, c)| c)
}

/// Levenshtein distance, ignoring case.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_misspellings_only() {
        let known = ["threshold", "tau", "reset"];
        assert_eq!(closest("treshold", known), Some("threshold"));
        assert_eq!(closest("Tau", known), Some("tau"));
        assert_eq!(closest("bias", known), None);
    }
}
