//! Quantization of random canonical networks by random recipes: sets, bounds, fixed points, and
//! independence of the order of populations.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "test networks are small"
)]

mod common;

use common::generate::Rng;
use common::{network as float, run_for};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use snnc_ir::arena::NodeId;
use snnc_ir::diag::codes::quantize as codes;
use snnc_ir::network::{Compare, Readout};
use snnc_ir::quantized::messages::{arrivals_at, host_range, message_ranges};
use snnc_ir::quantized::{Graded, IntNeuron, IntReset, PopKind, QuantizedDraft, Sign};
use snnc_ir::recipe::{Grouping, PopulationRecipe, Recipe, Scaling, Settings};
use snnc_ir::testing::{Space, network};
use snnc_ir::{
    Arena, Diagnostics, Entity, Level, NetworkDraft, Param, QuantizedNetwork, Rules, Severity,
    Shape, TargetSpec,
};
use snnc_passes::quantize::account::{Account, Extreme, PopulationAccount, WeightSet};
use snnc_passes::quantize::{Applied, apply};
use snnc_passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};

const TO_CANONICAL: &str = "lower-genes{lowering=materialized},fold-batchnorm,fold-pooling,push-neurons,merge-nodes,lower-currents,\
    drop-clips,normalize-neurons,feed-currents,remove-dead,fold-shared";

/// A target with programmable neurons and messages, on whose registers some networks press.
fn able(tight: bool) -> TargetSpec {
    let mut target = snnc_ir::testing::target(true);
    target.message_bits.value = 24;
    if tight {
        target.max_input_sum.value = 300;
        target.state_bits.value = 18;
    }
    target
}

fn canonical(draft: NetworkDraft) -> Option<NetworkDraft> {
    let outcome = run_for(&able(false), draft, TO_CANONICAL, &mut ()).ok()?;
    Some(float(&outcome.level).clone().into_draft())
}

/// `None` if the network has no integer form.
fn quantize(
    network: &NetworkDraft,
    target: &TargetSpec,
    recipe: &Recipe,
) -> Result<Option<Applied>, TestCaseError> {
    let mut remarks = Diagnostics::new();
    match apply(network, target, recipe, &mut remarks) {
        Ok(applied) => Ok(Some(applied)),
        Err(errors) => {
            let allowed =
                [codes::NO_SCALE, codes::NO_COMMON_SCALE, codes::READOUT, codes::DIRECT_DELAY];
            for error in errors.iter().filter(|d| d.severity == Severity::Error) {
                prop_assert!(allowed.contains(&error.code), "refused: {error}");
            }
            Ok(None)
        }
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let groups = prop_oneof![
        2 => Just(Grouping::Auto),
        1 => Just(Grouping::Mixed),
        1 => Just(Grouping::Split)
    ];
    let scales = prop_oneof![
        2 => Just(Scaling::Auto),
        1 => Just(Scaling::Population),
        2 => Just(Scaling::Neuron)
    ];
    let bits = prop_oneof![2 => Just(8_u8), 5 => 2_u8..8, 1 => Just(1_u8)];
    (bits, groups, scales, 0_u8..=7).prop_map(|(weight_bits, groups, scales, max_exponent)| {
        Settings { weight_bits, groups, scales, max_exponent }
    })
}

/// [`common::cases`] with the seed of these tests; the test counts something that must not be 0.
fn all<S: Strategy>(
    strategy: &S,
    cases: u32,
    check: impl Fn(S::Value) -> Result<Option<u64>, TestCaseError>,
) {
    common::cases(77, strategy, (cases, 0), check);
}

/// Sign sets that a group of the projections of this account may have.
fn signs(set: WeightSet) -> Vec<Sign> {
    match set {
        WeightSet::Mixed => vec![Sign::Mixed],
        WeightSet::Excitatory => vec![Sign::Excitatory],
        WeightSet::Inhibitory => vec![Sign::Inhibitory],
        WeightSet::Split => vec![Sign::Excitatory, Sign::Inhibitory],
    }
}

/// Every weight is one that its group stores at its bits; returns the number of weights.
fn in_their_sets(applied: &Applied, target: &TargetSpec) -> Result<u64, TestCaseError> {
    let Applied { draft, account, .. } = applied;
    let mut weights = 0;
    for population in &account.populations {
        let id = draft.population_named(&population.name).expect("it is in the network");
        let mut projections = draft.projections_into(id).map(|(_, p)| p);
        for projection in &population.projections {
            for sign in signs(projection.set) {
                let stored = projections.next().expect("as many as the account has");
                prop_assert_eq!(&draft.populations[stored.source].name, &projection.source);
                prop_assert_eq!(stored.delay, projection.delay);
                let matrix = &draft.matrices[stored.matrix];
                prop_assert_eq!(matrix.sign, sign);
                let step = sign.step(projection.weight_bits);
                for (index, mantissa) in matrix.mantissa.iter().enumerate() {
                    prop_assert!(sign.stores(*mantissa), "{mantissa} in {sign:?}");
                    prop_assert_eq!(mantissa % step, 0, "{} bits", projection.weight_bits);
                    prop_assert_eq!(matrix.weight(index) % (1 << projection.exponent), 0);
                    weights += 1;
                }
                let exponent = i64::from(matrix.exponent);
                prop_assert!(target.min_weight_exponent.value <= exponent);
                prop_assert!(exponent <= target.max_weight_exponent.value);
            }
        }
        prop_assert_eq!(projections.next(), None);
    }
    Ok(weights)
}

#[test]
fn weights_are_in_the_sets_of_their_groups() {
    let strategy = (network(Space::Graded), settings(), any::<bool>());
    all(&strategy, 300, |(draft, settings, tight)| {
        let target = able(tight);
        let Some(network) = canonical(draft) else { return Ok(None) };
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(applied) = quantize(&network, &target, &recipe)? else { return Ok(None) };
        // Biases of a relay may still be out of a register that nothing here is about.
        let rules = Rules::default();
        if let Err(errors) = QuantizedNetwork::verify(applied.draft.clone(), &rules) {
            return Err(TestCaseError::fail(errors.to_string()));
        }
        in_their_sets(&applied, &target).map(Some)
    });
}

/// The entries of `recipe` that `rng` keeps: of some populations everything, of some all but the
/// weights, of some a smaller scale alone.
fn part(recipe: &Recipe, rng: &mut Rng) -> Recipe {
    let mut part = recipe.clone();
    part.populations.retain_mut(|population| {
        let kept = rng.below(4);
        match kept {
            0 => {}
            1 => population.bias = None,
            2 => (population.threshold, population.dv) = (None, None),
            _ => {
                let factor = 1.0 / (1.0 + f64::from(rng.below(8)));
                population.scale = population.scale.as_ref().map(|s| s.map(|s| s * factor));
                (population.threshold, population.bias, population.dv) = (None, None, None);
            }
        }
        let mine = part.projections.iter_mut().filter(|p| p.target == population.name);
        for projection in mine {
            if kept > 0 {
                projection.weights = None;
            }
            if kept > 1 {
                projection.exponent = None;
            }
        }
        true
    });
    part
}

/// A population is out of range, or tied, with a recipe that was put together at random.
fn refused(errors: &Diagnostics) -> Result<(), TestCaseError> {
    let allowed = [codes::NO_SCALE, codes::RECIPE_RANGE, codes::RECIPE_TIED, codes::RECIPE_MISFIT];
    for error in errors {
        prop_assert!(allowed.contains(&error.code), "refused: {error}");
    }
    Ok(())
}

#[test]
fn complete_recipes_are_fixed_points() {
    let strategy = (network(Space::Graded), settings(), any::<bool>(), any::<u64>());
    all(&strategy, 300, |(draft, settings, tight, seed)| {
        let target = able(tight);
        let Some(network) = canonical(draft) else { return Ok(None) };
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(first) = quantize(&network, &target, &recipe)? else { return Ok(None) };
        again(&network, &target, &first)?;
        let part = part(&first.recipe, &mut Rng::new(seed));
        let mut remarks = Diagnostics::new();
        match apply(&network, &target, &part, &mut remarks) {
            Ok(second) => {
                wanted(&part, &second.recipe)?;
                again(&network, &target, &second)?;
                Ok(Some(1))
            }
            Err(errors) => refused(&errors).map(|()| None),
        }
    });
}

/// The complete recipe gives the same integers and the same recipe.
fn again(
    network: &NetworkDraft,
    target: &TargetSpec,
    first: &Applied,
) -> Result<(), TestCaseError> {
    let mut remarks = Diagnostics::new();
    prop_assert_eq!(first.recipe.check(), Ok(()));
    let second = apply(network, target, &first.recipe, &mut remarks)
        .map_err(|e| TestCaseError::fail(format!("{e}\n{:#?}", first.recipe)))?;
    prop_assert_eq!(&second.draft, &first.draft);
    prop_assert_eq!(&second.recipe, &first.recipe);
    let numbers = |account: &Account| {
        let mut account = account.clone();
        account.populations.iter_mut().for_each(|p| p.limited_by.clear());
        account
    };
    prop_assert_eq!(numbers(&second.account), numbers(&first.account));
    Ok(())
}

/// Every entry is kept as it is.
fn wanted(part: &Recipe, complete: &Recipe) -> Result<(), TestCaseError> {
    fn kept<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
        wanted.is_none() || wanted == found
    }
    for wanted in &part.populations {
        let found = complete.population(&wanted.name).expect("complete");
        prop_assert!(kept(wanted.scale.as_ref(), found.scale.as_ref()), "{}", wanted.name);
        prop_assert!(kept(wanted.threshold.as_ref(), found.threshold.as_ref()));
        prop_assert!(kept(wanted.bias.as_ref(), found.bias.as_ref()), "{}", wanted.name);
        prop_assert!(kept(wanted.dv.as_ref(), found.dv.as_ref()), "{}", wanted.name);
    }
    for wanted in &part.projections {
        let found = complete.projection(&wanted.source, &wanted.target, wanted.nth);
        let found = found.expect("complete");
        prop_assert!(kept(wanted.weight_bits.as_ref(), found.weight_bits.as_ref()));
        prop_assert!(kept(wanted.split.as_ref(), found.split.as_ref()));
        prop_assert!(kept(wanted.exponent.as_ref(), found.exponent.as_ref()));
        prop_assert!(kept(wanted.weights.as_ref(), found.weights.as_ref()));
    }
    Ok(())
}

/// A value of any size.
fn wild(rng: &mut Rng) -> f64 {
    let exponent = f64::from(rng.below(9)).mul_add(rng.below(7).into(), -10.0);
    f64::from(1 + rng.below(999)) * exponent.exp2()
}

/// A recipe with entries of any value for what the network has; some weights, some lengths, and some
/// sets are wrong.
fn any_recipe(complete: &Recipe, rng: &mut Rng) -> Recipe {
    let mut recipe = complete.clone();
    let integer = |rng: &mut Rng| match rng.below(4) {
        0 => i32::MAX - rng.below(3).cast_signed(),
        1 => -(rng.below(100).cast_signed()),
        2 => rng.below(1 << 20).cast_signed(),
        _ => rng.below(500).cast_signed(),
    };
    for entry in &mut recipe.populations {
        if rng.chance(70) {
            let factor = wild(rng);
            entry.scale = entry.scale.as_ref().map(|s| s.map(|s| s * factor));
        }
        if rng.chance(40) {
            entry.threshold = Some(Param::Uniform(integer(rng).saturating_abs().max(1)));
        }
        match rng.below(3) {
            0 => entry.bias = Some(Param::Uniform(integer(rng))),
            1 => entry.bias = Some(Param::PerNeuron((0..3).map(|_| integer(rng)).collect())),
            _ => {}
        }
        if rng.chance(40) {
            entry.dv = Some(Param::Uniform(rng.below(4096) as u16));
        }
        if rng.chance(20) {
            *entry = PopulationRecipe { name: entry.name.clone(), ..PopulationRecipe::default() };
        }
    }
    for entry in &mut recipe.projections {
        if rng.chance(40) {
            entry.exponent = Some(rng.below(8) as u8);
        }
        if rng.chance(30) {
            (entry.weight_bits, entry.split) = (Some(1 + rng.below(8) as u8), Some(rng.chance(50)));
        }
        let end = (1 << entry.weight_bits.unwrap_or(8)) - 1;
        match (rng.below(3), &mut entry.weights) {
            (0, weights) => *weights = None,
            (1, Some(weights)) => {
                for weight in weights.iter_mut() {
                    *weight = rng.below(2 * end + 1) as i16 - end as i16;
                }
            }
            _ => {}
        }
    }
    recipe
}

/// Whatever a recipe says, it is refused for a reason or kept, in range.
#[test]
fn any_recipe_is_refused_or_kept() {
    let strategy = (network(Space::Graded), settings(), any::<bool>(), any::<u64>());
    all(&strategy, 400, |(draft, settings, tight, seed)| {
        let target = able(tight);
        let Some(network) = canonical(draft) else { return Ok(None) };
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(first) = quantize(&network, &target, &recipe)? else { return Ok(None) };
        let wild = any_recipe(&first.recipe, &mut Rng::new(seed));
        match apply(&network, &target, &wild, &mut Diagnostics::new()) {
            Ok(applied) => {
                wanted(&wild, &applied.recipe)?;
                again(&network, &target, &applied)?;
                in_their_sets(&applied, &target)?;
                hold(&applied, &mut Rng::new(seed))?;
                Ok(Some(1))
            }
            Err(errors) => {
                let own = [codes::RECIPE_NAME, codes::RECIPE_VALUE];
                if errors.iter().all(|d| own.contains(&d.code)) {
                    return Ok(Some(0));
                }
                refused(&errors).map(|()| Some(0))
            }
        }
    });
}

/// One update of a membrane, from the integer contract; `total` in units of weight.
fn update(neuron: &IntNeuron, shape: &Shape, n: usize, v: i64, total: i64) -> (i64, i64) {
    let kept = (v.abs() * (4096 - i64::from(neuron.dv.at(n, shape)))) >> 12;
    let before = if v < 0 { -kept } else { kept } + 64 * total;
    let threshold = i64::from(neuron.threshold.at(n, shape));
    let fires = match neuron.compare {
        Compare::Gt => before > threshold,
        Compare::Ge => before >= threshold,
    };
    let floor = neuron.floor.as_ref().map(|floor| i64::from(floor.at(n, shape)));
    let after = match &neuron.reset {
        _ if !fires => floor.map_or(before, |floor| before.max(floor)),
        IntReset::Zero => 0,
        IntReset::Subtract(amount) => before - i64::from(amount.at(n, shape)),
    };
    (before, after)
}

/// The most that may arrive without a spike, in units of weight.
fn quiet(neuron: &IntNeuron, shape: &Shape, n: usize, v: i64) -> i64 {
    let (kept, _) = update(neuron, shape, n, v, 0);
    let threshold = i64::from(neuron.threshold.at(n, shape));
    (threshold - i64::from(neuron.compare == Compare::Ge) - kept).div_euclid(64)
}

/// Whether a value lies within an extreme of the account.
fn within(what: &str, name: &str, value: i64, extreme: Extreme) -> Result<(), TestCaseError> {
    let ok = (extreme.low..=extreme.high).contains(&value);
    prop_assert!(ok, "{what} of `{name}`: {value} outside {extreme:?}");
    Ok(())
}

/// Drives every neuron as hard as its synapses allow: only through weights of one sign, in alternation,
/// and right after it came as close to its threshold as it can. Returns the number of neurons.
fn hold(applied: &Applied, rng: &mut Rng) -> Result<u64, TestCaseError> {
    let Applied { draft, account, .. } = applied;
    let ranges = message_ranges(draft).expect("no loop of relays");
    let mut neurons = 0;
    for PopulationAccount { name, bounds, .. } in &account.populations {
        let id = draft.population_named(name).expect("it is in the network");
        let (shape, kind) = (&draft.populations[id].shape, &draft.populations[id].kind);
        let host = host_range(draft, id);
        let mut reached = (0, 0);
        for n in 0..shape.size() {
            neurons += 1;
            let (low, high) = arrivals_at(draft, &ranges, id, n);
            reached = (reached.0.min(low), reached.1.max(high));
            for sum in [low, high] {
                within("input", name, sum, bounds.input)?;
                within("current", name, 64 * sum, bounds.u)?;
            }
            let (least, most) = host.at(n, shape);
            match kind {
                PopKind::Neurons(neuron) => {
                    let bias = i64::from(neuron.bias.at(n, shape)) / 64;
                    let drive = (low + bias + least, high + bias + most);
                    membrane((neuron, shape, n), draft.steps, drive, rng, |v| {
                        within("membrane", name, v, bounds.v)
                    })?;
                }
                PopKind::Graded(graded) => {
                    let bias = i64::from(graded.bias.at(n, shape));
                    for total in [low + bias + least, high + bias + most] {
                        let message = Graded::passes(graded.keep, graded.shift, total);
                        within("message", name, message, bounds.message)?;
                    }
                }
                PopKind::Input(_) => {}
            }
        }
        let unbiased = match kind {
            PopKind::Neurons(neuron) => neuron.bias == Param::Uniform(0),
            PopKind::Graded(_) | PopKind::Input(_) => false,
        };
        let mut sources = draft.projections_into(id).map(|(_, p)| &draft.populations[p.source]);
        if unbiased && sources.all(|source| source.graded().is_none()) {
            // The bounds of sums are not only sound: spikes reach them.
            prop_assert_eq!(reached, (bounds.input.low, bounds.input.high), "`{}`", name);
        }
    }
    Ok(neurons)
}

/// Runs one neuron on what may arrive, from `worst` to `best` with its biases, in several ways.
fn membrane(
    (neuron, shape, n): (&IntNeuron, &Shape, usize),
    steps: u32,
    (worst, best): (i64, i64),
    rng: &mut Rng,
    check: impl Fn(i64) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    type Plan = fn(&mut Rng, i64) -> bool;
    let up: [Plan; 4] = [|_, _| true, |_, _| false, |rng, _| rng.chance(50), |_, v| v > 0];
    for choose in up {
        let mut v = 0;
        for _ in 0..steps {
            let total = if choose(rng, v) { best } else { worst };
            let (before, after) = update(neuron, shape, n, v, total);
            check(before)?;
            v = after;
        }
    }
    for _ in 0..4 {
        let mut v = 0;
        for _ in 0..steps {
            let close = quiet(neuron, shape, n, v).clamp(worst, best);
            let total = if rng.chance(60) { close } else { best };
            let (before, after) = update(neuron, shape, n, v, total);
            check(before)?;
            v = after;
        }
    }
    Ok(())
}

#[test]
fn bounds_hold_on_inputs_that_maximize_them() {
    let strategy = (network(Space::Graded), settings(), any::<bool>(), any::<u64>());
    all(&strategy, 200, |(draft, settings, tight, seed)| {
        let target = able(tight);
        let Some(network) = canonical(draft) else { return Ok(None) };
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(applied) = quantize(&network, &target, &recipe)? else { return Ok(None) };
        for population in &applied.account.populations {
            let bounds = &population.bounds;
            let most = (1_i64 << (target.state_bits.value - 1)) - 1;
            let sum = target.max_input_sum.value;
            prop_assert!(-sum <= bounds.input.low && bounds.input.high <= sum);
            for extreme in [bounds.u, bounds.v] {
                prop_assert!(-most <= extreme.low && extreme.high <= most, "{extreme:?}");
            }
        }
        hold(&applied, &mut Rng::new(seed)).map(Some)
    });
}

/// What arrives in hardware time, where spikes carry late biases, is still within the bounds.
#[test]
fn bounds_hold_in_hardware_time() {
    let strategy = (network(Space::Graded), settings(), 1_i32..40);
    all(&strategy, 200, |(draft, settings, factor)| {
        let target = able(false);
        let Some(mut network) = canonical(draft) else { return Ok(None) };
        // Some biases take several weights of a clock.
        for tensor in network.tensors.values_mut().filter(|t| t.shape.0.len() == 1) {
            tensor.data.iter_mut().for_each(|b| *b *= factor as f32);
        }
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(Applied { draft, account, .. }) = quantize(&network, &target, &recipe)? else {
            return Ok(None);
        };
        let Ok(level) = QuantizedNetwork::verify(draft, &Rules::default()) else { return Ok(None) };
        let Some(timed) = schedule(level, &target) else { return Ok(None) };
        let ranges = message_ranges(&timed).expect("no loop of relays");
        for PopulationAccount { name, bounds, .. } in &account.populations {
            let id = timed.population_named(name).expect("it is in the network");
            for n in 0..timed.populations[id].size() {
                let (low, high) = arrivals_at(&timed, &ranges, id, n);
                within("input", name, low, bounds.input)?;
                within("input", name, high, bounds.input)?;
            }
        }
        Ok(Some((timed.populations.len() - account.populations.len()) as u64))
    });
}

fn schedule(network: QuantizedNetwork, target: &TargetSpec) -> Option<QuantizedDraft> {
    let registry = Registry::standard();
    let pipeline = Pipeline::parse("fold-integers,strict-compare,schedule").expect("passes");
    let level = AnyLevel::Quantized(network);
    let plan = plan(&registry, &pipeline, level.kind(), &PropertySet::of(&level)).ok()?;
    match plan.run(level, target, &mut ()).ok()?.level {
        AnyLevel::Quantized(network) => Some(network.into_draft()),
        other => panic!("level {}", other.kind()),
    }
}

/// The network with its nodes in another order.
fn shuffled(draft: &NetworkDraft, rng: &mut Rng) -> NetworkDraft {
    let count = draft.nodes.len();
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, rng.below(i as u32 + 1) as usize);
    }
    let mut place = vec![0; count];
    order.iter().enumerate().for_each(|(new, &old)| place[old] = new);
    let moved = |id: NodeId| NodeId::new(place[id.index()]);
    let mut after = draft.clone();
    let nodes: Vec<_> = order
        .iter()
        .map(|&old| {
            let mut node = draft.nodes[NodeId::new(old)].clone();
            node.inputs.iter_mut().for_each(|edge| edge.source = moved(edge.source));
            node
        })
        .collect();
    after.nodes = Arena::from(nodes);
    after.readout = match draft.readout {
        Readout::SpikeCount(node) => Readout::SpikeCount(moved(node)),
        Readout::MeanLinear(node) => Readout::MeanLinear(moved(node)),
    };
    after
}

/// What a population is, by names: parameters, and what it reads.
type Integers = (PopKind, Vec<(String, u32, Vec<i32>)>, Vec<(String, Vec<f32>, u64)>);

fn integers(draft: &QuantizedDraft, name: &str) -> Integers {
    let id = draft.population_named(name).expect("the same populations");
    let source = |id| draft.populations[id].name.clone();
    let reads = draft.projections_into(id).map(|(_, p)| {
        let matrix = &draft.matrices[p.matrix];
        let weights = (0..matrix.mantissa.len()).map(|i| matrix.weight(i)).collect();
        (source(p.source), p.delay, weights)
    });
    let host = draft.host.iter().filter(|h| h.target == id);
    let host = host.map(|h| (source(h.input), h.weights.clone(), h.scale.to_bits()));
    (draft.populations[id].kind.clone(), reads.collect(), host.collect())
}

#[test]
fn integers_do_not_depend_on_the_order_of_populations() {
    let strategy = (network(Space::Graded), settings(), any::<bool>(), any::<u64>());
    all(&strategy, 200, |(draft, settings, tight, seed)| {
        let target = able(tight);
        let Some(network) = canonical(draft) else { return Ok(None) };
        let recipe = Recipe { settings, ..Recipe::default() };
        let Some(before) = quantize(&network, &target, &recipe)? else { return Ok(None) };
        let other = shuffled(&network, &mut Rng::new(seed));
        let Some(after) = quantize(&other, &target, &recipe)? else {
            return Err(TestCaseError::fail("refused in another order"));
        };
        for population in before.draft.populations.values() {
            let name = &population.name;
            prop_assert_eq!(integers(&before.draft, name), integers(&after.draft, name));
        }
        for population in &before.account.populations {
            let same = |p: &&PopulationAccount| p.name == population.name;
            prop_assert_eq!(Some(population), after.account.populations.iter().find(same));
        }
        Ok(Some(before.draft.populations.len() as u64))
    });
}

#[test]
fn uniform_parameters_stay_uniform() {
    let recipe = Recipe::default();
    all(&network(Space::Fixed), 60, |draft| {
        let Some(network) = canonical(draft) else { return Ok(None) };
        let settings = Settings { scales: Scaling::Population, ..recipe.settings };
        let recipe = Recipe { settings, ..recipe.clone() };
        let Some(applied) = quantize(&network, &able(false), &recipe)? else { return Ok(None) };
        for population in &applied.recipe.populations {
            let uniform = matches!(population.scale, Some(Param::Uniform(_)));
            prop_assert!(uniform, "`{}` was to have one scale", population.name);
        }
        Ok(Some(1))
    });
}
