//! Parses a target file into a [`TargetSpec`], with the line of every limit.

mod costs;

use snnc_ir::diag::codes::artifact;
use snnc_ir::target::Limit;
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses the text of a target file; `file` is its name in diagnostics.
///
/// # Errors
/// All syntax errors; or all missing and unknown keys, ill-typed values, limits without a source
/// and numbers outside the range that the program format can express.
pub fn parse(text: &str, file: &str) -> Result<TargetSpec, Diagnostics> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::new(text);
    if !errors.is_empty() {
        let diagnostics: Diagnostics = errors
            .iter()
            .map(|e| {
                let d = Diagnostic::error(artifact::TARGET_SYNTAX, e.message().trim_end());
                match e.span() {
                    Some(span) => lines.place(d, &span),
                    None => d,
                }
            })
            .collect();
        return Err(diagnostics.in_file(file));
    }
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    let mut reader =
        Reader { table: root.get_ref(), lines, known: BTreeSet::new(), out: Diagnostics::new() };
    let spec = reader.target(file, hash);
    reader.reject_unknown_keys();
    reader.check_board(&spec);
    let mut out = reader.out.in_file(file);
    out.sort();
    out.into_result(spec)
}

/// Turns byte offsets into lines and columns.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1))
            .collect();
        Self { text, starts }
    }

    /// Line and column of a byte offset, both 1-based; columns count characters.
    fn at(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let before = self.text.get(self.starts[line - 1]..offset).unwrap_or("");
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (number(line), number(before.chars().count() + 1))
    }

    fn place(&self, diagnostic: Diagnostic, span: &Range<usize>) -> Diagnostic {
        let (line, column) = self.at(span.start);
        diagnostic.at_line(line, column)
    }
}

/// Reads keys from the root table and notes which ones are known.
struct Reader<'a> {
    table: &'a DeTable<'a>,
    lines: Lines<'a>,
    known: BTreeSet<&'static str>,
    out: Diagnostics,
}

impl<'a> Reader<'a> {
    fn target(&mut self, file: &str, hash: String) -> TargetSpec {
        TargetSpec {
            name: self.name(),
            summary: self.text("summary"),
            file: file.to_owned(),
            hash,
            programmable_neuron: self.flag("programmable_neuron"),
            message_bits: self.limit("message_bits", 0..=32),
            compartments: self.limit("compartments", 1..=1 << 20),
            input_axons: self.limit("input_axons", 1..=1 << 20),
            output_axons: self.limit("output_axons", 1..=1 << 32),
            synapse_words: self.limit("synapse_words", 1..=1 << 32),
            profiles: self.limit("profiles", 1..=1 << 16),
            thresholds: self.limit("thresholds", 1..=1 << 16),
            floors: self.limit("floors", 0..=1 << 16),
            floor_powers: self.limit("floor_powers", 0..=1),
            formats: self.limit("formats", 1..=1 << 16),
            cores_per_chip: self.limit("cores_per_chip", 1..=1 << 20),
            chips: self.limit("chips", 1..=1 << 20),
            cores_per_router: self.limit("cores_per_router", 1..=1 << 10),
            mesh_width: self.limit("mesh_width", 1..=1 << 10),
            mesh_height: self.limit("mesh_height", 1..=1 << 10),
            board_width: self.limit("board_width", 1..=1 << 10),
            board_height: self.limit("board_height", 1..=1 << 10),
            chip_hops: self.limit("chip_hops", 1..=1000),
            max_delay: self.limit("max_delay", 0..=63),
            max_refractory: self.limit("max_refractory", 1..=63),
            max_threshold: self.limit("max_threshold", 1..=131_071),
            max_bias_mantissa: self.limit("max_bias_mantissa", 0..=4095),
            max_bias_exponent: self.limit("max_bias_exponent", 0..=7),
            min_weight_exponent: self.limit("min_weight_exponent", -7..=0),
            max_weight_exponent: self.limit("max_weight_exponent", 0..=7),
            max_input_sum: self.limit("max_input_sum", 1..=(1 << 24) - 1),
            state_bits: self.limit("state_bits", 8..=31),
            synapse_header_bits: self.limit("synapse_header_bits", 0..=64),
            synapse_block: self.limit("synapse_block", 1..=1 << 16),
            shared_kernels: self.limit("shared_kernels", 0..=1),
            axon_atoms: self.limit("axon_atoms", 0..=1 << 16),
            list_bases: self.limit("list_bases", 0..=1 << 20),
            population_slots: self.limit("population_slots", 0..=16),
            costs: costs::read(self),
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.insert(key);
        let value = self.table.get(key);
        if value.is_none() {
            self.out.push(
                Diagnostic::error(artifact::TARGET_KEY, format!("the key `{key}` is missing"))
                    .at(key)
                    .help("copy the line from a built-in target and adapt it"),
            );
        }
        value
    }

    /// Reports `value` as ill-typed.
    fn ill_typed(&mut self, path: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let kind = value.get_ref().type_str();
        let d = Diagnostic::error(
            artifact::TARGET_VALUE,
            format!("`{path}` is of type {kind}, expected {expected}"),
        );
        self.out.push(self.lines.place(d, &value.span()).at(path));
    }

    fn text(&mut self, key: &'static str) -> String {
        let Some(value) = self.get(key) else { return String::new() };
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => text.to_owned(),
            Some(_) => {
                let d =
                    Diagnostic::error(artifact::TARGET_VALUE, format!("`{key}` is an empty text"));
                self.out.push(self.lines.place(d, &value.span()).at(key));
                String::new()
            }
            None => {
                self.ill_typed(key, value, "a text");
                String::new()
            }
        }
    }

    /// The target's name: it is part of programs and manifests, so it is kept plain.
    fn name(&mut self) -> String {
        let name = self.text("name");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.chars().all(plain) {
            let d = Diagnostic::error(
                artifact::TARGET_VALUE,
                format!("`name` is \"{name}\", expected letters, digits, `-`, `_` and `.` only"),
            );
            let span = self.table["name"].span();
            self.out.push(self.lines.place(d, &span).at("name"));
        }
        name
    }

    fn flag(&mut self, key: &'static str) -> bool {
        let Some(value) = self.get(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.ill_typed(key, value, "true or false");
            false
        })
    }

    fn limit(&mut self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Limit {
        let mut limit = Limit { value: *range.start(), source: String::new(), line: 0 };
        let Some(entry) = self.get(key) else { return limit };
        limit.line = self.lines.at(entry.span().start).0;
        let Some(fields) = entry.get_ref().as_table() else {
            self.ill_typed(key, entry, "a table { value = …, source = \"…\" }");
            return limit;
        };
        for (name, field) in fields {
            let path = format!("{key}.{}", name.get_ref());
            match name.get_ref().as_ref() {
                "value" => {
                    if let Some(value) = self.integer(&path, field, &range) {
                        limit.value = value;
                    }
                }
                "source" => match field.get_ref().as_str() {
                    Some(source) if !source.trim().is_empty() => {
                        source.clone_into(&mut limit.source);
                    }
                    Some(_) => {
                        let d = Diagnostic::error(
                            artifact::TARGET_VALUE,
                            format!("`{path}` is an empty text"),
                        )
                        .help("say where the number comes from");
                        self.out.push(self.lines.place(d, &field.span()).at(path));
                    }
                    None => self.ill_typed(&path, field, "a text"),
                },
                _ => {
                    let d = Diagnostic::error(
                        artifact::TARGET_KEY,
                        format!("`{path}` is not a key of a limit"),
                    )
                    .note("a limit has `value` and `source`");
                    self.out.push(self.lines.place(d, &name.span()).at(path));
                }
            }
        }
        for field in ["value", "source"] {
            if !fields.contains_key(field) {
                let d =
                    Diagnostic::error(artifact::TARGET_KEY, format!("`{key}` has no `{field}`"))
                        .help(
                            "write { value = integer, source = \"where the number comes from\" }",
                        );
                self.out.push(self.lines.place(d, &entry.span()).at(key));
            }
        }
        limit
    }

    fn integer(
        &mut self,
        path: &str,
        field: &Spanned<DeValue<'_>>,
        range: &std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let Some(integer) = field.get_ref().as_integer() else {
            self.ill_typed(path, field, "an integer");
            return None;
        };
        let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let value = value.filter(|v| range.contains(v));
        if value.is_none() {
            let d = Diagnostic::error(
                artifact::TARGET_VALUE,
                format!("`{path}` is {}, out of range", integer.as_str()),
            )
            .note(format!("expected {} to {}", range.start(), range.end()));
            self.out.push(self.lines.place(d, &field.span()).at(path));
        }
        value
    }

    /// Cores of a chip have routers, and chips of a board places.
    fn check_board(&mut self, spec: &TargetSpec) {
        let mut check = |what: &'static str, limit: &Limit, room: i64, of: &str| {
            if limit.line > 0 && limit.value > room {
                let d = Diagnostic::error(
                    artifact::TARGET_VALUE,
                    format!("`{what}` is {}, but {of} makes {room}", limit.value),
                )
                .help("correct one of them");
                self.out.push(d.at_line(limit.line, 1).at(what));
            }
        };
        let product = |limits: &[&Limit]| limits.iter().map(|l| l.value).product();
        // A key that could not be read has been reported and says nothing about the others.
        let mesh = [&spec.mesh_width, &spec.mesh_height, &spec.cores_per_router];
        if mesh.iter().all(|limit| limit.line > 0) {
            let of = "mesh_width · mesh_height · cores_per_router";
            check("cores_per_chip", &spec.cores_per_chip, product(&mesh), of);
        }
        let board = [&spec.board_width, &spec.board_height];
        if board.iter().all(|limit| limit.line > 0) {
            check("chips", &spec.chips, product(&board), "board_width · board_height");
        }
    }

    fn reject_unknown_keys(&mut self) {
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !self.known.contains(name) {
                let d = Diagnostic::error(
                    artifact::TARGET_KEY,
                    format!("`{name}` is not a key of a target file"),
                );
                self.out.push(self.lines.place(d, &key.span()).at(name));
            }
        }
    }
}
