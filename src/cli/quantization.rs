//! The options that decide how a network is quantized, shared by the commands that do it.

use super::replay;
use super::samples::Samples as SamplesArg;
use crate::calibrate::{
    CalibrationLog, CalibrationOptions, DEFAULT_BUDGET, Progress, WORK_PER_SECOND, calibrate,
};
use crate::compile::{Options, Samples, lower};
use crate::files::shown;
use crate::pipeline::{Stage, not_reached};
use crate::recipe::{self, Config, Overrides, config};
use crate::report::COLLAPSE;
use crate::source::Source;
use crate::stimulus::{self, Interface, Stimuli};
use crate::target::Target;
use clap::{Args, ValueEnum};
use snnc_ir::diag::codes::{Code, usage};
use snnc_ir::recipe::{Grouping, Recipe, Scaling};
use snnc_ir::{Diagnostic, Diagnostics, Network, Severity};
use snnc_passes::AnyLevel;
use snnc_passes::quantize::apply;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// How to quantize.
#[derive(Debug, Args)]
pub(super) struct QuantizationArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,
    #[command(flatten)]
    pub(super) calibrate: CalibrateArgs,
    #[command(flatten)]
    pub(super) deny: DenyArgs,
}

/// Settings and files that make up the recipe.
#[derive(Debug, Args)]
#[command(next_help_heading = "Quantization")]
pub(super) struct RecipeArgs {
    /// Bits of a stored weight, 1 to 8 [default: 8].
    #[arg(long, value_name = "N", requires = "target")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=8))]
    weight_bits: Option<u8>,
    /// How weights of both signs are stored: mixed in one group, split by sign, or what loses least.
    #[arg(long, value_enum, value_name = "auto|mixed|split", requires = "target")]
    groups: Option<GroupsArg>,
    /// What shares a scale: a population, a neuron (with few distinct ones), or what loses least.
    #[arg(long, value_enum, value_name = "auto|population|neuron", requires = "target")]
    scales: Option<ScalesArg>,
    /// Largest exponent of weights on spikes, 0 to 7; NetX files can express 0 only [default: 7].
    #[arg(long, value_name = "N", requires = "target")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=7))]
    max_exponent: Option<u8>,
    /// Settings (.toml) in place of the `snnc.toml` beside the source.
    #[arg(long, value_name = "FILE", requires = "target")]
    config: Option<PathBuf>,
    /// Recipe (.snnb or .json), complete or partial: what it leaves open is filled in.
    #[arg(long, value_name = "FILE", requires = "target")]
    recipe: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroupsArg {
    Auto,
    Mixed,
    Split,
}

impl From<GroupsArg> for Grouping {
    fn from(groups: GroupsArg) -> Self {
        match groups {
            GroupsArg::Auto => Self::Auto,
            GroupsArg::Mixed => Self::Mixed,
            GroupsArg::Split => Self::Split,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScalesArg {
    Auto,
    Population,
    Neuron,
}

impl From<ScalesArg> for Scaling {
    fn from(scales: ScalesArg) -> Self {
        match scales {
            ScalesArg::Auto => Self::Auto,
            ScalesArg::Population => Self::Population,
            ScalesArg::Neuron => Self::Neuron,
        }
    }
}

impl RecipeArgs {
    fn overrides(&self) -> Overrides {
        Overrides {
            weight_bits: self.weight_bits,
            groups: self.groups.map(Into::into),
            scales: self.scales.map(Into::into),
            max_exponent: self.max_exponent,
        }
    }

    /// Whether the command line asks for anything.
    pub(super) fn is_given(&self) -> bool {
        !self.overrides().is_empty() || self.config.is_some() || self.recipe.is_some()
    }

    /// Refuses the options for something that nothing is decided about.
    pub(super) fn refuse_for(&self, what: &str) -> Result<(), Diagnostic> {
        if !self.is_given() {
            return Ok(());
        }
        Err(Diagnostic::error(
            usage::CONFLICTING_OPTIONS,
            format!("options of quantization have nothing to decide about {what}"),
        )
        .help(
            "leave them out, or run the source at a later level (`--level quantized --target …`)",
        ))
    }

    /// The recipe for the source in `path`, and a note if a file was read that no option names.
    ///
    /// # Errors
    /// What the files are refused for, and `SNN0810` for options that contradict each other or that have
    /// nothing to decide.
    pub(super) fn settle(
        &self,
        path: &Path,
        source: &Source,
    ) -> Result<(Recipe, Diagnostics), Diagnostics> {
        let beside = if self.config.is_some() { None } else { config::beside(path) };
        if !matches!(source.level, AnyLevel::Network(_)) {
            if self.is_given() {
                return Err(nothing_to_decide(path).into());
            }
            let note =
                beside.map(|file| used(&file, "is not used: the source is quantized already"));
            return Ok((Recipe::default(), note.into_iter().collect()));
        }
        let mut errors = Diagnostics::new();
        let mut keep = |e: Diagnostics| errors.extend(e);
        let file = self.config.as_ref().or(beside.as_ref());
        let config: Option<Config> = file.and_then(|f| config::read(f).map_err(&mut keep).ok());
        let file = self.recipe.as_ref();
        let recipe = file.and_then(|f| recipe::read(f).map_err(&mut keep).ok());
        errors.into_result(())?;
        let recipe = recipe::layered(config.as_ref(), recipe, &self.overrides())?;
        let note = beside.map(|file| used(&file, "decides how the network is quantized"));
        Ok((recipe, note.into_iter().collect()))
    }
}

/// That a file beside the source counts, or does not.
fn used(file: &Path, how: &str) -> Diagnostic {
    Diagnostic::note_only(usage::CONFIG_USED, format!("{} {how}", shown(file))).in_file(shown(file))
}

fn nothing_to_decide(path: &Path) -> Diagnostic {
    Diagnostic::error(
        usage::CONFLICTING_OPTIONS,
        format!(
            "the options decide how a float network is quantized, and {} is quantized already",
            shown(path)
        ),
    )
    .in_file(shown(path))
    .help("start from the genome or the float network, or leave the options out")
}

/// Data that the recipe is fitted to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Calibration")]
pub(super) struct CalibrateArgs {
    /// Choose scales, roundings, thresholds and biases that keep the spikes on these samples (.npz),
    /// and the accuracy if they have labels. Judge the result on other samples.
    #[arg(long, value_name = "FILE", requires = "target")]
    calibrate: Option<PathBuf>,
    /// Use the first N samples only, or those from A up to, and without, B.
    #[arg(long, value_name = "N|A..B", requires = "calibrate")]
    calibrate_samples: Option<SamplesArg>,
    /// Work that calibration may do, in nominal seconds: one of them stands for 10^8 neuron updates and
    /// synaptic events. Work is counted and no clock is read, so the result is the same on every
    /// machine [default: 15].
    #[arg(long, value_name = "SECONDS", requires = "calibrate")]
    budget: Option<Budget>,
}

/// A budget of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Budget(u64);

impl FromStr for Budget {
    type Err = String;

    /// Seconds, such as `30`, `0.5` or `30s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
        let range = 0.001..=1e6;
        match seconds {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "10^5 to 10^14 units"
            )]
            Ok(s) if range.contains(&s) => Ok(Self((s * WORK_PER_SECOND as f64).round() as u64)),
            _ => Err(format!(
                "expected seconds from {} to {}, such as `30`",
                range.start(),
                range.end()
            )),
        }
    }
}

/// What a calibration works on.
#[derive(Debug)]
pub(super) struct CalibrationData {
    /// The canonical network.
    network: Network,
    stimuli: Stimuli,
    range: Range<usize>,
}

impl CalibrationData {
    /// The samples that are used.
    pub(super) fn samples(&self) -> Samples<'_> {
        Samples { stimuli: &self.stimuli, range: self.range.clone() }
    }
}

/// What a calibration used and did.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) data: CalibrationData,
    pub(super) log: CalibrationLog,
}

/// What is known before anything is compiled.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Options with the recipe, calibrated if that was asked for.
    pub(super) options: Options,
    /// The calibration.
    pub(super) fitted: Option<Fitted>,
}

impl QuantizationArgs {
    /// Puts the recipe together and calibrates it; `options` are those that are not about quantization.
    /// What the user should know goes to `notes`, whatever happens then.
    ///
    /// # Errors
    /// What the files, the options, the passes up to quantization and calibration refuse.
    pub(super) fn prepare(
        &self,
        path: &Path,
        source: &Source,
        target: &Target,
        options: Options,
        progress: &dyn Progress,
        notes: &mut Diagnostics,
    ) -> Result<Prepared, Diagnostics> {
        let (recipe, used) = self.recipe.settle(path, source)?;
        notes.extend(used);
        let mut options = Options { recipe, ..options };
        let fitted = match self.calibrate.data(path, source, target, &options)? {
            None => None,
            Some(data) => {
                let (recipe, log, remarks) =
                    self.calibrate.fit(&data, target, &options.recipe, progress)?;
                options.recipe = recipe;
                notes.extend(remarks);
                Some(Fitted { data, log })
            }
        };
        Ok(Prepared { options, fitted })
    }

    /// The files that decide the integers of the source in `path`.
    pub(super) fn files(&self, path: &Path) -> Vec<PathBuf> {
        let RecipeArgs { config, recipe, .. } = &self.recipe;
        let config = config.clone().or_else(|| config::beside(path));
        config
            .into_iter()
            .chain([recipe, &self.calibrate.calibrate].into_iter().flatten().cloned())
            .collect()
    }

    /// Whether the command line asks for anything that decides the integers.
    pub(super) fn is_given(&self) -> bool {
        self.recipe.is_given() || self.calibrate.calibrate.is_some()
    }
}

impl CalibrateArgs {
    /// The data of a calibration, if one is asked for.
    ///
    /// # Errors
    /// What the file, its samples and the passes up to the canonical network are refused for.
    pub(super) fn data(
        &self,
        path: &Path,
        source: &Source,
        target: &Target,
        options: &Options,
    ) -> Result<Option<CalibrationData>, Diagnostics> {
        let Some(file) = &self.calibrate else { return Ok(None) };
        if !matches!(source.level, AnyLevel::Network(_)) {
            return Err(nothing_to_decide(path).into());
        }
        let (stages, _) = lower(source, &target.spec, options, Stage::Network)
            .map_err(|failure| replay::report(failure, Path::new(".")))?;
        let network = stages.network.ok_or_else(|| not_reached(Stage::Network))?;
        let wanted = SamplesArg::range(self.calibrate_samples.as_ref());
        let (stimuli, range) = read_samples(file, &Interface::of_network(&network), wanted)?;
        Ok(Some(CalibrationData { network, stimuli, range }))
    }

    /// A recipe fitted to `data`, and what was done.
    ///
    /// # Errors
    /// What calibration refuses.
    pub(super) fn fit(
        &self,
        data: &CalibrationData,
        target: &Target,
        recipe: &Recipe,
        progress: &dyn Progress,
    ) -> Result<(Recipe, CalibrationLog, Diagnostics), Diagnostics> {
        let CalibrationData { network, stimuli, range } = data;
        if recipe::decided(recipe)
            && apply(network, &target.spec, recipe, &mut Diagnostics::new())?.recipe == *recipe
        {
            return Err(Diagnostic::error(
                usage::CONFLICTING_OPTIONS,
                "`--calibrate` chooses what a recipe leaves open, and this one leaves nothing",
            )
            .help("leave `--calibrate` or `--recipe` out, or remove entries from the recipe")
            .into());
        }
        let options =
            CalibrationOptions { budget: self.budget.map_or(DEFAULT_BUDGET, |Budget(work)| work) };
        let range = range.clone();
        let found = calibrate(network, &target.spec, recipe, stimuli, range, &options, progress)?;
        Ok((found.recipe, found.log, found.remarks))
    }
}

/// Reads a stimulus whole, so that samples keep their numbers, and checks the range asked for.
///
/// # Errors
/// As [`stimulus::read`].
pub(super) fn read_samples(
    file: &Path,
    interface: &Interface,
    wanted: Option<Range<usize>>,
) -> Result<(Stimuli, Range<usize>), Diagnostics> {
    let all = stimulus::read(file, interface, None)?;
    let count = all.samples();
    let range = wanted.unwrap_or(0..count);
    if range.end > count {
        // Reading with the range says what is wrong with it.
        stimulus::read(file, interface, Some(range.clone()))?;
    }
    Ok((all, range))
}

/// What a calibration reached, in two lines at most.
pub(super) fn calibration_line(log: &CalibrationLog) -> String {
    let mut text = format!(
        "calibrated on {} samples: spike distance {:.4} instead of {:.4}",
        log.samples, log.distance.calibrated, log.distance.data_free
    );
    if let Some(a) = log.accuracy {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            ", {} correct instead of {} (float {} of {})",
            a.calibrated, a.data_free, a.float, a.total
        );
    }
    text.push('\n');
    if !log.improved {
        text.push_str("  no better than without data: the data-free recipe is used\n");
    }
    if log.exhausted {
        let _ = writeln!(
            text,
            "  the budget of {} units of work was spent; more may help (`--budget`)",
            log.budget
        );
    }
    text
}

/// Warnings that are errors.
#[derive(Debug, Args)]
pub(super) struct DenyArgs {
    /// Turn warnings into errors, so that nothing is written: a code such as SNN0452, `collapse` (what
    /// means that the integers are not the network any more), or `warnings` (all of them). Repeatable.
    #[arg(long, value_name = "NAME", requires = "target")]
    deny: Vec<Deny>,
}

/// Which warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deny {
    Code(Code),
    Collapse,
    Warnings,
}

impl FromStr for Deny {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "collapse" => Ok(Self::Collapse),
            "warnings" => Ok(Self::Warnings),
            _ => Code::parse(text).map(Self::Code).ok_or_else(|| {
                "expected a diagnostic code such as SNN0452 (`snnc list codes` has all of them), \
                 `collapse` or `warnings`"
                    .to_owned()
            }),
        }
    }
}

impl fmt::Display for Deny {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Collapse => f.write_str("collapse"),
            Self::Warnings => f.write_str("warnings"),
        }
    }
}

impl Deny {
    /// Whether it makes an error of `found`. A code that is named counts at any severity.
    fn covers(self, found: &Diagnostic) -> bool {
        match self {
            Self::Code(code) => found.code == code,
            Self::Collapse => COLLAPSE.contains(&found.code),
            Self::Warnings => found.severity == Severity::Warning,
        }
    }
}

impl DenyArgs {
    /// Makes errors of the findings that are denied.
    pub(super) fn apply(&self, found: Diagnostics) -> Diagnostics {
        let judge = |mut finding: Diagnostic| {
            let denied = self.deny.iter().find(|deny| deny.covers(&finding));
            if let (Some(deny), true) = (denied, finding.severity != Severity::Error) {
                finding.severity = Severity::Error;
                finding.notes.push(format!("an error because of `--deny {deny}`"));
            }
            finding
        };
        found.into_iter().map(judge).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snnc_ir::diag::codes::{account, quantize};

    #[test]
    fn budgets_are_seconds() {
        let read = |text: &str| text.parse::<Budget>().map(|b| b.0);
        assert_eq!(read("30"), Ok(3_000_000_000));
        assert_eq!(read("30s"), Ok(3_000_000_000));
        assert_eq!(read("0.5"), Ok(50_000_000));
        assert_eq!(read("15"), Ok(DEFAULT_BUDGET), "as the help says");
        for text in ["", "s", "0", "-1", "nan", "inf", "1e9", "30 s", "1m"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_denied_becomes_an_error_and_says_why() {
        let found = || -> Diagnostics {
            [
                Diagnostic::warning(account::SILENCED, "a"),
                Diagnostic::warning(usage::RANDOM_WEIGHTS, "b"),
                Diagnostic::note_only(quantize::SCALE, "c"),
            ]
            .into_iter()
            .collect()
        };
        let errors = |names: &[&str]| -> Vec<String> {
            let deny = names.iter().map(|n| n.parse().unwrap()).collect();
            let judged = DenyArgs { deny }.apply(found());
            let errors = judged.into_iter().filter(|d| d.severity == Severity::Error);
            errors.map(|d| format!("{} {}", d.message, d.notes.join(";"))).collect()
        };
        assert!(errors(&[]).is_empty());
        assert_eq!(errors(&["collapse"]), ["a an error because of `--deny collapse`"]);
        assert_eq!(errors(&["warnings"]).len(), 2);
        assert_eq!(errors(&["warnings", &quantize::SCALE.to_string()]).len(), 3);
        assert_eq!(errors(&["snn0480"]), ["a an error because of `--deny SNN0480`"]);
        for name in ["", "warning", "all", "SNN0000"] {
            assert!(name.parse::<Deny>().is_err(), "{name}");
        }
    }
}
