//! Options of passes that search: how long, and from which seed.

use crate::framework::{OptionInfo, OptionKind, Options};
use snnc_mapping::partition::Effort;

/// `effort` and `seed`.
pub(crate) const OPTIONS: &[OptionInfo] = &[
    OptionInfo {
        name: "effort",
        kind: OptionKind::Choice(&["fast", "balanced", "best"]),
        default: "balanced",
        help: "how long to look for something better",
    },
    OptionInfo {
        name: "seed",
        kind: OptionKind::Int(0, i64::MAX),
        default: "0",
        help: "seed of the search",
    },
];

/// Values of [`OPTIONS`].
pub(crate) fn read(options: &Options) -> (Effort, u64) {
    let effort = match options.choice("effort") {
        "fast" => Effort::Fast,
        "best" => Effort::Best,
        _ => Effort::Balanced,
    };
    (effort, options.int("seed").unsigned_abs())
}
