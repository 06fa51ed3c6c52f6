//! What networks hold, and what became of them: every item is to be met in a long run.

use snnc_ir::arena::{Entity, PopId};
use snnc_ir::conv::Conv;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::Provenance;
use snnc_ir::network::{
    Coding, Compare, Dynamics, Emission, Keep, NetworkDraft, Op, Readout, Reset, Scheme,
};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntNeuron, IntReadout, IntReset, PopKind, QuantizedDraft, Sign, Structure, Time,
};

macro_rules! features {
    ($($name:ident = $text:literal,)*) => {
        /// One item of the coverage report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names that are printed say it")]
        pub enum Feature { $($name,)* }

        impl Feature {
            /// All of them, in the order of the report.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in the report.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

features! {
    Recurrence = "graph: recurrence through several populations",
    SelfLoop = "graph: population that reads itself",
    MultiEdge = "graph: several projections between two populations",
    Skip = "graph: skip connection",
    UnequalDepths = "graph: paths of unequal depth meet",
    Crowd = "graph: ten populations or more",
    NoNeurons = "graph: no neurons",
    OneNeuron = "graph: one neuron",
    NoSynapses = "graph: no synapses",
    NoInput = "graph: no input",
    Unread = "graph: population that nothing reads",
    SharedMatrix = "weights: one matrix for several projections",
    ZeroWeights = "weights: stored zeros",
    AllZero = "weights: nothing but zeros",
    Lowest = "weights: mantissa -256",
    Highest = "weights: mantissa 254",
    Most = "weights: mantissa +-255",
    LargeExponent = "weights: exponent 7",
    SmallExponent = "weights: exponent -7",
    Mixed = "weights: mixed sign",
    Excitatory = "weights: excitatory",
    Inhibitory = "weights: inhibitory",
    OneBit = "weights: field of 1 bit",
    FewBits = "weights: field of 2 to 6 bits",
    EightBits = "weights: field of 8 bits",
    Dense = "layout: dense",
    Sparse = "layout: sparse",
    Identity = "layout: one to one",
    Convolution = "layout: convolution",
    Padded = "convolution: padded alike on all sides",
    UnevenPad = "convolution: uneven padding",
    Strided = "convolution: stride",
    UnevenStride = "convolution: uneven stride",
    Grouped = "convolution: groups",
    Depthwise = "convolution: one channel per group",
    Cropped = "convolution: crop",
    Pointwise = "convolution: kernel 1x1",
    Rectangular = "convolution: kernel not square",
    DelayZero = "delay: 0",
    DelayAtRegister = "delay: 61 to 63",
    DelayBeyond = "delay: 64 and more",
    AtLeast = "neuron: fires at the threshold",
    Above = "neuron: fires above the threshold",
    ResetZero = "neuron: reset to zero",
    Subtract = "neuron: reset by subtraction",
    Refractory = "neuron: refractory",
    RefractoryMost = "neuron: refractory 62 to 64",
    Floor = "neuron: floor",
    FloorZero = "neuron: floor 0",
    NoMemory = "neuron: current without memory (du 4095)",
    LongMemory = "neuron: current with the longest memory (du 0)",
    NoLeak = "neuron: no leak (dv 0)",
    FullLeak = "neuron: full leak (dv 4095)",
    Bias = "neuron: bias",
    BiasMost = "neuron: largest bias",
    ThresholdLeast = "neuron: smallest threshold",
    ThresholdMost = "neuron: largest threshold",
    PerChannel = "neuron: parameters by channel",
    PerNeuron = "neuron: parameters by neuron",
    Graded = "graded relay: of both signs",
    GradedPositive = "graded relay: positive",
    GradedNegative = "graded relay: negative",
    GradedShift = "graded relay: shift",
    GradedBias = "graded relay: bias",
    HostBias = "input: bias by the host",
    Events = "input: events",
    Accumulator = "input: accumulator",
    Rate = "input: rate",
    Direct = "input: direct",
    ReadCounts = "readout: counts",
    ReadLinear = "readout: linear",
    LongRun = "run: ten steps or more",
    OneStep = "run: one step",
    FloatSource = "float: source",
    Integrate = "float: integrator",
    Tau = "float: time constant",
    Decay = "float: decay",
    LinearNeuron = "float: linear neuron",
    Sigmoid = "float: learnt leak",
    Izhikevich = "float: Izhikevich's model",
    Burst = "float: bursts",
    Several = "float: several spikes in a step",
    ResetValue = "float: reset to another value",
    Starts = "float: starts off its reset value",
    Generated = "float: generated tensor",
    SharedGenes = "float: genes of several tensors",
    PerOffset = "float: genes by offset",
    FlatFanIn = "float: genes by fan-in",
    Heaviside = "float: Heaviside step of genes",
    BatchNorm = "float: batch normalization",
    Pooling = "float: pooling",
    Concat = "float: concatenation",
    Clip = "float: clip",
    PlainRelay = "float: plain relay",
    Crop = "float: crop",
    ZeroNode = "float: zero",
    Discretized = "float: record of a discretization",
    OnLoihi1 = "compiled: loihi1",
    OnLoihi2 = "compiled: loihi2",
    Whole = "compiled: whole cores",
    Cramped = "compiled: cramped cores",
    Exact = "compiled: limits just met",
    OneMore = "compiled: one more than needed",
    OneLess = "compiled: one less than first fit needs",
    OneLessRefused = "refused: one less than first fit needs",
    Synaptic = "compiled: delays in synapses",
    Relayed = "compiled: delays in relays",
    Factored = "compiled: genes as factors",
    Relays = "program: relays",
    Clocks = "program: clocks",
    LongPeriod = "program: several hardware steps per logical step",
    SeveralCores = "program: several cores",
    SeveralChips = "program: several chips",
    Scattered = "program: neurons anywhere",
    Blocked = "program: neurons in blocks of channels",
    FullCompartments = "full core: compartments",
    FullInputAxons = "full core: input axons",
    FullOutputAxons = "full core: output axons",
    FullSynapseWords = "full core: synapse words",
    FullProfiles = "full core: profiles",
    FullThresholds = "full core: thresholds",
    FullFormats = "full core: formats",
    Silent = "run: source silent on all stimuli",
    MetThreshold = "run: membrane within one unit of its threshold",
}

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features([u64; 2]);

// Two words hold them.
const _: () = assert!(Feature::ALL.len() <= 128, "a third word is needed");

impl Features {
    /// Adds one.
    pub fn mark(&mut self, feature: Feature) {
        let bit = feature as usize;
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Adds one if `found`.
    pub fn mark_if(&mut self, feature: Feature, found: bool) {
        if found {
            self.mark(feature);
        }
    }

    /// Whether it is there.
    pub fn has(self, feature: Feature) -> bool {
        let bit = feature as usize;
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }

    /// Those of either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// What a source holds.
    pub fn of(draft: &AnyDraft) -> Self {
        let mut found = Self::default();
        match draft {
            AnyDraft::Network(network) => found.network(network),
            AnyDraft::Quantized(network) => found.integers(network),
            AnyDraft::Mapped(_) => {}
        }
        found
    }

    /// What an integer network in logical time holds.
    pub fn integers(&mut self, draft: &QuantizedDraft) {
        use Feature as F;
        if draft.time != Time::Logical {
            return;
        }
        let edges: Vec<_> = draft
            .projections
            .values()
            .map(|p| (p.source.index(), p.target.index(), p.delay))
            .collect();
        let count = draft.populations.len();
        self.graph(count, &edges);
        let neurons: usize = draft
            .populations
            .values()
            .filter(|p| p.neuron().is_some())
            .map(snnc_ir::quantized::Population::size)
            .sum();
        self.mark_if(F::NoNeurons, neurons == 0);
        self.mark_if(F::OneNeuron, neurons == 1);
        self.mark_if(F::NoSynapses, draft.projections.is_empty());
        self.mark_if(
            F::NoInput,
            !draft.populations.values().any(snnc_ir::quantized::Population::is_input),
        );
        self.mark_if(F::LongRun, draft.steps >= 10);
        self.mark_if(F::OneStep, draft.steps == 1);
        let read = draft.readout.populations();
        let unread =
            |id: PopId| !read.contains(&id) && !draft.projections.values().any(|p| p.source == id);
        self.mark_if(F::Unread, draft.populations.ids().any(unread));
        let mut users = vec![0; draft.matrices.len()];
        draft.projections.values().for_each(|p| users[p.matrix.index()] += 1);
        self.mark_if(F::SharedMatrix, users.iter().any(|n| *n > 1));
        for matrix in draft.matrices.values() {
            self.matrix(matrix);
        }
        for population in draft.populations.values() {
            match &population.kind {
                PopKind::Input(coding) => self.coding(coding),
                PopKind::Neurons(neuron) => self.neuron(neuron),
                PopKind::Graded(graded) => {
                    self.mark(match graded.keep {
                        None => F::Graded,
                        Some(Keep::Positive) => F::GradedPositive,
                        Some(Keep::Negative) => F::GradedNegative,
                    });
                    self.mark_if(F::GradedShift, graded.shift > 0);
                    self.mark_if(F::GradedBias, graded.bias.values().iter().any(|b| *b != 0));
                }
            }
        }
        self.mark_if(F::HostBias, !draft.host.is_empty());
        self.mark(match draft.readout {
            IntReadout::SpikeCount(_) => F::ReadCounts,
            IntReadout::MeanLinear { .. } => F::ReadLinear,
        });
    }

    /// Loops, and paths that meet; edges are (source, target, delay).
    fn graph(&mut self, count: usize, edges: &[(usize, usize, u32)]) {
        use Feature as F;
        self.mark_if(F::Crowd, count >= 10);
        let mut ends: Vec<_> = edges.iter().map(|e| (e.0, e.1)).collect();
        ends.sort_unstable();
        self.mark_if(F::MultiEdge, ends.windows(2).any(|w| w[0] == w[1]));
        self.mark_if(F::SelfLoop, ends.iter().any(|e| e.0 == e.1));
        ends.dedup();
        for &(_, _, delay) in edges {
            self.mark_if(F::DelayZero, delay == 0);
            self.mark_if(F::DelayAtRegister, (61..=63).contains(&delay));
            self.mark_if(F::DelayBeyond, delay >= 64);
        }
        // Reachability by squaring would be more; networks have some ten populations.
        let mut reach = vec![false; count * count];
        ends.iter().filter(|e| e.0 != e.1).for_each(|e| reach[e.0 * count + e.1] = true);
        for via in 0..count {
            for from in 0..count {
                if reach[from * count + via] {
                    for to in 0..count {
                        reach[from * count + to] |= reach[via * count + to];
                    }
                }
            }
        }
        self.mark_if(F::Recurrence, (0..count).any(|n| reach[n * count + n]));
        let skips = |&(from, to): &(usize, usize)| {
            from != to
                && (0..count).any(|via| {
                    via != from && via != to && reach[from * count + via] && reach[via * count + to]
                })
        };
        let skip = ends.iter().any(skips);
        self.mark_if(F::Skip, skip);
        // Along zero delays, which have no loops: the longest and the shortest way into a population.
        let mut depth = vec![(0_usize, 0_usize); count];
        for _ in 0..count.min(8) {
            for to in 0..count {
                let sources =
                    edges.iter().filter(|e| e.1 == to && e.2 == 0 && e.0 != to).map(|e| depth[e.0]);
                let (least, most) =
                    sources.fold((usize::MAX, 0), |(l, m), (a, b)| (l.min(a + 1), m.max(b + 1)));
                if most > 0 {
                    depth[to] = (least, most);
                }
            }
        }
        self.mark_if(F::UnequalDepths, depth.iter().any(|(least, most)| least < most));
    }

    fn matrix(&mut self, matrix: &snnc_ir::quantized::IntMatrix) {
        use Feature as F;
        let has = |value: i16| matrix.mantissa.contains(&value);
        let zeros = has(0);
        self.mark_if(F::ZeroWeights, zeros);
        let silent = matrix.mantissa.iter().all(|m| *m == 0);
        self.mark_if(F::AllZero, silent);
        self.mark_if(F::Lowest, has(-256));
        self.mark_if(F::Highest, has(254));
        self.mark_if(F::Most, has(255) || has(-255));
        self.mark_if(F::LargeExponent, matrix.exponent == 7 && !silent);
        self.mark_if(F::SmallExponent, matrix.exponent == -7 && !silent);
        self.mark(match matrix.sign {
            Sign::Mixed => F::Mixed,
            Sign::Excitatory => F::Excitatory,
            Sign::Inhibitory => F::Inhibitory,
        });
        self.mark(match matrix.weight_bits() {
            1 => F::OneBit,
            8 => F::EightBits,
            _ => F::FewBits,
        });
        match &matrix.structure {
            Structure::Dense { .. } => self.mark(F::Dense),
            Structure::Sparse { .. } => self.mark(F::Sparse),
            Structure::Identity { .. } => self.mark(F::Identity),
            Structure::Conv(conv) => self.conv(conv),
        }
    }

    fn conv(&mut self, conv: &Conv) {
        use Feature as F;
        self.mark(F::Convolution);
        let [first, ..] = conv.pad;
        let even = conv.pad.iter().all(|p| *p == first);
        self.mark_if(F::Padded, even && first > 0);
        self.mark_if(F::UnevenPad, !even);
        let [vertical, horizontal] = conv.stride;
        self.mark_if(F::Strided, vertical > 1 || horizontal > 1);
        self.mark_if(F::UnevenStride, vertical != horizontal);
        self.mark_if(F::Grouped, conv.groups > 1);
        self.mark_if(F::Depthwise, conv.groups > 1 && conv.groups == conv.input[0]);
        self.mark_if(F::Cropped, conv.crop != [0; 4]);
        self.mark_if(F::Pointwise, conv.kernel == [1, 1]);
        self.mark_if(F::Rectangular, conv.kernel[0] != conv.kernel[1]);
    }

    fn coding(&mut self, coding: &Coding) {
        self.mark(match coding {
            Coding::Events => Feature::Events,
            Coding::Accumulator { .. } => Feature::Accumulator,
            Coding::Rate { .. } => Feature::Rate,
            Coding::Direct { .. } => Feature::Direct,
        });
    }

    fn neuron(&mut self, neuron: &IntNeuron) {
        use Feature as F;
        self.mark(match neuron.compare {
            Compare::Ge => F::AtLeast,
            Compare::Gt => F::Above,
        });
        self.mark(match neuron.reset {
            IntReset::Zero => F::ResetZero,
            IntReset::Subtract(_) => F::Subtract,
        });
        self.mark_if(F::Refractory, neuron.refractory > 1);
        self.mark_if(F::RefractoryMost, (62..=64).contains(&neuron.refractory));
        if let Some(floor) = &neuron.floor {
            self.mark(F::Floor);
            self.mark_if(F::FloorZero, floor.values().contains(&0));
        }
        let any = |p: &Param<u16>, value: u16| p.values().contains(&value);
        self.mark_if(F::NoMemory, any(&neuron.du, 4095));
        self.mark_if(F::LongMemory, any(&neuron.du, 0));
        self.mark_if(F::NoLeak, any(&neuron.dv, 0));
        self.mark_if(F::FullLeak, any(&neuron.dv, 4095));
        let biases = neuron.bias.values();
        self.mark_if(F::Bias, biases.iter().any(|b| *b != 0));
        self.mark_if(F::BiasMost, biases.iter().any(|b| b.abs() == 4095 * 128));
        let thresholds = neuron.threshold.values();
        self.mark_if(F::ThresholdLeast, thresholds.iter().any(|t| t / 64 == 1));
        self.mark_if(F::ThresholdMost, thresholds.iter().any(|t| t / 64 == 131_071));
        for form in
            [std::mem::discriminant(&neuron.threshold), std::mem::discriminant(&neuron.bias)]
        {
            let (channel, single) = (Param::PerChannel(Vec::new()), Param::PerNeuron(Vec::new()));
            self.mark_if(F::PerChannel, form == std::mem::discriminant::<Param<i32>>(&channel));
            self.mark_if(F::PerNeuron, form == std::mem::discriminant::<Param<i32>>(&single));
        }
    }

    /// What a float network holds.
    fn network(&mut self, draft: &NetworkDraft) {
        use Feature as F;
        self.mark(F::FloatSource);
        self.mark_if(F::Discretized, draft.discretization.is_some());
        self.mark_if(F::LongRun, draft.steps >= 10);
        self.mark(match draft.readout {
            Readout::SpikeCount(_) => F::ReadCounts,
            Readout::MeanLinear(_) => F::ReadLinear,
        });
        let mut users = vec![0_u32; draft.tensors.len()];
        for tensor in draft.tensors.values() {
            let Some(genes) = tensor.genes else { continue };
            self.mark(F::Generated);
            for gene in [genes.out, genes.core, genes.source] {
                users[gene.index()] += 1;
            }
            if let Provenance::Encoded { scheme, heaviside, .. } = &tensor.provenance {
                self.mark_if(F::PerOffset, *scheme == Scheme::PerOffset);
                self.mark_if(F::FlatFanIn, *scheme == Scheme::FlatFanIn);
                self.mark_if(F::Heaviside, *heaviside);
            }
        }
        self.mark_if(F::SharedGenes, users.iter().any(|n| *n > 1));
        for node in draft.nodes.values() {
            match &node.op {
                Op::Input(coding) => self.coding(coding),
                Op::Conv2d { conv, .. } => self.conv(conv),
                Op::BatchNorm { .. } => self.mark(F::BatchNorm),
                Op::Concat => self.mark(F::Concat),
                Op::AvgPool { .. } | Op::GlobalAvgPool => self.mark(F::Pooling),
                Op::Relay(None) => self.mark(F::PlainRelay),
                Op::Relay(Some(_)) => self.mark(F::Clip),
                Op::Crop(_) => self.mark(F::Crop),
                Op::Zero => self.mark(F::ZeroNode),
                Op::Neuron(neuron) => {
                    self.mark(match neuron.dynamics {
                        Dynamics::Integrate => F::Integrate,
                        Dynamics::Tau(_) => F::Tau,
                        Dynamics::Decay(_) => F::Decay,
                        Dynamics::Linear(_) => F::LinearNeuron,
                        Dynamics::Sigmoid(_) => F::Sigmoid,
                        Dynamics::Izhikevich { .. } => F::Izhikevich,
                    });
                    match neuron.emission {
                        Emission::Binary => {}
                        Emission::Burst { .. } => self.mark(F::Burst),
                        Emission::Several => self.mark(F::Several),
                    }
                    let rest = match neuron.reset {
                        Reset::To(value) => value,
                        Reset::Subtract => 0.0,
                    };
                    self.mark_if(F::ResetValue, rest.abs() > 0.0);
                    self.mark_if(F::Starts, (neuron.v_init - rest).abs() > 0.0);
                }
                Op::Linear { .. } | Op::Add | Op::Flatten => {}
            }
        }
    }
}
