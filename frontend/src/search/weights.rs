//! State dicts: whether the tensors of a genome are those that its network needs.

use super::nodes::{Needed, Parts, Role};
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
    if family == Family::NeuEvo && spiking_edges(&parts.needed, store) {
        out.push(
            Diagnostic::error(codes::NOT_RUNNABLE, "the tensors are of cells with neurons on edges")
                .at("$.tensors")
                .note(
                    "in the released code of NeuEvo the population before each convolution of a cell is \
                     commented out, so the convolution is `op.0`; here it is `op.1`",
                )
                .help("write the nodes of the network out (family `explicit`)"),
        );
        return;
    }
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
        out.push(absent(&missing, store));
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

/// Whether a kernel stands where a cell without neurons on its edges has a normalization.
fn spiking_edges(needed: &[Needed], store: &Store) -> bool {
    let mut scales = needed.iter().filter(|n| n.role == Role::Gamma);
    scales.any(|n| store.shape(&n.name).is_some_and(|shape| shape.len() == 4))
}

/// One finding for all tensors that are missing.
fn absent(missing: &[&Needed], store: &Store) -> Diagnostic {
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
