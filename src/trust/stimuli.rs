//! Random stimuli of decoded programs, and whether two programs do the same on them.

use snnc_ir::network::Coding;
use snnc_ir::program::{Program, SymbolRole};
use snnc_ir::spikes::SpikeTrain;
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::{Signal, Stimulus};

/// Most spikes or values of one input that are drawn.
const LARGEST: usize = 1 << 22;

/// A small generator of numbers that are the same everywhere (`SplitMix64`, Steele et al., 2014).
#[derive(Clone, Copy, Debug)]
pub struct Draw(pub u64);

impl Draw {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound.max(1) as u64).unwrap_or(0)
    }
}

/// What the inputs of `program` get in one run: silent, sparse, dense or full, by `seed`.
///
/// # Errors
/// A program whose inputs or run are too large, or whose samples have no stated range.
pub fn stimulus(program: &Program, seed: u64) -> Result<Stimulus, String> {
    let mut draw = Draw(seed);
    let percent = [50, 100, 10, 30, 0][usize::try_from(seed % 5).unwrap_or(0)];
    let steps = program.steps as usize;
    let mut inputs = Vec::new();
    for symbol in &program.populations {
        let SymbolRole::Input(coding) = &symbol.role else { continue };
        let size = symbol.shape.size();
        if size.saturating_mul(steps) > LARGEST {
            return Err(format!("the input `{}` is too large to be drawn", symbol.name));
        }
        inputs.push(match coding {
            Coding::Direct { range: Some(range) } => {
                Signal::Frame((0..size).map(|_| value(*range, &mut draw)).collect())
            }
            Coding::Direct { range: None } => return Err("samples without a range".to_owned()),
            Coding::Events | Coding::Accumulator { .. } | Coding::Rate { .. } => {
                let mut train = SpikeTrain::new(steps, size);
                for at in 0..steps * size {
                    if draw.below(100) < percent {
                        train.set(at / size, at % size);
                    }
                }
                Signal::Spikes(train)
            }
        });
    }
    Ok(Stimulus { inputs })
}

/// A whole number of the range, its ends often.
fn value([low, high]: [i32; 2], draw: &mut Draw) -> f32 {
    let (low, high) = (i64::from(low), i64::from(high));
    let drawn = match draw.below(4) {
        0 => low,
        1 => high,
        _ => {
            low + i64::try_from(draw.number() % u64::try_from(high - low + 1).unwrap_or(1))
                .unwrap_or(0)
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "the rounded number lies in the range, too")]
    let rounded = drawn as f32;
    rounded
}

/// Whether two programs of one network send the same, population by population, on `runs` random stimuli: each in the
/// hardware steps of its own latency.
///
/// # Errors
/// What differs, or why one of them does not run.
pub fn agree(left: &Program, right: &Program, runs: u64) -> Result<(), String> {
    let sides = [left, right].map(|program| CoreSim::new(program).map_err(|e| e.to_string()));
    let [left_side, right_side] = sides;
    let (left_side, right_side) = (left_side?, right_side?);
    let steps = u64::from(left.period) * u64::from(left.steps);
    if steps != u64::from(right.period) * u64::from(right.steps) {
        return Err("the runs have other steps".to_owned());
    }
    for seed in 0..runs {
        let stimulus = stimulus(left, seed)?;
        let [one, two] = [&left_side, &right_side]
            .map(|side| side.run(&stimulus, &CoreProbe::None).map_err(|e| e.to_string()));
        let (one, two) = (one?, two?);
        for (index, symbol) in left.populations.iter().enumerate() {
            // Relays and clocks are the program's own business; all others have a name in the source.
            if matches!(symbol.role, SymbolRole::Relay { .. } | SymbolRole::Clock) {
                continue;
            }
            let other = right.populations.iter().position(|s| s.name == symbol.name);
            let other = other.ok_or_else(|| format!("`{}` is missing", symbol.name))?;
            let (mine, its) = (one.activity(index), two.activity(other));
            // Both runs end with the last step of the latest population.
            let latency = [symbol.latency, right.populations[other].latency];
            for step in 0..usize::try_from(steps).unwrap_or(usize::MAX) {
                let [here, there] = latency.map(|latency| latency as usize + step);
                let messages = mine.messages.map(|m| m.step(here));
                if mine.spikes.step(here) != its.spikes.step(there)
                    || messages != its.messages.map(|m| m.step(there))
                {
                    let name = &symbol.name;
                    return Err(format!("stimulus {seed}: `{name}` differs in step {step}"));
                }
            }
        }
        if one.scores != two.scores {
            return Err(format!("stimulus {seed}: the scores differ"));
        }
    }
    Ok(())
}
