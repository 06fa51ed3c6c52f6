//! Prints mapped networks.

use super::{Quoted, quantized};
use crate::mapped::MappedDraft;
use crate::text::VERSION;
use std::fmt::{self, Display, Formatter};

/// A mapped network whose `Display` is the text form.
pub(in crate::text) struct Mapped<'a>(pub(in crate::text) &'a MappedDraft);

impl Display for Mapped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "snn {VERSION} mapped\ntarget {}", Quoted(&self.0.target))?;
        quantized::body(f, &self.0.network)?;
        f.write_str("\norders {")?;
        self.0.orders.iter().try_for_each(|block| write!(f, " {block}"))?;
        f.write_str(" }\n")?;
        for (id, core) in self.0.cores.iter() {
            write!(f, "\n{id} chip {} cell {} {{", core.chip, core.cell)?;
            core.slices.iter().try_for_each(|s| write!(f, "\n  slice {s}"))?;
            core.axons.iter().try_for_each(|s| write!(f, "\n  axons {s}"))?;
            for block in &core.blocks {
                write!(
                    f,
                    "\n  block {} axons {} slice {}",
                    block.projection, block.axons, block.slice
                )?;
            }
            f.write_str("\n}\n")?;
        }
        Ok(())
    }
}
