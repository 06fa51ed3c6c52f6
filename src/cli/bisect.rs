//! `snnc verify --bisect`: which pass or writer is to blame.

use super::ci::checklist::{Checklist, class};
use super::verify::{Report, VerifyArgs};
use super::with_threads;
use crate::artifact::Artifact;
use crate::cli::output::Reply;
use crate::cli::replay;
use crate::cli::samples::Samples;
use crate::cli::table::Table;
use crate::exit::Exit;
use crate::files::shown;
use crate::source::Source;
use crate::stimulus::{self, Interface};
use crate::verify::MembraneReport;
use crate::verify::bisect::{Bisection, Kind, Step, bisect};
use serde::Serialize;
use snnc_ir::diag::codes::usage;
use snnc_ir::{Diagnostic, Diagnostics};
use snnc_passes::AnyLevel;
use std::fmt::Write as _;
use std::path::Path;

/// Report of `snnc verify --bisect`.
#[derive(Debug, Serialize)]
pub(super) struct BisectReport {
    /// Name of the network.
    network: String,
    /// Hash of the source.
    source: String,
    /// Whether the artifact was compiled from a source of this hash.
    same_source: bool,
    /// Every step.
    bisect: Bisection,
}

/// Holds every step of the compilation of an artifact to what it promises.
pub(super) fn run(
    args: &VerifyArgs,
    source: &Path,
    folder: &Path,
    list: &mut Checklist,
) -> Result<Reply<Report>, Diagnostics> {
    list.about(shown(folder));
    list.plan(class::SOURCE, "source is read");
    let source = args.given.read_like(source, folder)?;
    list.holds(class::SOURCE, source.name());
    let (artifact, altered) = match Artifact::load(folder) {
        Ok(artifact) => (artifact, Diagnostics::new()),
        // An altered program is what a bisection is asked about; nothing else is read of a broken artifact.
        Err(errors) => match Artifact::load_altered(folder) {
            Ok(artifact) => (artifact, errors),
            Err(_) => return Err(errors),
        },
    };
    let stimuli = match &args.stimulus {
        None => None,
        Some(path) => {
            let samples = Samples::range(args.samples.as_ref());
            Some(stimulus::read(path, &interface(&source), samples)?)
        }
    };
    let work = || bisect(&source, &artifact, stimuli.as_ref());
    let found = match args.threads {
        None => work(),
        Some(threads) => with_threads(Some(threads.into()), work)?,
    };
    let found = found.map_err(|failure| {
        let mut all = source.warnings.clone();
        all.extend(replay::report(failure, Path::new(".")));
        all
    })?;
    let mut diagnostics = source.warnings.clone();
    diagnostics.extend(altered);
    diagnostics.extend(artifact.warnings.clone());
    diagnostics.extend(found.first().map(|step| culprit(step, folder)).into_iter().collect());
    for step in &found.steps {
        match step.finding {
            None => list.found(class::STEP, &step.name, step.check),
            // The error of this command is about it.
            Some(_) => list.plan(class::STEP, step.name.as_str()),
        }
    }
    let text = render(&found);
    let manifest = &artifact.manifest;
    let report = Report::Bisection(Box::new(BisectReport {
        network: manifest.network.clone(),
        source: source.hash.clone(),
        same_source: source.hash == manifest.source.blake3,
        bisect: found,
    }));
    let exit = Exit::of(&diagnostics);
    // What is rejected says nothing on stdout.
    let reply = Reply { diagnostics, exit, ..Reply::new(report) };
    Ok(match exit {
        Exit::Done => Reply { product: text.into_bytes(), ..reply },
        _ => Reply { summary: text, ..reply },
    })
}

/// What a stimulus has to fit: the inputs of the source.
fn interface(source: &Source) -> Interface {
    let interface = match &source.level {
        AnyLevel::Network(n) => Interface::of_network(n),
        AnyLevel::Quantized(q) => Interface::of_quantized(q),
        AnyLevel::Mapped(m) => Interface::of_quantized(&m.network),
    };
    interface.in_steps_of(source.dt())
}

/// The finding about a step that breaks its promise.
fn culprit(step: &Step, folder: &Path) -> Diagnostic {
    let words = step.finding.as_ref().map_or("", |f| f.what.as_str());
    let place = place(step);
    let error = match step.kind {
        Kind::Pass => Diagnostic::error(
            usage::CULPRIT,
            format!("pass `{}` breaks its promise: {place}{words}", step.name),
        ),
        Kind::Writer => Diagnostic::error(
            usage::CULPRIT,
            format!("the writer of `{}` breaks its promise: {place}{words}", step.name),
        ),
        Kind::Artifact => {
            Diagnostic::error(usage::FOREIGN_ARTIFACT, words.to_owned()).in_file(shown(folder))
        }
    };
    let error = membranes(step).into_iter().fold(error, Diagnostic::note);
    let error = error.note(format!("checked by: {}", step.check));
    match step.kind {
        Kind::Artifact => error.help("compile again, and compare the files"),
        Kind::Pass | Kind::Writer => {
            error.help("this is a bug of snnc: report it with the source and this report")
        }
    }
}

/// Where it shows.
fn place(step: &Step) -> String {
    let Some(f) = &step.finding else { return String::new() };
    let mut text = String::new();
    let mut say = |part: Option<String>| {
        if let Some(part) = part {
            text.push_str(&part);
        }
    };
    say(f.population.as_ref().map(|p| format!("`{p}`")));
    say(f.neuron.map(|n| format!(" neuron {n}")));
    say(f.step.map(|t| format!(", step {t}")));
    say(f.stimulus.as_ref().map(|s| {
        let comma = if f.population.is_some() { ", " } else { "" };
        format!("{comma}on {s}")
    }));
    if text.is_empty() { text } else { text + ": " }
}

fn membranes(step: &Step) -> Vec<String> {
    let sides = step.finding.as_ref().map(|f| [("before", f.before), ("after", f.after)]);
    let say = |(name, side): (&str, Option<MembraneReport>)| {
        let MembraneReport { step, v, threshold } = side?;
        Some(format!(
            "{name} it, in step {step} of that level: membrane {v}, threshold {threshold}"
        ))
    };
    sides.into_iter().flatten().filter_map(say).collect()
}

/// For people: a line for every step.
fn render(found: &Bisection) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "each step on {} stimuli ({} given, {} made)",
        found.given + found.made,
        found.given,
        found.made
    );
    let mut table = Table::new(&["step", "class", "spikes", "silent", "rounded", "verdict"]);
    for step in &found.steps {
        let c = &step.compared;
        let verdict = if step.finding.is_some() { "BROKEN" } else { "holds" };
        table.row([
            step.name.clone(),
            step.class.unwrap_or("-").to_owned(),
            c.spikes.to_string(),
            format!("{} of {}", c.silent, c.populations),
            c.rounded.to_string(),
            verdict.to_owned(),
        ]);
    }
    text.push_str(&table.render(2));
    match &found.culprit {
        Some(name) => {
            let _ = writeln!(text, "responsible: {name}");
        }
        None => text.push_str("nothing is wrong, as far as these runs show\n"),
    }
    text
}
