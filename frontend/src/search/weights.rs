//! State dicts: whether the tensors of a genome are those that its network needs.

use super::nodes::{Needed, Parts};
use super::unfolding::Family;
use crate::fields::Name;
use crate::genome::{OpSpec, Store};
use crate::suggest::closest;
use snnc_ir::diag::codes::genome as codes;
use snnc_ir::{Diagnostic, Diagnostics};

/// Most missing tensors that are named.
const SHOWN: usize = 8;

/// Checks that every tensor is there in the shape that the network needs, and lets the thresholds
/// and leaks of the state dict take the place of the model's.
pub(crate) fn apply(parts: &mut Parts, family: Family, store: &Store, out: &mut Diagnostics) {
    let mut missing: Vec<&Needed> = Vec::new();
    for needed in &parts.needed {
        let expected: Vec<usize> = needed.shape.iter().map(|&d| d as usize).collect();
        match store.shape(&needed.name) {
            None => missing.push(needed),
            Some(found) if found != expected => {
                let name = &needed.name;
                out.push(
                    Diagnostic::error(
                        codes::TENSOR_SHAPE,
                        format!("`{name}` has the shape {found:?}"),
                    )
                    .at(&needed.path)
                    .note(format!("the unfolded network needs {expected:?}"))
                    .help("check that genome, `init_channels` and tensors are of one training"),
                );
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        out.push(absent(&missing, family, store));
    }
    for node in &mut parts.nodes {
        let (Some(id), Some(OpSpec::Neuron(population))) = (&node.id, &mut node.op) else {
            continue;
        };
        let own = |field: &str| {
            let text = format!("{}.{field}", id.text);
            let path = "$.search.neuron".to_owned();
            store.shape(&text).is_some().then_some(Name { text, path })
        };
        population.threshold = own("threshold");
        population.w = own("w");
    }
}

/// One finding for all tensors that are missing.
fn absent(missing: &[&Needed], family: Family, store: &Store) -> Diagnostic {
    let names: Vec<&str> = missing.iter().take(SHOWN).map(|n| n.name.as_str()).collect();
    let more = if missing.len() > SHOWN { ", …" } else { "" };
    let count = missing.len();
    let message = match count {
        1 => "a tensor of the unfolded network is missing".to_owned(),
        _ => format!("{count} tensors of the unfolded network are missing"),
    };
    let d = Diagnostic::error(codes::TENSOR_MISSING, message)
        .at("$.tensors")
        .note(format!("missing: {}{more}", names.join(", ")));
    let is_kernel = |name: &str| store.shape(name).is_some_and(|s| s.len() == 4);
    if family == Family::NeuEvo && is_kernel("cells.0._ops.0.op.1.weight") {
        return d.help(
            "these tensors are of cells with a population before each convolution, which the released \
             code of NeuEvo does not have; write its nodes out (family `explicit`)",
        );
    }
    if missing.iter().any(|n| n.name == "classifier.weight")
        && store.shape("classifier.0.weight").is_some()
    {
        return d.help(
            "these tensors are of a network whose classes are voted for by spikes; train with a linear \
             classifier (`spike_output` off)",
        );
    }
    match closest(names[0], store.names()) {
        Some(near) => d.help(format!("the closest name there is `{near}`")),
        None => d.help("give the whole state dict of the trained network, names unchanged"),
    }
}
