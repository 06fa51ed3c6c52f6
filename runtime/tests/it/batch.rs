//! Batches give what single runs give, in the order of samples.

use crate::common::Rng;
use crate::common::float_net::{random as random_float, stimulus};
use crate::common::int_net::{Kind, inputs, random};
use crate::common::program::map;
use snnc_runtime::cores::{CoreProbe, CoreSim};
use snnc_runtime::float::{FloatProbe, FloatSim};
use snnc_runtime::integer::{IntProbe, IntSim};
use snnc_runtime::{SimError, Stimulus, batch};

#[test]
fn batches_equal_single_runs() {
    let rng = &mut Rng(3);
    let network = random_float(rng);
    let sim = FloatSim::new(&network).unwrap();
    let stimuli: Vec<_> = (0..20).map(|_| stimulus(&network, rng)).collect();
    let single = |s| sim.run(s, &FloatProbe::All).unwrap();
    let expected: Vec<_> = stimuli.iter().map(single).collect();
    assert_eq!(batch::float(&sim, &stimuli, &FloatProbe::All), Ok(expected));

    let network =
        random(rng, Kind { hardware: true, registers: true, programmable: true, graded: false });
    let sim = IntSim::new(&network).unwrap();
    let samples: Vec<_> = (0..20).map(|_| inputs(&network, rng)).collect();
    let single = |s: &Stimulus| sim.run(s, &IntProbe::All).unwrap();
    let expected: Vec<_> = samples.iter().map(single).collect();
    assert_eq!(batch::integer(&sim, &samples, &IntProbe::All), Ok(expected));

    let program = map(&network, rng);
    let sim = CoreSim::new(&program).unwrap();
    let single = |s: &Stimulus| sim.run(s, &CoreProbe::All).unwrap();
    let expected: Vec<_> = samples.iter().map(single).collect();
    assert_eq!(batch::cores(&sim, &samples, &CoreProbe::All), Ok(expected));
    let mut broken = samples;
    broken[7].inputs.clear();
    let error = batch::cores(&sim, &broken, &CoreProbe::None).unwrap_err();
    assert!(matches!(error, SimError::Sample { index: 7, .. }), "{error}");
}
