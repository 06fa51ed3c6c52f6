//! Quantization: the float network and the integers read side by side.
//!
//! The account says at which scales populations were quantized and how far each kind of number was moved.
//! For every neuron one of its population's scales must explain all that acts on it: weights within a step
//! of the float ones (half a step, but where the sum of a row is kept; of chains what the account says), threshold, bias and leaks as
//! they are rounded by [docs/quantization.md]. Nothing may be further off than the account says, unless a
//! recipe asks for it. Sources, delays, resets, comparisons and the readout are those of the float network.
//!
//! Weights are looked at row by row up to [`SYNAPSES`] for each population, then in every so many rows.

use super::current::{self, Current, Row, float_current, integer_rows};
use super::report::{By, Compared, Finding};
use snnc_ir::arena::PopId;
use snnc_ir::network::{Coding, Neuron, Node, Op, Readout, Reset};
use snnc_ir::quantized::{Graded, IntNeuron, IntReadout, IntReset, PopKind, Population};
use snnc_ir::{Network, QuantizedNetwork, Recipe, TargetSpec};
use snnc_passes::quantize::account::{Account, PopulationAccount};

/// Synapses into a population that are looked at one by one.
const SYNAPSES: usize = 1 << 21;

/// Holds integers to the float network that they stand for.
pub(super) fn check(
    before: &Network,
    after: &QuantizedNetwork,
    account: Option<&Account>,
    (recipe, target): (&Recipe, &TargetSpec),
) -> (Compared, Option<Finding>) {
    let compared = Compared { populations: after.populations.len(), ..Compared::default() };
    let Some(account) = account else {
        return (compared, Some(Finding::new(By::Account, "there is no account of it")));
    };
    let side = Side { before, after, account, recipe, target };
    let populations = after.populations.iter().find_map(|(id, p)| side.population(id, p));
    let finding = side.missing().or(populations).or_else(|| side.readout());
    (compared, finding)
}

struct Side<'a> {
    before: &'a Network,
    after: &'a QuantizedNetwork,
    account: &'a Account,
    recipe: &'a Recipe,
    target: &'a TargetSpec,
}

fn wrong(population: &str, neuron: Option<usize>, what: String) -> Finding {
    let population = Some(population.to_owned());
    Finding { population, neuron, ..Finding::new(By::Account, what) }
}

/// Whether two numbers are equal but for the rounding of this check itself.
fn within(error: f64, limit: f64) -> bool {
    error <= limit * (1.0 + 1e-6) + 1e-9
}

impl<'a> Side<'a> {
    fn node(&self, name: &str) -> Option<&'a Node> {
        self.before.nodes.values().find(|n| n.name == name)
    }

    fn told(&self, name: &str) -> Option<&'a PopulationAccount> {
        self.account.populations.iter().find(|p| p.name == name)
    }

    /// A population of the float network that no integers stand for.
    fn missing(&self) -> Option<Finding> {
        let has_one = |op: &Op| op.is_population() || matches!(op, Op::Relay(_));
        let lost = self.before.nodes.values().find(|n| {
            has_one(&n.op) && !self.after.populations.values().any(|p| p.name == n.name)
        })?;
        Some(wrong(&lost.name, None, "it has no integers".to_owned()))
    }

    fn population(&self, id: PopId, p: &Population) -> Option<Finding> {
        let Some(node) = self.node(&p.name).filter(|node| node.shape == p.shape) else {
            return Some(wrong(
                &p.name,
                None,
                "the float network has no such population".to_owned(),
            ));
        };
        match (&node.op, &p.kind) {
            (Op::Input(float), PopKind::Input(own)) => (float != own)
                .then(|| wrong(&p.name, None, "the input is coded in another way".to_owned())),
            (Op::Neuron(neuron), PopKind::Neurons(own)) => {
                Self::form(&p.name, neuron, own).or_else(|| self.neurons(id, p, node))
            }
            (Op::Relay(keep), PopKind::Graded(own)) => {
                if *keep == own.keep {
                    self.neurons(id, p, node)
                } else {
                    Some(wrong(&p.name, None, "it passes another sign".to_owned()))
                }
            }
            _ => Some(wrong(&p.name, None, "it is something else in integers".to_owned())),
        }
    }

    /// What does not depend on scales.
    fn form(name: &str, float: &Neuron, own: &IntNeuron) -> Option<Finding> {
        let subtracts = |yes: bool| if yes { "subtracts its threshold" } else { "goes to 0" };
        let resets =
            [matches!(float.reset, Reset::Subtract), matches!(own.reset, IntReset::Subtract(_))];
        let what = if float.compare != own.compare {
            format!(
                "it compares by {:?} in float and by {:?} in integers",
                float.compare, own.compare
            )
        } else if resets[0] != resets[1] {
            let [a, b] = resets.map(subtracts);
            format!("a spike {a} in float and {b} in integers")
        } else if float.refractory.saturating_add(1) != own.refractory {
            format!(
                "it is held for {} steps in float, for {} in integers",
                float.refractory,
                own.refractory.saturating_sub(1)
            )
        } else {
            return None;
        };
        Some(wrong(name, None, what))
    }

    /// Everything that acts on the neurons of a population.
    fn neurons(&self, id: PopId, p: &Population, node: &Node) -> Option<Finding> {
        let Some(told) = self.told(&p.name) else {
            return Some(wrong(&p.name, None, "the account does not mention it".to_owned()));
        };
        let Some(current) = float_current(self.before, node) else {
            return Some(wrong(&p.name, None, "its current has no canonical form".to_owned()));
        };
        let all: usize = current.terms.iter().map(|t| t.structure.stored_synapses()).sum();
        let stride = all.div_ceil(SYNAPSES).max(1);
        for n in 0..p.size() {
            let float = if n.is_multiple_of(stride) { Some(current.row(n)) } else { None };
            let integer = float.as_ref().map(|_| integer_rows(self.after, self.before, id, n));
            let tries = told.scales.iter().map(|&scale| {
                let at = At { side: self, p, node, told, n, scale };
                at.registers(&current).or_else(|| match (&float, &integer) {
                    (Some(float), Some(integer)) => at.weights(float, integer),
                    _ => None,
                })
            });
            // The scale that explains most is the one meant.
            let mut found: Option<Option<Flaw>> = None;
            for flaw in tries {
                let best = match (&found, &flaw) {
                    (Some(None), _) => false,
                    (None, _) | (_, None) => true,
                    (Some(Some(old)), Some(new)) => new.explains > old.explains,
                };
                if best {
                    found = Some(flaw);
                }
            }
            if let Some(Some(flaw)) = found {
                return Some(wrong(&p.name, Some(n), flaw.what));
            }
        }
        None
    }

    fn readout(&self) -> Option<Finding> {
        let finding = |what: &str| Some(Finding::new(By::Account, format!("readout: {what}")));
        let name = |id: PopId| self.after.populations[id].name.as_str();
        match (&self.before.readout, &self.after.readout) {
            (Readout::SpikeCount(node), IntReadout::SpikeCount(id)) => {
                let same = self.before.nodes[*node].name == name(*id);
                if same { None } else { finding("it counts another population") }
            }
            (Readout::MeanLinear(node), IntReadout::MeanLinear { terms, bias }) => {
                let node = &self.before.nodes[*node];
                let Some(current) = current::of(self.before, node) else {
                    return finding("its current has no canonical form");
                };
                let mut float: Vec<(&str, &[f32])> = current
                    .terms
                    .iter()
                    .map(|t| (self.before.nodes[t.source].name.as_str(), t.weights))
                    .collect();
                let mut own: Vec<(&str, &[f32])> =
                    terms.iter().map(|(id, w)| (name(*id), w.as_slice())).collect();
                float.sort_by(|a, b| a.0.cmp(b.0).then(a.1.len().cmp(&b.1.len())));
                own.sort_by(|a, b| a.0.cmp(b.0).then(a.1.len().cmp(&b.1.len())));
                if float != own {
                    return finding("its weights are not those of the float network");
                }
                let far = |(k, b): (usize, &f32)| {
                    let exact = current.bias.get(k).copied().unwrap_or(0.0);
                    !within((f64::from(*b) - exact).abs(), 1e-6 * exact.abs())
                };
                if bias.iter().enumerate().any(far) {
                    return finding("its bias is not that of the float network");
                }
                None
            }
            _ => finding("scores are made in another way"),
        }
    }
}

/// A neuron at a scale.
struct At<'a, 's> {
    side: &'s Side<'a>,
    p: &'s Population,
    node: &'s Node,
    told: &'s PopulationAccount,
    n: usize,
    scale: f64,
}

/// What a scale does not explain, and how many kinds of numbers it explains before that.
struct Flaw {
    explains: usize,
    what: String,
}

impl At<'_, '_> {
    /// Threshold, floor, leaks, then bias.
    fn registers(&self, current: &Current<'_>) -> Option<Flaw> {
        match (&self.node.op, &self.p.kind) {
            (Op::Neuron(float), PopKind::Neurons(own)) => {
                let flaw = |(explains, what)| Flaw { explains, what };
                self.threshold(float, own)
                    .map(|what| (0, what))
                    .or_else(|| self.leaks(float, own).map(|what| (1, what)))
                    .or_else(|| self.floor(float, own).map(|what| (1, what)))
                    .or_else(|| {
                        let bias = own.bias.at(self.n, &self.p.shape);
                        self.bias(current, f64::from(bias) / 64.0, Some(float))
                            .map(|what| (2, what))
                    })
                    .map(flaw)
            }
            (_, PopKind::Graded(own)) => {
                let Graded { shift, .. } = *own;
                let half = if shift > 0 { 1_i32 << (shift.min(31) - 1) } else { 0 };
                let bias = own.bias.at(self.n, &self.p.shape).saturating_sub(half);
                let what = self.bias(current, f64::from(bias), None);
                what.map(|what| Flaw { explains: 2, what })
            }
            _ => None,
        }
    }

    fn threshold(&self, float: &Neuron, own: &IntNeuron) -> Option<String> {
        let shape = &self.p.shape;
        let theta = f64::from(float.threshold.at(self.n, shape));
        // The register may hold one more than a multiple of 64, which stands for `>=`.
        let register = own.threshold.at(self.n, shape);
        let units = register.div_euclid(64);
        let asked = self.recipe_has(|p| p.threshold.is_some());
        let told = self.told.threshold.as_ref().map_or(0.0, |t| t.error) * theta * self.scale;
        let error = (f64::from(units) - theta * self.scale).abs();
        let nearest = error <= 0.5 || asked || units <= 2;
        if !within(error, told.max(1e-6)) || !nearest || register.rem_euclid(64) > 1 {
            return Some(format!(
                "the threshold {theta} is {register} of the membrane's units, {:.4} of the scale's",
                f64::from(register) / 64.0 / self.scale
            ));
        }
        if let (Reset::Subtract, IntReset::Subtract(amount)) = (&float.reset, &own.reset)
            && amount.at(self.n, shape) != units * 64
        {
            let amount = amount.at(self.n, shape);
            return Some(format!("a spike subtracts {amount}, the threshold is {register}"));
        }
        None
    }

    fn leaks(&self, float: &Neuron, own: &IntNeuron) -> Option<String> {
        let (shape, n) = (&self.p.shape, self.n);
        let decay = current::decay(float, n, shape)?;
        let (du, dv) = (own.du.at(n, shape), own.dv.at(n, shape));
        let membrane = 32.0 * f64::from(own.threshold.at(n, shape).div_euclid(64));
        let reach = |v: f64| if v > 0.0 { (2048.0 / v).ceil().clamp(1.0, 64.0) } else { 64.0 };
        let off = f64::from(dv) - 4096.0 * decay;
        let asked = self.recipe_has(|p| p.dv.is_some());
        let told = self.told.decay.as_ref().map_or(0.0, |d| d.error) * 4096.0;
        let low = -(reach(membrane) + 0.5).max(1.0);
        if !(asked || (low..=0.5).contains(&off) || dv == 4095 && decay >= 1.0 - 1.0 / 4096.0)
            || !within(off.abs(), told.max(1e-6))
        {
            return Some(format!(
                "the membrane loses {decay} in a step, the register says {dv} of 4096"
            ));
        }
        let keep = float.dynamics.current().map_or(0.0, |c| f64::from(c.keep.at(n, shape)));
        let lost = f64::from(du) + 1.0;
        let off = lost - 4096.0 * (1.0 - keep);
        let told = self.told.current.as_ref().map_or(0.0, |d| d.error) * 4096.0;
        // The current at which its register is right depends on the leak; it is never above the membrane.
        if !(-65.0..=1.0).contains(&off) || !within(off.abs(), told.max(1e-6)) {
            return Some(format!(
                "the current keeps {keep} in a step, the register says a loss of {lost} of 4096"
            ));
        }
        None
    }

    fn floor(&self, float: &Neuron, own: &IntNeuron) -> Option<String> {
        let shape = &self.p.shape;
        let exact = float.floor.as_ref().map(|f| f64::from(f.at(self.n, shape)));
        let register = own.floor.as_ref().map(|f| f.at(self.n, shape));
        let target = self.side.target;
        let fits = match (exact, register) {
            (None, None) => true,
            (None, Some(_)) => false,
            // Below all that the register of the membrane holds.
            #[expect(clippy::cast_precision_loss, reason = "a register")]
            (Some(exact), None) => exact * self.scale * 64.0 <= target.lowest_floor() as f64,
            (Some(exact), Some(floor)) => {
                let (floor, wanted) = (f64::from(floor), exact * self.scale * 64.0);
                #[expect(clippy::cast_precision_loss, reason = "a register")]
                let lowest = floor <= target.lowest_floor() as f64;
                if target.floor_powers.value == 0 {
                    lowest || (floor - wanted).abs() <= 32.0
                } else {
                    // The nearest power of two.
                    let off = (1.0 - floor).log2() - (1.0 - wanted).log2();
                    lowest || off.abs() <= 1.0
                }
            }
        };
        (!fits).then(|| format!("the floor {exact:?} is {register:?} of the membrane's units"))
    }

    fn bias(&self, current: &Current<'_>, units: f64, neuron: Option<&Neuron>) -> Option<String> {
        let exact = current.bias.get(self.n).copied().unwrap_or(0.0);
        let error = (units - exact * self.scale).abs();
        let over = match neuron {
            Some(neuron) => f64::from(neuron.threshold.at(self.n, &self.p.shape)),
            None => current.bias.iter().fold(0.0_f64, |m, b| m.max(b.abs())),
        };
        let over = if over > 0.0 { over } else { 1.0 };
        let told = self.told.bias.as_ref().map_or(0.0, |b| b.error) * over * self.scale;
        let asked = self.recipe_has(|p| p.bias.is_some());
        // The nearest, or one beside it that keeps the rhythm of the neuron.
        let near = error <= 1.5 || asked;
        (!near || !within(error, told.max(1e-6))).then(|| {
            format!(
                "the bias {exact} is {units} units of weight, {:.4} at its scale",
                units / self.scale
            )
        })
    }

    fn weights(&self, float: &Row, integer: &Row) -> Option<Flaw> {
        let flaw = |what| Some(Flaw { explains: 3, what });
        let mut at = 0;
        for &(key, weight) in integer {
            while float.get(at).is_some_and(|(k, _)| *k < key) {
                if let Some(what) = self.weight(float[at].0, float[at].1, 0.0) {
                    return flaw(what);
                }
                at += 1;
            }
            let exact = match float.get(at) {
                Some((k, exact)) if *k == key => {
                    at += 1;
                    *exact
                }
                _ => 0.0,
            };
            if let Some(what) = self.weight(key, exact, weight) {
                return flaw(what);
            }
        }
        let rest = float[at..].iter().find_map(|&(key, exact)| self.weight(key, exact, 0.0));
        rest.and_then(flaw)
    }

    /// What is wrong with a weight.
    fn weight(&self, (source, delay, from): current::Key, exact: f64, own: f64) -> Option<String> {
        let read = &self.side.before.nodes[source];
        let scale = self.scale / self.unit(read);
        let aim = exact * scale;
        let direct = matches!(read.op, Op::Input(Coding::Direct { .. }));
        let terms = self.told.projections.iter();
        let terms = terms.filter(|t| t.source == read.name && t.delay == delay);
        let (mut step, mut told, mut clips) = (0.0, 0.0, false);
        let mut asked = false;
        for term in terms {
            step += f64::from(1_u32 << term.exponent.min(31));
            told += term.max_error * scale;
            clips |= term.clipped > 0;
            let recipe = self.side.recipe.projection(&term.source, &self.p.name, term.nth);
            asked |= recipe.is_some_and(|r| r.weights.is_some());
        }
        let error = (own - aim).abs();
        // Beyond the end of its set a weight is cut.
        let cut = clips && own * aim > 0.0 && own.abs() < aim.abs();
        let fits = if direct {
            // Tables of the host hold the float weights.
            within(error, 1e-6 * aim.abs())
        } else {
            // What reads the messages of a chain is rounded so that errors cancel in them.
            let chained = matches!(read.op, Op::Relay(None));
            let near = error < step || asked || cut || chained || step <= 0.0 && error <= 0.0;
            near && within(error, told + 1e-6)
        };
        if fits { None } else { Some(Self::words(read, (delay, from), exact, own / scale)) }
    }

    fn words(read: &Node, (delay, from): (u32, usize), exact: f64, found: f64) -> String {
        let late = if delay > 0 { format!(" ({delay} steps later)") } else { String::new() };
        format!(
            "the weight from neuron {from} of `{}`{late} is {exact} and stands for {found:.5} in integers",
            read.name
        )
    }

    /// What a source sends for a value of 1.
    fn unit(&self, read: &Node) -> f64 {
        let Op::Relay(_) = read.op else { return 1.0 };
        let graded = self.side.after.populations.values().find(|p| p.name == read.name);
        let shift = graded.and_then(Population::graded).map_or(0, |g| g.shift);
        let scale = self.side.told(&read.name).and_then(|t| t.scales.first()).copied();
        scale.unwrap_or(1.0) / f64::from(1_u32 << shift.min(31))
    }

    fn recipe_has(&self, what: impl Fn(&snnc_ir::recipe::PopulationRecipe) -> bool) -> bool {
        self.side.recipe.population(&self.p.name).is_some_and(what)
    }
}
