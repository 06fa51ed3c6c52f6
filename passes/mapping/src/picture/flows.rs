//! The largest flows as arrows.

use super::board::Board;
use super::{Picture, count, escaped, number};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most arrows: more would hide each other.
const MOST: usize = 60;
/// Widths of an arrow's line.
const WIDEST: f64 = 5.0;
const THINNEST: f64 = 0.8;

/// The flows that are drawn.
pub(super) struct Shown {
    /// Squares from and to, messages per step; the largest first.
    pub(super) flows: Vec<([[u32; 2]; 2], f64)>,
    /// Flows between squares in all.
    pub(super) all: usize,
    /// Part of all messages between squares that the drawn flows carry.
    pub(super) part: f64,
    /// Routers along a side of a square.
    pub(super) square: u32,
}

impl Shown {
    pub(super) fn most(&self) -> f64 {
        self.flows.first().map_or(0.0, |(_, rate)| *rate)
    }

    /// Width of the line of a flow, in proportion to its messages.
    pub(super) fn width(&self, rate: f64, size: f64) -> f64 {
        let widest = (size * 0.11).clamp(2.0, WIDEST);
        (widest * rate / self.most().max(f64::MIN_POSITIVE)).max(THINNEST)
    }
}

/// The largest flows between squares of the board: what cores of a square send together is one flow.
pub(super) fn largest(picture: &Picture<'_>, board: &Board) -> Shown {
    let mut sums: BTreeMap<[[u32; 2]; 2], f64> = BTreeMap::new();
    for (source, target, rate) in picture.traffic.iter() {
        if let (Some(a), Some(b)) = (board.square_of(source), board.square_of(target))
            && a != b
        {
            *sums.entry([a, b]).or_default() += rate;
        }
    }
    let total: f64 = sums.values().sum();
    let mut flows: Vec<_> = sums.into_iter().collect();
    let all = flows.len();
    flows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    flows.truncate(MOST);
    let part = flows.iter().map(|(_, rate)| rate).sum::<f64>() / total.max(f64::MIN_POSITIVE);
    Shown { flows, all, part, square: board.square() }
}

/// Draws them, the largest on top.
pub(super) fn draw(text: &mut String, shown: &Shown, board: &Board) {
    for &([a, b], rate) in shown.flows.iter().rev() {
        let width = shown.width(rate, board.square_size());
        let title =
            format!("{} to {}: {} messages per step", board.name(a), board.name(b), number(rate));
        arrow(text, board.middle(a), board.middle(b), width, board.square_size() * 0.2, &title);
    }
}

/// An arrow that bends a little to its left, so that the way back lies beside it.
pub(super) fn arrow(
    text: &mut String,
    from: [f64; 2],
    to: [f64; 2],
    width: f64,
    short: f64,
    title: &str,
) {
    let along = [to[0] - from[0], to[1] - from[1]];
    let length = along[0].hypot(along[1]).max(1e-9);
    let [x, y] = along.map(|a| a / length);
    let side = [y, -x];
    let bend = (length * 0.14).min(26.0);
    let at = |forward: f64, aside: f64| {
        [from[0] + x * forward + side[0] * aside, from[1] + y * forward + side[1] * aside]
    };
    let shift = width.max(1.5) * 0.9 + 0.5;
    let start = at(short, shift);
    let tip = at(length - short, shift);
    let over = at(length / 2.0, shift + bend);
    // The head points along the end of the curve.
    let end = [tip[0] - over[0], tip[1] - over[1]];
    let reach = end[0].hypot(end[1]).max(1e-9);
    let end = end.map(|e| e / reach);
    let head = (width * 2.2).clamp(4.0, 11.0).min(reach);
    let neck = [tip[0] - end[0] * head, tip[1] - end[1] * head];
    let wing =
        |sign: f64| [neck[0] - end[1] * head * 0.5 * sign, neck[1] + end[0] * head * 0.5 * sign];
    let (left, right) = (wing(1.0), wing(-1.0));
    let curve = format!(
        "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
        start[0], start[1], over[0], over[1], neck[0], neck[1]
    );
    let title =
        if title.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(title)) };
    let _ = writeln!(
        text,
        "<g>{title}<path class=\"halo\" d=\"{curve}\" stroke-width=\"{:.1}\" stroke-opacity=\"0.75\"/>\
         <path class=\"flow\" d=\"{curve}\" stroke-width=\"{width:.1}\"/>\
         <path class=\"head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/></g>",
        width + 1.4,
        tip[0],
        tip[1],
        left[0],
        left[1],
        right[0],
        right[1]
    );
}

/// What the legend says of them.
pub(super) fn summary(shown: &Shown) -> String {
    let drawn = shown.flows.len();
    let between = match shown.square {
        1 => "between routers".to_owned(),
        side => format!("between squares of {side} by {side} routers"),
    };
    if drawn == shown.all {
        return format!("{} flows {between}", number(count(drawn)));
    }
    let percent = shown.part * 100.0;
    let percent = if percent < 1.0 { "less than 1".to_owned() } else { number(percent.round()) };
    format!(
        "the {} largest of {} flows {between}, {percent} % of their messages",
        number(count(drawn)),
        number(count(shown.all))
    )
}
