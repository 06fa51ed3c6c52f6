//! The one door to a sealed network: [`Level::verify`].

use crate::diag::Diagnostics;
use crate::mapped::{MappedDraft, MappedNetwork};
use crate::network::{Network, NetworkDraft};
use crate::quantized::{QuantizedDraft, QuantizedNetwork};
use crate::target::TargetSpec;

/// What a verifier holds a draft to, beyond the rules of its level.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'a> {
    /// Hold integers, delays and cores to the ranges and limits of this target.
    pub target: Option<&'a TargetSpec>,
}

impl<'a> Rules<'a> {
    /// Rules of the level plus the limits of `target`.
    pub const fn for_target(target: &'a TargetSpec) -> Self {
        Self { target: Some(target) }
    }
}

/// A level of the pipeline: an editable draft and a sealed, verified form.
///
/// The sealed form dereferences to the draft for reading and cannot be changed in place:
///
/// ```compile_fail
/// # use snnc_ir::{Level, Network, NetworkDraft, Rules};
/// fn change(mut network: Network) {
///     network.steps = 0; // Only a draft can be changed: `network.into_draft()`.
/// }
/// ```
///
/// ```
/// # use snnc_ir::{Diagnostics, Level, Network, Rules};
/// fn change(network: Network) -> Result<Network, Diagnostics> {
///     let mut draft = network.into_draft();
///     draft.steps = 8;
///     Network::verify(draft, &Rules::default())
/// }
/// ```
pub trait Level: Sized {
    /// The editable form.
    type Draft;
    /// Name of the level in files and on the command line.
    const NAME: &'static str;

    /// Checks every rule of the level and seals the draft.
    ///
    /// # Errors
    /// All violations found, not just the first.
    fn verify(draft: Self::Draft, rules: &Rules<'_>) -> Result<Self, Diagnostics>;

    /// Opens the network for editing again.
    fn into_draft(self) -> Self::Draft;
}

/// A draft of any level: what a `.snn` or `.snnb` file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyDraft {
    /// A network in f32 and logical time.
    Network(NetworkDraft),
    /// An integer network.
    Quantized(QuantizedDraft),
    /// An integer network on cores.
    Mapped(MappedDraft),
}

impl AnyDraft {
    /// Name of its level, as [`Level::NAME`].
    pub const fn level_name(&self) -> &'static str {
        match self {
            Self::Network(_) => Network::NAME,
            Self::Quantized(_) => QuantizedNetwork::NAME,
            Self::Mapped(_) => MappedNetwork::NAME,
        }
    }
}

/// Declares the sealed newtype of a draft; `check` is the verifier.
macro_rules! sealed {
    ($(#[$doc:meta])* $name:ident, $draft:ident, $level:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name($draft);

        impl $crate::level::Level for $name {
            type Draft = $draft;
            const NAME: &'static str = $level;

            fn verify(
                draft: $draft,
                rules: &$crate::level::Rules<'_>,
            ) -> Result<Self, $crate::diag::Diagnostics> {
                let mut diagnostics = $crate::diag::Diagnostics::new();
                $check(&draft, *rules, &mut diagnostics);
                diagnostics.into_result(Self(draft))
            }

            fn into_draft(self) -> $draft {
                self.0
            }
        }

        impl std::ops::Deref for $name {
            type Target = $draft;
            fn deref(&self) -> &$draft {
                &self.0
            }
        }
    };
}
pub(crate) use sealed;
