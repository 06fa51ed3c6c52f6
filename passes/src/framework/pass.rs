//! What a pass is.

use crate::fold_integers::Fold;
use crate::framework::levels::LevelKind;
use crate::framework::options::{OptionInfo, Options};
use crate::framework::properties::Property;
use crate::quantize::account::Account;
use crate::rates::{self, Rates};
use snnc_ir::{
    Diagnostics, Level, MappedNetwork, Network, QuantizedNetwork, Recipe, TargetSpec, recipe,
};
use std::fmt;

/// How the network after a pass relates to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same spikes at the same steps, for every input.
    Exact,
    /// Equal in real arithmetic; the rounding of f32 may differ.
    RealExact,
    /// Spikes may change; the distance is measured and reported.
    Bounded,
}

impl Class {
    /// Name in lists and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::RealExact => "real-exact",
            Self::Bounded => "bounded",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a pass declares about itself.
#[derive(Clone, Copy, Debug)]
pub struct PassInfo {
    /// Name in pipelines, kebab-case.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Relation between input and output.
    pub class: Class,
    /// Properties that the input must have.
    pub requires: &'static [Property],
    /// Properties that the output has, whatever the input.
    pub establishes: &'static [Property],
    /// Properties of the input that the output may lack.
    pub invalidates: &'static [Property],
    /// Options.
    pub options: &'static [OptionInfo],
}

/// What a pass sees besides the network, and where it leaves its remarks.
#[derive(Debug)]
pub struct Context<'a> {
    /// The target that is compiled for.
    pub target: &'a TargetSpec,
    /// Options of this call.
    pub options: &'a Options,
    /// Decisions about quantization.
    pub recipe: &'a Recipe,
    /// How often neurons send.
    pub rates: &'a Rates,
    /// Warnings and notes; errors are returned instead.
    pub remarks: Diagnostics,
    /// What quantization did, left by the pass that quantizes.
    pub account: Option<Account>,
    /// What passes folded, in order.
    pub folds: Vec<Fold>,
}

impl<'a> Context<'a> {
    /// A context without remarks; the recipe decides nothing, and all rates are assumed.
    pub const fn new(target: &'a TargetSpec, options: &'a Options) -> Self {
        Self {
            target,
            options,
            recipe: &recipe::DEFAULT,
            rates: &rates::NONE,
            remarks: Diagnostics::new(),
            account: None,
            folds: Vec::new(),
        }
    }
}

/// A transformation of a level, or from one level to the next.
///
/// A pass gets the draft of a *verified* network that has the required properties, and returns a
/// draft that the verifier of its level accepts. It is deterministic.
pub trait Pass {
    /// Level of the input.
    type From: Level;
    /// Level of the output.
    type To: Level;

    /// What the pass declares.
    fn info(&self) -> &'static PassInfo;

    /// Transforms the draft.
    ///
    /// # Errors
    /// Diagnostics about what the network holds and the pass cannot express.
    fn run(
        &self,
        draft: <Self::From as Level>::Draft,
        cx: &mut Context<'_>,
    ) -> Result<<Self::To as Level>::Draft, Diagnostics>;
}

/// A boxed pass from one level to another.
pub type BoxedPass<From, To> = Box<dyn Pass<From = From, To = To> + Send + Sync>;

/// A pass of any of the five kinds.
pub enum AnyPass {
    /// Rewrites a network.
    Network(BoxedPass<Network, Network>),
    /// Turns a network into integers.
    Quantize(BoxedPass<Network, QuantizedNetwork>),
    /// Rewrites an integer network.
    Quantized(BoxedPass<QuantizedNetwork, QuantizedNetwork>),
    /// Places an integer network on cores.
    Map(BoxedPass<QuantizedNetwork, MappedNetwork>),
    /// Moves a network between cores.
    Mapped(BoxedPass<MappedNetwork, MappedNetwork>),
}

impl AnyPass {
    /// What the pass declares.
    pub fn info(&self) -> &'static PassInfo {
        match self {
            Self::Network(p) => p.info(),
            Self::Quantize(p) => p.info(),
            Self::Quantized(p) => p.info(),
            Self::Map(p) => p.info(),
            Self::Mapped(p) => p.info(),
        }
    }

    /// Level of the input.
    pub const fn from(&self) -> LevelKind {
        match self {
            Self::Network(_) | Self::Quantize(_) => LevelKind::Network,
            Self::Quantized(_) | Self::Map(_) => LevelKind::Quantized,
            Self::Mapped(_) => LevelKind::Mapped,
        }
    }

    /// Level of the output.
    pub const fn to(&self) -> LevelKind {
        match self {
            Self::Network(_) => LevelKind::Network,
            Self::Quantize(_) | Self::Quantized(_) => LevelKind::Quantized,
            Self::Map(_) | Self::Mapped(_) => LevelKind::Mapped,
        }
    }
}

impl fmt::Debug for AnyPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} -> {})", self.info().name, self.from(), self.to())
    }
}
