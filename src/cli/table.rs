//! Plain tables for people.

use std::fmt::Write as _;

/// Rows of cells, each column as wide as its widest cell. Columns of numbers align right.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|h| (*h).to_owned()).collect()] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, each line indented by `indent` blanks.
    pub(crate) fn render(&self, indent: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &'_ Vec<String>, c: usize| row.get(c).map_or(0, |s| s.chars().count());
        let widths: Vec<usize> =
            (0..columns).map(|c| self.rows.iter().map(|r| cell(r, c)).max().unwrap_or(0)).collect();
        let numeric: Vec<bool> = (0..columns)
            .map(|c| {
                let mut body = self.rows.iter().skip(1).filter_map(|r| r.get(c)).peekable();
                body.peek().is_some() && body.all(|s| is_number(s))
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for (c, cell) in row.iter().enumerate() {
                let width = widths[c];
                // Writing to a string cannot fail.
                let _ = if numeric[c] {
                    write!(line, "{cell:>width$}  ")
                } else {
                    write!(line, "{cell:<width$}  ")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Whether a cell is a number, a range or extents; a hash that starts with a digit is none.
fn is_number(cell: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit() || "+-.=x".contains(c);
    let (number, exponent) = cell.split_once('e').unwrap_or((cell, ""));
    number.chars().all(digit) && exponent.chars().all(digit)
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["name", "neurons"]);
        table.row(["h1".to_owned(), "128".to_owned()]);
        table.row(["output".to_owned(), "-".to_owned()]);
        assert_eq!(table.render(2), "  name    neurons\n  h1          128\n  output        -\n");
        let mut table = Table::new(&["hash", "range"]);
        table.row(["12ab".to_owned(), "0..=7".to_owned()]);
        assert_eq!(table.render(0), "hash  range\n12ab  0..=7\n");
    }
}
