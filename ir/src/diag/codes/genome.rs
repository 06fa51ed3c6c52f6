//! Genomes (02xx).

use super::codes;

codes! {
}
