//! A chart as SVG: bars with lines over them, two axes.

use super::escaped;
use std::fmt::Write as _;

/// Size of the whole.
const SIZE: [f64; 2] = [640.0, 400.0];
/// Where the axes meet, and the corner across.
const ORIGIN: [f64; 2] = [64.0, 330.0];
const CORNER: [f64; 2] = [568.0, 64.0];
/// Steps of an axis.
const TICKS: usize = 5;
/// Colors of lines, in turn.
const LINES: [&str; 2] = ["#1b6ca8", "#c2410c"];
/// Colors of the bars of a group, in turn.
const BARS: [&str; 2] = ["#d9e2ea", "#f3dccf"];
const INK: &str = "#333333";

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chart {
    /// Heading.
    pub(crate) title: String,
    /// What the groups of bars differ in, below the lower axis.
    pub(crate) group_axis: String,
    /// Groups of bars, from left to right.
    pub(crate) groups: Vec<Group>,
    /// What the height of a bar is, at the right axis, which begins at 0.
    pub(crate) bar_axis: String,
    /// Lines over the bars.
    pub(crate) lines: Vec<Series>,
    /// What the height of a line is, at the left axis, which ends at 100.
    pub(crate) line_axis: String,
    /// A level to compare lines with.
    pub(crate) reference: Option<(String, f64)>,
}

/// Bars beside each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// What stands below them.
    pub(crate) label: String,
    /// Their heights, in the order of the lines; `None` leaves a gap.
    pub(crate) values: Vec<Option<f64>>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// Its name.
    pub(crate) name: String,
    /// Its height over each group; `None` leaves a gap.
    pub(crate) values: Vec<Option<f64>>,
}

/// The chart as a document.
pub(crate) fn chart(chart: &Chart) -> String {
    let [width, height] = SIZE;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', \
         sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    write_text(
        &mut text,
        [ORIGIN[0], 24.0],
        "start",
        INK,
        &format!("<tspan font-weight=\"bold\">{}</tspan>", escaped(&chart.title)),
    );
    let heights = chart.groups.iter().flat_map(|group| group.values.iter().flatten());
    let most = heights.copied().fold(0.0, f64::max);
    let tops = Axes { most: ceiling(most), least: floor(chart) };
    bars(&mut text, chart, &tops);
    axes(&mut text, chart, &tops);
    lines(&mut text, chart, &tops);
    text.push_str("</svg>\n");
    text
}

/// Ends of both axes.
struct Axes {
    /// Upper end of the right one.
    most: f64,
    /// Lower end of the left one.
    least: f64,
}

impl Axes {
    /// Height of a value of the right axis.
    fn bar(&self, value: f64) -> f64 {
        ORIGIN[1] - (ORIGIN[1] - CORNER[1]) * value / self.most
    }

    /// Height of a value of the left axis.
    fn line(&self, value: f64) -> f64 {
        ORIGIN[1] - (ORIGIN[1] - CORNER[1]) * (value - self.least) / (100.0 - self.least)
    }
}

/// The next round number: 1, 2 or 5 times a power of ten, with [`TICKS`] equal steps.
fn ceiling(most: f64) -> f64 {
    let mut top = 1e-3;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if top * factor >= most || top > 1e12 {
                return top * factor;
            }
        }
        top *= 10.0;
    }
}

/// Where the left axis begins.
fn floor(chart: &Chart) -> f64 {
    let values = chart.lines.iter().flat_map(|line| line.values.iter().flatten().copied());
    begin(values.chain(chart.reference.iter().map(|(_, v)| *v)))
}

/// The ten percent at which an axis begins that ends at 100 and shows all of `values`, the lowest of them
/// well above its beginning.
pub(crate) fn begin(values: impl Iterator<Item = f64>) -> f64 {
    let least = values.fold(100.0, f64::min);
    ((least - 5.0) / 10.0).floor().max(0.0) * 10.0
}

/// Middle of group number `index`, and its width.
fn column(index: usize, count: usize) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "few bars")]
    let (index, count) = (index as f64, count.max(1) as f64);
    let step = (CORNER[0] - ORIGIN[0]) / count;
    (ORIGIN[0] + step * (index + 0.5), step * 0.56)
}

fn bars(text: &mut String, chart: &Chart, axes: &Axes) {
    for (i, group) in chart.groups.iter().enumerate() {
        let (x, width) = column(i, chart.groups.len());
        #[expect(clippy::cast_precision_loss, reason = "few bars")]
        let each = width / group.values.len().max(1) as f64;
        let mut left = x - width / 2.0;
        for (value, color) in group.values.iter().zip(BARS.into_iter().cycle()) {
            if let Some(value) = value {
                let y = axes.bar(*value);
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{each:.1}\" height=\"{:.1}\" \
                     fill=\"{color}\"><title>{value:.1}</title></rect>",
                    ORIGIN[1] - y
                );
            }
            left += each;
        }
        write_text(text, [x, ORIGIN[1] + 16.0], "middle", INK, &escaped(&group.label));
    }
}

fn axes(text: &mut String, chart: &Chart, axes: &Axes) {
    let [left, bottom] = ORIGIN;
    let [right, top] = CORNER;
    let _ = writeln!(
        text,
        "<path d=\"M{left} {top}V{bottom}H{right}V{top}\" fill=\"none\" stroke=\"{INK}\"/>"
    );
    for tick in 0..=TICKS {
        #[expect(clippy::cast_precision_loss, reason = "few ticks")]
        let part = tick as f64 / TICKS as f64;
        let y = bottom - (bottom - top) * part;
        if !chart.lines.is_empty() {
            let value = axes.least + (100.0 - axes.least) * part;
            write_text(text, [left - 8.0, y + 4.0], "end", INK, &number(value));
        }
        write_text(text, [right + 8.0, y + 4.0], "start", "#777777", &number(axes.most * part));
    }
    write_text(text, [right + 8.0, top - 14.0], "end", "#777777", &escaped(&chart.bar_axis));
    if !chart.lines.is_empty() {
        write_text(text, [left - 8.0, top - 14.0], "start", INK, &escaped(&chart.line_axis));
    }
    write_text(
        text,
        [f64::midpoint(left, right), bottom + 34.0],
        "middle",
        INK,
        &escaped(&chart.group_axis),
    );
}

fn lines(text: &mut String, chart: &Chart, axes: &Axes) {
    let [left, bottom] = ORIGIN;
    let mut x = left;
    let legend = bottom + 56.0;
    let mut entry = |text: &mut String, name: &str, color: &str, dash: &str| {
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {:.1}h18\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>",
            legend - 4.0
        );
        write_text(text, [x + 24.0, legend], "start", INK, &escaped(name));
        x += 170.0;
    };
    if let Some((name, value)) = &chart.reference {
        let dash = " stroke-dasharray=\"5 4\"";
        let y = axes.line(*value);
        let _ =
            writeln!(text, "<path d=\"M{left} {y:.1}H{}\" stroke=\"#777777\"{dash}/>", CORNER[0]);
        entry(text, name, "#777777", dash);
    }
    for (line, color) in chart.lines.iter().zip(LINES.into_iter().cycle()) {
        let mut path = String::new();
        let mut pen = "M";
        for (i, value) in line.values.iter().enumerate() {
            let Some(value) = value else {
                pen = "M";
                continue;
            };
            let (x, _) = column(i, chart.groups.len());
            let y = axes.line(*value);
            let _ = write!(path, "{pen}{x:.1} {y:.1}");
            pen = "L";
            let _ = writeln!(
                text,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"><title>{value:.2}\
                 </title></circle>"
            );
        }
        let _ = writeln!(
            text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        );
        entry(text, &line.name, color, "");
    }
}

/// A number of an axis.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes a text whose markup is in order.
fn write_text(text: &mut String, [x, y]: [f64; 2], anchor: &str, color: &str, what: &str) {
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{what}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, top) in [(0.0, 1e-3), (0.7, 1.0), (1.3, 2.0), (41.0, 50.0), (501.0, 1000.0)] {
            assert!((ceiling(most) - top).abs() < 1e-9 * top, "{most}: {}", ceiling(most));
        }
        assert!(ceiling(f64::INFINITY) > 1e12);
        for (least, start) in [(3.0, 0.0), (70.3, 60.0), (95.0, 90.0), (99.9, 90.0), (14.9, 0.0)] {
            assert!((begin([99.0, least].into_iter()) - start).abs() < 1e-9, "{least}");
        }
        assert_eq!([number(0.0), number(2.5), number(100.0)], ["0", "2.5", "100"]);
    }

    #[test]
    fn gaps_break_a_line_and_names_are_escaped() {
        let group = |label: &str, value| Group { label: label.to_owned(), values: vec![value] };
        let drawn = chart(&Chart {
            title: "a<b".to_owned(),
            groups: vec![group("8", Some(4.0)), group("4", None), group("2", Some(1.0))],
            lines: vec![Series {
                name: "x & y".to_owned(),
                values: vec![Some(90.0), None, Some(50.0)],
            }],
            ..Chart::default()
        });
        assert!(drawn.contains("a&lt;b") && drawn.contains("x &amp; y"), "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 2);
        assert_eq!(drawn.matches(BARS[0]).count(), 2);
        let path = drawn.lines().find(|l| l.contains(LINES[0]) && l.contains("d=\"M"));
        assert_eq!(path.map(|p| p.matches('L').count()), Some(0), "{drawn}");
    }
}
