//! `snnc list`: targets, passes, codes, motifs, and the schema of genomes.

use super::Common;
use super::explain::Explanation;
use super::output::Reply;
use super::table::Table;
use clap::{Args, ValueEnum};
use serde::Serialize;
use snnc_backends::targets;
use snnc_frontend::search::{Genotype, Motif, Operation, Slot};
use snnc_ir::diag::codes::{self, usage};
use snnc_ir::{Diagnostic, Diagnostics, TargetSpec};
use snnc_passes::{AnyPass, Property, Registry};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What to list [default: everything].
    what: Option<What>,
    /// Print the JSON Schema of genomes instead.
    #[arg(long, conflicts_with = "what")]
    schema: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Built-in targets.
    Targets,
    /// Passes, in the usual order.
    Passes,
    /// Diagnostic codes.
    Codes,
    /// Shipped motifs and cell genotypes of architecture search.
    Motifs,
}

/// Report of `snnc list`.
#[derive(Debug, Default, Serialize)]
pub(super) struct ListReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<TargetSpec>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<Vec<PassEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codes: Option<Vec<Explanation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    motifs: Option<Vec<TemplateEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genotypes: Option<Vec<TemplateEntry>>,
}

/// A motif or a cell genotype. An entry is an operation (of motifs `+`, `-`, `id` or `zero`) and the
/// state that it reads, or that a feedback entry changes.
#[derive(Debug, Serialize)]
struct TemplateEntry {
    name: String,
    arity: usize,
    entries: Vec<(String, usize)>,
    feedback: Vec<(String, usize)>,
    concat: Vec<usize>,
}

impl From<&Motif> for TemplateEntry {
    fn from(motif: &Motif) -> Self {
        let slots =
            |slots: &[Slot]| slots.iter().map(|s| (s.mark.symbol().to_owned(), s.state)).collect();
        Self {
            name: motif.name(),
            arity: motif.arity,
            entries: slots(&motif.nodes.concat()),
            feedback: slots(&motif.feedback),
            concat: motif.concat.clone(),
        }
    }
}

impl From<&Genotype> for TemplateEntry {
    fn from(genotype: &Genotype) -> Self {
        let named = |pairs: &[(Operation, usize)]| {
            pairs.iter().map(|(operation, state)| (operation.name(), *state)).collect()
        };
        Self {
            name: genotype.name.clone(),
            arity: Genotype::ARITY,
            entries: named(&genotype.forward),
            feedback: named(&genotype.feedback),
            concat: genotype.concat.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct PassEntry {
    name: &'static str,
    summary: &'static str,
    class: &'static str,
    from: &'static str,
    to: &'static str,
    requires: Vec<&'static str>,
    establishes: Vec<&'static str>,
    invalidates: Vec<&'static str>,
    options: Vec<OptionEntry>,
}

#[derive(Debug, Serialize)]
struct OptionEntry {
    name: &'static str,
    values: String,
    default: &'static str,
    help: &'static str,
}

pub(super) fn run(args: &ListArgs, common: &Common) -> Result<Reply<ListReport>, Diagnostics> {
    if args.schema {
        if common.format.takes_stdout() {
            return Err(Diagnostic::error(
                usage::CONFLICTING_OPTIONS,
                "`--schema` is a JSON document of its own, not a report",
            )
            .help("leave `--format json` out")
            .into());
        }
        let product = snnc_frontend::schema().as_bytes().to_vec();
        return Ok(Reply { product, ..Reply::new(ListReport::default()) });
    }
    let wanted = |what| args.what.is_none_or(|w| w == what);
    let mut report = ListReport::default();
    let mut parts = Vec::new();
    if wanted(What::Targets) {
        let specs = targets::names().map(targets::by_name).collect::<Result<Vec<_>, _>>()?;
        parts.push(target_table(&specs));
        report.targets = Some(specs);
    }
    if wanted(What::Passes) {
        let passes: Vec<_> = Registry::standard().iter().map(entry).collect();
        parts.push(pass_table(&passes));
        report.passes = Some(passes);
    }
    if wanted(What::Codes) {
        let all: Vec<_> = codes::all().map(Explanation::of).collect();
        let mut table = Table::new(&["code", "title"]);
        codes::all().for_each(|i| table.row([i.code.to_string(), i.title.to_owned()]));
        parts.push(table.render(0));
        report.codes = Some(all);
    }
    if wanted(What::Motifs) {
        let library = snnc_frontend::library();
        let motifs = library.motifs.iter().map(ToString::to_string);
        parts.extend(motifs.chain(library.genotypes.iter().map(ToString::to_string)));
        report.motifs = Some(library.motifs.iter().map(TemplateEntry::from).collect());
        report.genotypes = Some(library.genotypes.iter().map(TemplateEntry::from).collect());
    }
    Ok(Reply { product: parts.join("\n").into_bytes(), ..Reply::new(report) })
}

fn target_table(specs: &[TargetSpec]) -> String {
    let mut table = Table::new(&["target", "summary"]);
    for spec in specs {
        table.row([spec.name.clone(), spec.summary.clone()]);
    }
    for (alias, of) in targets::aliases() {
        table.row([alias.to_owned(), format!("another name of {of}")]);
    }
    table.render(0)
}

fn entry(pass: &AnyPass) -> PassEntry {
    let info = pass.info();
    let names = |properties: &[Property]| properties.iter().map(|p| p.name()).collect();
    PassEntry {
        name: info.name,
        summary: info.summary,
        class: info.class.name(),
        from: pass.from().name(),
        to: pass.to().name(),
        requires: names(info.requires),
        establishes: names(info.establishes),
        invalidates: names(info.invalidates),
        options: info
            .options
            .iter()
            .map(|o| OptionEntry {
                name: o.name,
                values: o.kind.to_string(),
                default: o.default,
                help: o.help,
            })
            .collect(),
    }
}

fn pass_table(passes: &[PassEntry]) -> String {
    let mut table = Table::new(&["pass", "from", "to", "class", "summary"]);
    for pass in passes {
        let cells = [pass.name, pass.from, pass.to, pass.class, pass.summary];
        table.row(cells.map(str::to_owned));
        for option in &pass.options {
            let text = format!("{} ({}, default {})", option.help, option.values, option.default);
            table.row([
                format!("  {}", option.name),
                String::new(),
                String::new(),
                String::new(),
                text,
            ]);
        }
    }
    table.render(0)
}
