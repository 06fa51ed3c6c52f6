//! Bounds through chains of plain relays, against their definition: every matrix written out.

use super::super::*;
use crate::arena::Arena;
use crate::conv::Conv;
use crate::network::{Compare, Provenance, UpdateOrder};
use crate::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, Population, Projection, Role, Sign, Structure, Time,
};
use crate::shape::Shape;
use proptest::prelude::*;

/// A generator of numbers.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 20) % u64::from(n)).unwrap()
    }
}

/// What a chain may hold.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Convolutions instead of matrices.
    conv: bool,
    /// Padding, delays and shifts.
    rough: bool,
    bias: bool,
}

const RELAYS: usize = 3;

/// x → r1 → … → n, up to three plain relays; some projections in two parts.
fn chain(seed: u64, kind: Kind) -> QuantizedDraft {
    let draw = &mut Draw(seed | 1);
    let neuron = IntNeuron {
        du: Param::Uniform(4095),
        dv: Param::Uniform(0),
        threshold: Param::Uniform(64),
        compare: Compare::Gt,
        reset: IntReset::Zero,
        bias: Param::Uniform(0),
        refractory: 1,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    };
    let mut extents = [1 + draw.below(3), 2 + draw.below(3), 2 + draw.below(3)];
    let mut draft = QuantizedDraft {
        name: "chain".into(),
        steps: 3,
        time: Time::Logical,
        populations: Arena::new(),
        projections: Arena::new(),
        matrices: Arena::new(),
        host: vec![],
        readout: IntReadout::SpikeCount(PopId::new(0)),
    };
    let add = |draft: &mut QuantizedDraft, extents: [u32; 3], kind: PopKind| {
        let name = format!("p{}", draft.populations.len());
        let shape = Shape(extents.to_vec());
        draft.populations.push(Population { name, shape, role: Role::Logical, kind })
    };
    let mut source = add(&mut draft, extents, PopKind::Input(Coding::Events));
    let relays = 1 + draw.below(u32::try_from(RELAYS).unwrap()) as usize;
    // Composed kernels are exact where only one of them is larger than a pixel.
    let wide = draw.below(u32::try_from(relays).unwrap() + 1) as usize;
    for stage in 0..=relays {
        let channels = 1 + draw.below(4);
        let (structure, next) = if kind.conv {
            let large = kind.rough || stage == wide;
            let side = |draw: &mut Draw, extent: u32| {
                if large { 1 + draw.below(extent.min(3)) } else { 1 }
            };
            let kernel = [side(draw, extents[1]), side(draw, extents[2])];
            let pad = if kind.rough { [draw.below(2), 0, draw.below(2), 1] } else { [0; 4] };
            let groups =
                if extents[0] == 2 && channels.is_multiple_of(2) { 1 + draw.below(2) } else { 1 };
            let conv = Conv {
                input: extents,
                out_channels: channels,
                kernel,
                stride: [1 + draw.below(2), 1],
                pad,
                groups,
                crop: [0; 4],
            };
            (Structure::Conv(conv), conv.output().unwrap())
        } else {
            let next = [channels, 1, 1 + draw.below(2)];
            let [rows, cols] = [next, extents].map(|e| e.iter().product());
            (Structure::Dense { rows, cols }, next)
        };
        let kind_of = if stage == relays {
            PopKind::Neurons(neuron.clone())
        } else {
            let shift = if kind.rough { u8::try_from(draw.below(5)).unwrap() } else { 0 };
            let mut bias = || i32::try_from(draw.below(15)).unwrap() - 7;
            let bias = if kind.bias {
                Param::PerChannel((0..next[0]).map(|_| bias()).collect())
            } else {
                Param::Uniform(0)
            };
            PopKind::Graded(Graded { keep: None, bias, shift })
        };
        let target = add(&mut draft, next, kind_of);
        for _ in 0..=u32::from(draw.below(3) == 0) {
            let stored = structure.stored();
            let weights = (0..stored).map(|_| i16::try_from(draw.below(9)).unwrap() * 2 - 8);
            let matrix = draft.matrices.push(IntMatrix {
                name: format!("m{stage}"),
                structure: structure.clone(),
                mantissa: weights.collect(),
                exponent: -1,
                sign: Sign::Mixed,
                provenance: Provenance::Dense { tensor: String::new() },
            });
            let delay = if kind.rough { draw.below(2) } else { 0 };
            draft.projections.push(Projection { source, target, matrix, delay });
        }
        (source, extents) = (target, next);
    }
    draft.readout = IntReadout::SpikeCount(source);
    draft
}

/// What arrives everywhere in each of `input`'s steps: `[population][step][neuron]`.
fn arriving(draft: &QuantizedDraft, input: &[Vec<i64>]) -> Vec<Vec<Vec<i64>>> {
    let sizes = draft.populations.values().map(Population::size);
    let blank: Vec<_> = sizes.map(|n| vec![vec![0_i64; n]; input.len()]).collect();
    let (mut sums, mut sent) = (blank.clone(), blank);
    sent[0] = input.to_vec();
    for step in 0..input.len() {
        // Populations stand in the order of the chain.
        for (id, population) in draft.populations.iter().skip(1) {
            let i = id.index();
            for (_, p) in draft.projections_into(id) {
                let Some(then) = step.checked_sub(p.delay as usize) else { continue };
                for (n, sum) in sums[i][step].iter_mut().enumerate() {
                    draft.matrices[p.matrix].for_row(n, |source, weight| {
                        *sum += i64::from(weight) * sent[p.source.index()][then][source];
                    });
                }
            }
            if let Some(graded) = population.graded() {
                for n in 0..population.size() {
                    let bias = i64::from(graded.bias.at(n, &population.shape));
                    sent[i][step][n] = (sums[i][step][n] + bias).div_euclid(1 << graded.shift);
                }
            }
        }
    }
    sums
}

/// Asserts that what arrives is within the bounds of every neuron.
fn within(draft: &QuantizedDraft, input: &[Vec<i64>]) -> Result<(), TestCaseError> {
    let bounds = Bounds::new(draft).unwrap();
    let found = arriving(draft, input);
    for (id, population) in draft.populations.iter().skip(1) {
        let mut local = bounds.local_arrivals(id);
        for n in 0..population.size() {
            let (low, high) = local(n);
            for step in &found[id.index()] {
                prop_assert!(
                    (low..=high).contains(&step[n]),
                    "{id} {n}: {}, {low} to {high}",
                    step[n]
                );
            }
        }
    }
    Ok(())
}

/// Inputs that make the sum of `neuron` in the last population largest or smallest: the weight of each
/// input neuron on its own tells which spike.
fn extreme(draft: &QuantizedDraft, neuron: usize, sign: i64) -> Vec<i64> {
    let size = draft.populations[PopId::new(0)].size();
    let last = draft.populations.len() - 1;
    let sum = |input: Vec<i64>| arriving(draft, &[input])[last][0][neuron];
    let rest = sum(vec![0; size]);
    let helps = |i: usize| {
        let mut alone = vec![0; size];
        alone[i] = 1;
        i64::from((sum(alone) - rest) * sign > 0)
    };
    (0..size).map(helps).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Without shifts, padding and delays the bounds are attained, at every neuron and at both ends.
    #[test]
    fn bounds_of_plain_chains_are_attained(seed: u64, conv: bool, bias: bool) {
        let draft = chain(seed, Kind { conv, rough: false, bias });
        let last = PopId::new(draft.populations.len() - 1);
        let bounds = Bounds::new(&draft).unwrap();
        let mut local = bounds.local_arrivals(last);
        for neuron in 0..draft.populations[last].size() {
            let reached = [-1, 1].map(|sign| {
                arriving(&draft, &[extreme(&draft, neuron, sign)])[last.index()][0][neuron]
            });
            prop_assert_eq!(local(neuron), (reached[0], reached[1]), "neuron {}", neuron);
        }
    }

    /// Nothing leaves the bounds: random spikes, and those that ought to be worst.
    #[test]
    fn bounds_of_rough_chains_hold(seed: u64, conv: bool, bias: bool) {
        let draft = chain(seed, Kind { conv, rough: true, bias });
        let draw = &mut Draw(!seed | 1);
        let size = draft.populations[PopId::new(0)].size();
        for density in [1, 2, 3] {
            let mut step = || (0..size).map(|_| i64::from(draw.below(4) < density)).collect();
            let input: Vec<Vec<i64>> = (0..4).map(|_| step()).collect();
            within(&draft, &input)?;
        }
        let last = draft.populations.values().last().map_or(0, Population::size);
        for sign in [-1, 1] {
            let worst = extreme(&draft, draw.below(u32::try_from(last).unwrap()) as usize, sign);
            within(&draft, &vec![worst; 4])?;
        }
    }
}

/// Two relays that read the same spikes and cancel, and the loss by rounding.
#[test]
fn relays_that_cancel_bring_little() {
    let draft = |shift: u8, bias: i32| {
        let draft = crate::text::parse(&format!(
            r#"snn 1 quantized name "cancel" steps 1 time logical
            mat0 "r" dense [2, 3] mixed exponent 0 from dense "r" {{ 8 -4 6 8 -4 2 }}
            mat1 "w" dense [1, 2] mixed exponent 0 from dense "w" {{ 10 -10 }}
            pop0 "x" [3] = logical input events
            pop1 "r" [2] = logical graded keep both bias {bias} shift {shift}
            pop2 "n" [1] = logical neurons du 4095 dv 0 threshold 64 compare gt reset zero bias 0
              refractory 1 order leak_input_fire update_period 1
            proj0 pop0 -> pop1 mat0 delay 0
            proj1 pop1 -> pop2 mat1 delay 0
            readout spike_count pop2"#
        ));
        match draft {
            Ok(crate::level::AnyDraft::Quantized(draft)) => draft,
            other => panic!("{other:?}"),
        }
    };
    let of = |draft: QuantizedDraft| {
        let bounds = Bounds::new(&draft).unwrap();
        let n = PopId::new(2);
        (bounds.arrivals(n).at(0, &Shape::flat(1)), bounds.loose_arrivals(n).at(0, &Shape::flat(1)))
    };
    // 10 · (6 − 2) for the third spike; by intervals 10 · (14 + 4) and 10 · (4 + 10).
    assert_eq!(of(draft(0, 0)), ((0, 40), (-140, 180)));
    // A common bias cancels too.
    assert_eq!(of(draft(0, 5)), ((0, 40), (-150, 190)));
    // Messages of half: 20, and 10 halves lost by either relay.
    assert_eq!(of(draft(1, 0)), ((-5, 25), (-70, 90)));
    assert_eq!(of(draft(1, 1)), ((-5, 25), (-70, 90)));
}
