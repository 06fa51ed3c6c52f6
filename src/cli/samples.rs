//! `--samples N` and `--samples A..B`.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Samples of a file: the first `N`, or those from `A` up to, and without, `B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Samples(Range<usize>);

impl Samples {
    /// The samples of an option that may be left out.
    pub(super) fn range(option: Option<&Self>) -> Option<Range<usize>> {
        option.map(|samples| samples.0.clone())
    }
}

impl FromStr for Samples {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<usize>().ok();
        let range = match text.split_once("..") {
            None => number(text).map(|n| 0..n),
            Some((first, end)) => number(first).zip(number(end)).map(|(first, end)| first..end),
        };
        range.filter(|range| !range.is_empty()).map(Self).ok_or_else(|| {
            "expected a number of samples from 1, or a range `A..B` that is not empty (it starts \
             with sample A, counted from 0, and ends before sample B)"
                .to_owned()
        })
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.start, self.0.end)
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn a_number_or_a_range() {
        let read = |text: &str| text.parse::<Samples>().map(|s| s.0);
        assert_eq!(read("7"), Ok(0..7));
        assert_eq!(read("3..7"), Ok(3..7));
        for text in ["", "0", "-1", "3..3", "7..3", "3..", "..3", "a", "1...3", "3..=7", "1..2..3"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
