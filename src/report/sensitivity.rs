//! Which parts of the quantization cost most: the spike distance of the float network in which this part
//! alone is quantized.

use super::costs::{PartCost, Sensitivity};
use super::sides::{arrange, at_sample, float_feed, in_parts};
use super::variant::{Variant, variants};
use crate::stimulus::Stimuli;
use crate::verify::simulation_failed;
use snnc_ir::arena::NodeId;
use snnc_ir::level::{Level, Rules};
use snnc_ir::network::{Network, Op};
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Diagnostics, Recipe};
use snnc_runtime::compare::{self, Distance, Pair};
use snnc_runtime::event::float::FloatSim;
use snnc_runtime::float::FloatProbe;
use snnc_runtime::{SimError, Stimulus};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

/// Most 64-bit words of trains that are kept of the float network (256 MiB).
const MAX_WORDS: usize = 1 << 25;

/// A sample as the float network answers it.
struct Answer {
    stimulus: Stimulus,
    class: Option<usize>,
    spikes: BTreeMap<NodeId, SpikeTrain>,
}

/// Measures every part on `samples`, or on as many of them as the kept trains allow.
///
/// # Errors
/// `SNN0835` if a simulation stops, and what the float level rejects of a network with values that the
/// recipe implies.
pub(super) fn measure(
    float: &FloatSim<'_>,
    recipe: &Recipe,
    stimuli: &Stimuli,
    samples: Range<usize>,
) -> Result<Sensitivity, Diagnostics> {
    let network = float.network();
    let failed = |error: SimError| Diagnostics::from(simulation_failed(&error));
    let samples = samples.start..samples.end.min(samples.start + affordable(network));
    let answers = answers(float, stimuli, samples.clone()).map_err(failed)?;
    let all = variants(network, recipe);
    let mut parts = Vec::new();
    for variant in all.iter().filter(|v| !v.is_unknown()) {
        let sums = match variant.apply(network) {
            None => Sums::equal(&answers, variant).map_err(failed)?,
            Some(draft) => {
                let changed = Network::verify(draft, &Rules::default())?;
                let sim = FloatSim::new(&changed).map_err(failed)?;
                Sums::of(&sim, variant, &answers, stimuli, samples.start).map_err(failed)?
            }
        };
        parts.push(sums.cost(variant));
    }
    // Stable: equal ones stay in the order of the network.
    parts.sort_by_key(|p| Reverse(p.differing));
    let unknown = all.iter().filter(|v| v.is_unknown());
    let not_measured = unknown.map(|v| v.part.clone()).collect();
    Ok(Sensitivity { samples: answers.len(), parts, not_measured })
}

/// Samples whose trains may be kept, at least 1.
fn affordable(network: &Network) -> usize {
    let populations = network.nodes.values().filter(|n| n.op.is_population());
    let row = populations.fold(0_usize, |sum, n| sum.saturating_add(n.shape.size().div_ceil(64)));
    let words = row.saturating_mul(network.steps as usize);
    (MAX_WORDS / words.max(1)).max(1)
}

/// What the float network does in these samples.
fn answers(
    float: &FloatSim<'_>,
    stimuli: &Stimuli,
    samples: Range<usize>,
) -> Result<Vec<Answer>, SimError> {
    let feed = float_feed(float, stimuli)?;
    let answer = |sample: usize| {
        let stimulus = arrange(&stimuli.stimulus(sample)?, &feed);
        let run = float.run(&stimulus, &FloatProbe::None)?;
        let class = run.class();
        let mut spikes = run.spikes;
        spikes.retain(|&id, _| is_neuron(float.network(), id));
        Ok(Answer { stimulus, class, spikes })
    };
    let parts = in_parts(samples, |part| {
        part.map(|sample| at_sample(stimuli, sample, answer(sample))).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

fn is_neuron(network: &Network, id: NodeId) -> bool {
    matches!(network.nodes[id].op, Op::Neuron(_))
}

/// What differs between the float network and one with a part in integers.
struct Sums {
    all: Distance,
    target: Distance,
    same_prediction: usize,
}

impl Sums {
    fn none() -> Self {
        let none = Distance { name: String::new(), cells: 0, left: 0, right: 0, differing: 0 };
        Self { all: none.clone(), target: none, same_prediction: 0 }
    }

    /// Nothing differs.
    fn equal(answers: &[Answer], variant: &Variant) -> Result<Self, SimError> {
        let mut sums = Self::none();
        for answer in answers {
            sums.add(answer, &answer.spikes, answer.class, variant.target)?;
        }
        Ok(sums)
    }

    fn of(
        sim: &FloatSim<'_>,
        variant: &Variant,
        answers: &[Answer],
        stimuli: &Stimuli,
        first: usize,
    ) -> Result<Self, SimError> {
        let parts = in_parts(0..answers.len(), |part| {
            let mut sums = Self::none();
            for (answer, index) in answers[part.clone()].iter().zip(part) {
                let run = sim.run(&answer.stimulus, &FloatProbe::None);
                let run = at_sample(stimuli, first + index, run)?;
                sums.add(answer, &run.spikes, run.class(), variant.target)?;
            }
            Ok(sums)
        })?;
        let mut sums = Self::none();
        for part in parts {
            sums.all.add(&part.all);
            sums.target.add(&part.target);
            sums.same_prediction += part.same_prediction;
        }
        Ok(sums)
    }

    fn add(
        &mut self,
        answer: &Answer,
        spikes: &BTreeMap<NodeId, SpikeTrain>,
        class: Option<usize>,
        target: NodeId,
    ) -> Result<(), SimError> {
        for (id, left) in &answer.spikes {
            let Some(right) = spikes.get(id) else { continue };
            let pair = Pair { name: "", left: left.into(), right: right.into() };
            for distance in compare::distances(&[pair])? {
                self.all.add(&distance);
                if *id == target {
                    self.target.add(&distance);
                }
            }
        }
        self.same_prediction += usize::from(class == answer.class);
        Ok(())
    }

    fn cost(&self, variant: &Variant) -> PartCost {
        PartCost {
            part: variant.part.clone(),
            differing: self.all.differing,
            distance: self.all.ratio(),
            target_distance: self.target.ratio(),
            target_rate_change: super::data::ratio(self.target.right, self.target.left)
                .map(|r| r - 1.0),
            same_prediction: self.same_prediction,
        }
    }
}
