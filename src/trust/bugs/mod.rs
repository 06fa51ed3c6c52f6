//! Seeded bugs: mistakes that somebody may make in a pass or a writer, each with a network on which it
//! matters, for checkers to find.

mod float;
mod integer;
mod mapped;
mod writers;

pub(crate) use writers::written;

use crate::pipeline::{self, Delays, Lowering, Search, Stage};
use crate::source::{self, Source};
use crate::target::Target;
use crate::verify::bisect::{Bisection, By, Compilation, trace};
use crate::{Failure, Options, compile};
use snnc_ir::{Diagnostics, recipe};
use snnc_passes::Pipeline;
use snnc_passes::framework::patch::{Break, Patch, broken};
use std::path::Path;

/// A mistake in one pass or writer.
#[derive(Clone, Copy, Debug)]
pub struct Bug {
    /// Unique name.
    pub name: &'static str,
    /// The pass, or the file that the writer writes.
    pub at: &'static str,
    /// What goes wrong.
    pub what: &'static str,
    /// How the result of the pass is broken.
    pub how: Break,
    /// A network on which it matters.
    pub case: Case,
    /// What finds it first.
    pub by: By,
}

/// A network and how it is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// File, from the root of the repository.
    pub file: &'static str,
    /// Target.
    pub target: &'static str,
    /// What becomes of encoded weights.
    pub lowering: Lowering,
    /// Where delays go.
    pub delays: Delays,
}

/// What came of a broken compiler.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Why it refused to publish an artifact, if it did.
    pub refused: Option<Diagnostics>,
    /// Every step held to its promise.
    pub bisection: Bisection,
}

const fn case(file: &'static str) -> Case {
    Case { file, target: "loihi2", lowering: Lowering::DEFAULT, delays: Delays::Synaptic }
}

/// Something to do for most passes.
const ZOO: Case = case("tests/fixtures/bugs/zoo.snn");
const BIASED: Case = case("tests/fixtures/bias.genome.json");
const CLIPS: Case = case("tests/fixtures/clips.genome.json");
const CONV: Case = case("examples/small/conv.genome.json");
const FILTERED: Case = case("tests/fixtures/filtered.snn");
const FRAME: Case = case("tests/fixtures/frame.genome.json");
const GENES: Case = case("examples/small/genes.genome.json");
const FACTORED: Case = Case { lowering: Lowering::Factored, ..GENES };
const LOOP: Case = case("tests/fixtures/loop.genome.json");
const MANY: Case = Case { target: "loihi1", ..case("tests/fixtures/split.genome.json") };
const SKIP: Case = case("tests/fixtures/skip.genome.json");
const RELAYED: Case = Case { delays: Delays::Relay, ..SKIP };
const SKIP_HELD: Case = case("tests/fixtures/refractory.genome.json");
const SUBTRACT: Case = case("tests/fixtures/subtract.genome.json");
const THRESHOLDS: Case = case("tests/fixtures/thresholds.genome.json");
const VARIED: Case = case("tests/fixtures/heterogeneous.genome.json");

/// All bugs, in the order of passes; those of writers last.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    [float::BUGS, integer::BUGS, mapped::BUGS].into_iter().flatten()
}

impl Case {
    /// The source and the target.
    ///
    /// # Panics
    /// If the files of the repository are not there.
    pub fn read(&self) -> (Source, Target) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.file);
        let source = source::read(&path).unwrap_or_else(|e| panic!("{}: {e}", self.file));
        (source, Target::find(self.target).unwrap_or_else(|e| panic!("{e}")))
    }

    /// Compiles and bisects with the compiler that this thread has.
    ///
    /// # Errors
    /// What a pass rejects.
    ///
    /// # Panics
    /// As [`Case::read`].
    pub fn bisected(&self) -> Result<Caught, Failure> {
        let (source, target) = self.read();
        let (lowering, delays) = (self.lowering, self.delays);
        let options = Options { lowering, delays, ..Options::default() };
        let refused = compile(&source, &target, &options).err().map(|f| f.diagnostics);
        let start = Stage::of(&source.level);
        let text = pipeline::lowered(start, lowering, delays, Search::default());
        let pipeline = Pipeline::parse(&text)?;
        let how =
            Compilation { pipeline: &pipeline, target: &target.spec, recipe: &recipe::DEFAULT };
        let bisection = trace(&source.level, &how, None, None)?;
        Ok(Caught { refused, bisection })
    }
}

impl Bug {
    /// Compiles and bisects with the compiler that has this bug.
    ///
    /// # Errors
    /// What a pass rejects.
    ///
    /// # Panics
    /// As [`Case::read`].
    pub fn seeded(&self) -> Result<Caught, Failure> {
        broken(Patch { at: self.at, how: self.how }, || self.case.bisected())
    }
}
