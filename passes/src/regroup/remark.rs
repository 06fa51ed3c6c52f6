//! What the user reads about the search.

use super::score::Score;
use snnc_ir::Diagnostic;
use snnc_ir::diag::codes::mapping;

/// What was won, and by what.
pub(super) fn won(
    before: &Score,
    after: &Score,
    how: &str,
    tried: &[(&'static str, Option<Score>)],
) -> Diagnostic {
    let text = if after.cores < before.cores {
        format!("{} cores instead of {}: {how}", after.cores, before.cores)
    } else {
        format!("{:.1} % less traffic between {} cores: {how}", less(before, after), after.cores)
    };
    let line = |(name, score): &(&'static str, Option<Score>)| match score {
        None => format!("{name}: not on as few cores"),
        Some(score) => format!("{name}: {}", numbers(score)),
    };
    let mut remark = Diagnostic::note_only(mapping::REGROUPED, text)
        .note(format!("first fit: {}", numbers(before)));
    for entry in tried {
        remark = remark.note(line(entry));
    }
    remark
}

/// Percent by which traffic is less.
fn less(before: &Score, after: &Score) -> f64 {
    100.0 * (1.0 - after.traffic / before.traffic)
}

fn numbers(score: &Score) -> String {
    format!(
        "{} cores, {:.1} messages per step between them, {} records",
        score.cores,
        // Sums of nothing are negative zeros.
        score.traffic + 0.0,
        score.records
    )
}
