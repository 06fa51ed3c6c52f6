//! Which core each vertex goes to.

/// What one core can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Neurons.
    pub neurons: u64,
    /// Input axons: of every edge with a target on the core, its axons. An edge whose source is on the core counts, too.
    pub inputs: u64,
    /// Most cores.
    pub cores: u32,
}

/// How much time to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Effort {
    /// A linear pass and a quick refinement.
    Fast,
    /// Multilevel.
    #[default]
    Balanced,
    /// Several starts and repeated refinement.
    Best,
}

/// The core of every vertex.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Partition {
    /// Core of each vertex; of vertices of weight 0, `u32::MAX`.
    pub core: Vec<u32>,
    /// Cores in use, numbered from 0.
    pub cores: u32,
}
